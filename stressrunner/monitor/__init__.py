"""Watching: the processes of the target, and the generator itself."""
