"""A run from a checked document to a result: the whole road in one function."""
