"""The scenario language: from a YAML file to a Document without mistakes, and from that to a Scenario.

`document.load_document` reads a file, `build.build` makes the Scenario of `model`. Nothing is imported here, so that
what needs the shapes of `model` or `threshold` alone does not wait for the readers of YAML and JSON Schema.
"""
