"""What is checked of every message, compiled: whose replies are told apart, and how histories are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stressrunner.expressions import compile_expression
from stressrunner.expressions.expression import Expression
from stressrunner.expressions.jsonpath import compile_jsonpath
from stressrunner.plan.judging import Judge
from stressrunner.plan.messages import Messages
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.scenario.delivery import ReadBack
from stressrunner.scenario.model import Endpoint, Scenario, Session
from stressrunner.scenario.token_use import names_in, renders_token

__all__ = ["ReadBackPlan", "compile_read_back", "messages_of"]

Names = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReadBackPlan:
    """How the history of a session is read, compiled."""

    request: RequestTemplate
    judge: Judge
    messages: Callable[[Names], Any]  #: what a response has of the history; raises CannotEvaluate
    next: Expression | None
    separator: str | None
    names_page: bool  #: the request's own templates say where the page goes
    names_id: bool  #: the request needs the session's id
    quiet_s: float
    timeout_s: float
    during_s: float | None


def compile_read_back(scenario: Scenario, common: Common) -> ReadBackPlan | None:
    """Compile the read-back of a scenario, whose requests have something in common; None where there is none."""
    delivery = scenario.delivery
    if delivery is None:
        return None
    spec = delivery.read_back
    endpoint = scenario.endpoints[spec.endpoint]
    named = names_in(_rendered(endpoint))
    return ReadBackPlan(
        request=RequestTemplate(endpoint, common),
        judge=Judge(endpoint),
        messages=_finder(spec),
        next=None if spec.next is None else compile_expression(spec.next),
        separator=delivery.separator,
        names_page=("page",) in named,
        names_id=("session", "id") in named,
        quiet_s=spec.quiet_s,
        timeout_s=spec.timeout_s,
        during_s=spec.during_s,
    )


def _finder(spec: ReadBack) -> Callable[[Names], Any]:
    if spec.messages_by == "jsonpath":
        query = compile_jsonpath(spec.messages)
        return lambda names: query.all(names["body"])
    return compile_expression(spec.messages).evaluate


def _rendered(endpoint: Endpoint) -> tuple[object, ...]:
    """Return the parts of an endpoint that are templates."""
    return (endpoint.path, endpoint.query, endpoint.headers, endpoint.cookies, endpoint.body)


def messages_of(scenario: Scenario, endpoint: Endpoint) -> Messages | None:
    """Return the messages that an endpoint sends; None when it sends none, or nothing is checked of them."""
    delivery = scenario.delivery
    if delivery is None or not renders_token(_rendered(endpoint)):
        return None
    sessions = [s.traffic for s in scenario.streams if isinstance(s.traffic, Session)]
    burst = next((session.burst for session in sessions if session.send == endpoint.name), 1)
    return Messages(delivery, refused=endpoint.refused, burst=burst)
