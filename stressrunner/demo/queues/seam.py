"""What a session queue is handed, and what it is asked for."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import anyio
from anyio.abc import TaskGroup

__all__ = [
    "SEPARATOR",
    "Pending",
    "QueueFactory",
    "RunFailed",
    "RunReply",
    "Runner",
    "SessionQueue",
    "answer",
    "run",
]

SEPARATOR = "\n---\n"  #: between messages that were joined into one


class RunReply(NamedTuple):
    """The answer of one run."""

    text: str
    content: str  #: the text that was processed, which several messages may share
    is_recorded: bool = True  #: False where the history had no room for the run


class RunFailed(Exception):
    """A run ended without a reply; its text says why, and nothing of it is to be kept."""


class Runner(Protocol):
    """What the runs of a queue are done by: it answers first, and keeps what was said afterwards."""

    async def respond(self, session: str, content: str) -> RunReply:
        """Answer a text in a session (by id), which takes a while; raises RunFailed."""

    def keep(self, session: str, reply: RunReply) -> None:
        """Append a text and its answer to the history of a session (by id), as one step."""


class SessionQueue(Protocol):
    """The seam: one behaviour under concurrent messages."""

    async def submit(self, session: str, content: str) -> RunReply:
        """Return the reply that the queue has for the caller who brings this message.

        Raises RunFailed when it has none.
        """


QueueFactory: TypeAlias = Callable[[TaskGroup, Runner], SessionQueue]
"""Makes a queue whose runs are tasks of the group and not of a caller."""


class Pending:
    """What becomes one run: a message, or several joined in order of arrival, and the outcome for their callers."""

    __slots__ = ("_outcome", "_settled", "contents")

    _outcome: RunReply | RunFailed  # there once settled

    def __init__(self, *contents: str) -> None:
        self.contents = list(contents)
        self._settled = anyio.Event()

    @property
    def text(self) -> str:
        """The messages as one text."""
        return SEPARATOR.join(self.contents)

    @property
    def is_settled(self) -> bool:
        """Whether the callers have their outcome."""
        return self._settled.is_set()

    def settle(self, outcome: RunReply | RunFailed) -> None:
        """Give the callers an outcome; they keep the first one that they are given."""
        if not self.is_settled:
            self._outcome = outcome
            self._settled.set()

    async def reply(self) -> RunReply:
        """Wait for the outcome; raises RunFailed when that is what it is."""
        await self._settled.wait()
        if isinstance(self._outcome, RunFailed):
            # An exception of its own for each caller: they would share one traceback otherwise.
            raise RunFailed(*self._outcome.args)
        return self._outcome


async def answer(runner: Runner, session: str, pending: Pending) -> RunReply | RunFailed:
    """Answer what is pending, and keep nothing of it yet."""
    try:
        return await runner.respond(session, pending.text)
    except RunFailed as failure:
        return failure


async def run(runner: Runner, session: str, pending: Pending) -> RunReply | RunFailed:
    """Answer what is pending and keep it in the session, or keep nothing where it cannot be answered."""
    outcome = await answer(runner, session, pending)
    if isinstance(outcome, RunReply):
        runner.keep(session, outcome)
    return outcome
