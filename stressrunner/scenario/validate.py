"""What the JSON Schema finds wrong with a scenario, said in our words and shown at the node that it is about."""

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.http.hosts import listed_host
from stressrunner.http.media_types import check_media_type
from stressrunner.scenario.auth import check_header_name, check_no_placeholders, check_token_url
from stressrunner.scenario.delivery import parse_limit
from stressrunner.scenario.parse import core_value
from stressrunner.scenario.schema import Choice, pack_schema, scenario_schema
from stressrunner.scenario.source import MappingNode, Node, Path, ScalarNode, key_at, label_of, node_at
from stressrunner.scenario.values import BROKEN
from stressrunner.scenario.yaml_pitfalls import shortened
from stressrunner.spelling import closest, did_you_mean

__all__ = ["validate"]

#: Which schema a text is held against.
_Kind: TypeAlias = Literal["scenario", "pack"]

_TYPE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "object": "a mapping",
        "array": "a list",
        "null": "nothing",
    }
)


def validate(root: Node, value: Any, kind: _Kind = "scenario") -> list[Diagnostic]:
    """Return everything that a schema finds wrong with a tree of values, each shown at its node."""
    problems = [
        (tuple(error.absolute_path), _Problem.of(error))
        for error in _validator(kind).iter_errors(value)
        if error.instance is not BROKEN  # what is wrong with that was said when it was read
    ]
    meant = frozenset(place for path, problem in problems for place in _meant(path, problem))
    found: list[Diagnostic] = []
    for path, problem in problems:
        found += _diagnostics(root, path, problem, meant)
    return found


class _Problem(NamedTuple):
    """What jsonschema says of one place."""

    keyword: str  #: of the schema, such as `type`
    wanted: Any  #: what the schema has under the keyword
    value: Any  #: what stands in the scenario
    schema: Mapping[str, Any]
    is_about_key: bool
    cause: Exception | None
    message: str

    @classmethod
    def of(cls, error: ValidationError) -> "_Problem":
        is_about_key = "propertyNames" in error.relative_schema_path
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        keyword, wanted, value = str(error.validator), error.validator_value, error.instance
        return cls(keyword, wanted, value, schema, is_about_key, error.cause, error.message)


def _positive(parse: Callable[[str], Fraction | int]) -> Callable[[str], Fraction | int]:
    def read(text: str) -> Fraction | int:
        if not (quantity := parse(text)):
            raise ValueError(f"{text!r} must be more than 0")
        return quantity

    return read


def _max_lag(text: str) -> None:
    if not 0 < units.parse_duration(text) <= 1:
        raise ValueError(f"{text!r} must be more than 0 and at most 1s")


def _share(text: str) -> None:
    if units.parse_ratio(text) > 1:
        raise ValueError(f"{text!r} is more than 100%")


#: The name and the version of a pack are parts of the name of its file.
_PACK_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def _pack_word(text: str) -> None:
    if not _PACK_WORD.fullmatch(text):
        raise ValueError(f"{text!r} is no part of a file's name: use letters, digits and . _ + -")


@cache
def _validator(kind: _Kind) -> Draft202012Validator:
    checker = FormatChecker(formats=())
    for name, parse in (
        ("duration", units.parse_duration),
        ("positive_duration", _positive(units.parse_duration)),
        ("max_lag", _max_lag),
        ("rate", units.parse_rate),
        ("positive_rate", _positive(units.parse_rate)),
        ("limit", parse_limit),
        ("share", _share),
        ("positive_size", _positive(units.parse_size)),
        ("host", listed_host),
        ("pack_word", _pack_word),
        ("media_type", check_media_type),
        ("header_name", check_header_name),
        ("token_url", check_token_url),
        ("no_placeholders", check_no_placeholders),
    ):
        checker.checks(name, raises=ValueError)(_accepts(parse))
    schema = scenario_schema() if kind == "scenario" else pack_schema()
    return Draft202012Validator(schema, format_checker=checker)


