"""Where in a typed scenario it says what is sent and how much: at its top, or in each of the workloads of `traffic`.

Works on values that may have other mistakes: what has the wrong shape is passed over.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stressrunner.scenario.source import Path

__all__ = ["WorkloadPart", "has_ending_rows", "phases_in", "session_endpoints", "workload_parts"]


class WorkloadPart(NamedTuple):
    """The mapping that has the kind of traffic of a workload, and its load."""

    name: str  #: of the workload; empty at the top of the scenario
    path: Path
    value: Mapping[str, Any]

    @property
    def phases(self) -> list[Any]:
        """Its phases, whatever shape they have."""
        load = self.value.get("load")
        return load if isinstance(load, list) else [load]

    @property
    def phase_paths(self) -> list[Path]:
        """Where its phases stand."""
        path = (*self.path, "load")
        is_list = isinstance(self.value.get("load"), list)
        return [(*path, number) for number in range(len(self.phases))] if is_list else [path]

    @property
    def phase_names(self) -> list[str]:
        """What its phases are called, named or not.

        `load`, or `phase_1`, `phase_2` and so on; in a workload its own name, or with a list that and a number.
        """
        if not isinstance(self.value.get("load"), list):
            return [_name_of(self.phases[0], self.name or "load")]
        prefix = self.name or "phase"
        return [_name_of(phase, f"{prefix}_{number}") for number, phase in enumerate(self.phases, start=1)]


def workload_parts(value: Mapping[str, Any]) -> list[WorkloadPart]:
    """Return the workloads of a scenario; without `traffic` the scenario itself is one."""
    traffic = value.get("traffic")
    if not isinstance(traffic, dict):
        return [WorkloadPart("", (), value)]
    return [
        WorkloadPart(name, ("traffic", name), part)
        for name, part in traffic.items()
        if isinstance(part, dict)
    ]


def phases_in(value: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the phases of all workloads, with their paths."""
    for part in workload_parts(value):
        for path, phase in zip(part.phase_paths, part.phases, strict=True):
            if isinstance(phase, dict):
                yield path, phase


def has_ending_rows(value: Mapping[str, Any]) -> bool:
    """Return whether the rows of some feeder can end a load."""
    feeders = value.get("feeders")
    return any(
        feeder.get("on_end") == "stop" and feeder.get("per") != "user" and feeder.get("order") != "random"
        for feeder in (feeders.values() if isinstance(feeders, dict) else ())
        if isinstance(feeder, dict)
    )


def session_endpoints(value: Mapping[str, Any]) -> list[str]:
    """Return the endpoints that take the messages of the sessions of all workloads."""
    sessions = [part.value.get("session") for part in workload_parts(value)]
    found = [session.get("send") for session in sessions if isinstance(session, dict)]
    return [name for name in found if isinstance(name, str)]


def _name_of(phase: Any, otherwise: str) -> str:
    name = phase.get("name") if isinstance(phase, dict) else None
    return name if isinstance(name, str) else otherwise
