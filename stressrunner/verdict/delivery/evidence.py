"""The evidence for a fault: a few of the sessions that have it, with all that was sent and all that was found.

What is shown is bounded, whatever went wrong: so many sessions for a fault, so many messages of a session, those at
fault and their neighbours first.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History
from stressrunner.engine.tokens import MessageToken, Stored, token_text
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.classes import MessageClass
from stressrunner.verdict.delivery.classification import Classification, SessionFigures
from stressrunner.verdict.delivery.outcome import (
    Evidence,
    MessageEvidence,
    SessionEvidence,
    StoredEvidence,
)
from stressrunner.verdict.delivery.processing import PROCESSED, Processing

__all__ = ["MAX_MESSAGES", "MAX_SESSIONS", "MAX_STORED", "EvidenceFinder"]

MAX_SESSIONS = 5  #: shown of each fault
MAX_MESSAGES = 40  #: shown of each session
MAX_STORED = 40  #: stored messages shown of each session

_OF_SESSION: Mapping[str, Callable[[SessionFigures], bool]] = {
    "splits": lambda figures: figures.splits > 0,
    "order": lambda figures: figures.reordered > 0,
    "bursts_without_answer": lambda figures: figures.bursts_without_answer > 0,
    "session_ids": lambda figures: figures.session_ids > 1,
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A stored message and where it stands."""

    session: int
    position: int  #: under its id
    stored: Stored


class EvidenceFinder:
    """Shows what happened in single sessions of a classified run."""

    def __init__(
        self,
        found: Classification,
        run_id: str,
        origin_ns: int,
        mask: Callable[[str], str],
        processing: Processing | None = None,
    ) -> None:
        """Prepare to show sessions.

        Args:
            found: the classes of all messages.
            run_id: the run's.
            origin_ns: when the load began, monotonic.
            mask: hides secrets in texts.
            processing: what a sink saw, if there was one.
        """
        self._processing = processing
        self._found = found
        self._run_id = run_id
        self._origin_ns = origin_ns
        self._mask = mask
        self._strays = _strays(found.histories.values())

    def of(self, fault: str) -> Evidence:
        """Return the evidence for a fault, named as a requirement is."""
        sessions = self._sessions_with(fault)
        shown = tuple(self.session(session, [fault]) for session in sessions[:MAX_SESSIONS])
        return Evidence(fault, shown, max(0, len(sessions) - MAX_SESSIONS))

    def _sessions_with(self, fault: str) -> list[int]:
        """Return the sessions that have a fault, in their order; made-up tokens count for where they stand."""
        found = self._found
        if fault in _OF_SESSION:
            return [session for session, figures in found.sessions.items() if _OF_SESSION[fault](figures)]
        if fault == MessageClass.FABRICATED:
            made_up = {token for token, of in found.classes.items() if of is MessageClass.FABRICATED}
            return [
                history.session
                for history in found.histories.values()
                if any(token in made_up for stored in history.messages for token in stored.tokens)
            ]
        return [
            session
            for session, attempts in found.attempts.items()
            if any(self._is_fault(attempt, fault) for attempt in attempts)
        ]

    def _is_fault(self, attempt: Attempt, fault: str) -> bool:
        """Whether a message is itself what a fault is about."""
        if fault == "bursts_without_answer":
            return attempt.reply is Reply.SUPERSEDED or not attempt.is_answered
        if fault.startswith(PROCESSED):
            token = MessageToken(attempt.session, attempt.message)
            return self._processing is not None and token in self._processing.faults[fault]
        if fault.startswith("reply."):
            return attempt.reply == fault.removeprefix("reply.")
        return self._found.classes.get(MessageToken(attempt.session, attempt.message)) == fault

    def session(self, session: int, faults: Collection[str]) -> SessionEvidence:
        """Return what happened in a session, with its messages that have one of some faults marked."""
        found = self._found
        attempts, history = found.attempts.get(session, ()), found.histories.get(session, History(session))
        guilty = {a.message for a in attempts if any(self._is_fault(a, fault) for fault in faults)}
        shown = _around(attempts, guilty)
        tokens = {MessageToken(session, attempt.message) for attempt in shown}
        places = list(_places(history))
        strays = [place for place in self._strays.get(session, ()) if tokens & set(place.stored.tokens)]
        kept = sorted(_matter_most(places, tokens, guilty, session), key=places.index) + strays
        kept = kept[:MAX_STORED]
        return SessionEvidence(
            name=self._name(session),
            ids=tuple(dict.fromkeys(self._mask(a.session_id) for a in attempts if a.session_id)),
            messages=tuple(self._message(attempt, attempt.message in guilty, kept) for attempt in shown),
            more_messages=len(attempts) - len(shown),
            stored=tuple(self._stored(place) for place in kept),
            more_stored=len(places) - sum(place.session == session for place in kept),
            unread=self._mask(history.unread),
        )

    def _message(self, attempt: Attempt, is_fault: bool, kept: Sequence[_Place]) -> MessageEvidence:
        token = MessageToken(attempt.session, attempt.message)
        return MessageEvidence(
            token=token_text(self._run_id, *token),
            sent_at_s=(attempt.sent_ns - self._origin_ns) / 1e9,
            ended_at_s=(attempt.ended_ns - self._origin_ns) / 1e9,
            reply=attempt.reply,
            status=attempt.status or None,
            became=self._found.classes.get(token),
            processed=None if self._processing is None else self._processing.times.get(token, 0),
            is_fault=is_fault,
            found=tuple(i for i, place in enumerate(kept) if token in place.stored.tokens),
            session_id=self._mask(attempt.session_id),
        )

    def _stored(self, place: _Place) -> StoredEvidence:
        return StoredEvidence(
            session=self._name(place.session),
            position=place.position,
            tokens=tuple(token_text(self._run_id, *token) for token in place.stored.tokens),
            excerpt=self._mask(place.stored.excerpt),
            ids=tuple(map(self._mask, place.stored.ids)),
        )

    def _name(self, session: int) -> str:
        return f"sr-{self._run_id}-{session}"


