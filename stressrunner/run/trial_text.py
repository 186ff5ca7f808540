"""A trial as text for a terminal: each request with what was sent, what came back, and what was found in it."""

import json
from collections import Counter
from collections.abc import Iterator
from http.client import responses
from textwrap import wrap

from stressrunner.http.content import content_of
from stressrunner.http.exchange import Exchange, Headers, Request
from stressrunner.http.origin import locate, origin_of
from stressrunner.masking import Masker, masked_header, masked_query
from stressrunner.plan.outcome import Outcome
from stressrunner.reports.delivery import SessionView, session_view
from stressrunner.reports.text import text_table
from stressrunner.reports.wording import printable
from stressrunner.run.trial import Trial, TrialRequest
from stressrunner.run.trial_reading import TriedReading
from stressrunner.units import counted, format_bytes, format_duration

__all__ = ["trial_text"]

_WIDTH = 80
_MOST_LINES = 60  #: of a body
_LONGEST_LINE = 400  #: characters of a line of a body
_LARGEST_JSON = 200_000  #: bytes of a body that is laid out
_STATES = {"passed": "✓", "failed": "✗", "unknown": "?"}
_MARKS = {Outcome.OK: "✓", Outcome.REFUSED: "-", Outcome.SUPERSEDED: "-"}


def trial_text(trial: Trial, masker: Masker) -> str:
    """Return a trial for people, secrets masked; credentials in headers, cookies and queries are masked whole."""
    lines = []
    for number, attempt in enumerate(trial.attempts, start=1):
        lines += [*_attempt(attempt, number, trial, masker), ""]
    lines += [f"✗ {_line(masker.text(failure))}\n" for failure in trial.failures]
    if trial.reading is not None:
        lines += [*_reading(trial.reading, trial, masker), ""]
    return "\n".join([*lines, *_ending(trial), ""])


def _ending(trial: Trial) -> Iterator[str]:
    outcomes = Counter(attempt.outcome for attempt in trial.attempts)
    parts = [counted(len(trial.attempts), "request"), f"{outcomes[Outcome.FAILED]:,} failed"]
    if outcomes[Outcome.REFUSED]:
        parts.append(f"{outcomes[Outcome.REFUSED]:,} refused")
    if trial.skipped:
        parts.append(f"{trial.skipped:,} skipped after a failure")
    if trial.reading is not None:
        parts.append(f"delivery {trial.reading.outcome.outcome}")
    yield f"{_verdict(trial)}  {printable(trial.scenario)}: {', '.join(parts)}"


def _verdict(trial: Trial) -> str:
    if trial.passed:
        return "PASSED"
    return "UNKNOWN" if trial.is_unknown else "FAILED"


def _attempt(attempt: TrialRequest, number: int, trial: Trial, mask: Masker) -> Iterator[str]:
    exchange = attempt.exchange
    head = f"{_MARKS.get(attempt.outcome, '✗')} {number}. {printable(attempt.endpoint)}"
    answer = "" if exchange is None else _answer(exchange)
    yield f"{head}{answer:>{max(2 + len(answer), _WIDTH - len(head))}}".rstrip()
    yield "-" * _WIDTH
    if exchange is not None:
        yield from _request(exchange.request, trial.base_url, mask)
        yield from _response(exchange, mask)
    if attempt.findings:
        yield from ("", "  Checks")
        for finding in attempt.findings:
            yield from _fact("✓" if finding.passed else "✗", finding.text, finding.values, mask)
    if attempt.captures:
        yield from ("", "  Captures")
        for name, value in attempt.captures.items():
            yield from _fact(" ", name, json.dumps(mask.value(value), ensure_ascii=False, default=str), mask)
    if attempt.outcome is Outcome.FAILED and all(finding.passed for finding in attempt.findings):
        yield from ("", f"  Failed: {_line(mask.text(attempt.reason))}")


