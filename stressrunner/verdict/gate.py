"""Whether one figure got worse from a base to a candidate, judged on several runs of both: pure statistics.

Runs alternate A B B A A B B A ..., and the figure of run i is taken to be

    y_i = m + d x_i + g i + noise        x_i = 0 for the base, 1 for the candidate

so that a machine that gets slower or faster all along (g) is not taken for a difference (d). y is the logarithm of the
figure, and d the logarithm of the ratio, except of figures that are ratios themselves, such as errors, whose
difference is judged, because they may be 0. d is turned so that more is worse. Least squares give d with a standard
error, and Student's t with n - 3 degrees of freedom an interval of 90 %, against the tolerance:

    regressed      even its lower end is above the tolerance; of several figures by Holm's correction, so that the
                   chance that any of them is told wrongly stays at 5 % at most
    passed         even its upper end is below the tolerance; no correction, as all have to pass
    inconclusive   neither: chance explains both

An infinite figure, such as the percentile of what never ended, has no logarithm. When only the candidate has some, that
as many of them would fall to it by chance is what is judged (Fisher's exact test).
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, exp, inf, isinf, log, log1p, sqrt
from typing import Literal, NamedTuple

from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.student import t_cdf, t_quantile

__all__ = ["FEWEST_RUNS", "Change", "Gate", "State", "decide", "is_candidate", "judge_gates"]

FEWEST_RUNS = 3  #: of each side; fewer leave next to nothing to judge chance by
_DOUBT = 0.05
_MOST_RUNS = 1000
_BETTER_HIGH = frozenset({"throughput", "goodput", "count"})

State = Literal["regressed", "passed", "inconclusive"]


def is_candidate(run: int) -> bool:
    """Return whether a run, from 0, is one of the candidate: A B B A A B B A ..."""
    return run % 4 in (1, 2)


@dataclass(frozen=True, slots=True)
class Gate:
    """A figure that must not get worse."""

    figure: Threshold  #: without a limit
    tolerance: (
        float  #: part of the base's figure; of a ratio, a difference: 0.01 is one point of a percentage
    )

    @property
    def by_difference(self) -> bool:
        """Whether the difference is judged and not the quotient."""
        return self.figure.dimension == "ratio"

    @property
    def is_better_high(self) -> bool:
        """Whether more is better."""
        return self.figure.stat in _BETTER_HIGH

    @property
    def margin(self) -> float:
        """The tolerance on the scale on which the figure is judged."""
        return self.tolerance if self.by_difference else log1p(self.tolerance)


@dataclass(frozen=True, slots=True)
class Change:
    """How one figure changed, and what follows.

    Changes are parts of the base's figure, 0.25 for one that is a quarter more; of ratios, differences.
    """

    base: float  #: of its runs, the geometric mean; of ratios, the mean
    candidate: float  #: infinite when one of them was
    change: float | None  #: None when a figure of the candidate is infinite
    low: float | None  #: ends of the interval of 90 %
    high: float | None
    state: State
    note: str = ""


class _Fit(NamedTuple):
    """The effect of the candidate on the scale that is judged, more is worse."""

    effect: float
    error: float  #: standard error
    df: int

    def chance_of_no_more_than(self, effect: float) -> float:
        """Return how likely it is to see as much as was seen when the true effect is at most this."""
        if self.error == 0:
            return 0.0 if self.effect > effect else 1.0
        return 1 - t_cdf((self.effect - effect) / self.error, self.df)

    def reach(self) -> float:
        """Return half the length of the interval of 90 %."""
        return t_quantile(1 - _DOUBT, self.df) * self.error if self.error else 0.0


def judge_gates(figures: Mapping[Gate, Sequence[float]]) -> dict[Gate, Change]:
    """Judge the figures of alternating runs, the same number of each side, at least FEWEST_RUNS.

    Args:
        figures: of each gate, the figure of every run in the order of the runs; finite, or infinite for a time that
            never ended in the candidate. Those that are judged by their quotient are above 0.
    """
    chances = {gate: _chance_of_tolerable(gate, values) for gate, values in figures.items()}
    rejected = _holm(chances)
    return {gate: _change(gate, values, regressed=gate in rejected) for gate, values in figures.items()}


def _holm(chances: Mapping[Gate, float]) -> set[Gate]:
    """Return the gates whose chances are too small together, by Holm's step-down procedure."""
    rejected: set[Gate] = set()
    for place, gate in enumerate(sorted(chances, key=lambda gate: chances[gate])):
        if chances[gate] > _DOUBT / (len(chances) - place):
            break
        rejected.add(gate)
    return rejected


