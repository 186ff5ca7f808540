"""Names that the language takes, made of whatever a description calls its things."""

import re
import unicodedata
from collections.abc import Iterable

from stressrunner.scenario.names import RESERVED
from stressrunner.scenario.threshold import OVERALL_STATS

__all__ = [
    "EXPRESSION_WORDS",
    "UniqueNames",
    "endpoint_names",
    "environment_name",
    "identifier",
    "is_id",
    "is_token",
    "variable_names",
]

_LONGEST = 60
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ID = re.compile(
    r"\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|(?=[^/]*\d)[A-Za-z0-9_-]{20,}",
    re.IGNORECASE,
)
#: Names of an endpoint would hide those of the traffic, or of the embedded target's monitor.
_TAKEN_BY_TRAFFIC = frozenset({"flow", "session", "target", *OVERALL_STATS})
#: Words of the expression language.
EXPRESSION_WORDS = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
        "item",
        "loop",
        "self",
    ]
)


def identifier(wish: str, fallback: str) -> str:
    """Return a wish as letters, digits and `_`; the fallback where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", wish).encode("ascii", "ignore").decode("ascii")
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:_LONGEST].rstrip("_") or fallback
    return f"_{name}" if name[:1].isdigit() else name


def environment_name(wish: str, fallback: str) -> str:
    """Return a wish as the name of an environment variable: `x-api-key` is API_KEY, `baseUrl` BASE_URL."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wish)
    return identifier(words, fallback).upper().removeprefix("X_")


def is_id(step: str) -> bool:
    """Whether a step of a path is one of many of its kind: a number, a UUID, or as long and mixed as one."""
    return _ID.fullmatch(step) is not None


def is_token(name: str) -> bool:
    """Whether HTTP takes a name for a header or a cookie (RFC 9110)."""
    return _TOKEN.fullmatch(name) is not None


class UniqueNames:
    """Gives out names once each; what is taken gets a number."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, name: str) -> str:
        """Return the name, or with `_2`, `_3`... behind it when it is taken."""
        free, number = name, 1
        while free in self._taken:
            number += 1
            free = f"{name}_{number}"
        self._taken.add(free)
        return free


def endpoint_names() -> UniqueNames:
    """Return the names that endpoints can have."""
    return UniqueNames(_TAKEN_BY_TRAFFIC)


def variable_names() -> UniqueNames:
    """Return the names that variables and feeders can have."""
    return UniqueNames(RESERVED | EXPRESSION_WORDS)
