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
    "Placeholder",
    "PlaceholderError",
    "fill",
    "fill_public",
    "is_one_placeholder",
    "placeholders_of",
    "without_defaults",
]

#: Characters of a secret; shorter ones would be masked in every second word of a report.
SHORTEST_SECRET = 6

_PLACEHOLDER = re.compile(
    r"\$\$\{|\$\{(?P<secret>secret:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\$\{)"
)
_TEMPLATE = re.compile(r"\{[{%#]|[}%#]\}")


class PlaceholderError(ValueError):
    """A placeholder cannot be filled; the place is that of the placeholder in the text as it was written."""

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
    """A text whose placeholders are filled, and how it came about."""

    text: str
    #: values of secrets that are long enough to be masked, to the names of their variables
    secrets: Mapping[str, str] = field(default_factory=dict)
    #: of every placeholder: start and end in `text`, start and end as it was written
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


class Placeholder(NamedTuple):
    """What one `${...}` asks the environment for."""

    name: str
    is_secret: bool
    has_default: bool


def placeholders_of(text: str) -> Iterator[Placeholder]:
    """Yield what the placeholders of a text ask for; what begins like a placeholder and is none is passed over."""
    for match in _PLACEHOLDER.finditer(text):
        if match["name"]:
            yield Placeholder(match["name"], match["secret"] is not None, match["default"] is not None)


def is_one_placeholder(text: str) -> bool:
    """Whether a text is exactly one `${...}`."""
    match = _PLACEHOLDER.fullmatch(text)
    return match is not None and match["name"] is not None


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    """Return what fills one placeholder; raises PlaceholderError."""
    name, default = match["name"], match["default"]
    given = environ.get(name)
    if default is not None and not given:
        return default
    if given is None:
        kind = "secret" if match["secret"] else "variable"
        hint = f"set it, or give a default: ${{{match['secret'] or ''}{name}:-...}}"
        raise PlaceholderError(
            match.start(), len(match[0]), f"the {kind} {name} is not set", hint, unset=name
        )
    if match["secret"] and given != default and len(given) < SHORTEST_SECRET:
        problem = f"the secret {name} has fewer than {SHORTEST_SECRET} characters, too few to be masked"
        raise PlaceholderError(match.start(), len(match[0]), problem)
    return given


def _secrets(match: re.Match[str], value: str) -> Iterator[str]:
    """Yield what is to be masked of a placeholder: its value and its default, which may be one too.

    A default that is too short to be masked stands in the file by the choice of whoever wrote it.
    """
    if match["secret"]:
        yield from (text for text in (value, match["default"] or "") if len(text) >= SHORTEST_SECRET)


def fill(text: str, environ: Mapping[str, str], *, is_template: bool = False) -> Filled:
    """Fill the placeholders of a text.

    With `is_template`, a value may not begin or end a `{{ }}`: values are text, not templates.

    Raises:
        PlaceholderError: a placeholder is malformed, its variable is unset without a default, its secret is too short to be
            masked, or its value would be read as a template.
    """
    if "${" not in text:
        return Filled(text)
    parts: list[str] = []
    secrets: dict[str, str] = {}
    spans: list[tuple[int, int, int, int]] = []
    position = length = 0
    for match in _PLACEHOLDER.finditer(text):
        if match["bad"]:
            problem = "'${' begins no placeholder that can be read"
            raise PlaceholderError(
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
                problem = (
                    f"the value of this placeholder has '{mark[0]}' in it, but values are text, not templates"
                )
                raise PlaceholderError(raw_start, raw_end - raw_start, problem)


def fill_public(text: str, environ: Mapping[str, str]) -> str:
    """Fill the placeholders that hold no secret, and leave the others as they were written.

    The result reads back as the same value: a literal `${` stays `$${`.
    """
    return "".join(_public_parts(text, environ))


def without_defaults(text: str) -> str:
    """Return a text as it was written, with `*` for every character of the defaults of secrets."""

    def hidden(match: re.Match[str]) -> str:
        default = match["default"] if match["secret"] else None
        return match[0] if not default else f"{match[0][: -len(default) - 1]}{'*' * len(default)}}}"

    return _PLACEHOLDER.sub(hidden, text)


def _public_parts(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    position = 0
    for match in _PLACEHOLDER.finditer(text):
        yield text[position : match.start()]
        if match["name"] and not match["secret"]:
            yield _value(match, environ).replace("${", "$${")
        else:
            yield match[0]
        position = match.end()
    yield text[position:]
