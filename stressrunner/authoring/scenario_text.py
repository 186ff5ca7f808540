"""A draft as the text of a scenario, which is checked before anyone gets to see it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from stressrunner.authoring.draft import Draft, DraftGroup, DraftRequest
from stressrunner.authoring.yaml_text import block, comment, scalar
from stressrunner.scenario.document import load_text
from stressrunner.scenario.token_use import names_in

__all__ = ["scenario_text", "variables_of"]

_PLACEHOLDER = re.compile(r"(?<!\$)\$\{(?:secret:)?([A-Za-z_][A-Za-z0-9_]*)(:-)?")

_BASE_URL_USE = "where the requests go, such as http://127.0.0.1:8080"
_LOAD = """\
# A modest first load: {count} iterations in all. Raise the rate and the duration once the scenario does what you want.
load:
  rate: {rate}/s
  duration: 10s
  max_in_flight: 20

thresholds:
  - errors < 1%
  - p95 < 1s
"""


def variables_of(text: str) -> list[str]:
    """Return the environment variables that a scenario needs, those with a default left out."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found = [match for line in lines for match in _PLACEHOLDER.finditer(line)]
    with_default = {match[1] for match in found if match[2]}
    return [name for name in dict.fromkeys(match[1] for match in found) if name not in with_default]


def scenario_text(draft: Draft, origin: str, uses: Mapping[str, str]) -> str:
    """Return a draft as a scenario file.

    Args:
        draft: with at least one request.
        origin: where it came from, for the comment at the top.
        uses: what each secret variable stands for.

    Raises:
        InvalidScenario: the base URL makes no sense; anything else would be a defect of the importer.
    """
    draft = _with_shared_auth(_with_shared_headers(_with_used_variables(draft)))
    body = "\n".join(_sections(draft))
    text = _head(draft, origin, variables_of(body), uses) + body
    stubs = {name: f"stub-of-{name}" for name in variables_of(text)}
    load_text(
        text, "the imported scenario", environ={**stubs, "BASE_URL": draft.base_url or "http://127.0.0.1"}
    )
    return text


def _head(draft: Draft, origin: str, needed: list[str], uses: Mapping[str, str]) -> str:
    lines = [f"# Imported from {comment(origin)}."]
    if needed:
        lines.append("# Set these environment variables before a run:")
        known = {"BASE_URL": _BASE_URL_USE, **uses}
        lines += [f"#   {name}{': ' + comment(known[name]) if name in known else ''}" for name in needed]
    head = {"stressrunner": 1, "name": re.sub(r"[${}]", "", draft.name).strip() or "imported"}
    if draft.description:
        head["description"] = draft.description
    return "\n".join(lines) + "\n" + block(head) + "\n"


def _with_used_variables(draft: Draft) -> Draft:
    """Leave out the variables that only requests have used that are not there."""
    used = {path[0] for path in names_in(draft.requests)}
    return replace(draft, variables={name: text for name, text in draft.variables.items() if name in used})


def _with_shared_headers(draft: Draft) -> Draft:
    """Move what all requests say under the same header to the target; a single request keeps its own."""
    first = draft.requests[0].headers
    if len(draft.requests) == 1:
        return draft
    shared = {
        name: value
        for name, value in first.items()
        if name.lower() != "content-type" and all(r.headers.get(name) == value for r in draft.requests)
    }
    requests = tuple(_without_headers(request, shared) for request in draft.requests)
    return replace(draft, headers={**draft.headers, **shared}, requests=requests)


def _with_shared_auth(draft: Draft) -> Draft:
    """Move what all requests say who sends them with to the target, unless one of them finds it out."""
    first = draft.requests[0].auth
    captured = {name for request in draft.requests for name in request.capture}
    is_known = not any(f"{{{{ {name} }}}}" in str(first) for name in captured)
    if (
        first is None
        or len(draft.requests) == 1
        or not is_known
        or any(request.auth != first for request in draft.requests)
    ):
        return draft
    return replace(
        draft, auth=first, requests=tuple(replace(request, auth=None) for request in draft.requests)
    )


def _without_headers(request: DraftRequest, shared: Mapping[str, str]) -> DraftRequest:
    headers = {name: value for name, value in request.headers.items() if name not in shared}
    return replace(request, headers=headers)


def _sections(draft: Draft) -> Iterator[str]:
    target: dict[str, Any] = {
        "base_url": f"${{BASE_URL:-{draft.base_url}}}" if draft.base_url else "${BASE_URL}"
    }
    if draft.headers:
        target["headers"] = draft.headers
    if draft.auth:
        target["auth"] = draft.auth
    if draft.allow_hosts:
        target["allow_hosts"] = list(draft.allow_hosts)
    target["timeout"] = "30s"
    if not draft.verify_tls:
        target["tls"] = {"verify": False}
    yield block({"target": target})
    if draft.variables:
        yield block({"variables": draft.variables})
    if draft.feeders:
        yield block({"feeders": {name: {"values": rows} for name, rows in draft.feeders.items()}})
    yield "endpoints:\n" + "\n".join(_endpoint(request) for request in draft.requests)
    if draft.flow:
        yield "flow:\n" + "".join(map(_step, draft.flow))
    elif len(draft.requests) > 1:
        yield _mix(draft)
    yield _LOAD.format(count=10, rate=1) if draft.flow else _LOAD.format(count=100, rate=10)


def _step(step: DraftGroup | str) -> str:
    if isinstance(step, str):
        return f"  - {scalar(step)}\n"
    lines = "".join(f"      - {scalar(name)}\n" for name in step.requests)
    return f"  - name: {scalar(step.name)}\n    steps:\n{lines}"


def _endpoint(request: DraftRequest) -> str:
    entry: dict[str, Any] = {request.method: request.path}
    if request.query:
        entry["query"] = request.query
    if request.headers:
        entry["headers"] = request.headers
    if request.cookies:
        entry["cookies"] = request.cookies
    if request.auth:
        entry["auth"] = request.auth
    if request.body is not None:
        entry[request.body.key] = request.body.value
    if request.follow_redirects:
        entry["follow_redirects"] = True
    if request.timeout:
        total = request.timeout.get("total")
        entry["timeout"] = total if total and len(request.timeout) == 1 else request.timeout
    if request.checks:
        entry["checks"] = list(request.checks)
    if request.capture:
        entry["capture"] = request.capture
    remark = f"  # {comment(request.comment)}\n" if request.comment else ""
    return remark + block({request.name: entry}, indent=2)


def _mix(draft: Draft) -> str:
    lines = [f"  {scalar(request.name)}: {request.weight}" for request in draft.requests]
    remark = ""
    if any(request.weight == 0 for request in draft.requests):
        remark = "# A weight of 0 is not sent. Give weights to writes when the target may be written to.\n"
    return remark + "mix:\n" + "\n".join(lines) + "\n"