def _accepts(parse: Callable[[str], object]) -> Callable[[object], bool]:
    """Make a format check of a reader: a text that it cannot read raises its ValueError."""

    def check(value: object) -> bool:
        if isinstance(value, str):
            parse(value)
        return True

    return check


def _meant(path: Path, problem: _Problem) -> Iterator[Path]:
    """Yield the places of the keys that were meant by misspelled ones, which are not missing."""
    if problem.keyword == "additionalProperties" and isinstance(problem.value, dict):
        known = problem.schema.get("properties", {})
        names = (closest(name, known) for name in problem.value if name not in known)
        yield from ((*path, name) for name in names if name is not None)


def _diagnostics(root: Node, path: Path, problem: _Problem, meant: frozenset[Path]) -> Iterator[Diagnostic]:
    node = node_at(root, path)
    if problem.is_about_key:
        yield _bad_name(node, problem)
    elif problem.keyword == "additionalProperties":
        yield from _unknown_keys(node, problem)
    elif problem.keyword == "required":
        yield from _missing(root, path, problem, meant)
    elif problem.keyword == "enum" and not _has_type(problem):
        return  # that it has the wrong type is all there is to say
    elif problem.keyword == "oneOf":
        if isinstance(problem.value, dict):
            yield from _choice(root, path, problem, meant)
    else:
        explain = _EXPLANATIONS.get(problem.keyword, _anything_else)
        yield node.diagnostic(*explain(label_of(path), node, problem))


def _has_type(problem: _Problem) -> bool:
    wanted = problem.schema.get("type", ())
    names = [wanted] if isinstance(wanted, str) else wanted
    return not names or any(_validator("scenario").is_type(problem.value, name) for name in names)


def _bad_name(node: Node, problem: _Problem) -> Diagnostic:
    key = node.entries[str(problem.value)].key if isinstance(node, MappingNode) else node
    name = shortened(str(problem.value))
    if "A-Za-z_" in str(problem.wanted):
        return key.diagnostic(f"'{name}' is no name", "use letters, digits and _, not beginning with a digit")
    return key.diagnostic(f"'{name}' is not {problem.schema.get('title', 'the name of a header')}")


def _unknown_keys(node: Node, problem: _Problem) -> Iterator[Diagnostic]:
    if not isinstance(node, MappingNode):
        return
    known = problem.schema.get("properties", {})
    for name, entry in node.entries.items():
        if name in known:
            continue
        hint = did_you_mean(name, known)
        if "send" in known and not hint:
            hint = f"write 'send: {shortened(name)}', and the other keys beside it"
        before = entry.key.source.text[: entry.key.start].rstrip()
        if isinstance(entry.value, ScalarNode) and not entry.value.text and before.endswith(","):
            hint = "inside { } a comma ends the value before it: quote the value"
        yield entry.key.diagnostic(
            f"unknown key '{shortened(name)}'", hint or f"keys here are {', '.join(known)}"
        )


def _missing(root: Node, path: Path, problem: _Problem, meant: frozenset[Path]) -> Iterator[Diagnostic]:
    where = f" under {label_of(path)}" if path else ""
    place = key_at(root, path) or node_at(root, path)
    for name in problem.wanted:
        if name in problem.value or (*path, name) in meant:
            continue
        empty = key_at(root, (*path, name))
        if empty is not None:
            yield empty.diagnostic(f"'{name}' has no value")
        else:
            yield place.diagnostic(f"the key '{name}' is missing{where}")


@cache
def _step_keys() -> frozenset[str]:
    return frozenset(scenario_schema()["$defs"]["step"]["properties"])


