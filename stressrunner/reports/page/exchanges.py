"""Exchanges that were kept whole: request, response and a command that sends it again, folded up until they are asked for."""

from collections import Counter
from collections.abc import Iterable

from markupsafe import Markup

from stressrunner.metrics.summary import ErrorGroup
from stressrunner.reports import exemplars
from stressrunner.reports.page.markup import fill
from stressrunner.reports.wording import count, duration
from stressrunner.result.exchanges import ExchangeRecord, RequestRecord, ResponseRecord
from stressrunner.result.model import Result

__all__ = ["exchanges_of", "slowest"]

_ROOM = 60_000  #: characters that all exchanges of a page may take
_AROUND = 700  #: characters of the page around each of them


def exchanges_of(result: Result, errors: ErrorGroup) -> Markup:
    """Return the exchanges that show a group of errors; nothing where none was kept."""
    return _folded(result, exemplars.exchanges_of(result, errors))


def slowest(result: Result) -> Markup:
    """Return the slowest requests of each endpoint, the slowest of all first; nothing where none was kept."""
    slow = sorted((one for one in result.exchanges if not one.kind), key=lambda one: -one.response_time_s)
    return _folded(result, slow)


def _folded(result: Result, found: Iterable[ExchangeRecord]) -> Markup:
    shown = _shown(result.exchanges)
    kept = [one for one in found if id(one) in shown]
    if not kept:
        return Markup("")
    missing = sum(id(one) not in shown for one in result.exchanges)
    return fill(
        "exchanges.html.j2",
        exchanges=[(one, _heading(one), _size(one.request), _answer(one)) for one in kept],
        serve_demo=exemplars.SERVE_DEMO if result.run.embedded else "",
        missing=missing,
    )


def _shown(exchanges: Iterable[ExchangeRecord]) -> set[int]:
    """Return which exchanges fit on the page: the first of each group of errors and each endpoint, then the second ones, and so on."""
    seen: Counter[tuple[str, str, int | None]] = Counter()
    ranked = []
    for place, one in enumerate(exchanges):
        # Errors are kept by kind, rule and status, slow requests by endpoint.
        status = None if one.response is None else one.response.status
        group = (one.kind, one.rule, status) if one.kind else ("", one.endpoint, None)
        ranked.append((seen[group], place, one))
        seen[group] += 1
    room, shown = _ROOM, set()
    for _, _, one in sorted(ranked, key=lambda entry: entry[:2]):
        room -= _length(one)
        if room < 0:
            break
        shown.add(id(one))
    return shown


def _length(one: ExchangeRecord) -> int:
    length = _AROUND + len(one.curl) + _characters(one.request)
    return length if one.response is None else length + _characters(one.response)


def _characters(side: RequestRecord | ResponseRecord) -> int:
    return len(side.body) + sum(len(header.name) + len(header.value) for header in side.headers)


def _heading(one: ExchangeRecord) -> str:
    status = "no response" if one.response is None else str(one.response.status)
    took = duration(one.response_time_s)
    return f"{one.endpoint}: {status} after {took}, at {duration(one.at_s)}"


def _answer(one: ExchangeRecord) -> str:
    return "" if one.response is None else f"{one.response.status} {_size(one.response)}".strip()


def _size(side: RequestRecord | ResponseRecord) -> str:
    """Say how much of a body is shown, where that is not all of it."""
    if side.kept == "all":
        return ""
    shown = f"the first {len(side.body):,} characters of" if side.kept == "start" else "none of"
    return f"({shown} {count(side.body_bytes)} bytes are shown)"
