"""Result files of older versions, brought up to the present one before they are read.

A step for each version turns its JSON into that of the next. What an older version did not keep is empty: reports of
such a file have fewer charts and sections, and the same figures.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["OLDEST", "upgrade"]

OLDEST = 1  #: version that can still be read


def upgrade(document: dict[str, Any], version: int) -> None:
    """Bring a decoded result file of a version up to the present one, in place.

    What is not as that version wrote it is left for the reader to find.
    """
    for older in sorted(_STEPS):
        if older >= version:
            _STEPS[older](document)
            document["schema"] = older + 1


def _from_1(document: dict[str, Any]) -> None:
    """Version 1 had no spread, offered rate and errors in its timeline, no exchanges, no checks and no access tokens."""
    timeline = document.get("timeline")
    for point in timeline if isinstance(timeline, list) else ():
        if isinstance(point, dict):
            for key, empty in (("offered", None), ("errors", {}), ("spread", "")):
                point.setdefault(key, empty)
    document.setdefault("exchanges", [])
    document.setdefault("checks", [])
    document.setdefault("wholes_failed", {})
    document.setdefault("apart", {})
    document.setdefault("streams", {})
    generator = document.get("generator")
    if isinstance(generator, dict):
        generator |= {"token_requests": 0, "token_failures": 0}


def _from_2(document: dict[str, Any]) -> None:
    """Version 2 had some things under other names."""
    _rename(
        document,
        {"wholes": "groups", "wholes_failed": "groups_failed", "apart": "excluded", "streams": "workloads"},
    )
    generator = document.get("generator")
    if isinstance(generator, dict):
        _rename(generator, {"blocked": "connecting"})


def _rename(document: dict[str, Any], names: Mapping[str, str]) -> None:
    for was, now in names.items():
        if was in document:
            document[now] = document.pop(was)


_STEPS: Mapping[int, Callable[[dict[str, Any]], None]] = MappingProxyType({1: _from_1, 2: _from_2})
