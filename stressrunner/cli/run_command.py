"""`stressrunner run`: generators first, as they take longest to get up; everything else while they do."""

from pathlib import Path

from stressrunner.cli.run_options import RunOptions
from stressrunner.fleet.event_loop import run_async
from stressrunner.fleet.launch import Crew
from stressrunner.fleet.size import cores, fleet_size

__all__ = ["run_scenario"]


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
