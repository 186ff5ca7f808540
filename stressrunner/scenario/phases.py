"""What must fit together in a `load`: its shape, the kind of traffic, and the names of its phases."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.scenario.source import Node, Path, key_at, label_of, node_at
from stressrunner.scenario.workload_parts import WorkloadPart, has_ending_rows, workload_parts
from stressrunner.spelling import closest

__all__ = ["check_load", "has_open_end"]


_WORK = frozenset({"requests", "iterations", "sessions"})
_OF_RATE = frozenset({"max_in_flight", "overflow", "arrivals"})
_KEYS = (
    *sorted(_WORK),
    *sorted(_OF_RATE),
    "name",
    "concurrency",
    "rate",
    "duration",
    "think",
    "mix",
    "variables",
    "warmup",
    "graceful_stop",
)


def check_load(
    root: Node, value: Mapping[str, Any], unit_of: Callable[[WorkloadPart, Mapping[str, Any]], str]
) -> Iterator[Diagnostic]:
    """Yield what does not fit together in the loads of a typed scenario, which may have other mistakes.

    `unit_of` tells of a phase of a workload what its iterations are: `requests`, `sessions`, or `iterations` of flows.
    """
    seen: set[str] = set()
    for part in workload_parts(value):
        for path, phase, name in zip(part.phase_paths, part.phases, part.phase_names, strict=True):
            if not isinstance(phase, dict):
                continue
            if name in seen:
                place = node_at(root, (*path, "name") if "name" in phase else path)
                yield place.diagnostic(f"two phases are called '{name}'")
            seen.add(name)
            yield from _check_phase(root, path, phase, unit_of(part, phase))
        yield from _check_ends(root, part, has_end=has_ending_rows(value))
        found = [phase for phase in part.phases if isinstance(phase, dict)]
        if found and all(phase.get("warmup") is True for phase in found):
            message = "every phase is a warm-up, so nothing is counted"
            yield node_at(root, (*part.path, "load")).diagnostic(message)


_ROWS_END = "without one, the rows of a feeder with 'on_end: stop' have to end it"
_RATE_ENDS = "a phase with 'rate' ends after its 'duration', or with the rows of a feeder with 'on_end: stop'"


def _check_ends(root: Node, part: WorkloadPart, *, has_end: bool) -> Iterator[Diagnostic]:
    """Yield the phases of a workload that nothing ends."""
    phases = list(zip(part.phase_paths, part.phases, strict=True))
    for number, (path, phase) in enumerate(phases, start=1):
        if not isinstance(phase, dict) or {"concurrency", "rate"}.isdisjoint(phase):
            continue
        ends = ("duration",) if "rate" in phase else ("requests", "iterations", "sessions", "duration")
        if not _is_ended(phase, ends):
            place = key_at(root, path) or node_at(root, path)
            is_ramp = any(isinstance(phase.get(name), dict) for name in ("concurrency", "rate"))
            empty = next((key for name in ends if (key := key_at(root, (*path, name)))), None)
            if empty is not None:
                yield empty.diagnostic(f"'{empty.text}' has no value")
            elif is_ramp:
                yield place.diagnostic("a ramp takes a 'duration'")
            elif not has_end:
                is_rate = len(ends) == 1
                message = f"{label_of(path)} wants one of {', '.join(ends)}"
                if is_rate:
                    message = f"the key 'duration' is missing under {label_of(path)}"
                yield place.diagnostic(message, _RATE_ENDS if is_rate else _ROWS_END)
            elif number < len(phases):
                hint = f"give it {'a duration' if len(ends) == 1 else 'an end of its own'}"
                yield place.diagnostic("the rows of a feeder end this phase, and the load with it", hint)


def has_open_end(value: Mapping[str, Any]) -> bool:
    """Return whether the last phase of a workload of a scenario without mistakes has no end of its own."""
    ends = (*_WORK, "duration")
    return any(not _is_ended(part.phases[-1], ends) for part in workload_parts(value))


def _is_ended(phase: Mapping[str, Any], ends: Sequence[str]) -> bool:
    """Return whether a phase has an end of its own, misspelled or not."""
    return any(key in phase for key in ends) or any(
        closest(str(key), _KEYS) in ends for key in phase if key not in _KEYS
    )


def _check_phase(root: Node, path: Path, phase: Mapping[str, Any], unit: str) -> Iterator[Diagnostic]:
    for name, message, hint in _misplaced(phase, unit):
        key = key_at(root, (*path, name))
        if key is not None:
            yield key.diagnostic(message, hint)
    yield from _check_ramps(root, path, phase)
    think = phase.get("think")
    if isinstance(think, dict) and _seconds(think.get("min")) > _seconds(think.get("max", "0")):
        yield node_at(root, (*path, "think", "min")).diagnostic("'min' is longer than 'max'")


def _misplaced(phase: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str, str]]:
    """Yield the keys that make no sense beside others, each with message and hint."""
    yield from _other_units(phase, unit)
    if "rate" in phase and "concurrency" not in phase:
        for name in _WORK & phase.keys():
            yield name, f"a phase with 'rate' has no '{name}'", "it ends after its 'duration'"
        if "think" in phase:
            yield "think", "a phase with 'rate' has no 'think'", "arrivals do not wait for one another"
    if "concurrency" in phase and "rate" not in phase:
        for name in _OF_RATE & phase.keys():
            yield name, f"'{name}' belongs to 'rate'", "'concurrency' is the limit here"
    if isinstance(phase.get("concurrency"), dict):
        for name in _WORK & phase.keys():
            yield name, f"a ramp of users has no '{name}'", "it takes a 'duration'"


def _other_units(phase: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str, str]]:
    """Yield the keys that count what the iterations are not."""
    if unit == "sessions" and "requests" in phase:
        yield "requests", "under 'session' the load counts sessions", "write 'sessions'"
    if unit == "iterations" and "requests" in phase:
        yield "requests", "with flows the load counts iterations, of several requests", "write 'iterations'"
    if unit != "sessions" and "sessions" in phase:
        yield "sessions", "without 'session' there are no sessions to count", f"write '{unit}'"


def _check_ramps(root: Node, path: Path, phase: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield ramps that stay at nothing."""
    for name in ("concurrency", "rate"):
        ends = phase.get(name)
        if isinstance(ends, dict) and all(_is_nothing(ends.get(end)) for end in ("from", "to")):
            yield node_at(root, (*path, name)).diagnostic("a ramp from nothing to nothing sends nothing")


def _is_nothing(end: Any) -> bool:
    if isinstance(end, str):
        try:
            return units.parse_rate(end) == 0
        except ValueError:
            return False  # the schema has said so
    return bool(end == 0)


def _seconds(text: Any) -> float:
    try:
        return float(units.parse_duration(text)) if isinstance(text, str) else 0.0
    except ValueError:
        return 0.0  # the schema has said so
