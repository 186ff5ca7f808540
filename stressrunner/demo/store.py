"""What the agents API remembers while it runs: users, memories, and the history of every session.

Ids are name-based UUIDs, so the same requests in the same order get the same ids in every run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

__all__ = ["Memory", "Message", "Session", "Store", "User"]

_IDS = UUID("6f0f6a0e-3c55-4c56-9d0c-3b4d6a4f9a51")  # the namespace of this API, drawn once


class Message(NamedTuple):
    """One entry of a session's history."""

    id: str
    role: str  #: "user" or "assistant"
    content: str
    created_at: str


class User(NamedTuple):
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
class Session:
    """A conversation; `name` is None when it was begun without one."""

    id: str
    name: str | None
    created_at: str
    messages: list[Message] = field(default_factory=list)


class Store:
    """Everything the API has been told, in memory, for as long as the process lives."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []
        self._sessions_by_key: dict[str, Session] = {}  # under the id and under the name
        self._users: dict[str, User] = {}
        self._memories: list[Memory] = []

    @property
    def sessions(self) -> Sequence[Session]:
        """All sessions, oldest first."""
        return self._sessions

    def find_session(self, key: str) -> Session | None:
        """Return the session that has this id or this name, if there is one."""
        return self._sessions_by_key.get(key)

    def open_session(self, name: str | None) -> Session:
        """Return the session of this name, begun now if it is new; without a name always a new one."""
        known = None if name is None else self._sessions_by_key.get(name)
        if known is not None:
            return known
        source = f"anonymous/{len(self._sessions)}" if name is None else f"session/{name}"
        session = Session(_id(source), name, _now())
        self._sessions.append(session)
        self._sessions_by_key[session.id] = session
        if name is not None:
            self._sessions_by_key[name] = session
        return session

    def add_exchange(self, session_id: str, content: str, reply: str) -> None:
        """Append what was said to a session and what it was answered, as one step.

        Raises KeyError for a session that does not exist.
        """
        messages = self._sessions_by_key[session_id].messages
        created_at = _now()
        for role, text in (("user", content), ("assistant", reply)):
            messages.append(Message(_id(f"message/{session_id}/{len(messages)}"), role, text, created_at))

    def put_user(self, email: str, phone_number: str | None, user_data: Mapping[str, Any]) -> User:
        """Keep a user and return it; one with the same address is replaced."""
        user = User(_id(f"user/{email}"), email, phone_number, user_data, _now())
        self._users[email] = user
        return user

    def add_memory(self, name: str, content: str, user_id: str) -> Memory:
        """Keep a memory and return it."""
        memory = Memory(_id(f"memory/{len(self._memories)}"), name, content, user_id, _now())
        self._memories.append(memory)
        return memory


def _id(source: str) -> str:
    return str(uuid5(_IDS, source))


def _now() -> str:
    return datetime.now(UTC).isoformat()
