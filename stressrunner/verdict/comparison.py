"""A base beside a candidate: what was measured of both, how it changed, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from types import MappingProxyType
from typing import Literal

from stressrunner.errors import NotComparable
from stressrunner.scenario.threshold import Threshold
from stressrunner.units import Dimension
from stressrunner.verdict.confidence import samples_needed
from stressrunner.verdict.figures import Figures
from stressrunner.verdict.gate import (
    FEWEST_RUNS,
    Change,
    Gate,
    State,
    decide,
    is_candidate,
    judge_gates,
)
from stressrunner.verdict.subject import measure_run

__all__ = [
    "EXIT_CODES",
    "Compared",
    "Comparison",
    "Side",
    "can_be_told",
    "compare_pair",
    "compare_runs",
    "gated_value",
]

ComparisonState = Literal["regressed", "passed", "inconclusive", "advisory"]

#: What the outcome of a comparison means to a shell.
EXIT_CODES: Mapping[ComparisonState, int] = MappingProxyType(
    {"regressed": 3, "passed": 0, "inconclusive": 5, "advisory": 0}
)
_ADVISORY = (
    "One run of each side tells nothing about chance: a difference may be that of two runs of the same. "
    "Compare scenarios with --runs to have it judged."
)


@dataclass(frozen=True, slots=True)
class Side:
    """What was run on one side."""

    name: str  #: of its file
    scenario: str
    target: str
    load: str  #: in one line
    runs: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both sides; changes are parts of the base's figure, or differences of ratios."""

    text: str
    dimension: Dimension
    base: float | None  #: None for a time that never ended, or that was not measured
    candidate: float | None
    change: float | None
    low: float | None  #: ends of the interval of 90 %; None without several runs
    high: float | None
    tolerance: float | None
    is_better_high: bool
    state: Literal["regressed", "passed", "inconclusive", "advisory"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that a comparison tells."""

    base: Side
    candidate: Side
    outcome: ComparisonState
    exit_code: int
    figures: tuple[Compared, ...]
    notes: tuple[str, ...] = ()


def compare_pair(
    base: Side, candidate: Side, figures: tuple[Figures, Figures], shown: Sequence[Threshold]
) -> Comparison:
    """Put one run of each side beside the other; nothing follows from it.

    Raises:
        NotComparable: a figure is missing on a side, or has too few samples there.
    """
    compared = tuple(
        _compared_pair(
            figure, _value(figure, figures[0], "the base"), _value(figure, figures[1], "the candidate")
        )
        for figure in shown
    )
    return Comparison(base, candidate, "advisory", EXIT_CODES["advisory"], compared, (_ADVISORY,))


def can_be_told(figure: Threshold, figures: Figures) -> bool:
    """Return whether a run has a figure, on enough samples."""
    try:
        _value(figure, figures, "")
    except NotComparable:
        return False
    return True


def compare_runs(
    base: Side, candidate: Side, runs: Sequence[Figures], gates: Sequence[Gate], notes: Sequence[str] = ()
) -> Comparison:
    """Judge alternating runs of both sides by gates.

    Args:
        base: what was run on one side.
        candidate: what was run on the other.
        runs: the figures of each run, in their order.
        gates: what must not get worse.
        notes: what else there is to say.

    Raises:
        NotComparable: there are too few runs or samples, or a figure is missing.
    """
    if len(runs) < 2 * FEWEST_RUNS:
        raise NotComparable(
            f"{len(runs) // 2} runs of each side are too few to tell a difference from chance",
            f"give --runs {FEWEST_RUNS} or more",
        )
    figures = {gate: [gated_value(gate, i, run) for i, run in enumerate(runs)] for gate in gates}
    changes = judge_gates(figures)
    outcome: State = decide(list(changes.values()))
    compared = tuple(_compared(gate, change) for gate, change in changes.items())
    return Comparison(base, candidate, outcome, EXIT_CODES[outcome], compared, tuple(notes))


def _compared(gate: Gate, change: Change) -> Compared:
    return Compared(
        gate.figure.text,
        gate.figure.dimension,
        change.base,
        None if isinf(change.candidate) else change.candidate,
        change.change,
        change.low,
        change.high,
        gate.tolerance,
        gate.is_better_high,
        change.state,
        change.note,
    )


def _compared_pair(figure: Threshold, base: float, candidate: float) -> Compared:
    known = not (isinf(base) or isinf(candidate))
    change = None
    if known and figure.dimension == "ratio":
        change = candidate - base
    elif known and base:
        change = candidate / base - 1
    return Compared(
        figure.text,
        figure.dimension,
        base=None if isinf(base) else base,
        candidate=None if isinf(candidate) else candidate,
        change=change,
        low=None,
        high=None,
        tolerance=None,
        is_better_high=Gate(figure, 0.0).is_better_high,
        state="advisory",
    )


def gated_value(gate: Gate, run: int, figures: Figures) -> float:
    """Return the figure of a run, counted from 0, which a gate can judge.

    Raises:
        NotComparable: it is missing, has too few samples, or is none that can be compared.
    """
    side = "candidate" if is_candidate(run) else "base"
    value = _value(gate.figure, figures, f"run {run + 1}, of the {side},")
    if isinf(value) and not is_candidate(run):
        raise NotComparable(
            f"{gate.figure.text}: in {side} run {run + 1} too many requests never ended",
            "lower the load, or gate a lower percentile",
        )
    if value <= 0 and not gate.by_difference:
        raise NotComparable(
            f"{gate.figure.text} is {value:g} in run {run + 1}, of the {side}, so that nothing can be a multiple of it",
            "gate another figure",
        )
    return value


def _value(figure: Threshold, figures: Figures, where: str) -> float:
    """Return a figure of a run, infinite for a time that never ended."""
    measurement = measure_run(figure, figures)
    if measurement.value is None:
        why = measurement.note or (
            "no request succeeded" if measurement.samples == 0 else "nothing was measured"
        )
        raise NotComparable(
            f"{figure.text}: {where} has no such figure: {why}",
            "name a figure with --gate that every run has, such as p95, errors or ENDPOINT.p95",
        )
    needed = 1 if figure.percentile is None else _needed(figure.percentile / 100)
    if measurement.samples is not None and measurement.samples < needed:
        raise NotComparable(
            f"{figure.text}: {where} has only {measurement.samples:,} samples, and {needed:,} are needed",
            "run longer, or gate a percentile nearer to the median",
        )
    return measurement.value


def _needed(share: float) -> int:
    """Return the samples for a percentile; of a low one what lies below it is what is rare."""
    return samples_needed(max(share, 1 - share))
