"""The embedded target: the project's own agents API, so that every scenario has something to run against.

Importing this costs little, since every scenario that names the target has its options read: what runs the target in a
process of its own is in `stressrunner.demo.process`.
"""

from stressrunner.demo.options import DemoOptionError, DemoOptions

__all__ = ["DemoOptionError", "DemoOptions"]
