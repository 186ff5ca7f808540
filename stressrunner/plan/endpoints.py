"""Endpoints, compiled: what is sent and how its response is judged, with the place of its figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stressrunner.plan.captures import Captures
from stressrunner.plan.credentials import credential_names
from stressrunner.plan.delivery import messages_of
from stressrunner.plan.judging import Judge
from stressrunner.plan.messages import Messages
from stressrunner.plan.requests import Common, RequestTemplate, own_path
from stressrunner.plan.tokens import AccessToken
from stressrunner.scenario.model import Endpoint, OAuth2, Scenario

__all__ = ["EndpointPlan", "Endpoints"]


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """An endpoint, compiled."""

    index: int  #: of its figures, which steps that add checks to it share
    name: str
    request: RequestTemplate
    judge: Judge
    messages: Messages | None = None  #: that it sends, if their delivery is checked


class Endpoints:
    """Compiles the endpoints that a load sends."""

    def __init__(
        self,
        scenario: Scenario,
        names: Iterable[str],
        seed: int,
        *,
        excluded: Iterable[str] = (),
        in_steps: bool,
    ) -> None:
        """Compile endpoints.

        Args:
            scenario: that describes them.
            names: of those that the load sends.
            seed: of the run.
            excluded: names of those that are sent beside it.
            in_steps: whether the bodies of responses are always needed, as what is asked of them may stand anywhere.
        """
        self._scenario = scenario
        self._in_steps = in_steps
        counted, beside = set(names), set(excluded)
        listed = [name for name in scenario.endpoints if name in counted]
        listed += [name for name in scenario.endpoints if name in beside - counted]
        self._sources = {name: scenario.endpoints[name] for name in listed}
        reading = (
            [] if scenario.delivery is None else [scenario.endpoints[scenario.delivery.read_back.endpoint]]
        )
        clients = (source.auth for source in (*self._sources.values(), *reading))
        tokens = {client: AccessToken(client) for client in clients if isinstance(client, OAuth2)}
        self.tokens = tuple(tokens.values())  #: that the requests carry
        #: what the requests have in common
        self.common = Common(own_path(scenario.target), scenario.target.headers, seed, tokens)
        self._credential_names = credential_names(scenario)
        #: by the indices of endpoints: their captures that later requests say with who sends them
        self.credentials: dict[int, list[Captures]] = {}
        plans = [self._compiled(number, source) for number, source in enumerate(self._sources.values())]
        self._by_name = {plan.name: plan for plan in plans}
        self.plans = tuple(plans[: len(counted)])  #: of those that the load sends
        self.excluded = tuple(plans[len(counted) :])  #: of those that are sent beside it; their indices go on

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
        secret = {name: found for name, found in endpoint.capture.items() if name in self._credential_names}
        if secret:
            self.credentials.setdefault(index, []).append(Captures(secret))
        judge, messages = Judge(endpoint), messages_of(self._scenario, endpoint)
        needs_body = judge.needs_body or self._in_steps or (messages is not None and messages.needs_body)
        request = RequestTemplate(endpoint, self.common, needs_body=needs_body)
        return EndpointPlan(index, endpoint.name, request, judge, messages)
