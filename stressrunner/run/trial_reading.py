"""The history of the session that was tried: how it was read, page by page, and what became of each message."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.clock import Clock
from stressrunner.engine.history import History
from stressrunner.engine.page_reader import HistoryPage
from stressrunner.engine.read_back import HistoryReader
from stressrunner.engine.session_reader import SessionHistory, SessionReader, Wanted
from stressrunner.engine.tokens import TokenReader, token_text
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.exchange import Exchange, Request, Transport, TransportFactory
from stressrunner.plan.delivery import ReadBackPlan
from stressrunner.plan.plan import Plan
from stressrunner.run.histories import by_session, named, quiet_s_of, to_read, too_slow
from stressrunner.scenario.delivery import Delivery
from stressrunner.units import NS_PER_S
from stressrunner.verdict.delivery.classification import classify
from stressrunner.verdict.delivery.evidence import EvidenceFinder
from stressrunner.verdict.delivery.judgement import Circumstances, judge_delivery, unknown_reasons
from stressrunner.verdict.delivery.outcome import DeliveryOutcome, ReadBackFigures, SessionEvidence

__all__ = ["ShownPage", "TriedReading", "read_tried"]

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page as it was read, with what the keys of `read_back` made of it."""

    exchange: Exchange
    found: tuple[tuple[str, str, str], ...]  #: key, its expression, and its value or why there is none


@dataclass(frozen=True, slots=True)
class TriedReading:
    """What was read back of the session that was tried."""

    endpoint: str
    quiet_s: float  #: for how long the history had not to change
    readings: int  #: of all its pages
    pages: tuple[ShownPage, ...]  #: of the latest reading
    broken: Exchange | None  #: by which that came to its end, as it is no page of a history
    outcome: DeliveryOutcome
    session: SessionEvidence


async def read_tried(
    plan: Plan,
    delivery: Delivery,
    attempts: Sequence[Attempt],
    to: tuple[TransportFactory, str, Clock],
    mask: Mask,
) -> TriedReading:
    """Read the session back until it is quiet, as after a load, and judge what became of its messages.

    Args:
        plan: that messages were sent by; it has a read-back.
        delivery: what is promised of them.
        attempts: all messages of one session, at least one.
        to: the target's transports, its base URL and the clock.
        mask: hides secrets in texts.
    """
    transports, base_url, clock = to
    spec = plan.read_back
    if spec is None:
        raise ValueError("this plan checks no deliveries")
    begin_ns = clock.now_ns()
    quiet_s = quiet_s_of(spec, attempts)
    reader = _NotingReader(plan, spec, base_url)
    histories, wanted = to_read(spec, by_session(attempts))
    doubt = too_slow(spec, quiet_s)
    if wanted and not doubt:
        histories = await HistoryReader(reader, transports, clock, spec.timeout_s).settle(wanted, quiet_s)
    histories = [named(spec, history, attempts) for history in histories]
    figures = ReadBackFigures(
        sessions=1,
        unread=sum(bool(history.unread) for history in histories),
        requests=reader.requests,
        failed=reader.failed,
        duration_s=(clock.now_ns() - begin_ns) / NS_PER_S,
        quiet_s=quiet_s,
        reasons=unknown_reasons(histories, mask),
    )
    known = Circumstances(
        run_id=plan.run_id,
        origin_ns=min(attempt.sent_ns for attempt in attempts),
        phases=[(phase.spec.name, False) for phase in plan.phases],  # what is tried counts, warm-up or not
        require=delivery.require,
        read_back=figures,
        doubts=(doubt,) if doubt else (),
        mask=mask,
        looked=False,
        newest_first=spec.newest_first,
    )
    outcome = judge_delivery(attempts, histories, known)
    return TriedReading(
        endpoint=delivery.read_back.endpoint,
        quiet_s=quiet_s,
        readings=reader.readings,
        pages=tuple(_shown(page, plan.run_id, spec, delivery) for page in reader.pages),
        broken=reader.broken,
        outcome=outcome,
        session=_session(attempts, histories, known, outcome),
    )


class _NotingReader(SessionReader):
    """Keeps what it has last read."""

    def __init__(self, plan: Plan, spec: ReadBackPlan, base_url: str) -> None:
        self.pages: list[HistoryPage] = []
        self.readings = 0
        self._exchanges: list[Exchange] = []
        super().__init__(plan, spec, base_url, self.pages.append)

    async def read(self, wanted: Wanted, transport: Transport) -> SessionHistory:
        """Read a session, and forget how it was read before."""
        self.readings += 1
        self.pages.clear()
        self._exchanges.clear()
        return await super().read(wanted, _Noting(transport, self._exchanges))

    @property
    def broken(self) -> Exchange | None:
        """The latest exchange, if it brought no page."""
        latest = self._exchanges[-1] if self._exchanges else None
        read = self.pages[-1].exchange.completed_ns if self.pages else -1
        return latest if latest is not None and latest.completed_ns != read else None


class _Noting:
    """A transport that keeps its exchanges."""

    def __init__(self, transport: Transport, exchanges: list[Exchange]) -> None:
        self._transport = transport
        self._exchanges = exchanges

    async def exchange(self, request: Request) -> Exchange:
        exchange = await self._transport.exchange(request)
        self._exchanges.append(exchange)
        return exchange


def _shown(page: HistoryPage, run_id: str, spec: ReadBackPlan, delivery: Delivery) -> ShownPage:
    written = delivery.read_back
    rows = "not counted" if page.rows is None else f"{page.rows:,}"
    stored = TokenReader(run_id, spec.separator).read(page.texts)
    tokens = [token_text(run_id, *token) for each in stored for token in each.tokens]
    found = [
        ("messages", written.messages.source, f"{len(page.texts):,} found"),
        ("tokens", "", ", ".join(tokens) or "none"),
        ("rows", written.rows or "", rows),
    ]
    paging = spec.paging
    if paging is not None:
        source = "" if paging.expression is None else paging.expression.source
        following = page.following[paging.kind]
        then = "the last page" if following is None else f"next {paging.name}={following}"
        value = "" if paging.expression is None else f"{_value(paging.expression.evaluate, page.names)}: "
        found.append((paging.kind, source, f"{value}{then}"))
    return ShownPage(page.exchange, tuple(found))


def _value(evaluate: Callable[[Mapping[str, Any]], Any], names: Mapping[str, Any]) -> str:
    try:
        value = evaluate(names)
    except CannotEvaluate as error:
        return str(error)
    return "null" if value is None else str(value)


def _session(
    attempts: Sequence[Attempt], histories: Sequence[History], known: Circumstances, outcome: DeliveryOutcome
) -> SessionEvidence:
    """Return all messages of the session with what became of them, those at fault marked."""
    found = classify(attempts, histories, newest_first=known.newest_first)
    faults = [each.name for each in outcome.requirements if each.state == "failed"]
    finder = EvidenceFinder(found, known.run_id, known.origin_ns, known.mask)
    return finder.session(attempts[0].session, faults)
