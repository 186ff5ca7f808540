"""What happens to the messages of one chat session when they come faster than they are answered.

A queue is handed `run`, which processes one piece of text in one session. Runs of a session never
overlap. A message that finds its session idle starts a run at once; what becomes of the others is the
queue's behaviour, the `queue=` option:

    merge   messages that come during a run wait, and are joined into the one run that follows it

Adding a behaviour is one class and one line in `QUEUES`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol, TypeAlias

import anyio
from anyio.abc import TaskGroup

__all__ = ["QUEUES", "SEPARATOR", "MergeQueue", "Reply", "Run", "RunFailed", "SessionQueue"]

SEPARATOR = "\n---\n"  #: between messages that were joined into one


class Reply(NamedTuple):
    """The answer of one run."""

    text: str
    content: str  #: the text that was processed, which several messages may share


class RunFailed(Exception):
    """A run ended without a reply; its text says why, and nothing of it was stored."""


Run: TypeAlias = Callable[[str, str], Awaitable[Reply]]
"""Processes a text (second) in a session (first). Raises RunFailed."""


class SessionQueue(Protocol):
    """The seam: one behaviour under concurrent messages."""

    async def submit(self, session: str, content: str) -> Reply:
        """Return the reply of the run in which the message was processed.

        Raises RunFailed when that run failed.
        """


class _Batch:
    """Messages that share one run, in order of arrival, and the outcome that all of their callers get."""

    __slots__ = ("_outcome", "_settled", "contents")

    _outcome: Reply | RunFailed  # there once settled

    def __init__(self, *contents: str) -> None:
        self.contents = list(contents)
        self._settled = anyio.Event()

    def settle(self, outcome: Reply | RunFailed) -> None:
        self._outcome = outcome
        self._settled.set()

    async def reply(self) -> Reply:
        await self._settled.wait()
        if isinstance(self._outcome, RunFailed):
            # An exception of its own for each caller: they would share one traceback otherwise.
            raise RunFailed(*self._outcome.args)
        return self._outcome


class MergeQueue:
    """Joins the messages that wait into one run: each is processed exactly once, in order of arrival.

    Runs are tasks of `tasks` and not of a caller, so a caller that goes away takes no message with it
    (test_cancelled_callers_lose_nothing).
    """

    def __init__(self, tasks: TaskGroup, run: Run) -> None:
        self._tasks = tasks
        self._run = run
        self._waiting: dict[str, _Batch] = {}  # a session is in here exactly while it has a run in progress

    async def submit(self, session: str, content: str) -> Reply:
        """Return the reply of the run that took the message in; raises RunFailed when it failed."""
        batch = self._waiting.get(session)
        if batch is not None:
            batch.contents.append(content)
        else:
            batch = _Batch(content)
            self._waiting[session] = _Batch()
            self._tasks.start_soon(self._work, session, batch)
        return await batch.reply()

    async def _work(self, session: str, batch: _Batch) -> None:
        """Run `batch` and then whatever came meanwhile, until nothing did."""
        while batch.contents:
            try:
                batch.settle(await self._run(session, SEPARATOR.join(batch.contents)))
            except RunFailed as failure:
                batch.settle(failure)
            batch, self._waiting[session] = self._waiting[session], _Batch()
        del self._waiting[session]


QUEUES: Mapping[str, Callable[[TaskGroup, Run], SessionQueue]] = {
    "merge": MergeQueue,
}
