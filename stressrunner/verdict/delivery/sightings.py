"""Where every token stands in the histories that were read."""

from collections.abc import Iterable, Mapping

from stressrunner.engine.history import History
from stressrunner.engine.tokens import Token
from stressrunner.verdict.delivery.classes import Sighting

__all__ = ["positions", "sightings"]


def sightings(histories: Iterable[History]) -> Mapping[Token, Sighting]:
    """Return the sightings of all tokens that were seen."""
    seen: dict[Token, Sighting] = {}
    for history in histories:
        for stored in history.messages:
            distinct = set(stored.tokens)
            for token in stored.tokens:
                before = seen.get(token)
                is_alone = len(distinct) == 1 or not _has_company(token, distinct)
                is_elsewhere = token.session != history.session
                if before is None:
                    seen[token] = Sighting(1, is_elsewhere, is_alone)
                else:
                    seen[token] = Sighting(
                        before.times + 1, before.is_elsewhere or is_elsewhere, before.is_alone and is_alone
                    )
    return seen


def _has_company(token: Token, distinct: set[Token]) -> bool:
    return any(other.session == token.session and other != token for other in distinct)


def positions(history: History) -> Mapping[Token, int]:
    """Return where the tokens of a session first stand in its history, counted from 0 over all of its tokens."""
    found: dict[Token, int] = {}
    place = 0
    for stored in history.messages:
        for token in stored.tokens:
            if token.session == history.session:
                found.setdefault(token, place)
            place += 1
    return found
