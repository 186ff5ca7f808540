"""`stressrunner try`: one iteration, shown in full."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from stressrunner.cli.loading import loaded
from stressrunner.cli.mistakes import tell_warnings
from stressrunner.fleet.event_loop import run_async
from stressrunner.masking import Masker
from stressrunner.plan.plan import compile_plan
from stressrunner.run.trial import iteration_of, try_plan
from stressrunner.run.trial_text import trial_text
from stressrunner.scenario.build import build

__all__ = ["TryOptions", "try_scenario"]


@dataclass(frozen=True, slots=True)
class TryOptions:
    """What the command line says about a trial."""

    environment: str | None = None
    overrides: Sequence[str] = ()
    endpoint: str | None = None  #: that the iteration is to send
    seed: int = 0


def try_scenario(path: Path, options: TryOptions) -> int:
    """Run one iteration and show it on stdout; return the exit code.

    Raises:
        StressrunnerError: what keeps it from taking place.
    """
    with loaded(path, options.environment, options.overrides) as document:
        tell_warnings(document)
        scenario = build(document)
        run_id = secrets.token_hex(4)
        plan = compile_plan(scenario, seed=options.seed, run_id=run_id, uuid_salt=run_id)
        part, number = iteration_of(plan, options.endpoint)
        masker = Masker(document.secrets)
        trial = run_async(try_plan, part, scenario, number, masker, _note)
        click.echo(trial_text(trial, masker.plus(trial.credentials)), nl=False)
    return trial.exit_code


def _note(text: str) -> None:
    click.echo(text, err=True)
