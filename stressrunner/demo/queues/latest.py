"""The queue that answers only the newest message: each one cancels the run before it and takes its place."""

import anyio
from anyio.abc import TaskGroup

from stressrunner.demo.queues.seam import Pending, RunFailed, Runner, RunReply

__all__ = ["SUPERSEDED", "LatestQueue"]

SUPERSEDED = "No response returned"  #: what the callers of cancelled runs are told


class LatestQueue:
    """Cancel and replace, without a fault: a message is either answered and kept, or superseded and gone."""

    def __init__(self, tasks: TaskGroup, runner: Runner) -> None:
        self._tasks = tasks
        self._runner = runner
        self._current: dict[str, _CancellableRun] = {}  # by session

    async def submit(self, session: str, content: str) -> RunReply:
        """Return the message's own reply; raises RunFailed when it failed or a later message came before its end."""
        if session in self._current:
            self._current[session].supersede()
        current = self._current[session] = _CancellableRun(content)
        self._tasks.start_soon(self._work, session, current)
        return await current.pending.reply()

    async def _work(self, session: str, current: "_CancellableRun") -> None:
        await current.work(self._runner, session)
        if self._current.get(session) is current:
            del self._current[session]


class _CancellableRun:
    """One message's run, until it has ended or another one takes its place."""

    def __init__(self, content: str) -> None:
        self.pending = Pending(content)
        self._scope = anyio.CancelScope()

    def supersede(self) -> None:
        self.pending.settle(RunFailed(SUPERSEDED))
        self._scope.cancel()

    async def work(self, runner: Runner, session: str) -> None:
        with self._scope:
            try:
                reply = await runner.respond(session, self.pending.text)
            except RunFailed as failure:
                self.pending.settle(failure)
                return
            # A cancellation that finds the answer already there comes too late to raise anything, so what its
            # caller was told decides whether this is kept.
            if not self.pending.is_settled:
                runner.keep(session, reply)
                self.pending.settle(reply)
