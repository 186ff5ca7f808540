"""Exchanges that were kept whole, for people: the slowest of each endpoint, and commands that send a failed one again."""

import re

from stressrunner.metrics.error_key import ErrorKey
from stressrunner.metrics.summary import ErrorGroup
from stressrunner.reports.table import Column, Row, Table
from stressrunner.reports.wording import count, duration
from stressrunner.result.exchanges import ExchangeRecord
from stressrunner.result.model import Result

__all__ = ["SERVE_DEMO", "exchanges_of", "replay", "replay_words", "slowest"]

SERVE_DEMO = "The embedded target is gone; `stressrunner demo` serves it for these commands."

_MAX_ROWS = 10  #: of the slowest requests
_LONGEST = 600  #: characters of a command that is shown in a text
#: A word of a command, its quotes included, together with the value of an option.
_WORD = re.compile(r"""(?:--[\w-]+\s+)?(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def exchanges_of(result: Result, group: ErrorGroup) -> tuple[ExchangeRecord, ...]:
    """Return the exchanges that were kept of a group of errors.

    A group that is the only one of its kind has all of that kind: older files tell neither check nor status.
    """
    kept = tuple(one for one in result.exchanges if one.kind == group.kind)
    if sum(other.kind == group.kind for other in result.errors) == 1:
        return kept
    return tuple(one for one in kept if _key(one) == group.key)


def _key(one: ExchangeRecord) -> ErrorKey:
    return ErrorKey(one.kind, one.rule, 0 if one.response is None else one.response.status)


def replay(result: Result, group: ErrorGroup) -> str:
    """Return the command that sends one request again that failed so; empty when none can be shown in a line."""
    commands = (one.curl for one in exchanges_of(result, group))
    return next((curl for curl in commands if curl.isprintable() and len(curl) <= _LONGEST), "")


def replay_words(result: Result, group: ErrorGroup) -> tuple[str, ...]:
    """Return the command as `replay` does, taken apart where its line may be broken."""
    return tuple(_WORD.findall(replay(result, group)))


def slowest(result: Result) -> Table | None:
    """Return the slowest request of each endpoint, the slowest of all first; None when none was kept."""
    found: dict[str, ExchangeRecord] = {}
    for one in result.exchanges:
        known = found.get(one.endpoint)
        if not one.kind and (known is None or one.response_time_s > known.response_time_s):
            found[one.endpoint] = one
    if not found:
        return None
    columns = (
        Column("endpoint", "left"),
        *map(Column, ("response time", "service time", "at", "status")),
        Column("received", optional=True),
    )
    ordered = sorted(found.values(), key=lambda one: -one.response_time_s)[:_MAX_ROWS]
    return Table("Slowest requests", columns, tuple(map(_row, ordered)))


def _row(one: ExchangeRecord) -> Row:
    response = one.response
    return Row(
        (
            one.endpoint,
            duration(one.response_time_s),
            duration(one.service_time_s),
            duration(one.at_s),
            count(None if response is None else response.status),
            f"{count(0 if response is None else response.body_bytes)} B",
        )
    )
