"""Which feeders a workload of traffic draws rows from, and which of them come to an end."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stressrunner.errors import Diagnostic
from stressrunner.scenario.default_guards import sent_by
from stressrunner.scenario.model import Feeder, Scenario, Workload
from stressrunner.scenario.source import Node, key_at
from stressrunner.scenario.token_use import texts_in
from stressrunner.scenario.workload_parts import workload_parts

__all__ = ["check_draws", "comes_to_an_end", "drawn_by"]

_WORD = re.compile(r"\w+")


def comes_to_an_end(feeder: Feeder) -> bool:
    """Return whether the rows of a feeder end the load that draws them: those that users keep do not."""
    return feeder.on_end == "stop" and feeder.per != "user" and feeder.order != "random"


def drawn_by(workload: Workload, scenario: Scenario) -> frozenset[str]:
    """Return the feeders that a workload may draw from: whose names stand in a text of it, or of what it uses."""
    if len(scenario.workloads) == 1:
        return frozenset(scenario.feeders)
    return frozenset(_drawn(workload, scenario))


def check_draws(root: Node, value: Mapping[str, Any], scenario: Scenario) -> Iterator[Diagnostic]:
    """Yield the phases without an end of their own of workloads that draw no rows which come to one."""
    for part, workload in zip(workload_parts(value), scenario.workloads, strict=True):
        drawn = drawn_by(workload, scenario)
        if workload.load[-1].shape.is_bounded or any(
            comes_to_an_end(scenario.feeders[name]) for name in drawn
        ):
            continue
        key = key_at(root, part.phase_paths[-1]) or key_at(root, (*part.path, "load"))
        if key is not None:
            message = "nothing ends this load: its workload draws from no feeder with 'on_end: stop'"
            yield key.diagnostic(message, "give it a duration, or draw from one")


def _drawn(workload: Workload, scenario: Scenario) -> Iterator[str]:
    mixes = [phase.mix for phase in workload.load if phase.mix is not None]
    sent = {name for traffic in (workload.traffic, *mixes) for name in sent_by(traffic, scenario.flows)}
    waiting: list[object] = [
        workload.traffic,
        workload.load,
        [scenario.endpoints[name] for name in sent],
        scenario.flows,
        scenario.target,
        scenario.user_setup,
    ]
    seen: set[str] = set()
    while waiting:
        words = {word for text in texts_in(waiting.pop()) for word in _WORD.findall(text)} - seen
        seen |= words
        waiting += [scenario.variables[word] for word in words if word in scenario.variables]
    yield from (name for name in scenario.feeders if name in seen)
