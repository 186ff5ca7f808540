"""Requests that are the same but for ids and parameters: one endpoint, and a feeder with the values they had."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

from stressrunner.authoring.composing import path_name
from stressrunner.authoring.draft import DraftRequest
from stressrunner.authoring.names import UniqueNames, identifier, is_id, variable_names

__all__ = ["merged_requests"]

Row = dict[str, str]


def merged_requests(
    drafts: Sequence[DraftRequest], names: UniqueNames
) -> tuple[tuple[DraftRequest, ...], Mapping[str, list[Row]]]:
    """Return one request for each kind among the drafts, weighted by their number, and rows by feeder.

    Rows stand in the order in which the requests were sent, repetitions and all.
    """
    kinds: dict[str, list[DraftRequest]] = {}
    for draft in drafts:
        kinds.setdefault(_kind(draft), []).append(draft)
    feeder_names = variable_names()
    merged: list[DraftRequest] = []
    feeders: dict[str, list[Row]] = {}
    for same in kinds.values():
        name = names.take(path_name(same[0].method, same[0].path))
        request = replace(same[0], name=name, weight=sum(draft.weight for draft in same))
        fields = _fields(same)
        if fields:
            feeder = feeder_names.take(f"{name}_rows")
            feeders[feeder] = [_row(draft, fields) for draft in same]
            request = _with_placeholders(request, fields, feeder)
        merged.append(request)
    return tuple(merged), feeders


def _steps(draft: DraftRequest) -> list[str]:
    return draft.path.split("/")


def _is_plain(text: str) -> bool:
    """Whether a text means itself both in a row and in a request."""
    return not re.search(r"[{$]", text)


def _kind(draft: DraftRequest) -> str:
    """Return what requests of one kind have in common: all but ids in the path and plain values in the query."""
    steps = [None if is_id(step) else step for step in _steps(draft)]
    query = [
        (name, None if isinstance(value, str) and _is_plain(value) else value)
        for name, value in draft.query.items()
    ]
    body = None if draft.body is None else (draft.body.key, draft.body.value)
    return json.dumps([draft.method, steps, query, body, draft.checks])


def _fields(same: Sequence[DraftRequest]) -> dict[tuple[str, int | str], str]:
    """Return the places in which requests of one kind differ, each with its name in a row."""
    names = UniqueNames()
    fields: dict[tuple[str, int | str], str] = {}
    first = _steps(same[0])
    for i, step in enumerate(first):
        if any(_steps(draft)[i] != step for draft in same):
            owner = first[i - 1].removesuffix("s") if i and not is_id(first[i - 1]) else ""
            fields["path", i] = names.take(identifier(f"{owner}_id", "id"))
    for name, value in same[0].query.items():
        if any(draft.query[name] != value for draft in same):
            fields["query", name] = names.take(identifier(name, "value"))
    return fields


def _row(draft: DraftRequest, fields: Mapping[tuple[str, int | str], str]) -> Row:
    steps = _steps(draft)
    return {
        name: unquote(steps[place]) if isinstance(place, int) else str(draft.query[place])
        for (_, place), name in fields.items()
    }


def _with_placeholders(
    request: DraftRequest, fields: Mapping[tuple[str, int | str], str], feeder: str
) -> DraftRequest:
    steps = _steps(request)
    query = dict(request.query)
    for (_, place), name in fields.items():
        placeholder = f"{{{{ {feeder}.{name} }}}}"
        if isinstance(place, int):
            steps[place] = placeholder
        else:
            query[place] = placeholder
    return replace(request, path="/".join(steps), query=query)
