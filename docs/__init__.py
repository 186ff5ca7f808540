"""The documentation, shipped with the package: `stressrunner help` shows it where there is no network."""
