"""A bounded timeline: a point per second, then per two, four, ... seconds as the run gets longer."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from stressrunner.metrics.delta import Delta
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.spread import Spread
from stressrunner.plan.outcome import Outcome
from stressrunner.plan.pacing import Ramp

__all__ = ["MAX_POINTS", "OTHER", "Offer", "Timeline", "TimelinePoint"]

MAX_POINTS = 1200
MAX_KINDS = 5  #: of errors that points tell apart
OTHER = "other"


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """What happened in a stretch of the run, warm-up included."""

    at_s: float  #: where the stretch begins, after the load began
    duration_s: float
    sent: int
    completed: int
    ok: int
    failed: int
    refused: int
    in_flight: int  #: at the end of the stretch
    offered: float | None  #: requests that phases with a rate were to send; None when none was running
    errors: Mapping[str, int]  #: failed requests by kind; the rarest kinds of a run together as `other`
    p50_s: float | None  #: of response times
    p95_s: float | None
    p99_s: float | None
    max_s: float | None
    spread: str  #: response times in few buckets, as `Spread.text` writes them


@dataclass(frozen=True, slots=True)
class Offer:
    """What a phase with a rate is to send."""

    started_at_s: float  #: after the load began
    ramp: Ramp  #: requests per second

    def between(self, from_s: float, to_s: float) -> float | None:
        """Return the requests that it was to send between two moments; None when it was not running."""
        begin_s, end_s = from_s - self.started_at_s, to_s - self.started_at_s
        if end_s <= 0 or begin_s >= self.ramp.duration_s:
            return None
        return self.ramp.area_until(end_s) - self.ramp.area_until(begin_s)


class _Slot:
    """A point in the making."""

    __slots__ = ("_packed", "_times", "at_s", "duration_s", "errors", "in_flight", "outcomes", "sent")

    def __init__(self, at_s: float) -> None:
        self.at_s = at_s
        self.duration_s = 0.0
        self.sent = 0
        self.outcomes = [0] * len(Outcome)
        self.in_flight = 0
        self.errors: Counter[str] = Counter()
        self._times: Histogram | None = Histogram()
        self._packed = ""

    @property
    def response_time(self) -> Histogram:
        """The response times so far."""
        return Histogram.decode(self._packed) if self._times is None else self._times

    def add(self, delta: Delta, duration_s: float) -> None:
        times = self.response_time
        for series in delta.series.values():
            self.sent += series.sent
            self.outcomes = [a + b for a, b in zip(self.outcomes, series.outcomes, strict=True)]
            times.merge(series.response_time)
        self._times = times
        self.errors.update(delta.errors_by_kind)
        self.duration_s += duration_s
        self.in_flight = delta.in_flight

    def pack(self) -> None:
        """Keep the response times as text, a hundredth of their size: hours of them are kept."""
        if self._times is not None:
            self._packed, self._times = self._times.encode(), None

    def absorb(self, other: "_Slot") -> None:
        times = self.response_time
        times.merge(other.response_time)
        self._times = times
        self.sent += other.sent
        self.outcomes = [a + b for a, b in zip(self.outcomes, other.outcomes, strict=True)]
        self.errors.update(other.errors)
        self.duration_s += other.duration_s
        self.in_flight = other.in_flight

    def freeze(self, offers: Sequence[Offer], kinds: Collection[str]) -> TimelinePoint:
        times = self.response_time
        offered = [offer.between(self.at_s, self.at_s + self.duration_s) for offer in offers]
        running = [requests for requests in offered if requests is not None]
        return TimelinePoint(
            at_s=self.at_s,
            duration_s=self.duration_s,
            sent=self.sent,
            completed=sum(self.outcomes) - self.outcomes[Outcome.UNFINISHED],
            ok=self.outcomes[Outcome.OK],
            failed=self.outcomes[Outcome.FAILED],
            refused=self.outcomes[Outcome.REFUSED],
            in_flight=self.in_flight,
            offered=sum(running) if running else None,
            errors=_by_kind(self.errors, kinds),
            p50_s=times.percentile_s(50),
            p95_s=times.percentile_s(95),
            p99_s=times.percentile_s(99),
            max_s=None if times.max_ns is None else times.max_ns / 1e9,
            spread=Spread.of(times).text(),
        )


def _by_kind(errors: Mapping[str, int], kinds: Collection[str]) -> Mapping[str, int]:
    """Return the errors of some kinds, and all others together."""
    named = {kind: errors[kind] for kind in kinds if errors.get(kind)}
    other = sum(errors.values()) - sum(named.values())
    return {**named, OTHER: other + named.get(OTHER, 0)} if other else named


class Timeline:
    """Points of a run, made from the deltas that are handed over."""

    def __init__(self) -> None:
        self._slots: list[_Slot] = []
        self._per_slot = 1  # deltas that go into one point
        self._in_last = 0

    def add(self, delta: Delta, at_s: float, duration_s: float) -> None:
        """Add what was counted from `at_s` on, for `duration_s`."""
        if not self._slots or self._in_last >= self._per_slot:
            if len(self._slots) >= MAX_POINTS:
                self._halve()
            if self._slots:
                self._slots[-1].pack()
            self._slots.append(_Slot(at_s))
            self._in_last = 0
        self._slots[-1].add(delta, duration_s)
        self._in_last += 1

    def _halve(self) -> None:
        """Join points in pairs, so that the timeline stays bounded however long the run is."""
        for left, right in zip(self._slots[::2], self._slots[1::2], strict=False):
            left.absorb(right)
            left.pack()
        self._slots = self._slots[::2]
        self._per_slot *= 2

    def points(self, offers: Sequence[Offer] = ()) -> tuple[TimelinePoint, ...]:
        """Return the points so far; `offers` are those of the phases that have begun."""
        total: Counter[str] = Counter()
        for slot in self._slots:
            total.update(slot.errors)
        kinds = [kind for kind, _ in total.most_common(MAX_KINDS)]
        return tuple(slot.freeze(offers, kinds) for slot in self._slots)
