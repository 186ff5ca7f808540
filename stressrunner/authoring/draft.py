"""A scenario before it is text: what importers agree on. Every text in it is written as the language writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["METHODS", "Draft", "DraftBody", "DraftGroup", "DraftRequest", "Notes"]

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
    """A body under the key that it has in an endpoint: `json`, `form`, `multipart`, `graphql` or `body`."""

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
    cookies: Mapping[str, str] = field(default_factory=dict)
    auth: Mapping[str, Any] | None = None
    body: DraftBody | None = None
    timeout: Mapping[str, str] = field(default_factory=dict)  #: `connect` and `total`, each with its unit
    follow_redirects: bool = False
    checks: tuple[str, ...] = ()
    capture: Mapping[str, Any] = field(default_factory=dict)
    weight: int = 1  #: in `mix`; 0 is written and not sent
    comment: str = ""
    group: str = ""  #: that it belongs to in the source, such as a folder


@dataclass(frozen=True, slots=True)
class DraftGroup:
    """Steps that belong together, such as those of a folder or of a page."""

    name: str
    requests: tuple[str, ...]  #: their names


@dataclass(frozen=True, slots=True)
class Draft:
    """All that an importer found."""

    name: str
    description: str
    base_url: str  #: where BASE_URL is not set; empty when nobody knows
    requests: tuple[DraftRequest, ...]
    headers: Mapping[str, str] = field(default_factory=dict)  #: of every request
    auth: Mapping[str, Any] | None = None  #: of every request
    allow_hosts: tuple[str, ...] = ()  #: that access tokens come from, beside the target
    flow: tuple[
        DraftGroup | str, ...
    ] = ()  #: names of requests in the order of an iteration; empty for a mix
    variables: Mapping[str, Any] = field(default_factory=dict)
    feeders: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)  #: rows by feeder
    verify_tls: bool = True
