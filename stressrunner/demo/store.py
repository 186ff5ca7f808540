"""What the agents API remembers while it runs: users, memories, and the history of every session.

Ids are name-based UUIDs, so the same requests in the same order get the same ids in every run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

__all__ = ["AgentSession", "AgentUser", "HistoryEntry", "Memory", "Store"]

_IDS = UUID("6f0f6a0e-3c55-4c56-9d0c-3b4d6a4f9a51")  # the namespace of this API, drawn once


class HistoryEntry(NamedTuple):
    """One entry of a session's history."""

    id: str
    role: str  #: "user" or "assistant"
    content: str
    created_at: str


class AgentUser(NamedTuple):
    """Someone whom agents talk to; an e-mail address is one user."""

    id: str
    email: str
    phone_number: str | None
    user_data: Mapping[str, Any]
    created_at: str


class Memory(NamedTuple):
    """A piece of text that is kept for a user."""

    id: str
    name: str
    content: str
    user_id: str
    created_at: str


@dataclass(slots=True)
class AgentSession:
    """A conversation; `name` is None when it was begun without one."""

    id: str
    name: str | None
    created_at: str
    user_id: str | None = None  #: who began it; None when that is not known
    agent_id: int | None = None  #: which agent was last run in it
    agent_name: str | None = None
    origin: str | None = None  #: where it was begun, in the words of the caller
    keeps: bool = True  #: whether what is said in it can be stored
    messages: list[HistoryEntry] = field(default_factory=list)

    def note_run(self, agent_id: int, agent_name: str, origin: str | None) -> None:
        """Note which agent is run in it, and where it was begun if that is not known yet."""
        self.agent_id, self.agent_name = agent_id, agent_name
        self.origin = self.origin or origin


class Store:
    """Everything the API has been told, in memory, for as long as the process lives.

    It keeps whatever it is given: that one name is one session is the business of whoever asks it.
    """

    def __init__(self) -> None:
        self._sessions: list[AgentSession] = []
        self._by_id: dict[str, AgentSession] = {}
        self._by_name: dict[str | None, AgentSession] = {}
        self._by_email: dict[str, AgentUser] = {}
        self._users_added = 0
        self._memories: list[Memory] = []

    @property
    def sessions(self) -> Sequence[AgentSession]:
        """All sessions, oldest first."""
        return self._sessions

    def find_session(self, key: str) -> AgentSession | None:
        """Return the session that has this id or this name, if there is one."""
        return self._by_id.get(key) or self._by_name.get(key)

    def find_by_name(self, name: str | None) -> AgentSession | None:
        """Return the session that was begun last under this name, or without one."""
        return self._by_name.get(name)

    def begin_session(
        self, name: str | None, user_id: str | None = None, *, keeps: bool = True
    ) -> AgentSession:
        """Begin a session, which takes the name from one that has it already."""
        source = f"anonymous/{len(self._sessions)}" if name is None else f"session/{name}"
        session = AgentSession(self._unused_id(source), name, _now(), user_id, keeps=keeps)
        self._sessions.append(session)
        self._by_id[session.id] = session
        self._by_name[name] = session
        return session

    def _unused_id(self, source: str) -> str:
        identity = _id(source)
        return identity if identity not in self._by_id else _id(f"{source}/{len(self._sessions)}")

    def add_exchange(self, session_id: str, content: str, reply: str) -> None:
        """Append what was said to a session and what it was answered, as one step; one that keeps nothing stays empty.

        Raises KeyError for a session that does not exist.
        """
        session = self._by_id[session_id]
        if not session.keeps:
            return
        messages, created_at = session.messages, _now()
        for role, text in (("user", content), ("assistant", reply)):
            messages.append(
                HistoryEntry(_id(f"message/{session_id}/{len(messages)}"), role, text, created_at)
            )

    def find_user(self, email: str) -> AgentUser | None:
        """Return the user who was added last with this address."""
        return self._by_email.get(email)

    def add_user(self, email: str, phone_number: str | None, user_data: Mapping[str, Any]) -> AgentUser:
        """Add a user, who takes the address from one that has it already."""
        user = AgentUser(_id(f"user/{email}/{self._users_added}"), email, phone_number, user_data, _now())
        self._users_added += 1
        self._by_email[email] = user
        return user

    def put_user(self, email: str, phone_number: str | None, user_data: Mapping[str, Any]) -> AgentUser:
        """Keep a user and return it; one with the same address is replaced, and keeps its id."""
        known = self._by_email.get(email)
        if known is None:
            return self.add_user(email, phone_number, user_data)
        self._by_email[email] = known._replace(
            phone_number=phone_number, user_data=user_data, created_at=_now()
        )
        return self._by_email[email]

    def add_memory(self, name: str, content: str, user_id: str) -> Memory:
        """Keep a memory and return it."""
        memory = Memory(_id(f"memory/{len(self._memories)}"), name, content, user_id, _now())
        self._memories.append(memory)
        return memory


def _id(source: str) -> str:
    return str(uuid5(_IDS, source))


def _now() -> str:
    return datetime.now(UTC).isoformat()