def _choice(root: Node, path: Path, problem: _Problem, meant: frozenset[Path]) -> Iterator[Diagnostic]:
    choice = Choice.of(problem.wanted)
    chosen = [key for key in problem.value if key in choice.keys]
    one_of = f"one of {', '.join(choice.keys)}"
    if not chosen and not any((*path, name) in meant for name in choice.keys):
        if "send" in choice.keys and any(name not in _step_keys() for name in problem.value):
            return  # a name that stands where 'send' should, as was said at the key
        empty = next((key for name in choice.keys if (key := key_at(root, (*path, name)))), None)
        if empty is not None:
            yield empty.diagnostic(f"'{empty.text}' has no value")
        else:
            place = key_at(root, path) or node_at(root, path)
            yield place.diagnostic(f"{label_of(path)} wants {one_of}")
    for name in chosen[1:]:
        key = key_at(root, (*path, name))
        if key is not None:
            yield key.diagnostic(f"'{name}' and '{chosen[0]}' exclude each other", f"keep {one_of}")


_Explanation = Callable[[str, Node, _Problem], tuple[str, str]]


def _wrong_type(label: str, node: Node, problem: _Problem) -> tuple[str, str]:
    wanted = [problem.wanted] if isinstance(problem.wanted, str) else problem.wanted
    names = " or ".join(_TYPE_NAMES[name] for name in wanted)
    return f"{label} wants {names}, not {_what_is(problem.value)}", _retyped(node, set(wanted))


def _retyped(node: Node, wanted: set[str]) -> str:
    """Return a hint where YAML made something else of a value than was meant."""
    if isinstance(node, ScalarNode):
        is_typed = not node.plain and not isinstance(core_value(node.text), str)
        return "remove the quotes" if is_typed and wanted & {"integer", "number", "boolean"} else ""
    if isinstance(node, MappingNode) and any(" ? " in key for key in node.entries):
        return "write 'a if condition else b'"
    in_flow = node.source.text.startswith(("{", "["), node.start)
    return "quote a text that has ': ' in it" if "string" in wanted and not in_flow else ""


def _what_is(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return f"the number {shortened(str(value))}"
    if isinstance(value, str):
        return f"the text '{shortened(value)}'"
    return "a mapping" if isinstance(value, dict) else "a list"


def _wrong_format(label: str, _node: Node, problem: _Problem) -> tuple[str, str]:
    return f"{label}: {shortened(str(problem.cause), 300)}", ""


def _not_among(label: str, _node: Node, problem: _Problem) -> tuple[str, str]:
    known = [str(value) for value in problem.wanted]
    if label == "'stressrunner'":
        return (
            f"version {shortened(str(problem.value))} of the language is not known",
            "write 'stressrunner: 1'",
        )
    if label == "'op'" and not problem.value:
        return "the operator is empty", "quote operators: YAML reads '>' in its own way"
    hint = did_you_mean(str(problem.value), known) if isinstance(problem.value, str) else ""
    return f"{label} wants one of {', '.join(known)}, not {_what_is(problem.value)}", hint


def _too_small(label: str, _node: Node, problem: _Problem) -> tuple[str, str]:
    return f"{label} wants at least {problem.wanted}, not {shortened(str(problem.value))}", ""


def _too_large(label: str, _node: Node, problem: _Problem) -> tuple[str, str]:
    return f"{label} wants at most {problem.wanted:,}, not {shortened(str(problem.value))}", ""


def _empty(label: str, _node: Node, _problem: _Problem) -> tuple[str, str]:
    return f"{label} is empty", ""


def _bad_pattern(label: str, _node: Node, problem: _Problem) -> tuple[str, str]:
    hint = "use letters, digits and _, not beginning with a digit"
    return f"{label}: '{shortened(str(problem.value))}' is no name", hint


def _anything_else(label: str, _node: Node, problem: _Problem) -> tuple[str, str]:
    return f"{label}: {shortened(problem.message)}", ""


_EXPLANATIONS: Mapping[str, _Explanation] = MappingProxyType(
    {
        "type": _wrong_type,
        "format": _wrong_format,
        "enum": _not_among,
        "minimum": _too_small,
        "maximum": _too_large,
        "minLength": _empty,
        "minItems": _empty,
        "minProperties": _empty,
        "pattern": _bad_pattern,
    }
)