def _strays(histories: Collection[History]) -> Mapping[int, list[_Place]]:
    """Return, for each session, the stored messages of other sessions that have its tokens."""
    found: dict[int, list[_Place]] = {}
    for history in histories:
        for place in _places(history):
            for owner in {token.session for token in place.stored.tokens} - {history.session}:
                found.setdefault(owner, []).append(place)
    return found


def _places(history: History) -> Iterator[_Place]:
    """Yield the stored messages of a history with their places, which are counted under each id anew."""
    for _, listed in groupby(history.messages, key=lambda stored: stored.ids):
        for position, stored in enumerate(listed):
            yield _Place(history.session, position, stored)


def _around(attempts: Sequence[Attempt], guilty: Collection[int]) -> list[Attempt]:
    """Return as many messages as are shown, those nearest to one at fault first, in the order of sending."""
    if len(attempts) <= MAX_MESSAGES:
        return list(attempts)
    at = [i for i, attempt in enumerate(attempts) if attempt.message in guilty][: MAX_MESSAGES // 2] or [0]
    nearest = sorted(range(len(attempts)), key=lambda i: min(abs(i - each) for each in at))
    return [attempts[i] for i in sorted(nearest[:MAX_MESSAGES])]


def _matter_most(
    places: Sequence[_Place], tokens: Collection[MessageToken], guilty: Collection[int], session: int
) -> Iterator[_Place]:
    """Yield as many stored messages as are shown: with what is at fault, with what else is shown, and the rest."""

    def rank(place: _Place) -> int:
        mine = [token for token in place.stored.tokens if token in tokens]
        if any(token.message in guilty for token in mine):
            return 0
        strangers = any(token.session != session for token in place.stored.tokens)
        return 1 if mine or strangers else 2

    yield from sorted(places, key=rank)[:MAX_STORED]
