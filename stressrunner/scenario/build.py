"""From a Document without mistakes to the Scenario: typed, frozen, with every default filled in."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Protocol

from stressrunner import units
from stressrunner.http.hosts import listed_host
from stressrunner.masking import Masker
from stressrunner.scenario.auth import auth_of
from stressrunner.scenario.bodies import body_of
from stressrunner.scenario.build_steps import StepBuilder, checks_of, think_bounds
from stressrunner.scenario.captures import captures_of
from stressrunner.scenario.default_guards import GuardedLoad, default_guards
from stressrunner.scenario.delivery import Delivery, build_delivery
from stressrunner.scenario.model import (
    Auth,
    Closed,
    Endpoint,
    Feeder,
    Limits,
    Mix,
    MonitorSpec,
    Open,
    Phase,
    Scenario,
    Session,
    Target,
    Timeout,
    Tls,
    Workload,
)
from stressrunner.scenario.requests import METHODS, unnamed_endpoints
from stressrunner.scenario.steps import Flow
from stressrunner.scenario.threshold import Threshold
from stressrunner.scenario.threshold_grammar import parse_threshold, threshold_of_mapping
from stressrunner.scenario.workload_parts import WorkloadPart, has_ending_rows, workload_parts

__all__ = ["Described", "build"]

_DEFAULT_TIMEOUT = Timeout()


class Described(Protocol):
    """What of a Document makes a Scenario; a generator process has this part of it alone."""

    @property
    def value(self) -> Mapping[str, Any]:
        """The file's values, typed."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What stays out of the names that are made of texts; a generator, which shows none, needs to know none."""

    @property
    def rows(self) -> Mapping[str, Sequence[Any]]:
        """The rows of every feeder."""


def build(document: Described) -> Scenario:
    """Return the scenario that a document describes; a Document has no mistakes, so this always succeeds."""
    value = document.value
    target = _target(value["target"])
    auth = auth_of(value["target"])
    payloads = value.get("payloads", {})

    def endpoint(name: str, described: Mapping[str, Any]) -> Endpoint:
        return _endpoint(name, described, payloads, target.timeout, auth)

    builder = StepBuilder(
        {name: endpoint(name, described) for name, described in value["endpoints"].items()},
        endpoint,
        Masker(document.secrets),
    )
    workloads = tuple(_workload(part, value, builder) for part in workload_parts(value))
    setup, user_setup, teardown = (
        builder.steps(value.get(key, ())) for key in ("setup", "user_setup", "teardown")
    )
    flows = {name: builder.steps(steps) for name, steps in value.get("flows", {}).items()}
    guarded = GuardedLoad(workloads, flows, bool(user_setup), _rows_may_end(value, workloads))
    return Scenario(
        name=value["name"],
        description=value.get("description", ""),
        target=target,
        variables=_frozen(value.get("variables", {})),
        feeders=_frozen(
            {
                name: Feeder(name, document.rows[name], **_options(feeder))
                for name, feeder in value.get("feeders", {}).items()
            }
        ),
        endpoints=_frozen(builder.endpoints),
        flows=_frozen(flows),
        setup=setup,
        user_setup=user_setup,
        teardown=teardown,
        workloads=workloads,
        monitors=_frozen(
            {name: MonitorSpec(name, **monitor) for name, monitor in value.get("monitors", {}).items()}
        ),
        thresholds=_thresholds(value.get("thresholds", []), guarded),
        limits=_limits(value.get("limits", {})),
        max_lag_s=float(units.parse_duration(value.get("validity", {}).get("max_lag", "5ms"))),
        delivery=_delivery(value.get("invariants", {})),
    )


def _rows_may_end(value: Mapping[str, Any], workloads: Sequence[Workload]) -> bool:
    """Return whether rows may come to their end in a phase that has another one."""
    is_bounded = any(phase.shape.is_bounded for workload in workloads for phase in workload.load)
    return is_bounded and has_ending_rows(value)


def _delivery(invariants: Mapping[str, Any]) -> Delivery | None:
    return build_delivery(invariants["delivery"]) if "delivery" in invariants else None