def _chance_of_tolerable(gate: Gate, values: Sequence[float]) -> float:
    """Return how likely it is to see as much as was seen when the candidate is within the tolerance."""
    endless = sum(map(isinf, values))
    if endless:
        runs = len(values)
        return comb(runs // 2, endless) / comb(runs, endless)
    return _fit(gate, values).chance_of_no_more_than(gate.margin)


def _fit(gate: Gate, values: Sequence[float]) -> _Fit:
    """Fit the model above by least squares, after the mean and the drift are taken out of both sides of it."""
    sign = -1 if gate.is_better_high else 1
    scaled = [sign * (value if gate.by_difference else log(value)) for value in values]
    runs = len(scaled)
    times = [i - (runs - 1) / 2 for i in range(runs)]
    sides = _without_line([float(is_candidate(i)) for i in range(runs)], times)
    seen = _without_line(scaled, times)
    weight = sum(side * side for side in sides)
    effect = sum(side * y for side, y in zip(sides, seen, strict=True)) / weight
    rest = sum((y - effect * side) ** 2 for side, y in zip(sides, seen, strict=True))
    df = runs - 3
    # What is left of equal figures is rounding, and no noise.
    if rest <= sum(y * y for y in scaled) * 1e-28:
        return _Fit(effect, 0.0, df)
    return _Fit(effect, sqrt(rest / df / weight), df)


def _without_line(values: Sequence[float], times: Sequence[float]) -> list[float]:
    """Take the mean and the straight line out of values; the times have the mean 0."""
    mean = sum(values) / len(values)
    slope = sum(t * y for t, y in zip(times, values, strict=True)) / sum(t * t for t in times)
    return [y - mean - slope * t for t, y in zip(times, values, strict=True)]


def _change(gate: Gate, values: Sequence[float], *, regressed: bool) -> Change:
    base = _centre(gate, [y for i, y in enumerate(values) if not is_candidate(i)])
    candidate = _centre(gate, [y for i, y in enumerate(values) if is_candidate(i)])
    endless = sum(map(isinf, values))
    if endless:
        note = f"in {endless} of {len(values) // 2} runs of the candidate too many requests never ended"
        return Change(base, candidate, None, None, None, "regressed" if regressed else "inconclusive", note)
    fit = _fit(gate, values)
    low, high = sorted(_worse_to_change(gate, fit.effect + side * fit.reach()) for side in (-1, 1))
    state: State = "regressed" if regressed else "inconclusive"
    note = ""
    if fit.effect + fit.reach() < gate.margin:
        state = "passed"
    elif not regressed:
        note = _more_runs(gate, fit, len(values) // 2)
    return Change(base, candidate, _worse_to_change(gate, fit.effect), low, high, state, note)


def _centre(gate: Gate, values: Sequence[float]) -> float:
    if any(map(isinf, values)):
        return inf
    if gate.by_difference:
        return sum(values) / len(values)
    return exp(sum(map(log, values)) / len(values))


def _worse_to_change(gate: Gate, effect: float) -> float:
    """Return how the figure changed, from how much worse it got on the scale that is judged."""
    effect = -effect if gate.is_better_high else effect
    return effect if gate.by_difference else exp(effect) - 1


def _more_runs(gate: Gate, fit: _Fit, runs: int) -> str:
    """Say how many runs would tell, if the difference is what it seems and they vary as these did."""
    distance = abs(fit.effect - gate.margin)
    spread = fit.error * sqrt(runs / 2)  # of single runs

    def tells(more: int) -> bool:
        return t_quantile(1 - _DOUBT, 2 * more - 3) * spread * sqrt(2 / more) < distance

    more = bisect_left(range(_MOST_RUNS), True, lo=runs + 1, key=tells)
    if more == _MOST_RUNS:
        return "it lies at the tolerance: no number of runs tells for sure"
    return f"about {more} runs of each side would tell"


def decide(changes: Sequence[Change]) -> State:
    """Return what follows from all figures: one that regressed decides, and passed are they all together."""
    states = {change.state for change in changes}
    if "regressed" in states:
        return "regressed"
    return "inconclusive" if "inconclusive" in states else "passed"
