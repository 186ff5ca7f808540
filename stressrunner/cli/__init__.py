"""The command line: arguments, exit codes and what is shown while a run is under way."""

from stressrunner.cli.app import main

__all__ = ["main"]
