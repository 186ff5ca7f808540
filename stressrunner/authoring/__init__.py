"""Writing scenarios: from descriptions and recordings of an API, and as a starter pack.

`importing.import_scenario` turns a text of one of the `KINDS` into a scenario; `starter.write_starter` and
`starter.write_shipped` fill a folder. What an importer cannot take over becomes a note, never a guess.
"""
