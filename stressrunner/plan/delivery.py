"""What is checked of every message, compiled: whose replies are told apart, and how histories are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stressrunner.plan.judging import Judge
from stressrunner.plan.messages import Messages
from stressrunner.plan.paging import Paging, compile_paging, list_of, row_counter
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.scenario.delivery import Listing
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
    rows: Callable[
        [Names], int | None
    ]  #: how many rows a response has, before any filter; None when that is unknown
    paging: Paging | None  #: None where the first page is all
    sort_by: (
        Callable[[Names], Any] | None
    )  #: a list beside that of the messages; None leaves them as they are listed
    newest_first: bool | None  #: how messages are listed; None finds out
    separator: str | None
    places_page: bool  #: the request's own templates say where the page, cursor or offset goes
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
    paging = compile_paging(spec)
    return ReadBackPlan(
        request=RequestTemplate(endpoint, common),
        judge=Judge(endpoint),
        messages=list_of(spec.messages),
        rows=row_counter(spec),
        paging=paging,
        sort_by=list_of(spec.order_by) if isinstance(spec.order_by, Listing) else None,
        newest_first=None if spec.order_by is None else spec.order_by == "newest_first",
        separator=delivery.separator,
        places_page=paging is not None and (paging.name,) in named,
        names_id=("session", "id") in named,
        quiet_s=spec.quiet_s,
        timeout_s=spec.timeout_s,
        during_s=spec.during_s,
    )


def _rendered(endpoint: Endpoint) -> tuple[object, ...]:
    """Return the parts of an endpoint that are templates."""
    return (endpoint.path, endpoint.query, endpoint.headers, endpoint.cookies, endpoint.body)


def messages_of(scenario: Scenario, endpoint: Endpoint) -> Messages | None:
    """Return the messages that an endpoint sends; None when it sends none, or nothing is checked of them."""
    delivery = scenario.delivery
    if delivery is None or not renders_token(_rendered(endpoint)):
        return None
    sessions = [s.traffic for s in scenario.workloads if isinstance(s.traffic, Session)]
    burst = next((session.burst for session in sessions if session.send == endpoint.name), 1)
    return Messages(delivery, refused=endpoint.refused, burst=burst)
