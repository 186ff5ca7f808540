"""Values as YAML for people: blocks, quotes only where they are needed, and any text read back to the letter."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stressrunner.scenario.parse import core_value

__all__ = ["block", "comment", "scalar"]

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+=?&<>%-]*(?: [A-Za-z0-9_./@+=?&<>%()-]+)*|\d+[a-z]+")
#: What YAML 1.1 takes for a boolean; quoted, so that no other reader is surprised.
_OLD_BOOLEANS = frozenset({"yes", "no", "on", "off", "y", "n"})
# Everything that may not stand in YAML as it is, that readers drop, or that libyaml takes for a line end.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_IN_BLOCKS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]| $| \n")
#: Longer keys are no "simple keys" for libyaml, and need a `?`.
_LONGEST_KEY = 1000
_LONGEST_COMMENT = 150


def comment(text: str) -> str:
    """Return a text for one line of a comment: printable, without line ends, cut when it is long."""
    line = "".join(c if c.isprintable() else " " for c in text[: _LONGEST_COMMENT * 4])
    line = " ".join(line.split())
    return f"{line[:_LONGEST_COMMENT]}..." if len(line) > _LONGEST_COMMENT else line


def scalar(text: str) -> str:
    """Return a text on one line, in double quotes unless it reads as itself without.

    Half of a surogate pair, which UTF-8 cannot write, becomes U+FFFD.
    """
    text = _SURROGATE.sub("\ufffd", text)
    is_plain = _PLAIN.fullmatch(text) and isinstance(core_value(text), str)
    if is_plain and text.lower() not in _OLD_BOOLEANS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda bad: f"\\u{ord(bad[0]):04x}", quoted)


def block(value: Mapping[str, Any], indent: int = 0) -> str:
    """Return a mapping of decoded JSON as block YAML, each line `indent` blanks in."""
    return "".join(f"{' ' * indent}{line}".rstrip(" ") + "\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Any]) -> Iterator[str]:
    for key, inner in value.items():
        name = scalar(key)
        if len(name) > _LONGEST_KEY:
            yield f"? {name}"
            name = ""
        yield from _entry(f"{name}:", inner)


def _entry(head: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield head
        yield from (f"  {line}" for line in _mapping(value))
    elif isinstance(value, list) and value:
        yield head
        for item in value:
            yield from _item(item)
    elif isinstance(value, str) and _fits_block(value):
        yield f"{head} |{'' if value.endswith(chr(10)) else '-'}"
        yield from (f"  {line}" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {_flow(value)}"


def _item(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        lines = list(_mapping(value))
    elif isinstance(value, list) and value:
        lines = [line for item in value for line in _item(item)]
    else:
        lines = [_flow(value)]
    yield f"  - {lines[0]}"
    yield from (f"    {line}" for line in lines[1:])


def _flow(value: Any) -> str:
    """Return a scalar or an empty collection."""
    if isinstance(value, str):
        return scalar(value)
    return json.dumps(value)


def _fits_block(text: str) -> bool:
    """Whether a text of several lines reads back from a literal block to the letter."""
    return (
        "\n" in text.removesuffix("\n")
        and not text.startswith((" ", "\n"))
        and not text.endswith("\n\n")
        and not _NOT_IN_BLOCKS.search(text)
        and not _SURROGATE.search(text)
    )
