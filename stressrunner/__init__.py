"""stressrunner: load scenarios for HTTP APIs, written in YAML and trusted as evidence."""

__all__ = ["__version__"]

__version__ = "0.1.0"
