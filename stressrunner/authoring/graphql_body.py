"""GraphQL operations in JSON bodies: what carries them, and what of them is secret."""

import re
from typing import Any

from stressrunner.authoring.sensitive import Secrets
from stressrunner.authoring.template_text import template_text, template_value

__all__ = ["graphql_value", "operation_name"]

_KEYS = frozenset({"query", "variables", "operationName"})
_OPERATION = re.compile(r"\s*(?:(?:#[^\n]*\n\s*)*)(?:(?:query|mutation)\b\s*(\w*)|\{|fragment\b)")
_ARGUMENT = re.compile(r'(\w+)(\s*:\s*)"((?:[^"\\\n]|\\.)*)"')


def operation_name(value: Any) -> str | None:
    """Return the name of the operation in a decoded body, empty where it has none; None when there is no operation.

    Subscriptions are none that can be sent, and extensions mean that a server does not get the query itself.
    """
    if not isinstance(value, dict) or not value.keys() <= _KEYS or not isinstance(value.get("query"), str):
        return None
    found = _OPERATION.match(value["query"])
    variables, name = value.get("variables"), value.get("operationName")
    if found is None or not (variables is None or isinstance(variables, dict)):
        return None
    return name if isinstance(name, str) else found[1] or ""


def graphql_value(value: dict[str, Any], secrets: Secrets) -> dict[str, Any]:
    """Return what stands under `graphql` for a decoded body with an operation."""

    def hidden(argument: re.Match[str]) -> str:
        name, colon, text = argument.groups()
        return f'{name}{colon}"{secrets.field(name, text, "the argument")}"'

    made: dict[str, Any] = {"query": template_text(_ARGUMENT.sub(hidden, value["query"]))}
    if value.get("variables"):
        made["variables"] = template_value(secrets.json(value["variables"]))
    if isinstance(value.get("operationName"), str) and value["operationName"]:
        made["operation"] = value["operationName"]
    return made
