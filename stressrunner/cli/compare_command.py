"""`stressrunner compare`: two results beside each other, or two scenarios run in turn and judged."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import click

from stressrunner.cli.compare_options import CompareOptions
from stressrunner.cli.consent import ask_about
from stressrunner.cli.github import summarize
from stressrunner.cli.interrupts import interruptible
from stressrunner.cli.loading import scenario_at
from stressrunner.cli.views import View, view_on
from stressrunner.errors import UsageError
from stressrunner.fleet.event_loop import run_async
from stressrunner.reports.comparison import COMPARISONS, render_comparison
from stressrunner.reports.wording import duration, percentile, ratio
from stressrunner.result.codec import read_result
from stressrunner.result.model import Result
from stressrunner.run.comparison import Contest, Interrupted, compare_results, contest_of, run_contest
from stressrunner.run.listener import Listener, Silence
from stressrunner.run.run import Options
from stressrunner.scenario.archive import Located
from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document, load_document
from stressrunner.scenario.threshold_grammar import parse_figure
from stressrunner.units import parse_ratio
from stressrunner.verdict.comparison import Comparison
from stressrunner.verdict.gate import Gate

__all__ = ["compare"]

_DEFAULT_RUNS = 10
_DEFAULT_GATES = ("p95", "errors")
_DEFAULT_POINTS = "1%"  #: of figures that are ratios, whose difference is judged


def compare(base: Path, candidate: Path | None, options: CompareOptions) -> int:
    """Compare two results, or two scenarios, and show what came of it; return the exit code.

    Raises:
        StressrunnerError: what keeps them from being compared.
    """
    if options.form not in COMPARISONS:
        raise UsageError(f"unknown format {options.form!r}; there are {', '.join(COMPARISONS)}")
    gates = [_gate(text, options.tolerance) for text in options.gates or _DEFAULT_GATES]
    if base.suffix == ".json":
        comparison = _compare_files(base, candidate, options)
    else:
        found = _compare_scenarios(base, candidate or base, gates, options)
        if found is None:
            return 130
        comparison = found
    click.echo(render_comparison(options.form, comparison), nl=False)
    summarize(render_comparison("markdown", comparison), os.environ)
    return comparison.exit_code


def _gate(text: str, tolerance: str) -> Gate:
    """Read `FIGURE` or `FIGURE=TOLERANCE`."""
    name, equals, own = text.partition("=")
    try:
        figure = parse_figure(name)
        default = _DEFAULT_POINTS if figure.dimension == "ratio" else tolerance
        allowed = float(parse_ratio((own if equals else default).strip()))
    except ValueError as error:
        raise UsageError(f"--gate {text}: {error}") from error
    return Gate(figure, allowed)


def _compare_files(base: Path, candidate: Path | None, options: CompareOptions) -> Comparison:
    if candidate is None:
        raise UsageError(f"{base} has nothing to be compared with: name a second result")
    if options.runs is not None:
        raise UsageError("--runs is of scenarios; a result is one run")
    one, other = (str(base), read_result(base)), (str(candidate), read_result(candidate))
    return compare_results(one, other, [_gate(text, options.tolerance).figure for text in options.gates])


def _compare_scenarios(
    base: Path, candidate: Path, gates: Sequence[Gate], options: CompareOptions
) -> Comparison | None:
    """Run both sides in turn; None when somebody interrupted that."""
    with scenario_at(base) as one, scenario_at(candidate) as other:
        sides = (_document(one, options, "base"), _document(other, options, "candidate"))
        _check_two_sides(*sides, options)
        contest = contest_of(*sides, _DEFAULT_RUNS if options.runs is None else options.runs, gates)
        return run_async(_run, contest, options)


def _document(scenario: Located, options: CompareOptions, side: str) -> Document:
    environment = options.base_environment if side == "base" else options.candidate_environment
    return load_document(
        scenario.path,
        environ=os.environ,
        overrides=_overrides(options, side),
        environment=environment or options.environment,
        unpacked=scenario.unpacked,
    )


def _overrides(options: CompareOptions, side: str) -> tuple[str, ...]:
    own = options.base_overrides if side == "base" else options.candidate_overrides
    return (*options.overrides, *own)


def _check_two_sides(base: Document, candidate: Document, options: CompareOptions) -> None:
    """Refuse to compare a scenario with itself, unless it is asked for by name to see how much runs vary."""
    if base.composed == candidate.composed and base.name == candidate.name:
        if options.candidate_overrides or options.candidate_environment:
            raise UsageError("both sides are the same: what is set for the candidate changes nothing")
        raise UsageError(
            f"both sides are {base.name}: name a second scenario, or say what differs with "
            "--base-set, --candidate-set, --base-env or --candidate-env"
        )


class _Views:
    """Shows the runs of a contest, each by a view of its own, and a line of each that stays."""

    def __init__(self, options: CompareOptions, runs: int) -> None:
        self._options = options
        self._runs = runs
        self._view: View | None = None

    def listen(self) -> Listener:
        """Return who listens to the next run."""
        if self._options.quiet:
            return Silence()
        self._view = view_on(sys.stderr, verbose=self._options.verbose)
        return self._view

    def ended(self, number: int, side: str, result: Result) -> None:
        """Write the line of a run."""
        self.close()
        if not self._options.quiet:
            click.echo(_line(number, self._runs, side, result), err=True)

    def close(self) -> None:
        """Take away what was drawn last."""
        if self._view is not None:
            self._view.close()
            self._view = None


async def _run(contest: Contest, options: CompareOptions) -> Comparison | None:
    """Run a contest; None when it was interrupted."""
    if not options.yes:
        for document in (contest.base, contest.candidate):
            await ask_about(build(document).target)
    views = _Views(options, 2 * contest.runs)
    of_runs = {
        side: Options(options.seed, _overrides(options, side), workers=options.workers)
        for side in ("base", "candidate")
    }

    async def work(interrupted: anyio.Event) -> Comparison | None:
        try:
            return await run_contest(contest, of_runs, views, interrupted)
        except Interrupted:
            views.close()
            click.echo("interrupted: nothing was compared", err=True)
            return None

    try:
        return await interruptible(work)
    finally:
        views.close()


def _line(number: int, of: int, side: str, result: Result) -> str:
    times = result.totals.response_time
    figures = f"p95 {percentile(times, times.p95_s)}  errors {ratio(result.totals.error_ratio)}"
    return f"run {number} of {of}  {side:<9}  {duration(result.run.duration_s)}  {figures}"
