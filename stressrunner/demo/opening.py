"""Finding the user and the session that a message is for, or beginning them: right, or with the usual faults."""

from typing import NamedTuple, Protocol

import anyio

from stressrunner.demo.store import Session, Store, User

__all__ = ["AtomicOpening", "Opened", "Opening", "RacingOpening"]

_ROUND_TRIP_S = 0.005  # to a database, between looking and writing


class Opened(NamedTuple):
    """Where a message belongs."""

    session: Session
    user: User | None  #: None when the message names no user


class Opening(Protocol):
    """The seam: how concurrent first messages of one user or session get along."""

    async def open(self, session_name: str | None, email: str | None, known: Session | None) -> Opened:
        """Return the user with that address and, unless it is `known`, the session of that name, begun if new."""


class AtomicOpening:
    """Looks and writes in one step, so that one name is one session and one address one user.

    With `shares_anonymous`, the fault is in the key: no name is taken for a name like any other, and all who
    bring none are put into one session.
    """

    def __init__(self, store: Store, *, shares_anonymous: bool = False) -> None:
        self._store = store
        self._shares_anonymous = shares_anonymous

    async def open(self, session_name: str | None, email: str | None, known: Session | None) -> Opened:
        """Return the session and the user, the same for everyone who names them alike."""
        user = self._find_user(email)
        session = known or self._find_session(session_name)
        return self._begun(session_name, email, session, user)

    def _find_user(self, email: str | None) -> User | None:
        return None if email is None else self._store.find_user(email)

    def _find_session(self, name: str | None) -> Session | None:
        return None if name is None and not self._shares_anonymous else self._store.find_by_name(name)

    def _begun(
        self, name: str | None, email: str | None, session: Session | None, user: User | None
    ) -> Opened:
        """Begin what was not found."""
        if user is None and email is not None:
            user = self._store.add_user(email, None, {})
        return Opened(session or self._store.begin_session(name), user)


class RacingOpening(AtomicOpening):
    """Looks, and writes one round trip later, when somebody else may have written too.

    The fault: of several first messages that arrive together, each finds nothing and begins a session and a user
    of its own. The one begun last hides the others from then on.
    """

    async def open(self, session_name: str | None, email: str | None, known: Session | None) -> Opened:
        """Return what was found, or what had to be begun some milliseconds later."""
        user = self._find_user(email)
        session = known or self._find_session(session_name)
        if session is None or (user is None and email is not None):
            await anyio.sleep(_ROUND_TRIP_S)
        return self._begun(session_name, email, session, user)
