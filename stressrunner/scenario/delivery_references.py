"""What must fit together for `invariants.delivery`: tokens that are sent, and histories that can be read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.expressions import ExpressionError, compile_expression
from stressrunner.expressions.jsonpath import compile_jsonpath
from stressrunner.scenario.delivery import PAGING, path_to_rows
from stressrunner.scenario.requests import METHODS, read_back_endpoint, requests_in
from stressrunner.scenario.source import Node, Path, key_at, node_at
from stressrunner.scenario.token_use import names_in, renders_token
from stressrunner.scenario.unused import sent_names
from stressrunner.scenario.values import Text
from stressrunner.scenario.workload_parts import session_endpoints, workload_parts
from stressrunner.spelling import did_you_mean

__all__ = ["check_delivery", "paging_names"]

_DELIVERY: Path = ("invariants", "delivery")
_READ_BACK: Path = (*_DELIVERY, "read_back")
_RENDERED = (
    *METHODS,
    *("query", "headers", "cookies", "json", "form", "multipart", "body", "body_file", "graphql"),
)
_HINT = "write '{{ message.token }}' into its text"
#: What begins with a digit, or may, right after a token, which ends with one.
_DIGIT_AFTER_TOKEN = re.compile(
    r"""\{\{-?\s*message\.token\s*-?\}\}(?=[0-9]|\{\{-?\s*(?:run\.(?:id|seed)|iteration|(?:user|repeat|message|session)\.i
    |uuid\(|now\(|random_))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\[nrt]")


def check_delivery(root: Node, value: Any, texts: Sequence[Text]) -> Iterator[Diagnostic]:
    """Yield what does not fit together in a typed scenario with these texts, which may have other mistakes."""
    scenario = value if isinstance(value, dict) else {}
    delivery = _mapping(_mapping(scenario.get("invariants")).get("delivery"))
    endpoints = _mapping(scenario.get("endpoints"))
    if not delivery or not endpoints:
        return
    yield from _check_tokens(root, scenario)
    yield from _check_bursts(root, scenario)
    yield from _check_variants(root, scenario)
    yield from _check_ends(texts)
    read_back = _mapping(delivery.get("read_back"))
    yield from _check_endpoint(root, scenario, read_back.get("endpoint"), has_id="session_id" in delivery)
    yield from _check_paging(root, read_back)
    yield from _check_times(root, read_back)
    yield from _check_processed(root, delivery)
    yield from _check_separator(root, delivery.get("separator"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _rendered(scenario: Mapping[str, Any], name: str) -> list[Any]:
    """Return what an endpoint sends, with the payload that it takes."""
    return _parts(scenario, _mapping(_mapping(scenario["endpoints"]).get(name)))


def _parts(scenario: Mapping[str, Any], request: Mapping[str, Any]) -> list[Any]:
    return [*_own_parts(request), _mapping(scenario.get("payloads")).get(_payload_of(request))]


def _own_parts(request: Mapping[str, Any]) -> list[Any]:
    parts: list[Any] = [request[key] for key in _RENDERED if key in request]
    if str(request.get("body_file", "")).endswith(".j2"):
        parts.append("{{ message.token }}")  # what the file holds is not known here, and may well be it
    return parts


def _payload_of(request: Mapping[str, Any]) -> str:
    return str(_mapping(request.get("json")).get("$payload"))


def _check_tokens(root: Node, scenario: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Messages without a token cannot be told apart."""
    sends = session_endpoints(scenario)
    for send in dict.fromkeys(name for name in sends if name in scenario["endpoints"]):
        if not renders_token(_rendered(scenario, send)):
            payload = _mapping(_mapping(scenario["endpoints"][send]).get("json")).get("$payload")
            place: Path = ("endpoints", send)
            if isinstance(payload, str) and payload in _mapping(scenario.get("payloads")):
                place = ("payloads", payload)
            key = key_at(root, place) or node_at(root, place)
            yield key.diagnostic(
                f"'{place[-1]}' never renders 'message.token', so its messages cannot be followed", _HINT
            )
    if not sends and not any(renders_token(rendered) for rendered in _sent(scenario)):
        key = key_at(root, _DELIVERY) or node_at(root, _DELIVERY)
        yield key.diagnostic(
            "no endpoint of the traffic renders 'message.token', so no message can be followed", _HINT
        )


def _check_bursts(root: Node, scenario: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Bursts of messages are told apart by the endpoint that takes them."""
    seen: dict[Any, Any] = {}
    for part in workload_parts(scenario):
        session = _mapping(part.value.get("session"))
        send, burst = session.get("send"), session.get("burst", 1)
        if "send" in session and seen.setdefault(send, burst) != burst:
            place = (*part.path, "session", "burst" if "burst" in session else "send")
            message = f"another workload sends '{send}' in bursts of {seen[send]}, so their messages cannot be followed"
            yield node_at(root, place).diagnostic(message, "make the bursts equal, or copy the endpoint")


def _check_variants(root: Node, scenario: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """A message whose variant has no token is lost to sight, beside others that are followed."""
    payloads = _mapping(scenario.get("payloads"))
    taken = {
        _payload_of(request) for request in _requests(scenario) if not renders_token(_own_parts(request))
    }
    for name, payload in payloads.items():
        if name not in taken or not isinstance(payload, list) or not renders_token(payload):
            continue
        for number, variant in enumerate(payload):
            if not renders_token(variant):
                yield node_at(root, ("payloads", name, number)).diagnostic(
                    f"this variant of '{name}' never renders 'message.token', so its messages cannot be followed",
                    _HINT,
                )


def _check_ends(texts: Sequence[Text]) -> Iterator[Diagnostic]:
    """A token ends with its last digit, so another digit after it makes it the token of another message."""
    for text in texts:
        found = _DIGIT_AFTER_TOKEN.search(text.filled.text) if "template" in text.kind else None
        if found is not None:
            message = "what follows 'message.token' may begin with a digit, which would be read as part of the token"
            place = {"offset": found.start(), "width": found.end() - found.start()}
            yield text.diagnostic(message, "write a blank or a word between them", **place)


def _sent(scenario: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what the requests have that may be sent."""
    for request in _requests(scenario):
        yield _parts(scenario, request)


def _requests(scenario: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the requests that may be sent, in steps too."""
    sent, reading = sent_names(scenario), read_back_endpoint(scenario)
    for path, request in requests_in(scenario):
        is_endpoint = path[0] == "endpoints"
        if not is_endpoint or (path[1] != reading and (sent is None or path[1] in sent)):
            yield request


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


def paging_names(read_back: Mapping[str, Any]) -> frozenset[str]:
    """Return by which names templates and expressions of a read-back know which page is asked for."""
    return frozenset(PAGING[key] for key in PAGING if read_back.get(key)) or frozenset({"page"})


def _check_paging(root: Node, read_back: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """There is one way to the next page, and by `offset` it needs rows that can be counted."""
    given = [key for key in PAGING if read_back.get(key)]
    for key in given[1:]:
        place: Path = (*_READ_BACK, key)
        at = key_at(root, place) or node_at(root, place)
        yield at.diagnostic(f"'{given[0]}' says already how to reach the next page", "keep one of them")
    messages = read_back.get("messages")
    query = messages.get("jsonpath") if isinstance(messages, dict) else None
    is_counted = "rows" in read_back
    if isinstance(messages, str):
        is_counted = is_counted or _begins_from_one_list(messages)
    elif isinstance(query, str):
        is_counted = is_counted or _filters_one_list(query)
    if given == ["offset"] and not is_counted:
        message = "'offset' counts rows, and this does not begin from one list of the body"
        hint = "add 'rows', such as 'rows: body.items'"
        place = (*_READ_BACK, "messages") if query is None else (*_READ_BACK, "messages", "jsonpath")
        yield node_at(root, place).diagnostic(message, hint)


def _begins_from_one_list(source: str) -> bool:
    """Whether an expression takes what it gives from one place in the body; one that makes no sense is not asked."""
    try:
        references = compile_expression(source).references
    except ExpressionError:
        return True
    return len({reference.path for reference in references if reference.path[0] == "body"}) == 1


def _filters_one_list(query: str) -> bool:
    """Whether what a JSONPath filters can be found by itself; one that makes no sense is not asked."""
    try:
        compile_jsonpath(query)
    except ExpressionError:
        return True
    try:
        compile_jsonpath(path_to_rows(query) or query)
    except ExpressionError:
        return False
    return True


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


def _check_separator(root: Node, separator: Any) -> Iterator[Diagnostic]:
    """In single quotes and without any, a backslash is a backslash."""
    if isinstance(separator, str) and (escape := _ESCAPE.search(separator)) is not None:
        message = f"this separator has a backslash and '{escape[0][1]}' in it, and no line end or tab"
        yield node_at(root, (*_DELIVERY, "separator")).diagnostic(message, "write it in double quotes")
