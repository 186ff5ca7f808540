"""The sink: a stand-in for the model backend, which sees what a service processes and not only what it stores.

Importing this costs no web framework; the process that serves imports it for itself.
"""

from stressrunner.sink.log import Observation, SinkLog
from stressrunner.sink.options import SinkOptions
from stressrunner.sink.process import RunningSink, running_sink

__all__ = ["Observation", "RunningSink", "SinkLog", "SinkOptions", "running_sink"]
