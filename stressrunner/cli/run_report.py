"""What `stressrunner run` does: check, run, report. It is imported while the generators get up."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from stressrunner.cli.consent import ask_about
from stressrunner.cli.destinations import SAMPLES, Destination, parse_destinations
from stressrunner.cli.exports import Exports, exporting
from stressrunner.cli.interrupts import interrupted_at_once, interruptible
from stressrunner.cli.loading import loaded
from stressrunner.cli.mistakes import tell_warnings
from stressrunner.cli.run_options import RunOptions
from stressrunner.cli.sample_file import SampleFile, sample_files
from stressrunner.cli.views import view_on
from stressrunner.errors import UsageError
from stressrunner.fleet.launch import WorkerPool
from stressrunner.reports import render
from stressrunner.result.model import Result
from stressrunner.run.listener import Several, Silence
from stressrunner.run.run import Options, run
from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document
from stressrunner.scratch import replacing
from stressrunner.verdict.verdict import is_doubt_of_generator

__all__ = ["check_run_report"]


async def check_run_report(path: Path, options: RunOptions, pool: WorkerPool) -> int:
    """Run a scenario with the generators of a pool and write its reports; return the exit code.

    With `repeat` it is run again while the generator alone makes it invalid; each run is reported, those before the
    last under names such as `r.1.json`.

    Raises:
        StressrunnerError: what keeps a run from taking place.
    """
    with ExitStack() as stack:
        with interrupted_at_once():
            destinations = parse_destinations(options.reports)
            template = _template(options, destinations)
            document = stack.enter_context(loaded(path, options.environment, options.overrides))
            samples = stack.enter_context(sample_files(destinations))
            if not options.quiet:
                tell_warnings(document)
            phases = [phase.name for phase in build(document).load]
            exports = stack.enter_context(exporting(options, phases))
        result = await _watched(document, options, pool, samples, exports)
        for number in range(1, options.repeat):
            if not _is_to_be_repeated(result):
                break
            _report_attempt(number, result, destinations, template, samples, quiet=options.quiet)
            click.echo(
                f"stressrunner: the generator was in doubt; run {number + 1} of {options.repeat}", err=True
            )
            async with WorkerPool() as another:
                result = await _watched(document, replace(options, yes=True), another, samples, exports)
        failed = _write(result, [each for each in destinations if each.form != SAMPLES])
        failed += [] if samples is None else _write_samples(samples)
        _show(result, destinations, template, quiet=options.quiet)
        for reason in failed:
            click.echo(f"stressrunner: a report could not be written: {reason}", err=True)
        if result.verdict.outcome == "aborted":
            exports.hurry()
        await interruptible(exports.hold)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from stressrunner.cli.github import tell_github  # noqa: PLC0415  costs start-up time

        tell_github(result, document, os.environ)
    return result.verdict.exit_code


def _template(options: RunOptions, destinations: Sequence[Destination]) -> Callable[[Result], str] | None:
    """Return the template that was asked for as a function, None without one."""
    if options.template is None:
        return None
    if any(destination.path is None for destination in destinations):
        raise UsageError(
            "--template goes to stdout, and so does a report without a path: give that one a path"
        )
    from stressrunner.reports.template import load_template  # noqa: PLC0415  costs start-up time

    return load_template(options.template)


def _is_to_be_repeated(result: Result) -> bool:
    return is_doubt_of_generator(result.verdict, result.validity, result.thresholds, result.invariants)


def _report_attempt(
    number: int,
    result: Result,
    destinations: Sequence[Destination],
    template: Callable[[Result], str] | None,
    samples: SampleFile | None,
    *,
    quiet: bool,
) -> None:
    """Report a run that is not the last."""
    named = [
        each
        if each.path is None
        else replace(each, path=each.path.with_suffix(f".{number}{each.path.suffix}"))
        for each in destinations
        if each.form != SAMPLES
    ]
    failed = _write(result, named)
    if samples is not None:
        path = samples.path
        failed += _write_samples(replace(samples, path=path.with_suffix(f".{number}{path.suffix}")))
    _show(result, named, template, quiet=quiet)
    for reason in failed:
        click.echo(f"stressrunner: a report could not be written: {reason}", err=True)


async def _watched(
    document: Document, options: RunOptions, pool: WorkerPool, samples: SampleFile | None, exports: Exports
) -> Result:
    """Run a scenario, once that is agreed to, and show how it gets on."""
    scenario = build(document)
    if not options.yes:
        await ask_about(scenario.target)
    view = None if options.quiet else view_on(sys.stderr, verbose=options.verbose)
    parts = None if samples is None else samples.parts
    of_run = Options(options.seed, options.overrides, options.strict, options.workers, parts)
    try:
        listener = Several((view or Silence(), *exports.listeners))
        return await interruptible(lambda interrupted: run(document, of_run, listener, interrupted, pool))
    finally:
        if view is not None:
            view.close()


def _write(result: Result, destinations: Sequence[Destination]) -> list[str]:
    """Write the reports that go to files; return what could not be written, and why."""
    failed = []
    for destination in destinations:
        if destination.path is None:
            continue
        try:
            with replacing(destination.path) as file:
                file.write(render(destination.form, result))
        except OSError as error:
            failed.append(f"{destination.path}: {error.strerror}")
    return failed


def _write_samples(samples: SampleFile) -> list[str]:
    """Write every sample to the file that was asked for; return as `_write` does."""
    try:
        incomplete = samples.write()
    except OSError as error:
        return [f"{samples.path}: {error.strerror}"]
    if incomplete:
        click.echo(incomplete, err=True)
    return []


def _show(
    result: Result,
    destinations: Sequence[Destination],
    template: Callable[[Result], str] | None,
    *,
    quiet: bool,
) -> None:
    """Show what goes to stdout; the text for people goes to stderr when that is taken, and nowhere when quiet."""
    piped = [render(destination.form, result) for destination in destinations if destination.path is None]
    if template is not None:
        piped.append(template(result))
    for text in piped:
        click.echo(text, nl=False)
    if not quiet:
        click.echo(render("text", result), nl=False, err=bool(piped))
