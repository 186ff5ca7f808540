"""The embedded target: the project's own agents API, so that every scenario has something to run against.

Importing this costs no web framework; the process that serves imports it for itself.
"""

from stressrunner.demo.options import DemoOptionError, DemoOptions
from stressrunner.demo.process import running_demo, serve_forever

__all__ = ["DemoOptionError", "DemoOptions", "running_demo", "serve_forever"]
