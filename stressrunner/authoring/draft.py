"""A scenario before it is text: what importers agree on. Every text in it is written as the language writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["METHODS", "Draft", "DraftBody", "DraftRequest", "Notes"]

#: What the language can send.
METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})


class Notes:
    """What could not be taken over, for people: one line each, with the place."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, place: str, problem: str) -> None:
        """Note a problem once."""
        line = f"{place}: {problem}" if place else problem
        if line not in self.lines:
            self.lines.append(line)


@dataclass(frozen=True, slots=True)
class DraftBody:
    """A body under the key that it has in an endpoint: `json`, `form` or `body`."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """One endpoint to be."""

    name: str
    method: str  #: in lower case, one of METHODS
    path: str
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: DraftBody | None = None
    timeout: Mapping[str, str] = field(default_factory=dict)  #: `connect` and `total`, each with its unit
    follow_redirects: bool = False
    checks: tuple[str, ...] = ()
    weight: int = 1  #: in `mix`; 0 is written and not sent
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """All that an importer found."""

    name: str
    description: str
    base_url: str  #: where BASE_URL is not set; empty when nobody knows
    requests: tuple[DraftRequest, ...]
    headers: Mapping[str, str] = field(default_factory=dict)  #: of every request
    variables: Mapping[str, Any] = field(default_factory=dict)
    feeders: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)  #: rows by feeder
    verify_tls: bool = True
