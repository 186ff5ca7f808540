"""What must hold of every run unless its scenario says otherwise: the guards, when they apply and what lifts them.

A run in which what was planned did not happen has not passed, whether somebody thought of a threshold for it or not.
Each guard is a threshold like any other, marked as a default. A threshold of the scenario on the same figure takes its
place, as far as it reaches:

    errors < 5%             lifts the guard on errors
    errors < 5% in peak     lifts it for that phase
    login.errors < 5%       lifts it for that endpoint, or that workload of `traffic`
    errors < 5% else warn   lifts it openly: what is over the limit is reported and decides nothing

Only a limit from above takes a guard's place: `errors > 5%` and `errors != 2%` say nothing about how many errors are too
many. One that lets the figure go for a while (`after`) lifts nothing, nor does one that may judge nothing (a window, with
`no_data: pass`), nor one on flows, groups or sessions, which are no requests. docs/verdicts.md has the guards as a table,
which a test holds against this one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stressrunner.scenario.model import Mix, Open, Phase, Session, Workload
from stressrunner.scenario.steps import Flow, Group, Parallel, RunFlow, Send, Step
from stressrunner.scenario.threshold import Exempt, Threshold
from stressrunner.scenario.threshold_grammar import parse_threshold

__all__ = ["GUARDS", "DefaultGuard", "GuardedLoad", "default_guards", "is_lifted", "sent_by"]


#: Operators of limits that a figure can be too high for.
_FROM_ABOVE = ("<", "<=", "==")


@dataclass(frozen=True, slots=True)
class GuardedLoad:
    """What of a scenario the guards depend on."""

    workloads: Sequence[Workload]
    flows: Mapping[str, tuple[Step, ...]]
    sets_users_up: bool  #: there is a `user_setup`
    rows_may_end: bool = False  #: a feeder comes to an end, which may be before that of the load

    def sends(self) -> frozenset[Exempt]:
        """Return what is sent in the phases that count: pairs of a phase and an endpoint."""
        return frozenset(
            Exempt(phase.name, endpoint)
            for workload in self.workloads
            for phase in workload.load
            if not phase.warmup
            for endpoint in sent_by(workload.traffic if phase.mix is None else phase.mix, self.flows)
        )

    def phases_of(self, name: str) -> tuple[str, ...]:
        """Return the phases of the workload of a name; none where that is no workload."""
        return tuple(
            phase.name for workload in self.workloads if workload.name == name for phase in workload.load
        )

    def any_phase(self, matches: Callable[[Phase], bool]) -> bool:
        """Return whether any phase is of a kind."""
        return any(matches(phase) for workload in self.workloads for phase in workload.load)


def sent_by(traffic: Mix | Flow | Session, flows: Mapping[str, tuple[Step, ...]]) -> Iterator[str]:
    """Yield the endpoints that traffic may send."""
    match traffic:
        case Mix(weights):
            for name, weight in weights.items():
                if weight:
                    yield from _sent_by_steps(flows[name], flows) if name in flows else (name,)
        case Flow(steps):
            yield from _sent_by_steps(steps, flows)
        case Session():
            yield traffic.send
            yield from _sent_by_steps((*traffic.open, *traffic.close), flows)


def _sent_by_steps(steps: Sequence[Step], flows: Mapping[str, tuple[Step, ...]]) -> Iterator[str]:
    for step in steps:
        match step.action:
            case Send(endpoint):
                yield endpoint
            case RunFlow(flow):
                yield from _sent_by_steps(flows[flow], flows)
            case Group(inner) | Parallel(inner):
                yield from _sent_by_steps(inner, flows)


@dataclass(frozen=True, slots=True)
class DefaultGuard:
    """A threshold that a scenario has by default."""

    text: str  #: of the threshold
    applies: Callable[[GuardedLoad], bool]  #: whether a load has anything to guard
    passes_without_data: bool = (
        True  #: as nothing that happens is no reason to fail, unless it is the requests
    )
    #: What it can be lifted for apart: endpoints, workloads and phases; the same, but for all of them only by a threshold on
    #: its own figure; endpoints alone; or nothing.
    parts: Literal["requests", "workloads", "endpoints", "none"] = "none"
    is_of_the_end: bool = False  #: a load that was ended early for another reason tells nothing about it
    #: Whether a threshold on another figure lifts it too.
    is_lifted_too_by: Callable[[Threshold], bool] = lambda _: False

    @property
    def threshold(self) -> Threshold:
        """The guard as a threshold."""
        own = replace(parse_threshold(self.text), is_default=True)
        return replace(own, no_data="pass") if self.passes_without_data else own


def _allows_half(threshold: Threshold) -> bool:
    """Whether an unnamed threshold on errors is content with half of all requests failing."""
    return (
        (threshold.of, threshold.stat) == (None, "errors")
        and _can_lift(threshold)
        and threshold.phase is None
        and (threshold.action == "warn" or any(map(threshold.is_satisfied_by, (0.5, 1.0))))
    )


#: The guards, in the order in which reports have them.
GUARDS: tuple[DefaultGuard, ...] = (
    DefaultGuard("errors < 1%", lambda _: True, passes_without_data=False, parts="requests"),
    DefaultGuard("iterations.errors < 1%", lambda _: True),
    DefaultGuard("user_setup.errors < 1%", lambda load: load.sets_users_up),
    DefaultGuard("user_setup.count == 0", lambda load: load.sets_users_up),
    DefaultGuard("endpoints.errors < 50%", lambda _: True, parts="endpoints", is_lifted_too_by=_allows_half),
    DefaultGuard(
        "workloads.errors < 50%",
        lambda load: any(workload.name for workload in load.workloads),
        parts="workloads",
        is_of_the_end=True,
        is_lifted_too_by=_allows_half,
    ),
    DefaultGuard(
        "dropped < 1%",
        lambda load: load.any_phase(lambda phase: isinstance(phase.shape, Open)),
        parts="requests",
    ),
    DefaultGuard("unfinished < 1%", lambda _: True, parts="requests", is_of_the_end=True),
    DefaultGuard("not_reached < 1%", lambda load: load.rows_may_end, is_of_the_end=True),
)


def default_guards(listed: Sequence[Threshold], load: GuardedLoad) -> tuple[Threshold, ...]:
    """Return the guards that a load has beside the thresholds that its scenario lists."""
    guards = (_left_of(guard, listed, load) for guard in GUARDS if guard.applies(load))
    return tuple(guard for guard in guards if guard is not None)


def is_lifted(text: str, listed: Sequence[Threshold]) -> bool:
    """Return whether thresholds lift the guard of a text as a whole."""
    return any(guard.text == text and _is_lifted(guard, listed) for guard in GUARDS)


def _is_lifted(guard: DefaultGuard, listed: Sequence[Threshold]) -> bool:
    own = guard.threshold
    same = (each for each in listed if (each.of, each.stat, each.phase) == (own.of, own.stat, None))
    return any(map(_can_lift, same)) or any(map(guard.is_lifted_too_by, listed))


def _can_lift(threshold: Threshold) -> bool:
    """Whether a threshold always judges how high its figure may be."""
    may_judge_nothing = threshold.after_s or (threshold.window_s is not None and threshold.no_data == "pass")
    return threshold.op in _FROM_ABOVE and not may_judge_nothing


def _left_of(guard: DefaultGuard, listed: Sequence[Threshold], load: GuardedLoad) -> Threshold | None:
    """Return what thresholds leave of a guard, None where that is nothing."""
    if _is_lifted(guard, listed):
        return None
    own = replace(guard.threshold, remedy=_remedy(guard, listed, load))
    lifting = [threshold for threshold in listed if threshold.stat == own.stat and _can_lift(threshold)]
    if guard.parts == "none":
        return own
    sends = load.sends()
    lifted = {one for threshold in lifting for one in _lifted_by(threshold, guard, load)}
    exempt = frozenset(one for one in lifted if any(map(one.covers, sends)))
    if sends and all(any(one.covers(pair) for one in exempt) for pair in sends):
        return None
    return replace(own, exempt=exempt)


def _remedy(guard: DefaultGuard, listed: Sequence[Threshold], load: GuardedLoad) -> str:
    """Say how to lift a guard that a threshold of the scenario contradicts; nothing where none does."""
    own = guard.threshold
    of_requests = {
        None,
        *(workload.name for workload in load.workloads),
        *(pair.endpoint for pair in load.sends()),
    }
    subjects = {own.of} if guard.parts == "none" else {own.of, *of_requests}
    for threshold in listed:
        if (threshold.stat, threshold.action == "warn") != (own.stat, False):
            continue
        if threshold.op in _FROM_ABOVE or threshold.of not in subjects:
            continue
        if threshold.dimension == "ratio":
            of = f"{threshold.of}." if threshold.of else ""
            lifting = f"{of}{threshold.stat} <= 100%{f' in {threshold.phase}' if threshold.phase else ''}"
        else:
            lifting = f"{own.text} else warn"
        return f"'{threshold.text}' is no limit from above, so this default holds: lift it with '{lifting}'"
    return ""


def _lifted_by(threshold: Threshold, guard: DefaultGuard, load: GuardedLoad) -> Iterator[Exempt]:
    """Yield the requests that a threshold on the same figure lifts a guard for."""
    name, phase = threshold.of, threshold.phase
    if name is None:
        if guard.parts == "requests" or (guard.parts == "workloads" and phase is not None):
            yield Exempt(phase, None)
    elif own := load.phases_of(name):
        if guard.parts in ("requests", "workloads"):
            yield from (Exempt(one, None) for one in own if phase in (None, one))
    else:
        yield Exempt(phase, name)
