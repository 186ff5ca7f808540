"""`stressrunner run`: generators first, as they take longest to get up; everything else while they do."""

from pathlib import Path

from stressrunner.cli.run_options import RunOptions
from stressrunner.fleet.event_loop import run_async
from stressrunner.fleet.launch import WorkerPool
from stressrunner.fleet.size import cores, fleet_size

__all__ = ["run_scenario"]


def run_scenario(path: Path, options: RunOptions) -> int:
    """Run a scenario and write its reports; return the exit code.

    Raises:
        StressrunnerError: what keeps a run from taking place.
    """
    pool = WorkerPool()
    # How many there will be depends on the scenario; more than there are cores would only be in each other's way.
    count = fleet_size(options.workers, cores())
    if pool.fork(count):
        from stressrunner.fleet.worker import main  # noqa: PLC0415  the coordinator does not run it

        main()
        return 0
    return run_async(_run, path, options, pool, count)


async def _run(path: Path, options: RunOptions, pool: WorkerPool, count: int) -> int:
    async with pool:
        await pool.of_size(count)
        from stressrunner.cli.run_report import check_run_report  # noqa: PLC0415  takes as long as they do

        return await check_run_report(path, options, pool)
