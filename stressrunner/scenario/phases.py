"""What must fit together in a `load`: its shape, the kind of traffic, and the names of its phases."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.scenario.source import Node, Path, node_at
from stressrunner.scenario.stream_parts import StreamPart, stream_parts
from stressrunner.scenario.validate import key_at

__all__ = ["check_load"]


_WORK = frozenset({"requests", "iterations", "sessions"})
_OF_RATE = frozenset({"max_in_flight", "overflow", "arrivals"})


def check_load(
    root: Node, value: Mapping[str, Any], unit_of: Callable[[StreamPart, Mapping[str, Any]], str]
) -> Iterator[Diagnostic]:
    """Yield what does not fit together in the loads of a typed scenario, which may have other mistakes.

    `unit_of` tells of a phase of a stream what its iterations are: `requests`, `sessions`, or `iterations` of flows.
    """
    seen: set[str] = set()
    for part in stream_parts(value):
        for path, phase, name in zip(part.phase_paths, part.phases, part.phase_names, strict=True):
            if not isinstance(phase, dict):
                continue
            if name in seen:
                place = node_at(root, (*path, "name") if "name" in phase else path)
                yield place.diagnostic(f"two phases are called '{name}'")
            seen.add(name)
            yield from _check_phase(root, path, phase, unit_of(part, phase))
        found = [phase for phase in part.phases if isinstance(phase, dict)]
        if found and all(phase.get("warmup") is True for phase in found):
            message = "every phase is a warm-up, so nothing is counted"
            yield node_at(root, (*part.path, "load")).diagnostic(message)


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
