"""From checked values to steps."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stressrunner import units
from stressrunner.masking import Masker
from stressrunner.scenario.captures import captures_of
from stressrunner.scenario.model import Endpoint
from stressrunner.scenario.requests import METHODS
from stressrunner.scenario.steps import (
    Action,
    Group,
    Parallel,
    Repeat,
    RunFlow,
    Send,
    Step,
    Think,
)

__all__ = ["StepBuilder", "checks_of", "think_bounds"]


class StepBuilder:
    """Makes the steps of one scenario; what it is asked for last knows the requests that stand in all of them."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        build: Callable[[str, Mapping[str, Any]], Endpoint],
        masker: Masker,
    ) -> None:
        """`build` makes an endpoint of a name and what the file says of it."""
        self.endpoints = dict(endpoints)  #: those of the scenario, and those that stand in steps
        self._build = build
        self._masker = masker

    def steps(self, listed: Sequence[Any]) -> tuple[Step, ...]:
        """Return the steps of a list without mistakes."""
        return tuple(map(self._step, listed))

    def _step(self, step: str | Mapping[str, Any]) -> Step:
        if isinstance(step, str):
            return Step(self._named(step, {}))
        return Step(
            self._action(step),
            name=step.get("name"),
            condition=step.get("if"),
            each=step.get("each"),
            item=step.get("as", "item"),
            repeat=_repeat(step["repeat"]) if "repeat" in step else None,
            continue_on_error=step.get("continue_on_error", False),
        )

    def _action(self, step: Mapping[str, Any]) -> Action:
        if "send" in step:
            return self._named(step["send"], step)
        if "think" in step:
            return Think(*think_bounds(step["think"]))
        if "steps" in step:
            return Group(self.steps(step["steps"]))
        if "parallel" in step:
            return Parallel(self.steps(step["parallel"]))
        return Send(self._in_place(step), (), {})

    def _named(self, name: str, step: Mapping[str, Any]) -> Action:
        if name not in self.endpoints:
            return RunFlow(name)
        return Send(name, checks_of(step), captures_of(step.get("capture", {})))

    def _in_place(self, step: Mapping[str, Any]) -> str:
        """Return the name of a request that stands in a step; requests that are alike are one endpoint."""
        method = next(method for method in METHODS if method in step)
        base = name = f"{method.upper()} {self._masker.text(step[method].partition('?')[0])}"
        number = 1
        while (known := self.endpoints.get(name)) != (made := self._build(name, step)) and known is not None:
            number += 1
            name = f"{base} ({number})"
        self.endpoints[name] = made
        return name


def checks_of(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the checks of an endpoint or a step: one, or a list of them."""
    checks = request.get("checks", ())
    return (checks,) if isinstance(checks, str) else tuple(checks)


def think_bounds(think: Any) -> tuple[float, float]:
    """Return the shortest and the longest pause in seconds; none when nothing is said of it."""
    if think is None:
        return 0.0, 0.0
    given = think if isinstance(think, Mapping) else {"min": think, "max": think}
    return float(units.parse_duration(given["min"])), float(units.parse_duration(given["max"]))


def _repeat(repeat: int | Mapping[str, Any]) -> Repeat:
    if isinstance(repeat, int):
        return Repeat(repeat)
    timeout = repeat.get("timeout")
    return Repeat(
        repeat.get("times"),
        repeat.get("until"),
        repeat.get("delay", "0"),
        None if timeout is None else float(units.parse_duration(timeout)),
    )
