"""Attempts and histories in; the class of every message and the figures of every session out.

A session whose history is not known leaves its messages without a class, unless they were seen elsewhere: they are
counted as unread, and no fault is claimed of them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History
from stressrunner.engine.tokens import Token
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.classes import MessageClass, Sighting, class_of
from stressrunner.verdict.delivery.order import reordered_pairs
from stressrunner.verdict.delivery.sightings import positions, sightings

__all__ = ["Classification", "SessionFigures", "classify"]

_SEEN_AT_HOME = (
    MessageClass.PHANTOM,
    MessageClass.MERGED,
    MessageClass.DELIVERED,
    MessageClass.RECOVERED,
)
_UNSEEN = Sighting()


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What is counted of a session as a whole."""

    splits: int = 0  #: tokens that begin in one stored message and end in a later one
    reordered: int = 0  #: pairs of messages
    bursts: int = 0  #: of which something was sent
    bursts_without_answer: int = 0  #: of these, those that nobody answered; see `_is_unanswered`
    session_ids: int = 0  #: different ids that were returned for it

    @property
    def is_plain(self) -> bool:
        """Whether none of it calls for attention."""
        return not (self.splits or self.reordered or self.bursts_without_answer) and self.session_ids <= 1


@dataclass(frozen=True, slots=True)
class Classification:
    """Every message with its class, and every session with its figures."""

    attempts: Mapping[int, Sequence[Attempt]]  #: by session, in the order in which they were sent
    histories: Mapping[int, History]  #: by session
    classes: Mapping[Token, MessageClass]  #: of every token that has one
    sessions: Mapping[int, SessionFigures]
    unread: int  #: messages without a class, because the history of their session is not known

    def counts(self, phases: Collection[int]) -> Mapping[MessageClass, int]:
        """Return how many messages that were due in some phases are of each class, in the order of the table.

        What was never attempted was due in no phase and is not among them.
        """
        found: Counter[MessageClass] = Counter()
        for attempt in self.all_attempts():
            of = self.classes.get(Token(attempt.session, attempt.message))
            if of is not None and attempt.phase in phases:
                found[of] += 1
        return {each: found[each] for each in MessageClass}

    @property
    def fabricated(self) -> int:
        """Tokens that were never attempted."""
        return Counter(self.classes.values())[MessageClass.FABRICATED]

    def replies(self, phases: Collection[int]) -> Mapping[Reply, int]:
        """Return how many messages that were due in some phases got each reply."""
        found = Counter(attempt.reply for attempt in self.all_attempts() if attempt.phase in phases)
        return {reply: found[reply] for reply in Reply}

    def all_attempts(self) -> Iterable[Attempt]:
        """Return every attempt, session by session."""
        return (attempt for attempts in self.attempts.values() for attempt in attempts)


def classify(attempts: Iterable[Attempt], histories: Iterable[History]) -> Classification:
    """Give every message its class.

    Args:
        attempts: all messages of a run, each once; in any order.
        histories: of its sessions, each once; one that is missing was not read.
    """
    by_session = _by_session(attempts)
    read = {history.session: history for history in histories}
    seen = sightings(read.values())
    classes: dict[Token, MessageClass] = {}
    unread = 0
    for session, sent in by_session.items():
        is_known = session in read and not read[session].unread
        for attempt in sent:
            token = Token(session, attempt.message)
            sighting = seen.get(token, _UNSEEN)
            if is_known or sighting.is_elsewhere or sighting.times > 1:
                classes[token] = class_of(attempt.reply, sighting)
            else:
                unread += 1
    attempted = {Token(session, a.message) for session, sent in by_session.items() for a in sent}
    classes.update(dict.fromkeys(seen.keys() - attempted, MessageClass.FABRICATED))
    figures = {session: _figures(sent, read.get(session), classes) for session, sent in by_session.items()}
    return Classification(by_session, read, classes, figures, unread)


def _by_session(attempts: Iterable[Attempt]) -> dict[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = {}
    for attempt in sorted(attempts, key=lambda a: (a.session, a.sent_ns, a.message)):
        found.setdefault(attempt.session, []).append(attempt)
    return found


def _figures(
    sent: Sequence[Attempt], history: History | None, classes: Mapping[Token, MessageClass]
) -> SessionFigures:
    bursts = _bursts(sent)
    return SessionFigures(
        splits=0 if history is None else sum(stored.splits for stored in history.messages),
        reordered=0 if history is None else _reordered(sent, history, classes),
        bursts=len(bursts),
        bursts_without_answer=sum(map(_is_unanswered, bursts)),
        session_ids=len({attempt.session_id for attempt in sent} - {""}),
    )


def _bursts(sent: Sequence[Attempt]) -> list[list[Attempt]]:
    """Return what was sent of every burst, without the bursts of which nothing was."""
    found: dict[int, list[Attempt]] = {}
    for attempt in sent:
        if attempt.reply is not Reply.UNSENT:
            found.setdefault(attempt.burst, []).append(attempt)
    return list(found.values())


def _is_unanswered(burst: Sequence[Attempt]) -> bool:
    """Whether a burst got nothing but silence, or replies that leave the answer to a later message."""
    return all(a.reply is Reply.SUPERSEDED or not a.is_answered for a in burst)


def _reordered(sent: Sequence[Attempt], history: History, classes: Mapping[Token, MessageClass]) -> int:
    places = {
        token.message: place
        for token, place in positions(history).items()
        if classes.get(token) in _SEEN_AT_HOME
    }
    return reordered_pairs(sent, places) if len(places) > 1 else 0
