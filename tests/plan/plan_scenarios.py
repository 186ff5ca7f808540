"""Endpoints and scenarios for the tests of the plan."""

from fractions import Fraction

from stressrunner.plan.plan import Plan, compile_plan
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.scenario.model import (
    Closed,
    Endpoint,
    Mix,
    Phase,
    Scenario,
    Session,
    Target,
    Timeout,
    Workload,
)


def endpoint(name: str = "one", **changes) -> Endpoint:
    """Return an endpoint that asks for `/`."""
    fields = {
        "method": "GET",
        "path": "/",
        "query": {},
        "headers": {},
        "body": None,
        "timeout": Timeout(),
        "checks": (),
        "capture": {},
    }
    return Endpoint(name, **{**fields, **changes})


def scenario(
    *endpoints: Endpoint,
    phases: tuple[Phase, ...] = (Phase("p", Closed(1, iterations=1)),),
    traffic: Mix | Session | None = None,
    base_url: str = "http://target",
    **changes,
) -> Scenario:
    """Return a scenario of these endpoints in equal shares; `headers` and `connections` are its target's."""
    endpoints = endpoints or (endpoint(),)
    target = Target(base_url, changes.pop("headers", {}), Timeout(), changes.pop("connections", None))
    fields = {"target": target, "variables": {}, "feeders": {}, "monitors": {}, "thresholds": ()}
    return Scenario(
        name="test",
        description="",
        endpoints={e.name: e for e in endpoints},
        workloads=(Workload("", traffic or Mix({e.name: Fraction(1) for e in endpoints}), phases),),
        **{**fields, **changes},
    )


def plan(*endpoints: Endpoint, seed: int = 1, **changes) -> Plan:
    """Return the plan of such a scenario."""
    return compile_plan(scenario(*endpoints, **changes), seed=seed, run_id="r")


def request(names=None, *, prefix: str = "", shared=None, **fields):
    """Return the request of an endpoint with such fields, its placeholders filled from `names`."""
    return RequestTemplate(endpoint(**fields), Common(prefix, shared or {})).render(names or {})
