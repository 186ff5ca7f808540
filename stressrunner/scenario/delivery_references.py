"""What must fit together for `invariants.delivery`: tokens that are sent, and histories that can be read."""

from collections.abc import Iterator, Mapping
from typing import Any

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.scenario.requests import METHODS, read_back_endpoint, requests_in
from stressrunner.scenario.source import Node, Path, node_at
from stressrunner.scenario.token_use import names_in, renders_token
from stressrunner.scenario.unused import sent_names
from stressrunner.scenario.validate import key_at
from stressrunner.spelling import did_you_mean

__all__ = ["check_delivery"]

_DELIVERY: Path = ("invariants", "delivery")
_READ_BACK: Path = (*_DELIVERY, "read_back")
_RENDERED = (
    *METHODS,
    *("query", "headers", "cookies", "json", "form", "multipart", "body", "body_file", "graphql"),
)


def check_delivery(root: Node, value: Any) -> Iterator[Diagnostic]:
    """Yield what does not fit together in a typed scenario, which may have other mistakes."""
    scenario = value if isinstance(value, dict) else {}
    delivery = _mapping(_mapping(scenario.get("invariants")).get("delivery"))
    endpoints = _mapping(scenario.get("endpoints"))
    if not delivery or not endpoints:
        return
    yield from _check_tokens(root, scenario)
    read_back = _mapping(delivery.get("read_back"))
    yield from _check_endpoint(root, scenario, read_back.get("endpoint"), has_id="session_id" in delivery)
    yield from _check_times(root, read_back)
    yield from _check_processed(root, delivery)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _rendered(scenario: Mapping[str, Any], name: str) -> list[Any]:
    """Return what an endpoint sends, with the payload that it takes."""
    return _parts(scenario, _mapping(_mapping(scenario["endpoints"]).get(name)))


def _parts(scenario: Mapping[str, Any], request: Mapping[str, Any]) -> list[Any]:
    parts: list[Any] = [request[key] for key in _RENDERED if key in request]
    if str(request.get("body_file", "")).endswith(".j2"):
        parts.append("{{ message.token }}")  # what the file holds is not known here, and may well be it
    payload = _mapping(request.get("json")).get("$payload")
    return [*parts, _mapping(scenario.get("payloads")).get(str(payload))]


def _check_tokens(root: Node, scenario: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Messages without a token cannot be told apart."""
    hint = "write '{{ message.token }}' into its text"
    send = _mapping(scenario.get("session")).get("send")
    if isinstance(send, str) and send in scenario["endpoints"]:
        if not renders_token(_rendered(scenario, send)):
            payload = _mapping(_mapping(scenario["endpoints"][send]).get("json")).get("$payload")
            place: Path = ("endpoints", send)
            if isinstance(payload, str) and payload in _mapping(scenario.get("payloads")):
                place = ("payloads", payload)
            key = key_at(root, place) or node_at(root, place)
            yield key.diagnostic(
                f"'{place[-1]}' never renders 'message.token', so its messages cannot be followed", hint
            )
    elif send is None and not any(renders_token(rendered) for rendered in _sent(scenario)):
        key = key_at(root, _DELIVERY) or node_at(root, _DELIVERY)
        yield key.diagnostic(
            "no endpoint of the traffic renders 'message.token', so no message can be followed", hint
        )


def _sent(scenario: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what the requests have that may be sent, in steps too."""
    sent, reading = sent_names(scenario), read_back_endpoint(scenario)
    for path, request in requests_in(scenario):
        is_endpoint = path[0] == "endpoints"
        if not is_endpoint or (path[1] != reading and (sent is None or path[1] in sent)):
            yield _parts(scenario, request)


def _check_endpoint(
    root: Node, scenario: Mapping[str, Any], name: Any, *, has_id: bool
) -> Iterator[Diagnostic]:
    if not isinstance(name, str):
        return
    endpoints = scenario["endpoints"]
    node = node_at(root, (*_READ_BACK, "endpoint"))
    if name not in endpoints:
        hint = did_you_mean(name, endpoints) or "add it under 'endpoints'"
        yield node.diagnostic(f"there is no endpoint '{name}'", hint)
    elif name in (sent_names(scenario) or ()):
        hint = "give the read-back an endpoint of its own"
        yield node.diagnostic(f"'{name}' is part of the traffic", hint)
    elif not has_id and ("session", "id") in names_in(_rendered(scenario, name)):
        hint = "add it, such as 'session_id: body.session_id'"
        yield node.diagnostic(
            f"'{name}' asks for 'session.id', and 'session_id' does not say what that is", hint
        )


def _check_times(root: Node, read_back: Mapping[str, Any]) -> Iterator[Diagnostic]:
    try:
        quiet_s = units.parse_duration(str(read_back.get("quiet", "2s")))
        timeout_s = units.parse_duration(str(read_back.get("timeout", "30s")))
    except ValueError:
        return  # the schema has said so
    if quiet_s >= timeout_s:
        key = "timeout" if "timeout" in read_back else "quiet"
        yield node_at(root, (*_READ_BACK, key)).diagnostic(
            "no history can become quiet within its timeout", "make 'timeout' longer than 'quiet'"
        )


def _check_processed(root: Node, delivery: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """What the model was given cannot be limited where nobody sees it."""
    if "sink" in delivery:
        return
    for name in _mapping(delivery.get("require")):
        if name.startswith("processed."):
            place = (*_DELIVERY, "require", name)
            key = key_at(root, place) or node_at(root, place)
            yield key.diagnostic(f"'{name}' is what a sink sees, and there is none", "add 'sink: {}'")
