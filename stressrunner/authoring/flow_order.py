"""Requests in the order in which they were made: groups of a flow, and captures that are there before they are used."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from stressrunner.authoring.draft import DraftBody, DraftGroup, DraftRequest
from stressrunner.authoring.names import UniqueNames, identifier

__all__ = ["flow_of", "with_known_captures", "without_twins"]


def flow_of(requests: Sequence[DraftRequest], names: UniqueNames) -> tuple[DraftGroup | str, ...]:
    """Return requests as the steps of a flow, neighbours of one group together; nothing for a single request.

    `names` has those of the requests, beside which groups get theirs.
    """
    if len(requests) < 2:
        return ()
    steps: list[DraftGroup | str] = []
    for group, neighbours in groupby(requests, key=lambda request: request.group):
        own = [request.name for request in neighbours]
        if group:
            steps.append(DraftGroup(names.take(identifier(group, "group")), tuple(own)))
        else:
            steps += own
    return tuple(steps)


def with_known_captures(
    requests: Sequence[DraftRequest], names: Collection[str], placeholder: Callable[[str], str]
) -> list[DraftRequest]:
    """Return requests in which captures are used behind the request that captures them, and nowhere else.

    Args:
        requests: in their order.
        names: of all captures that any text may use.
        placeholder: what stands for one that is not known, by its name.
    """
    known: set[str] = set()
    found = []
    for request in requests:
        unknown = {f"{{{{ {name} }}}}": name for name in names if name not in known}
        found.append(_with_texts(request, lambda text, unknown=unknown: _filled(text, unknown, placeholder)))  # type: ignore[misc]
        known |= request.capture.keys()
    return found


def without_twins(requests: Sequence[DraftRequest]) -> tuple[list[DraftRequest], list[DraftRequest]]:
    """Return the requests that differ, and all in their order, of which equal ones have the name of the first."""
    first: dict[str, DraftRequest] = {}
    ordered = []
    for request in requests:
        alike = asdict(replace(request, name="", group="", comment=""))
        own = first.setdefault(json.dumps(alike, sort_keys=True), request)
        ordered.append(replace(request, name=own.name))
    return list(first.values()), ordered


def _filled(text: str, unknown: Mapping[str, str], placeholder: Callable[[str], str]) -> str:
    for written, name in unknown.items():
        if written in text:
            text = text.replace(written, placeholder(name))
    return text


def _with_texts(request: DraftRequest, change: Callable[[str], str]) -> DraftRequest:
    def changed(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, Mapping):
            return {key: changed(inner) for key, inner in value.items()}
        return [changed(inner) for inner in value] if isinstance(value, list) else value

    body = request.body
    return replace(
        request,
        path=change(request.path),
        query=changed(request.query),
        headers=changed(request.headers),
        cookies=changed(request.cookies),
        auth=changed(request.auth),
        body=None if body is None else DraftBody(body.key, changed(body.value)),
    )
