"""`stressrunner run`: generators first, as they take longest to get up; everything else while they do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stressrunner.fleet.event_loop import run_async
from stressrunner.fleet.launch import Crew
from stressrunner.fleet.size import cores, fleet_size

__all__ = ["RunOptions", "run_scenario"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says about a run."""

    environment: str | None = None
    overrides: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    template: Path | None = None
    workers: int | Literal["auto"] = 1
    seed: int | None = None
    strict: bool = False
    quiet: bool = False
    verbose: bool = False


def run_scenario(path: Path, options: RunOptions) -> int:
    """Run a scenario and write its reports; return the exit code.

    Raises:
        StressrunnerError: what keeps a run from taking place.
    """
    return run_async(_run, path, options)


async def _run(path: Path, options: RunOptions) -> int:
    async with Crew() as crew:
        # How many there will be depends on the scenario; more than there are cores would only be in each other's way.
        await crew.of_size(fleet_size(options.workers, cores()))
        from stressrunner.cli.run_report import check_run_report  # noqa: PLC0415  takes as long as they do

        return await check_run_report(path, options, crew)
