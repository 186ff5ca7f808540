"""The agents of the API and what a run of them does: think, answer, remember both sides."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from stressrunner.demo.queues import RunFailed, RunReply
from stressrunner.demo.store import Store
from stressrunner.hosting.simulation import Faults, ModelDelay

__all__ = ["AGENTS", "Agent", "Completing", "Model"]


class Agent(NamedTuple):
    """An agent as the API lists it; all of them are answered by the one simulated model."""

    id: int
    name: str
    description: str


AGENTS = {
    agent.name: agent
    for agent in (
        Agent(1, "simple_agent", "Answers a message with what it understood."),
        Agent(2, "support_agent", "Answers questions about an order."),
        Agent(3, "research_agent", "Looks things up before it answers."),
    )
}


class Completing(Protocol):
    """A model elsewhere that can be asked."""

    async def complete(self, text: str) -> str:
        """Return the model's answer to a text; raises RunFailed when there is none."""


class Model:
    """The simulated model behind all agents: it takes its time, repeats what it was told, or fails.

    With a `backend` that one is asked first, and what it answers is said; the time comes on top, as if it were spent
    on working with the answer. So the backend sees each run that begins, also those that come to nothing.

    With a `capacity`, the exchanges of runs in progress are prepared in a buffer of that many places. A run that
    finds all of them taken goes on without one: its caller gets the reply, and there is nothing to keep.
    """

    def __init__(
        self,
        store: Store,
        latency: ModelDelay,
        faults: Faults,
        *,
        capacity: int | None = None,
        backend: Completing | None = None,
    ) -> None:
        self._store = store
        self._latency = latency
        self._faults = faults
        self._capacity = capacity
        self._backend = backend
        self._buffered = 0
        self.runs = 0  #: begun so far

    async def respond(self, _session: str, content: str) -> RunReply:
        """Answer a text; raises RunFailed when a fault strikes or the backend has no answer."""
        self.runs += 1
        with self._place() as has_place:
            text = f"Understood: {content}"
            if self._backend is not None:
                text = await self._backend.complete(content)
            await self._latency.elapse()
            if self._faults.strike():
                raise RunFailed("the simulated model failed")
            return RunReply(text, content, has_place)

    def keep(self, session: str, reply: RunReply) -> None:
        """Add a user message and its reply to the history of a session (by id), if they were buffered."""
        if reply.is_recorded:
            self._store.add_exchange(session, reply.content, reply.text)

    @contextmanager
    def _place(self) -> Iterator[bool]:
        """Hold a place in the buffer, and tell whether there was one."""
        has_place = self._capacity is None or self._buffered < self._capacity
        self._buffered += has_place
        try:
            yield has_place
        finally:
            self._buffered -= has_place