def _reading(reading: TriedReading, trial: Trial, mask: Masker) -> Iterator[str]:
    """Yield how the history of the session was read, and what became of its messages."""
    outcome = reading.outcome
    quiet, times = format_duration(reading.quiet_s), counted(reading.readings, "time")
    how = "not read" if not reading.readings else f"read {times}"
    if not reading.session.unread:
        how += f", until it was quiet for {quiet}"
    head = f"{_STATES[outcome.outcome]} Read back: {reading.endpoint}"
    yield f"{head}{how:>{max(2 + len(how), _WIDTH - len(head))}}"
    yield "-" * _WIDTH
    for number, page in enumerate(reading.pages, start=1):
        yield from (f"  Page {number}", "")
        yield from _exchange(page.exchange, trial, mask)
        yield from ("", "  Found in it")
        for key, source, value in page.found:
            yield from _fact(" ", f"{key}: {source}" if source else key, value, mask)
        yield ""
    if reading.broken is not None:
        yield from ("  Not a page of a history", "")
        yield from _exchange(reading.broken, trial, mask)
        yield ""
    session = session_view(reading.session)
    yield from (mask.text(line) for line in _tables(session))
    for reason in outcome.reasons:
        mark = "✗" if outcome.outcome == "failed" else "?"
        lines = wrap(_line(mask.text(reason)), _WIDTH - 4, break_long_words=False, break_on_hyphens=False)
        yield from ("", f"  {mark} {lines[0]}", *(f"    {line}" for line in lines[1:]))


def _tables(session: SessionView) -> Iterator[str]:
    yield f"  {printable(session.title)}"
    for table in (session.sent, session.stored):
        if table.rows or table.notes:
            yield from ("", *text_table(table, 2).splitlines())


def _exchange(exchange: Exchange, trial: Trial, mask: Masker) -> Iterator[str]:
    yield from _request(exchange.request, trial.base_url, mask)
    if exchange.failure is None:
        yield from _response(exchange, mask)
    else:
        yield f"    {_line(mask.text(exchange.failure.message))}"


def _answer(exchange: Exchange) -> str:
    took = format_duration((exchange.completed_ns - exchange.acquired_ns) / 1e9)
    if exchange.failure is not None:
        return f"{exchange.failure.kind.value} after {took}"
    hops = f", {counted(exchange.redirects, 'redirect')}" if exchange.redirects else ""
    return f"{exchange.status} in {took}{hops}"


def _request(request: Request, base_url: str, mask: Masker) -> Iterator[str]:
    try:
        origin, path = locate(request.target, origin_of(base_url))
        url = origin.url + path
    except ValueError:
        url = request.target
    yield f"  {request.method} {_line(mask.text(masked_query(url)))}"
    yield from _headers(request.headers, mask)
    yield from _body(request.body, mask)


def _response(exchange: Exchange, mask: Masker) -> Iterator[str]:
    if exchange.failure is not None:
        return
    yield from ("", f"  {exchange.status} {responses.get(exchange.status, '')}".rstrip())
    yield from _headers(exchange.headers, mask)
    yield from _body(content_of(exchange), mask)


def _headers(headers: Headers, mask: Masker) -> Iterator[str]:
    for name, value in headers:
        yield f"    {mask.text(name)}: {_line(mask.text(masked_header(name, value)))}"


def _body(body: bytes, mask: Masker) -> Iterator[str]:
    if not body:
        return
    yield ""
    text = _text_of(body, mask)
    if text is None:
        yield f"    {format_bytes(len(body))} that are no text"
        return
    lines = text.splitlines()
    for line in lines[:_MOST_LINES]:
        yield f"    {_line(line)}".rstrip()
    if len(lines) > _MOST_LINES:
        yield f"    ... {counted(len(lines) - _MOST_LINES, 'more line')}, {format_bytes(len(body))} in all"


def _text_of(body: bytes, mask: Masker) -> str | None:
    """Return a body as text, JSON laid out; None when it is no text."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if len(body) <= _LARGEST_JSON and text.lstrip().startswith(("{", "[")):
        try:
            # Masked as values too, as the text may write a secret with escapes that no form has.
            return mask.text(json.dumps(mask.value(json.loads(text)), ensure_ascii=False, indent=2))
        except (ValueError, RecursionError):
            pass
    return mask.text(text)


def _fact(mark: str, name: str, value: str, mask: Masker) -> Iterator[str]:
    """Yield a name with its value beside it, or below it where both together are wider than a terminal."""
    name, value = _line(mask.text(name)), _line(mask.text(value))
    if not value:
        yield f"  {mark} {name}"
    elif len(name) + len(value) + 8 <= _WIDTH:
        yield f"  {mark} {name:30}  {value}"
    else:
        yield f"  {mark} {name}"
        yield f"      {value}"


def _line(text: str) -> str:
    """Return a text as one line that does nothing to a terminal."""
    shown = printable(text[:_LONGEST_LINE])
    return shown if len(text) <= _LONGEST_LINE else f"{shown}..."
