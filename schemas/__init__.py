"""JSON Schemas of the scenario file and the result file, shipped with the package."""
