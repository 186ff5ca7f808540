"""The processes that a run watches: the target's, where they are on this machine, and the generator's own."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit

import anyio

from stressrunner.errors import NothingToWatch
from stressrunner.fleet.launch import LocalProcess
from stressrunner.http.hosts import is_this_machine
from stressrunner.masking import Masker
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.monitor.lookup import FoundProcess, find
from stressrunner.monitor.process import Watch
from stressrunner.monitor.sampling_loop import SamplingClock, finish, watch
from stressrunner.run.target import LiveTarget
from stressrunner.scenario.model import MonitorSpec
from stressrunner.scenario.threshold import Threshold

__all__ = ["Monitors", "unwatched"]


class Monitors:
    """Watches all processes of a run while the load lasts."""

    def __init__(
        self,
        specs: Mapping[str, MonitorSpec],
        target: LiveTarget,
        generators: Sequence[LocalProcess],
        clock: SamplingClock,
        masker: Masker,
    ) -> None:
        self._clock = clock
        self._masker = masker
        apart = [] if target.pid is None else [target.pid]
        # The embedded target is a child of this process, and none of the generator's business.
        self._generator = Watch(find(pid=os.getpid(), masker=masker), apart=apart)
        self._generators = {
            f"generator {number}": Watch(find(pid=generator.pid, masker=masker))
            for number, generator in enumerate(generators, start=1)
        }
        self._watches: dict[str, Watch] = {}
        self._doubts: dict[
            str, str
        ] = {}  # why a configured one watches nothing, or perhaps the wrong process
        for name, spec in specs.items():
            look_up = partial(find, pid=spec.pid, port=spec.port, command=spec.command, masker=masker)
            found = look_up()
            again = look_up if spec.restarts == "allowed" else None
            self._watches[name] = Watch(found, again=again)
            if found.process is None:
                self._doubts[name] = f"{found.label}: {found.note}"
            elif spec.command is not None and found.families > 1:
                self._doubts[name] = f"command {spec.command!r}: {found.note}; name one by its pid or port"
        #: why the target is not watched, although it is on this machine
        self.target_unwatched = "" if "target" in specs else self._watch_target(target)
        self._origin_ns = 0

    def _watch_target(self, target: LiveTarget) -> str:
        """Watch the target where it is on this machine; return why that is not possible, where it is."""
        if target.pid is not None:
            self._watches["target"] = Watch(find(pid=target.pid, masker=self._masker))
            return ""
        parts = urlsplit(target.base_url)
        if parts.hostname is None or not is_this_machine(parts.hostname):
            return ""
        found = find(port=parts.port or (443 if parts.scheme == "https" else 80), masker=self._masker)
        if found.process is None:
            return found.note
        if found.process.pid == os.getpid():
            return "the target is in the process of stressrunner itself"
        self._watches["target"] = Watch(found)
        return ""

    def check(self, thresholds: Iterable[Threshold], warn: Callable[[str], None]) -> None:
        """Tell of configured monitors that watch nothing, or that fit several processes, before the load.

        Raises:
            NothingToWatch: a threshold is about one of them.
        """
        for name, doubt in self._doubts.items():
            warn(f"monitor '{name}': {doubt}")
        judged = {threshold.of for threshold in thresholds}
        for name, doubt in self._doubts.items():
            if name in judged:
                raise NothingToWatch(name, doubt)

    async def watch(self, origin_ns: int) -> None:
        """Look once a second, until cancelled; times count from `origin_ns`."""
        self._origin_ns = origin_ns
        await watch(self._all, self._clock, origin_ns=origin_ns)

    async def finish(self) -> None:
        """Look for the last time."""
        with anyio.CancelScope(shield=True):
            await finish(self._all, self._clock, origin_ns=self._origin_ns)

    @property
    def _all(self) -> list[Watch]:
        return [*self._watches.values(), *self._generators.values(), self._generator]

    def figures(self, since_s: float = 0.0) -> Mapping[str, ProcessFigures]:
        """Return the figures of the watched processes; growth and slope from `since_s` on."""
        return {name: one.figures(since_s=since_s) for name, one in self._watches.items()}

    def generator(self, since_s: float = 0.0) -> ProcessFigures:
        """Return the figures of this process and its generators together, without the embedded target."""
        return self._generator.figures(since_s=since_s)

    def generators(self, since_s: float = 0.0) -> Mapping[str, ProcessFigures]:
        """Return the figures of each generator process; there is none when the load is sent from this one."""
        return {name: one.figures(since_s=since_s) for name, one in self._generators.items()}


def unwatched(reason: str) -> ProcessFigures:
    """Return the figures of a process that was not looked at."""
    return Watch(FoundProcess(None, f"pid {os.getpid()}", reason)).figures()
