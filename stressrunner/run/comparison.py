"""Runs of a base and a candidate, one beside the other or several in turn, and what is refused to be compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio

from stressrunner.errors import NotComparable, UsageError
from stressrunner.fleet.launch import WorkerPool
from stressrunner.plan.plan import compile_plan
from stressrunner.result.figures import figures_of
from stressrunner.result.model import Result
from stressrunner.run.listener import Listener
from stressrunner.run.outline import load_in_words
from stressrunner.run.run import Options, run
from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document
from stressrunner.scenario.threshold import Threshold
from stressrunner.scenario.threshold_grammar import parse_figure
from stressrunner.spelling import did_you_mean
from stressrunner.verdict.comparison import (
    Comparison,
    Side,
    can_be_told,
    compare_pair,
    compare_runs,
    gated_value,
)
from stressrunner.verdict.gate import Gate, is_candidate

__all__ = ["Contest", "Interrupted", "Spectator", "compare_results", "contest_of", "run_contest"]

_SHOWN = ("p50", "p95", "p99", "mean", "throughput", "errors")  #: of a pair, when nothing is asked for


class Spectator(Protocol):
    """Is told of the runs of a contest."""

    def listen(self) -> Listener:
        """Return who listens to the next run."""

    def ended(self, number: int, side: str, result: Result) -> None:
        """Take a run that has ended, its number from 1."""


class Interrupted(Exception):
    """Somebody ended a contest before all of its runs were done."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Two scenarios that can be compared."""

    base: Document
    candidate: Document
    runs: int  #: of each side
    gates: tuple[Gate, ...]


def contest_of(base: Document, candidate: Document, runs: int, gates: Sequence[Gate]) -> Contest:
    """Return what is to be run, once it is known that it can be compared.

    Raises:
        UsageError: the scenarios send other loads or requests, or a gate is about something that they do not have.
    """
    ones = [_outline_of(document) for document in (base, candidate)]
    _check_alike(*ones)
    for gate in gates:
        _check_known(gate.figure, ones[0])
    return Contest(base, candidate, runs, tuple(gates))


async def run_contest(
    contest: Contest,
    options: Mapping[str, Options],
    spectator: Spectator,
    interrupted: anyio.Event,
) -> Comparison:
    """Run both sides in turn, A B B A A B B A ..., and judge what they measured.

    Args:
        contest: what to run.
        options: of the runs of the `base` and of the `candidate`.
        spectator: is told of every run.
        interrupted: ends the run that is under way, and with it the contest.

    Raises:
        NotComparable: a run was invalid, or does not have what a gate needs.
        Interrupted: nothing is compared, as runs are missing.
    """
    results: list[Result] = []
    for number in range(2 * contest.runs):
        side = "candidate" if is_candidate(number) else "base"
        document = contest.candidate if side == "candidate" else contest.base
        listener = spectator.listen()
        listener.note(f"run {number + 1} of {2 * contest.runs}: the {side}")
        async with WorkerPool() as pool:
            result = await run(document, options[side], listener, interrupted, pool)
        if interrupted.is_set():
            raise Interrupted
        _check_usable(result, f"run {number + 1}, of the {side},")
        spectator.ended(number + 1, side, result)
        for gate in contest.gates:
            gated_value(gate, number, figures_of(result))  # what is missing is missing in every run
        results.append(result)
    base = next(result for i, result in enumerate(results) if not is_candidate(i))
    candidate = next(result for i, result in enumerate(results) if is_candidate(i))
    return compare_runs(
        _side(contest.base.name, base, contest.runs),
        _side(contest.candidate.name, candidate, contest.runs),
        [figures_of(result) for result in results],
        contest.gates,
        _notes(results),
    )


