"""Time as a timeline draws it: long pauses in which nothing was under way are cut short, and nothing else is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stressrunner.reports.page.scale import Axis, time_axis
from stressrunner.units import format_duration

__all__ = ["Course", "Gap", "course"]

_MUCH = 2.0  #: pauses are cut where they are together so many times as long as all that was under way
_LEFT = 0.25  #: what they are cut to, all of them together, of all that was under way
_LABEL = 0.3  #: of the axis, from the beginning of one label to that of the next


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which nothing was under way."""

    start_s: float
    end_s: float
    shown_s: float  #: how long it is in the drawing


@dataclass(frozen=True, slots=True)
class Course:
    """Where moments lie."""

    axis: Axis  #: of time as it is drawn
    end_s: float  #: the last moment that has a place of its own
    cut: tuple[Gap, ...] = ()

    def place(self, at_s: float) -> float:
        """Return where a moment lies: 0 at the beginning, 1 at the end, never outside."""
        return self.axis.place(self.drawn_s(at_s))

    def drawn_s(self, at_s: float) -> float:
        """Return a moment, in seconds, less what is left out before it."""
        for pause in reversed(self.cut):
            if at_s > pause.start_s:
                length_s = pause.end_s - pause.start_s
                at_s -= min(at_s - pause.start_s, length_s) * (1 - pause.shown_s / length_s)
        return at_s


def course(spans: Sequence[tuple[float, float]], end_s: float) -> Course:
    """Return the course from 0 to `end_s` with what was under way, each from a beginning to an end."""
    high = max(end_s, 1e-6) * 1.01
    ticks = time_axis(0.0, high, format_duration, count=3).ticks
    plain = Course(Axis(0.0, high, tuple(tick for tick in ticks if tick[0] <= high)), end_s)
    pauses = _pauses(spans)
    idle_s = sum(pause.end_s - pause.start_s for pause in pauses)
    busy_s = end_s - idle_s
    if not pauses or busy_s <= 0 or idle_s <= _MUCH * busy_s:
        return plain
    most_s = _LEFT * busy_s / len(pauses)
    cut = tuple(replace(pause, shown_s=most_s) for pause in pauses if pause.end_s - pause.start_s > most_s)
    return _labelled(replace(plain, cut=cut))


def _pauses(spans: Sequence[tuple[float, float]]) -> list[Gap]:
    found: list[Gap] = []
    until_s = 0.0
    for start_s, end_s in sorted(spans):
        if start_s > until_s:
            found.append(Gap(until_s, start_s, start_s - until_s))
        until_s = max(until_s, end_s)
    return found


def _labelled(whole: Course) -> Course:
    """Give the axis its end, and labels where pauses end, as many as there is room for."""
    axis = Axis(0.0, whole.drawn_s(whole.end_s) * 1.01, ())
    ticks = [(0.0, format_duration(0.0))]
    for pause in whole.cut:
        at_s = whole.drawn_s(pause.end_s)
        if at_s - ticks[-1][0] >= _LABEL * axis.high:
            ticks.append((at_s, format_duration(pause.end_s)))
    return replace(whole, axis=replace(axis, ticks=tuple(ticks)))
