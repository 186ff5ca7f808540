"""A net without words: what a user can observe, held while names, words and rooms of the code change.

Nothing here imports from stressrunner or holds a sentence that it writes: commands are run as users run them, bytes are
seen on a socket, and of files only numbers, ids and positions are kept. STRESSRUNNER_UPDATE_GOLDEN=1 writes what is kept
anew, for the next reviewer to look at.
"""
