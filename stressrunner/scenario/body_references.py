"""What the schema cannot say of bodies: weights of variants that add up to something, and a method that carries a query."""

from collections.abc import Iterator, Mapping
from typing import Any

from stressrunner.errors import Diagnostic
from stressrunner.scenario.requests import METHODS, requests_in
from stressrunner.scenario.source import Node, Path, key_at, node_at

__all__ = ["check_bodies"]

_NO_POST = frozenset(METHODS) - {"post"}


def check_bodies(root: Node, value: Mapping[str, Any], payloads: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield what does not fit together in the requests and payloads of a typed scenario with these nodes."""
    for name, payload in payloads.items():
        variants = payload if isinstance(payload, list) else []
        weights = [variant.get("weight", 1) for variant in variants if isinstance(variant, dict)]
        if weights and not any(weights):
            hint = "give at least one variant a weight"
            yield _at_key(root, ("payloads", name), "the weights add up to nothing", hint)
    for path, request in requests_in(value):
        if "graphql" in request and not _NO_POST.isdisjoint(request):
            hint = "write 'post' for the method"
            yield _at_key(root, (*path, "graphql"), "a GraphQL operation is sent with 'post'", hint)


def _at_key(root: Node, path: Path, message: str, hint: str) -> Diagnostic:
    return (key_at(root, path) or node_at(root, path)).diagnostic(message, hint)
