"""What the project's own servers have in common: a process for each, on loopback, gone with whoever started it.

Importing this costs no web framework; the process that serves imports it for itself.
"""

from stressrunner.hosting.process import Hosted, HostingFailed, hosted

__all__ = ["Hosted", "HostingFailed", "hosted"]
