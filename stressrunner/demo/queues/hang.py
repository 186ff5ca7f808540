"""A faulty queue: it has one place per session for whoever waits for a reply, and the next caller takes it."""

from collections import deque

from anyio.abc import TaskGroup

from stressrunner.demo.queues.seam import Pending, Runner, RunReply, run

__all__ = ["HangQueue"]


class _Line:
    """The messages of one session."""

    def __init__(self, first: Pending) -> None:
        self.caller = first  # the last one who came
        self.waiting = deque([first])


class HangQueue:
    """Processes every message alone and in order, and forgets callers.

    The fault: the reply goes to the caller who is noted in the session, and each message notes its own caller
    over the one before. Who was noted over is never woken up.
    """

    def __init__(self, tasks: TaskGroup, runner: Runner) -> None:
        self._tasks = tasks
        self._runner = runner
        self._lines: dict[str, _Line] = {}

    async def submit(self, session: str, content: str) -> RunReply:
        """Return the message's own reply, or never, when another message came before its end; raises RunFailed."""
        pending = Pending(content)
        line = self._lines.get(session)
        if line is not None:
            line.caller = pending
            line.waiting.append(pending)
        else:
            line = self._lines[session] = _Line(pending)
            self._tasks.start_soon(self._work, session, line)
        return await pending.reply()

    async def _work(self, session: str, line: _Line) -> None:
        while line.waiting:
            pending = line.waiting.popleft()
            outcome = await run(self._runner, session, pending)
            if line.caller is pending:
                pending.settle(outcome)
        del self._lines[session]
