"""Endpoints, compiled: what is sent and how its response is judged, with the place of its figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from stressrunner.plan.judging import Judge
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.plan.tokens import Token
from stressrunner.scenario.model import Endpoint, OAuth2, Scenario

__all__ = ["EndpointPlan", "Endpoints"]


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """An endpoint, compiled."""

    index: int  #: of its figures, which steps that add checks to it share
    name: str
    request: RequestTemplate
    judge: Judge


class Endpoints:
    """Compiles the endpoints that a load sends."""

    def __init__(
        self,
        scenario: Scenario,
        names: Iterable[str],
        seed: int,
        *,
        apart: Iterable[str] = (),
        in_steps: bool,
    ) -> None:
        """Compile endpoints.

        Args:
            scenario: that describes them.
            names: of those that the load sends.
            seed: of the run.
            apart: names of those that are sent beside it.
            in_steps: whether the bodies of responses are always needed, as what is asked of them may stand anywhere.
        """
        target = scenario.target
        is_embedded = target.base_url.startswith("demo:")
        prefix = "" if is_embedded else urlsplit(target.base_url).path.rstrip("/")
        self._in_steps = in_steps
        counted, beside = set(names), set(apart)
        listed = [name for name in scenario.endpoints if name in counted]
        listed += [name for name in scenario.endpoints if name in beside - counted]
        self._sources = {name: scenario.endpoints[name] for name in listed}
        clients = (source.auth for source in self._sources.values())
        tokens = {client: Token(client) for client in clients if isinstance(client, OAuth2)}
        self.tokens = tuple(tokens.values())  #: that the requests carry
        self._common = Common(prefix, target.headers, seed, tokens)
        plans = [self._compiled(number, source) for number, source in enumerate(self._sources.values())]
        self._by_name = {plan.name: plan for plan in plans}
        self.plans = tuple(plans[: len(counted)])  #: of those that the load sends
        self.apart = tuple(plans[len(counted) :])  #: of those that are sent beside it; their indices go on

    def named(self, name: str) -> EndpointPlan:
        """Return an endpoint as the scenario has it."""
        return self._by_name[name]

    def extended(self, name: str, checks: tuple[str, ...], capture: Mapping[str, Any]) -> EndpointPlan:
        """Return an endpoint with more checks and captures, whose figures are those of the endpoint."""
        if not checks and not capture:
            return self.named(name)
        source = self._sources[name]
        more = replace(source, checks=(*source.checks, *checks), capture={**source.capture, **capture})
        return self._compiled(self.named(name).index, more)

    def _compiled(self, index: int, endpoint: Endpoint) -> EndpointPlan:
        judge = Judge(endpoint)
        needs_body = judge.needs_body or self._in_steps
        request = RequestTemplate(endpoint, self._common, needs_body=needs_body)
        return EndpointPlan(index, endpoint.name, request, judge)
