"""Attempts and histories in; the class of every message and the figures of every session out.

A session whose history is not known leaves its messages without a class: they are counted as unread, and no fault is
claimed of them but one that was seen, and that reading more could not undo. Where a history may have more than was read,
the same is true of messages that were not found.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History
from stressrunner.engine.tokens import MessageToken
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.classes import MessageClass, Sighting, class_of
from stressrunner.verdict.delivery.extent import doubtful_extents
from stressrunner.verdict.delivery.order import Direction, Pairs, direction_of, pairs_of
from stressrunner.verdict.delivery.sightings import positions, sightings

__all__ = ["Classification", "SessionFigures", "classify"]

#: Faults that were seen, so that whatever else a history has does not undo them.
_SEEN_FAULTS = (
    MessageClass.MISROUTED,
    MessageClass.DUPLICATED,
    MessageClass.PHANTOM,
    MessageClass.ELSEWHERE,
)
#: Messages whose place in a history is one that can be compared.
_SEEN_ONCE_IN_ITS_SESSION = (
    MessageClass.PHANTOM,
    MessageClass.ELSEWHERE,
    MessageClass.MERGED,
    MessageClass.DELIVERED,
    MessageClass.RECOVERED,
)
_UNSEEN = Sighting()
_NO_PAIRS = Pairs()


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What is counted of a session as a whole."""

    splits: int = 0  #: tokens that begin in one stored message and end in a later one
    pairs: Pairs = _NO_PAIRS  #: that are bound to an order, and those of them that do not keep it
    bursts: int = 0  #: of which something was sent
    bursts_without_answer: int = 0  #: of these, those that nobody answered; see `_is_unanswered`
    session_ids: int = 0  #: different ids that were returned for it

    @property
    def reordered(self) -> int:
        """Pairs of messages that stand in another order than they were sent and answered in."""
        return self.pairs.reordered

    @property
    def is_plain(self) -> bool:
        """Whether none of it calls for attention."""
        return not (self.splits or self.reordered or self.bursts_without_answer) and self.session_ids <= 1


@dataclass(frozen=True, slots=True)
class Classification:
    """Every message with its class, and every session with its figures."""

    attempts: Mapping[int, Sequence[Attempt]]  #: by session, in the order in which they were sent
    histories: Mapping[int, History]  #: by session
    classes: Mapping[MessageToken, MessageClass]  #: of every token that has one
    sessions: Mapping[int, SessionFigures]
    #: messages without a class, because the history of their session is not known, or may have more than was read
    unread: int
    newest_first: bool = False  #: the histories were listed so, and were turned
    #: most pairs that are bound are reordered, and they are too few to tell a fault from histories listed newest first
    is_order_doubtful: bool = False

    def counts(self, phases: Collection[int]) -> Mapping[MessageClass, int]:
        """Return how many messages that were due in some phases are of each class, in the order of the table.

        What was never attempted was due in no phase and is not among them.
        """
        found: Counter[MessageClass] = Counter()
        for attempt in self.all_attempts():
            of = self.classes.get(MessageToken(attempt.session, attempt.message))
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

    def partly_read(self, phases: Collection[int]) -> Mapping[str, int]:
        """Return why messages that were due in some phases were perhaps only not read, with how many these are."""
        found: Counter[str] = Counter()
        for attempt in self.all_attempts():
            history = self.histories.get(attempt.session)
            is_known = MessageToken(attempt.session, attempt.message) in self.classes
            if attempt.phase in phases and not is_known and history is not None and not history.unread:
                found[history.partial] += 1
        return found

    def all_attempts(self) -> Iterable[Attempt]:
        """Return every attempt, session by session."""
        return (attempt for attempts in self.attempts.values() for attempt in attempts)


def classify(
    attempts: Iterable[Attempt], histories: Iterable[History], *, newest_first: bool | None = None
) -> Classification:
    """Give every message its class.

    Args:
        attempts: all messages of a run, each once; in any order.
        histories: of its sessions, each once; one that is missing was not read.
        newest_first: whether the histories are listed so; None finds out where enough pairs of messages tell.
    """
    by_session = _by_session(attempts)
    listed = doubtful_extents(list(histories))
    if newest_first:
        return _classified(by_session, _turned(listed), newest_first=True)
    found = _classified(by_session, listed)
    if newest_first is not None:
        return found
    direction = direction_of([each.pairs for each in found.sessions.values()])
    if direction is Direction.NEWEST_FIRST:
        return _classified(by_session, _turned(listed), newest_first=True)
    return replace(found, is_order_doubtful=direction is Direction.DOUBTFUL)


def _turned(histories: Iterable[History]) -> list[History]:
    return [history.reversed() for history in histories]


def _classified(
    by_session: Mapping[int, Sequence[Attempt]], histories: Sequence[History], *, newest_first: bool = False
) -> Classification:
    """Classify with histories that are oldest first by now, whichever way they were listed."""
    by_token = {MessageToken(a.session, a.message): a for sent in by_session.values() for a in sent}
    read = {history.session: history for history in histories}
    seen = sightings(histories, by_token)
    classes: dict[MessageToken, MessageClass] = dict.fromkeys(
        seen.keys() - by_token.keys(), MessageClass.FABRICATED
    )
    unread = 0
    for token, attempt in by_token.items():
        sighting = seen.get(token, _UNSEEN)
        of = class_of(attempt.reply, sighting)
        if of in _SEEN_FAULTS or _is_known(read.get(token.session), sighting):
            classes[token] = of
        else:
            unread += 1
    figures = {session: _figures(sent, read.get(session), classes) for session, sent in by_session.items()}
    return Classification(by_session, read, classes, figures, unread, newest_first)


def _is_known(history: History | None, sighting: Sighting) -> bool:
    """Whether a history says enough of a message for its class."""
    if history is None or history.unread:
        return False
    return not history.partial or sighting.times > 0


def _by_session(attempts: Iterable[Attempt]) -> dict[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = {}
    for attempt in sorted(attempts, key=lambda a: (a.session, a.sent_ns, a.message)):
        found.setdefault(attempt.session, []).append(attempt)
    return found


def _figures(
    sent: Sequence[Attempt], history: History | None, classes: Mapping[MessageToken, MessageClass]
) -> SessionFigures:
    bursts = _bursts(sent)
    return SessionFigures(
        splits=0 if history is None else sum(stored.splits for stored in history.messages),
        pairs=Pairs() if history is None else _pairs(sent, history, classes),
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


def _pairs(sent: Sequence[Attempt], history: History, classes: Mapping[MessageToken, MessageClass]) -> Pairs:
    pairs = Pairs()
    for places in positions(history):
        counted = {
            token.message: place
            for token, place in places.items()
            if classes.get(token) in _SEEN_ONCE_IN_ITS_SESSION
        }
        if len(counted) > 1:
            pairs = pairs.plus(pairs_of(sent, counted))
    return pairs
