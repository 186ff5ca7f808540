"""Where every token stands in the histories that were read."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History
from stressrunner.engine.tokens import MessageToken, Stored
from stressrunner.verdict.delivery.classes import Sighting

__all__ = ["positions", "sightings"]


def sightings(
    histories: Iterable[History], attempts: Mapping[MessageToken, Attempt]
) -> Mapping[MessageToken, Sighting]:
    """Return the sightings of all tokens that were seen."""
    seen: dict[MessageToken, Sighting] = {}
    for history in histories:
        for stored in history.messages:
            distinct = set(stored.tokens)
            for token in stored.tokens:
                now = _sighting(token, distinct, history.session, stored, attempts)
                before = seen.get(token)
                seen[token] = now if before is None else _joined(before, now)
    return seen


def _sighting(
    token: MessageToken,
    distinct: set[MessageToken],
    session: int,
    stored: Stored,
    attempts: Mapping[MessageToken, Attempt],
) -> Sighting:
    company = []
    if len(distinct) > 1:
        company = [other for other in distinct if other.session == token.session and other != token]
    attempt = attempts.get(token)
    home = "" if attempt is None else attempt.session_id
    return Sighting(
        1,
        is_misrouted=token.session != session,
        # What was read by the session's name, and what no reply says the home of, is at home wherever it is.
        is_elsewhere=bool(home and stored.ids) and home not in stored.ids,
        is_alone=not company,
        company=frozenset(attempts[other].reply for other in company if other in attempts),
    )


def _joined(a: Sighting, b: Sighting) -> Sighting:
    return Sighting(
        a.times + b.times,
        a.is_misrouted or b.is_misrouted,
        a.is_elsewhere or b.is_elsewhere,
        a.is_alone and b.is_alone,
        a.company | b.company,
    )


def positions(history: History) -> Iterator[Mapping[MessageToken, int]]:
    """Yield for each id of a session where its tokens first stand there, counted from 0 over all tokens.

    What stands under different ids is in no order.
    """
    for _, listed in groupby(history.messages, key=lambda stored: stored.ids):
        found: dict[MessageToken, int] = {}
        place = 0
        for stored in listed:
            for token in stored.tokens:
                if token.session == history.session:
                    found.setdefault(token, place)
                place += 1
        yield found
