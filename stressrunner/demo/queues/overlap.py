"""A faulty queue: it replaces messages as `latest` does, but what its workers have begun cannot be cancelled."""

import anyio
from anyio.abc import TaskGroup

from stressrunner.demo.queues.latest import SUPERSEDED
from stressrunner.demo.queues.seam import Pending, RunFailed, Runner, RunReply, answer

__all__ = ["OverlapQueue"]

_WORKERS = 2  # of one session, side by side


class _Lane:
    """The messages of one session."""

    def __init__(self) -> None:
        self.workers = 0
        self.newest: Pending | None = None  # whose caller is told as soon as another message comes
        self.waiting: Pending | None = None  # the newest, until a worker takes it
        self.written = anyio.Event()  # everything that was taken so far is in the history
        self.written.set()


class OverlapQueue:
    """Tells callers that they were superseded, and goes on with what it began for them.

    The fault: cancelling ends the caller's wait alone. The worker, like a thread, does not hear of it and keeps
    the exchange in the end. Only a message that no worker had taken is really gone. Workers run side by side, and
    write what they have in the order in which they began.
    """

    def __init__(self, tasks: TaskGroup, runner: Runner) -> None:
        self._tasks = tasks
        self._runner = runner
        self._lanes: dict[str, _Lane] = {}

    async def submit(self, session: str, content: str) -> RunReply:
        """Return the message's own reply; raises RunFailed when it failed or a later message came before its end."""
        lane = self._lanes.setdefault(session, _Lane())
        if lane.newest is not None:
            lane.newest.settle(RunFailed(SUPERSEDED))
        pending = lane.newest = lane.waiting = Pending(content)
        if lane.workers < _WORKERS:
            lane.workers += 1
            self._tasks.start_soon(self._work, session, lane)
        return await pending.reply()

    async def _work(self, session: str, lane: _Lane) -> None:
        while lane.waiting is not None:
            pending, lane.waiting = lane.waiting, None
            before, lane.written = lane.written, anyio.Event()
            written = lane.written
            outcome = await answer(self._runner, session, pending)
            await before.wait()
            if isinstance(outcome, RunReply):
                self._runner.keep(session, outcome)
            pending.settle(outcome)
            written.set()
        lane.workers -= 1
        if not lane.workers:
            del self._lanes[session]
