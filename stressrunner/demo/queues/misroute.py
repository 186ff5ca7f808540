"""A faulty queue: it merges as it should, but all runs share one note of the session that is being worked on."""

from anyio.abc import TaskGroup

from stressrunner.demo.queues.merge import MergeQueue
from stressrunner.demo.queues.seam import Runner, RunReply

__all__ = ["misroute_queue"]


class _SharedContext:
    """An agent that notes its session on itself when a run begins, and looks there when it ends.

    The fault: there is one agent for all sessions. What it finds at the end is the session of the run that began
    last, anywhere; only while no other session is active is it the right one.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._session = ""

    async def respond(self, session: str, content: str) -> RunReply:
        self._session = session
        return await self._runner.respond(session, content)

    def keep(self, _session: str, reply: RunReply) -> None:
        self._runner.keep(self._session, reply)


def misroute_queue(tasks: TaskGroup, runner: Runner) -> MergeQueue:
    """Return a queue that stores messages in a neighbour's session while several are active."""
    return MergeQueue(tasks, _SharedContext(runner))
