"""Finding the user and the session that a message is for, or beginning them: right, or with the usual faults."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

import anyio

from stressrunner.demo.store import AgentSession, AgentUser, Store

__all__ = ["OPENINGS", "MessagePlacement", "Opening"]

_ROUND_TRIP_S = 0.005  # to a database, between looking and writing


class MessagePlacement(NamedTuple):
    """Where a message belongs."""

    session: AgentSession
    user: AgentUser | None  #: None when the message names no user


class Opening(Protocol):
    """The seam: how concurrent first messages of one user or session get along."""

    async def open(
        self, session_name: str | None, email: str | None, known: AgentSession | None
    ) -> MessagePlacement:
        """Return the user with that address and, unless it is `known`, the session of that name, begun if new."""


class AtomicOpening:
    """Looks and writes in one step, so that one name is one session and one address one user.

    With `shares_anonymous`, the fault is in the key: no name is taken for a name like any other, and all who
    bring none are put into one session.
    """

    def __init__(self, store: Store, *, shares_anonymous: bool = False) -> None:
        self._store = store
        self._shares_anonymous = shares_anonymous

    async def open(
        self, session_name: str | None, email: str | None, known: AgentSession | None
    ) -> MessagePlacement:
        """Return the session and the user, the same for everyone who names them alike."""
        user = self._find_user(email)
        session = known or self._find_session(session_name)
        return self._begun(session_name, email, session, user)

    def _find_user(self, email: str | None) -> AgentUser | None:
        return None if email is None else self._store.find_user(email)

    def _find_session(self, name: str | None) -> AgentSession | None:
        return None if name is None and not self._shares_anonymous else self._store.find_by_name(name)

    def _begun(
        self, name: str | None, email: str | None, session: AgentSession | None, user: AgentUser | None
    ) -> MessagePlacement:
        """Begin what was not found."""
        if user is None and email is not None:
            user = self._store.add_user(email, None, {})
        return MessagePlacement(session or self._store.begin_session(name, user.id if user else None), user)


class RacingOpening(AtomicOpening):
    """Looks, and writes one round trip later, when somebody else may have written too.

    The fault: of several first messages that arrive together, each finds nothing and begins a session and a user
    of its own. The one begun last hides the others from then on.
    """

    async def open(
        self, session_name: str | None, email: str | None, known: AgentSession | None
    ) -> MessagePlacement:
        """Return what was found, or what had to be begun some milliseconds later."""
        user = self._find_user(email)
        session = known or self._find_session(session_name)
        if session is None or (user is None and email is not None):
            await anyio.sleep(_ROUND_TRIP_S)
        return self._begun(session_name, email, session, user)


class UserRacingOpening(AtomicOpening):
    """Finds sessions as it should, but looks for a user and makes it one round trip later.

    The fault: of several first messages of a new user that come together, one makes it. The others are told that its
    address is taken, note that nowhere, and go on without a user: what is said in the sessions that they begin names
    a user who does not exist, and cannot be stored.
    """

    async def open(
        self, session_name: str | None, email: str | None, known: AgentSession | None
    ) -> MessagePlacement:
        """Return the session with its user, or without one where another message was about to make it."""
        user = self._find_user(email)
        if user is not None or email is None:
            return self._begun(session_name, email, known or self._find_session(session_name), user)
        await anyio.sleep(_ROUND_TRIP_S)
        if self._find_user(email) is None:
            return self._begun(session_name, email, known or self._find_session(session_name), None)
        session = known or self._find_session(session_name)
        return MessagePlacement(session or self._store.begin_session(session_name, keeps=False), None)


#: By the value of the option `race`.
OPENINGS: Mapping[str, type[AtomicOpening]] = MappingProxyType(
    {"0": AtomicOpening, "1": RacingOpening, "user": UserRacingOpening}
)