def _frozen(mapping: dict[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(mapping)


def _options(feeder: Mapping[str, Any]) -> dict[str, Any]:
    return {key: feeder[key] for key in ("order", "per", "on_end") if key in feeder}


def _target(target: Mapping[str, Any]) -> Target:
    return Target(
        base_url=target["base_url"].rstrip("/"),
        headers=_frozen(target.get("headers", {})),
        timeout=_timeout(target.get("timeout"), _DEFAULT_TIMEOUT),
        connections=target.get("connections"),
        http="2" if target.get("http") == 2 else "1.1",
        proxy=target.get("proxy"),
        tls=_tls(target.get("tls", {})),
        cookies=target.get("cookies", True),
        allow_hosts=tuple(map(listed_host, target.get("allow_hosts", ()))),
    )


def _tls(tls: Mapping[str, Any]) -> Tls:
    files = {key: FilePath(tls[key]) for key in ("ca", "certificate", "key") if key in tls}
    return Tls(verify=tls.get("verify", True), **files)


def _timeout(timeout: Any, inherited: Timeout) -> Timeout:
    """Return a timeout where what is not given is inherited; connecting never takes longer than the whole."""
    if timeout is None:
        return inherited
    given = timeout if isinstance(timeout, dict) else {"total": timeout}
    total_s = float(units.parse_duration(given["total"])) if "total" in given else inherited.total_s
    if "connect" in given:
        connect_s = float(units.parse_duration(given["connect"]))
    else:
        connect_s = inherited.connect_s if inherited is not _DEFAULT_TIMEOUT else total_s
    return Timeout(total_s, min(connect_s, total_s))


def _endpoint(
    name: str,
    endpoint: Mapping[str, Any],
    payloads: Mapping[str, Any],
    timeout: Timeout,
    auth: Auth | None,
) -> Endpoint:
    method = next(method for method in METHODS if method in endpoint)
    return Endpoint(
        name=name,
        method=method.upper(),
        path=endpoint[method],
        query=_frozen(endpoint.get("query", {})),
        headers=_frozen(endpoint.get("headers", {})),
        body=body_of(endpoint, payloads),
        timeout=_timeout(endpoint.get("timeout"), timeout),
        checks=checks_of(endpoint),
        capture=captures_of(endpoint.get("capture", {})),
        refused=endpoint.get("refused"),
        cookies=_frozen(endpoint.get("cookies", {})),
        auth=auth_of(endpoint, auth),
        follow_redirects=endpoint.get("follow_redirects", False),
    )


def _workload(part: WorkloadPart, value: Mapping[str, Any], builder: StepBuilder) -> Workload:
    named = zip(part.phase_names, part.phases, strict=True)
    load = tuple(_phase(name, phase) for name, phase in named)
    return Workload(part.name, _traffic(part.value, value, builder), load)


def _traffic(part: Mapping[str, Any], value: Mapping[str, Any], builder: StepBuilder) -> Mix | Flow | Session:
    if "session" in part:
        return _session(part["session"], builder)
    if "flow" in part:
        return Flow(builder.steps(part["flow"]))
    return _mix(part.get("mix") or dict.fromkeys(unnamed_endpoints(value), 1))


def _session(session: Mapping[str, Any], builder: StepBuilder) -> Session:
    think_min_s, think_max_s = think_bounds(session.get("think"))
    return Session(
        send=session["send"],
        messages=session["messages"],
        burst=session.get("burst", 1),
        gap_s=float(units.parse_duration(session.get("gap", "0"))),
        think_min_s=think_min_s,
        think_max_s=think_max_s,
        open=builder.steps(session.get("open", ())),
        close=builder.steps(session.get("close", ())),
    )


def _mix(mix: Mapping[str, Any]) -> Mix:
    # By way of its spelling, so that a weight of 0.1 is a tenth.
    return Mix(_frozen({name: Fraction(str(weight)) for name, weight in mix.items()}))


def _phase(name: str, phase: Mapping[str, Any]) -> Phase:
    duration_s = units.parse_duration(phase["duration"]) if "duration" in phase else None
    shape: Closed | Open
    if "rate" in phase:
        rate_from, rate = map(units.parse_rate, _ends(phase["rate"]))
        shape = Open(
            rate,
            duration_s,
            rate_from=None if rate_from == rate else rate_from,
            **{key: phase[key] for key in ("max_in_flight", "arrivals", "overflow") if key in phase},
        )
    else:
        amounts = (phase.get(key) for key in ("requests", "iterations", "sessions"))
        iterations = next((int(amount) for amount in amounts if amount is not None), None)
        users_from, users = map(int, _ends(phase["concurrency"]))
        shape = Closed(
            users,
            iterations,
            duration_s,
            *think_bounds(phase.get("think")),
            concurrency_from=None if users_from == users else users_from,
        )
    return Phase(
        name,
        shape,
        warmup=phase.get("warmup", False),
        graceful_stop_s=(
            float(units.parse_duration(phase["graceful_stop"])) if "graceful_stop" in phase else None
        ),
        mix=_mix(phase["mix"]) if "mix" in phase else None,
        variables=_frozen(phase.get("variables", {})),
    )


def _limits(limits: Mapping[str, Any]) -> Limits:
    return Limits(
        requests=limits.get("requests"),
        duration_s=float(units.parse_duration(limits["duration"])) if "duration" in limits else None,
        size=units.parse_size(limits["bytes"]) if "bytes" in limits else None,
    )


def _ends(value: Any) -> tuple[Any, Any]:
    """Return both ends of what may be a ramp."""
    return (value["from"], value["to"]) if isinstance(value, dict) else (value, value)


def _thresholds(listed: list[Any], load: GuardedLoad) -> tuple[Threshold, ...]:
    """Return the thresholds, with the guards that are left beside them."""
    thresholds = [parse_threshold(t) if isinstance(t, str) else threshold_of_mapping(t) for t in listed]
    return (*thresholds, *default_guards(thresholds, load))
