"""Where in a scenario requests are described: under `endpoints`, and in the steps that have one in place."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from stressrunner.scenario.source import Path
from stressrunner.scenario.workload_parts import WorkloadPart, workload_parts

__all__ = [
    "METHODS",
    "RequestPart",
    "name_in",
    "place_of",
    "read_back_endpoint",
    "requests_in",
    "step_lists",
    "steps_in",
    "unnamed_endpoints",
]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")

#: Keys at the top of a scenario that are lists of steps.
_LISTS = ("setup", "user_setup", "teardown")
#: Keys of a step that are lists of steps.
_INNER = ("steps", "parallel")


class RequestPart(NamedTuple):
    """Which endpoint or step a part of the scenario belongs to."""

    path: Path  #: of the endpoint or step
    key: str  #: of it, under which the part stands

    @property
    def is_step(self) -> bool:
        """Whether it is a step."""
        return self.path[0] != "endpoints"


def place_of(path: Path) -> RequestPart | None:
    """Return the endpoint or step that a path leads into; None when it leads elsewhere, or ends before a key."""
    if path[:1] == ("endpoints",):
        return RequestPart(path[:2], str(path[2])) if len(path) > 2 else None
    at = _first_step(path)
    if at is None:
        return None
    while len(path) > at + 2 and path[at + 1] in _INNER:
        at += 2
    return RequestPart(path[: at + 1], str(path[at + 1])) if len(path) > at + 1 else None


def _first_step(path: Path) -> int | None:
    """Return where in a path the number of the outermost step stands."""
    begin = 2 if path[:1] == ("traffic",) else 0  # what follows is the same in a workload as at the top
    key, inner = path[begin : begin + 1], path[begin : begin + 2]
    if path[:1] == ("flows",) or inner in (("session", "open"), ("session", "close")):
        at = begin + 2
    elif key == ("flow",) or (not begin and key and key[0] in _LISTS):
        at = begin + 1
    else:
        return None
    return at if len(path) > at and isinstance(path[at], int) else None


def step_lists(value: Mapping[str, Any]) -> Iterator[tuple[Path, Sequence[Any]]]:
    """Yield every list of steps of a typed scenario that is in no step itself, with its path."""
    for name in _LISTS:
        if isinstance(value.get(name), list):
            yield (name,), value[name]
    flows = value.get("flows")
    for name, flow in flows.items() if isinstance(flows, dict) else ():
        if isinstance(flow, list):
            yield ("flows", name), flow
    for part in workload_parts(value):
        yield from _lists_of_workload(part)


def _lists_of_workload(part: WorkloadPart) -> Iterator[tuple[Path, Sequence[Any]]]:
    if isinstance(part.value.get("flow"), list):
        yield (*part.path, "flow"), part.value["flow"]
    session = part.value.get("session")
    for name in ("open", "close"):
        if isinstance(session, dict) and isinstance(session.get(name), list):
            yield (*part.path, "session", name), session[name]


def steps_in(path: Path, steps: Sequence[Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the steps of a list and all steps in them, with their paths."""
    for number, step in enumerate(steps):
        yield (*path, number), step
        for key in _INNER if isinstance(step, dict) else ():
            if isinstance(step.get(key), list):
                yield from steps_in((*path, number, key), step[key])


def requests_in(value: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every request that a typed scenario describes, with its path; what has the wrong shape is passed over."""
    endpoints = value.get("endpoints")
    for name, endpoint in endpoints.items() if isinstance(endpoints, dict) else ():
        if isinstance(endpoint, dict):
            yield ("endpoints", name), endpoint
    for path, steps in step_lists(value):
        for inner, step in steps_in(path, steps):
            if isinstance(step, dict) and any(method in step for method in METHODS):
                yield inner, step


def unnamed_endpoints(value: Mapping[str, Any]) -> list[str]:
    """Return the endpoints that no step names and no session is read back by: sent where nothing says what is."""
    named = {name_in(step) for path, steps in step_lists(value) for _, step in steps_in(path, steps)}
    named.add(read_back_endpoint(value))
    endpoints = value.get("endpoints")
    return [name for name in endpoints if name not in named] if isinstance(endpoints, dict) else []


def read_back_endpoint(value: Mapping[str, Any]) -> str | None:
    """Return the endpoint that returns a session's history, if there is one."""
    found: Any = value
    for key in ("invariants", "delivery", "read_back", "endpoint"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def name_in(step: Any) -> str | None:
    """Return the endpoint or flow that a step names."""
    name = step.get("send") if isinstance(step, dict) else step
    return name if isinstance(name, str) else None
