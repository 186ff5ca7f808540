"""What happens to the messages of one chat session when they come faster than they are answered.

Each behaviour is a queue that somebody could have written, and where it is faulty, the fault is in how it works:

    merge      messages that come during a run are joined into the next one; every caller gets its run's reply
    latest     each message cancels the run before it, whose caller is told that there is no response
    overlap    as latest, but a run that has begun cannot be cancelled and is kept all the same
    hang       one message after the other, but a caller is forgotten when the next one comes
    duplicate  a wake-up that a busy worker misses makes another worker repeat what is in progress
    misroute   as merge, but what is said in one session is kept in the one that became active last

Adding a behaviour is one module and one line in `QUEUES`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from stressrunner.demo.queues.duplicate import DuplicateQueue
from stressrunner.demo.queues.hang import HangQueue
from stressrunner.demo.queues.latest import SUPERSEDED, LatestQueue
from stressrunner.demo.queues.merge import MergeQueue
from stressrunner.demo.queues.misroute import misroute_queue
from stressrunner.demo.queues.overlap import OverlapQueue
from stressrunner.demo.queues.seam import SEPARATOR, QueueFactory, RunFailed, Runner, RunReply, SessionQueue

__all__ = ["QUEUES", "SEPARATOR", "SUPERSEDED", "RunFailed", "RunReply", "Runner", "SessionQueue"]

QUEUES: Mapping[str, QueueFactory] = MappingProxyType(
    {
        "merge": MergeQueue,
        "latest": LatestQueue,
        "overlap": OverlapQueue,
        "hang": HangQueue,
        "duplicate": DuplicateQueue,
        "misroute": misroute_queue,
    }
)
