"""What Python and Jinja2 say of values that do not fit, in words for people who write scenarios and no Python."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

__all__ = ["in_our_words", "kind_of"]

_KINDS = {
    "bool": "a boolean",
    "bytes": "bytes",
    "dict": "a mapping",
    "float": "a number",
    "frozenset": "a set",
    "function": "a function",
    "int": "a number",
    "list": "a list",
    "method": "a function",
    "NoneType": "null",
    "None": "null",
    "range": "a range",
    "set": "a set",
    "str": "a text",
    "tuple": "a list",
    "Undefined": "what is not there",
}
_TYPE = r"'?(?P<{}>\w+)'?"
_Found: TypeAlias = "re.Match[str]"


def kind_of(name: str) -> str:
    """Return what a type of Python, by its name, is called in scenarios; "this value" where it has no name there."""
    return _KINDS.get(name.rpartition(".")[2], "this value")


def _two(found: _Found) -> str:
    return f"'{found['op']}' cannot be done with {kind_of(found['a'])} and {kind_of(found['b'])}"


def _typed(sentence: str) -> Callable[[_Found], str]:
    """Return what says a sentence of the type `a` that was found."""
    return lambda found: sentence.format(kind_of(found["a"]), **found.groupdict())


_A, _B = _TYPE.format("a"), _TYPE.format("b")
#: What is said, in full, and what to say instead.
_RULES: tuple[tuple[re.Pattern[str], Callable[[_Found], str]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (
            rf"'(?P<op>[<>=!]+)' not supported between instances of {_A} and {_B}",
            lambda found: f"'{found['op']}' cannot compare {kind_of(found['a'])} with {kind_of(found['b'])}",
        ),
        (
            rf"unsupported operand type\(s\) for (?P<op>[^:\s]+)(?: or \w+\(\)|=)?: {_A} and {_B}(?:, .*)?",
            _two,
        ),
        (
            rf"can only concatenate {_A} \(not \"{_B}\"\) to \w+",
            lambda found: (
                f"'+' cannot be done with {kind_of(found['a'])} and {kind_of(found['b'])}; '~' joins texts"
            ),
        ),
        (
            rf"can't multiply sequence by non-int of type {_A}",
            _typed("'*' cannot be done with a text or list and {0}"),
        ),
        (rf"bad operand type for unary (?P<op>\S+): {_A}", _typed("'{op}' cannot be done with {0}")),
        (
            r".*\b(?:division|modulo)\b.* by zero|float (?:floor )?(?:modulo|division)|0\.0 cannot be raised to a negative power",
            lambda _: "division by zero",
        ),
        (rf"argument of type {_A} is not (?:iterable|a container.*)", _typed("'in' cannot look into {0}")),
        (
            rf"'in <string>' requires string as left operand, not {_A}",
            _typed("'in' looks for a text in a text, and not for {0}"),
        ),
        (rf"{_A} object is not callable", _typed("{0} is no function")),
        (
            rf"(?:{_A} object is not iterable|cannot unpack non-iterable {_A.replace('<a>', '<_>')} object)",
            _typed("{0} has no elements"),
        ),
        (rf"{_A} object is not subscriptable", _typed("{0} has no fields and no elements")),
        (rf"{_A} object is not (?:a )?(?:reversible|mapping|sequence)", _typed("{0} does not fit here")),
        (rf"{_A} object has no element (?P<which>.*)", _typed("{0} has no element {which}")),
        (rf"{_A} object has no attribute (?P<which>.*)", _typed("{0} has no field {which}")),
        (rf"object of type {_A} has no len\(\)", _typed("{0} has no length")),
        (rf"unhashable type: {_A}", _typed("{0} cannot be a key")),
        (
            r"invalid literal for int\(\) with base \d+: (?P<what>.*)",
            lambda found: f"{found['what']} is no whole number",
        ),
        (r"could not convert string to float: (?P<what>.*)", lambda found: f"{found['what']} is no number"),
        (
            rf"(?:int|float)\(\) argument must be a string, a bytes-like object or a real number, not {_A}",
            _typed("{0} is no number"),
        ),
        (rf"(?:float\(\) argument )?must be (?:a )?real number, not {_A}", _typed("{0} is no number")),
        (rf"type {_A} doesn't define __round__ method", _typed("{0} cannot be rounded")),
        (rf"bad operand type for abs\(\): {_A}", _typed("{0} is no number")),
        (
            rf"sequence item \d+: expected str instance, {_A} found",
            _typed("{0} cannot be joined with texts"),
        ),
        (
            rf"(?:\w+ indices must be integers(?: or slices)?|slice indices must be integers.*?)(?:, not {_A})?",
            lambda found: f"an element has a number, and not {kind_of(found['a'] or '')}",
        ),
        (rf"{_A} object cannot be interpreted as an integer", _typed("{0} is no whole number")),
        (rf"Object of type {_A} is not JSON serializable", _typed("{0} cannot be written as JSON")),
        (
            r"cannot convert float (?:infinity|NaN) to integer",
            lambda _: "this is no number that can be whole",
        ),
        (r"\w+ (?:index|assignment index) out of range", lambda _: "there is no such element"),
    )
)
#: Names of types as Python quotes them, wherever they stand in a sentence that no rule knows.
_QUOTED = re.compile(r"'(" + "|".join(sorted(_KINDS, key=len, reverse=True)) + r")'(?: object| instance)?")


@lru_cache(maxsize=256)  # defaults of captures stand for failures of which there may be one in every request
def in_our_words(message: str) -> str:
    """Return what is said of values that do not fit, with the kinds that scenarios have in place of Python's types."""
    for pattern, words in _RULES:
        found = pattern.fullmatch(message)
        if found is not None:
            return words(found)
    return _QUOTED.sub(lambda found: kind_of(found[1]), message)
