"""The agents of the API and one run of them: think, answer, remember both sides."""

from typing import NamedTuple

from stressrunner.demo.session_queue import Reply, RunFailed
from stressrunner.demo.simulation import Faults, Latency
from stressrunner.demo.store import Store

__all__ = ["AGENTS", "Agent", "Model"]


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


class Model:
    """The simulated model behind all agents: it takes its time, repeats what it was told, or fails."""

    def __init__(self, store: Store, latency: Latency, faults: Faults) -> None:
        self._store = store
        self._latency = latency
        self._faults = faults
        self.runs = 0  #: begun so far

    async def run(self, session: str, content: str) -> Reply:
        """Process a text in a session (by id): one user message and one reply join its history.

        Raises RunFailed, and stores nothing, when a fault strikes.
        """
        self.runs += 1
        await self._latency.elapse()
        if self._faults.strike():
            raise RunFailed("the simulated model failed")
        reply = Reply(f"Understood: {content}", content)
        self._store.add_exchange(session, content, reply.text)
        return reply