def compare_results(
    base: tuple[str, Result], candidate: tuple[str, Result], shown_figures: Sequence[Threshold]
) -> Comparison:
    """Put two results beside each other, each with its name; without figures, those that both have.

    Raises:
        UsageError: they are of other loads or requests, or a figure is about something that they do not have.
        NotComparable: one of them is invalid or was interrupted, or has too few samples.
    """
    ones = [_outline_of_result(name, result) for name, result in (base, candidate)]
    _check_alike(*ones)
    for name, result in (base, candidate):
        _check_usable(result, name)
    both = (figures_of(base[1]), figures_of(candidate[1]))
    figures = tuple(shown_figures)
    for figure in figures:
        _check_known(figure, ones[0])
    if not figures:
        names = [*_SHOWN, *(f"{name}.p95" for name in base[1].endpoints if len(base[1].endpoints) > 1)]
        median, *others = map(parse_figure, names)
        figures = (median, *(one for one in others if all(can_be_told(one, each) for each in both)))
    return compare_pair(_side(*base, 1), _side(*candidate, 1), both, figures)


@dataclass(frozen=True, slots=True)
class _Outline:
    """What has to be the same on both sides, and what can be gated there."""

    name: str
    load: str
    endpoints: tuple[str, ...]
    measured: frozenset[str]  #: endpoints, and whatever else figures may be of


def _outline_of(document: Document) -> _Outline:
    scenario = build(document)
    endpoints = compile_plan(scenario, seed=0, run_id="00000000").endpoint_names
    measured = frozenset({*_names_in(document.value), "session", "flow", "target"})
    return _Outline(document.name, load_in_words(scenario), endpoints, measured)


def _names_in(value: object) -> Iterator[str]:
    """Yield every name that a scenario gives to anything: a gate on none of them is a slip of the pen."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            if key == "name" and isinstance(inner, str):
                yield inner
            yield from _names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_in(inner)


def _outline_of_result(name: str, result: Result) -> _Outline:
    measured = frozenset({*result.endpoints, *result.workloads, *result.groups, *result.monitors})
    return _Outline(name, result.run.load, tuple(result.endpoints), measured)


def _check_alike(base: _Outline, candidate: _Outline) -> None:
    """Refuse what differs in more than its target: figures of other work cannot be compared."""
    if base.load != candidate.load:
        raise UsageError(
            f"{base.name} sends {base.load}, and {candidate.name} sends {candidate.load}: "
            "give both the same load, e.g. with --set"
        )
    if set(base.endpoints) != set(candidate.endpoints):
        only = sorted(set(base.endpoints) ^ set(candidate.endpoints))
        raise UsageError(
            f"{base.name} and {candidate.name} do not send the same requests: only one of them has {', '.join(only)}"
        )


def _check_known(figure: Threshold, outline: _Outline) -> None:
    """Refuse a figure of an endpoint that there is not, before anything is sent."""
    if figure.of is not None and figure.of not in outline.measured:
        hint = did_you_mean(figure.of, outline.endpoints) or f"there are {', '.join(outline.endpoints)}"
        raise UsageError(f"{figure.text}: nothing called '{figure.of}' is measured in {outline.name}; {hint}")


def _check_usable(result: Result, which: str) -> None:
    if result.verdict.outcome in ("invalid", "aborted"):
        reasons = "; ".join(result.verdict.reasons)
        remedy = "every run has to be valid and complete; see 'stressrunner help exit-code-4'"
        raise NotComparable(f"{which} is {result.verdict.outcome}: {reasons}", remedy)


def _side(name: str, result: Result, runs: int) -> Side:
    run_of = result.run
    return Side(name, run_of.scenario.name, run_of.target, run_of.load, runs)


def _notes(results: Sequence[Result]) -> tuple[str, ...]:
    notes = []
    for i, result in enumerate(results):
        side = "candidate" if is_candidate(i) else "base"
        if result.validity.state == "suspect":
            notes.append(f"Run {i + 1}, of the {side}, is suspect: {'; '.join(result.validity.reasons)}.")
        if result.verdict.outcome == "failed":
            notes.append(f"Run {i + 1}, of the {side}, has failed: {'; '.join(result.verdict.reasons)}.")
    return tuple(notes)
