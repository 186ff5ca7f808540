"""`${...}`: what the environment puts into a scenario, once, when the file is read.

    ${NAME}            the variable NAME, which must be set
    ${NAME:-default}   the default where NAME is unset or empty
    ${secret:NAME}     the same, and its value is masked in all that stressrunner writes
    $${                a literal ${

Only values are filled, after the YAML is read, so that no value can add keys or structure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = [
    "SHORTEST_SECRET",
    "Filled",
    "Hole",
    "HoleError",
    "fill",
    "fill_public",
    "holes_of",
    "is_one_hole",
    "without_defaults",
]

#: Characters of a secret; shorter ones would be masked in every second word of a report.
SHORTEST_SECRET = 6

_HOLE = re.compile(
    r"\$\$\{|\$\{(?P<secret>secret:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\$\{)"
)
_TEMPLATE = re.compile(r"\{[{%#]|[}%#]\}")


class HoleError(ValueError):
    """A hole cannot be filled; the place is that of the hole in the text as it was written."""

    def __init__(self, offset: int, width: int, message: str, hint: str = "", *, unset: str = "") -> None:
        """`unset` is the variable that is missing, if that is what is wrong."""
        self.offset = offset
        self.width = width
        self.message = message
        self.hint = hint
        self.unset = unset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Filled:
    """A text whose holes are filled, and how it came about."""

    text: str
    #: values of secrets that are long enough to be masked, to the names of their variables
    secrets: Mapping[str, str] = field(default_factory=dict)
    #: of every hole: start and end in `text`, start and end as it was written
    spans: tuple[tuple[int, int, int, int], ...] = ()

    def origin(self, offset: int, width: int) -> tuple[int, int]:
        """Return where a part of the filled text stands in the text as it was written, with its width."""
        shift = 0
        for start, end, raw_start, raw_end in self.spans:
            if offset + width <= start:
                break
            if offset < end:
                return raw_start, raw_end - raw_start
            shift = raw_end - end
        return offset + shift, width


class Hole(NamedTuple):
    """What one `${...}` asks the environment for."""

    name: str
    is_secret: bool
    has_default: bool


def holes_of(text: str) -> Iterator[Hole]:
    """Yield what the holes of a text ask for; what begins like a hole and is none is passed over."""
    for match in _HOLE.finditer(text):
        if match["name"]:
            yield Hole(match["name"], match["secret"] is not None, match["default"] is not None)


def is_one_hole(text: str) -> bool:
    """Whether a text is exactly one `${...}`."""
    match = _HOLE.fullmatch(text)
    return match is not None and match["name"] is not None


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    """Return what fills one hole; raises HoleError."""
    name, default = match["name"], match["default"]
    given = environ.get(name)
    if default is not None and not given:
        return default
    if given is None:
        kind = "secret" if match["secret"] else "variable"
        hint = f"set it, or give a default: ${{{match['secret'] or ''}{name}:-...}}"
        raise HoleError(match.start(), len(match[0]), f"the {kind} {name} is not set", hint, unset=name)
    if match["secret"] and given != default and len(given) < SHORTEST_SECRET:
        problem = f"the secret {name} has fewer than {SHORTEST_SECRET} characters, too few to be masked"
        raise HoleError(match.start(), len(match[0]), problem)
    return given


def _secrets(match: re.Match[str], value: str) -> Iterator[str]:
    """Yield what is to be masked of a hole: its value and its default, which may be one too.

    A default that is too short to be masked stands in the file by the choice of whoever wrote it.
    """
    if match["secret"]:
        yield from (text for text in (value, match["default"] or "") if len(text) >= SHORTEST_SECRET)


def fill(text: str, environ: Mapping[str, str], *, is_template: bool = False) -> Filled:
    """Fill the holes of a text.

    With `is_template`, a value may not begin or end a `{{ }}`: values are text, not templates.

    Raises:
        HoleError: a hole is malformed, its variable is unset without a default, its secret is too short to be
            masked, or its value would be read as a template.
    """
    if "${" not in text:
        return Filled(text)
    parts: list[str] = []
    secrets: dict[str, str] = {}
    spans: list[tuple[int, int, int, int]] = []
    position = length = 0
    for match in _HOLE.finditer(text):
        if match["bad"]:
            problem = "'${' begins no hole that can be read"
            raise HoleError(
                match.start(), 2, problem, "write ${NAME}, ${NAME:-default} or $${ for a literal ${"
            )
        value = _value(match, environ) if match["name"] else "${"
        start = length + match.start() - position
        parts += (text[position : match.start()], value)
        spans.append((start, start + len(value), match.start(), match.end()))
        position, length = match.end(), start + len(value)
        for secret in _secrets(match, value):
            secrets.setdefault(secret, match["name"])
    filled = Filled("".join((*parts, text[position:])), secrets, tuple(spans))
    if is_template:
        _refuse_templates(filled, text)
    return filled


def _refuse_templates(filled: Filled, text: str) -> None:
    for mark in _TEMPLATE.finditer(filled.text):
        for start, end, raw_start, raw_end in filled.spans:
            if mark.start() < end and start < mark.end() and text[raw_start:raw_end] != "$${":
                problem = f"the value of this hole has '{mark[0]}' in it, but values are text, not templates"
                raise HoleError(raw_start, raw_end - raw_start, problem)


def fill_public(text: str, environ: Mapping[str, str]) -> str:
    """Fill the holes that hold no secret, and leave the others as they were written.

    The result reads back as the same value: a literal `${` stays `$${`.
    """
    return "".join(_public_parts(text, environ))


def without_defaults(text: str) -> str:
    """Return a text as it was written, with `*` for every character of the defaults of secrets."""

    def hidden(match: re.Match[str]) -> str:
        default = match["default"] if match["secret"] else None
        return match[0] if not default else f"{match[0][: -len(default) - 1]}{'*' * len(default)}}}"

    return _HOLE.sub(hidden, text)


def _public_parts(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    position = 0
    for match in _HOLE.finditer(text):
        yield text[position : match.start()]
        if match["name"] and not match["secret"]:
            yield _value(match, environ).replace("${", "$${")
        else:
            yield match[0]
        position = match.end()
    yield text[position:]
