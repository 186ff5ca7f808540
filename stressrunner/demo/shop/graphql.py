"""As much of GraphQL as a load test needs to meet: two queries, variables, and errors that come with status 200."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stressrunner.demo.shop.items import Item, Items

__all__ = ["answer"]

_LONGEST_NUMBER = 20  # digits
_FIELD = re.compile(r"\{\s*(\w+)\s*(?:\(([^)]*)\))?\s*\{([\w\s,]*)\}")
_ARGUMENT = re.compile(r"(\w+)\s*:\s*(?:\$(\w+)|(\d+))")


def answer(query: str, variables: Mapping[str, Any], items: Items) -> dict[str, Any]:
    """Return what a query is answered with: `data`, and `errors` when something is wrong with it.

    Known are `item(id: ...)` and `items(first: ...)`, each with the fields `id`, `name` and `price`.
    """
    found = _FIELD.search(query)
    if found is None:
        return _failure("Syntax Error: a selection is expected")
    field, given, selection = found[1], found[2] or "", found[3].replace(",", " ").split()
    unknown = [name for name in selection if name not in Item._fields]
    if field not in ("item", "items") or unknown:
        return _failure(f"Cannot query field '{unknown[0] if unknown else field}'")
    arguments = {
        name: _number(number) if number else variables.get(variable)
        for name, variable, number in _ARGUMENT.findall(given)
    }
    if field == "items":
        first = arguments.get("first")
        shown = items.all[: first if isinstance(first, int) else None]
        return {"data": {"items": [_selected(item, selection) for item in shown]}}
    item_id = arguments.get("id")
    item = items.find(item_id) if isinstance(item_id, int) else None
    if item is None:
        return {"data": {"item": None}, **_failure("There is no such item")}
    return {"data": {"item": _selected(item, selection)}}


def _number(digits: str) -> int | None:
    """Return a number, or None for one that is longer than any id or count."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def _selected(item: Item, selection: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in selection}


def _failure(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message}]}
