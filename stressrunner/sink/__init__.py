"""The sink: a stand-in for the model backend, which sees what a service processes and not only what it stores.

Importing this costs little, since every scenario has its options read: what runs a sink in a process of its own is in
`stressrunner.sink.process`.
"""

from stressrunner.sink.log import SinkLog, TokenObservation
from stressrunner.sink.options import SinkOptions

__all__ = ["SinkLog", "SinkOptions", "TokenObservation"]
