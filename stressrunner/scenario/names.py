"""Whether templates and expressions can be understood, and whether every name in them is defined where it stands."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from stressrunner.errors import Diagnostic
from stressrunner.expressions import (
    CONDITIONS,
    FUNCTIONS,
    ExpressionError,
    Reference,
    compile_condition,
    compile_expression,
    compile_template,
)
from stressrunner.expressions.expression import Expression
from stressrunner.expressions.fake import FAKE_FIELDS, problem_of_package
from stressrunner.expressions.jsonpath import compile_jsonpath
from stressrunner.expressions.pattern import compile_pattern
from stressrunner.scenario.captured import RESPONSE, Captured
from stressrunner.scenario.delivery import ORDERS
from stressrunner.scenario.requests import place_of
from stressrunner.scenario.row_walk import Fields
from stressrunner.scenario.source import Path
from stressrunner.scenario.values import Text
from stressrunner.spelling import closest, did_you_mean

__all__ = ["RESERVED", "Names", "check_texts"]

#: Names that are there in every template, with their fields; no fields: a plain value.
_NAMESPACES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "run": frozenset({"id", "seed"}),
        "iteration": frozenset(),
        "user": frozenset({"id", "iteration"}),
        "session": frozenset({"name", "index"}),
        "message": frozenset({"index", "token"}),
        "fake": FAKE_FIELDS,
    }
)
_REPEAT = "repeat"
_OF_REPEAT = frozenset({"index"})
#: What checks, captures and `refused` know of their own response, and steps of the latest one.
_RESPONSE = frozenset({"status", "headers", "body", "text", "size", "url", "response_time", "service_time"})
#: Names that no variable, capture or feeder can have.
RESERVED = frozenset({*_NAMESPACES, _REPEAT, *_RESPONSE, *FUNCTIONS})
# What people write from habit, and the language spells otherwise.
_HABITS: Mapping[str, str] = MappingProxyType(
    {
        "null": "write 'none'",
        "None": "write 'none'",
        "undefined": "write 'x is defined'",
        "status_code": "write 'status'",
        "response": "write 'body', 'status' or 'headers'",
        "json": "write 'body'",
        "elapsed": "write 'response_time', in seconds",
        "duration": "write 'response_time', in seconds",
    }
)
#: Each takes about a millisecond to compile, and a hostile file has as many as it likes.
_MOST_COMPILED = 10_000
_WORD = re.compile(r"[A-Za-z_]\w*")


def _compile_order(text: str) -> Expression:
    """Compile what messages are sorted by; the words that need none are as an expression that names nothing."""
    if _WORD.fullmatch(text) and text not in ORDERS:
        hint = (
            "write 'oldest_first' or 'newest_first', or an expression over the response, such as 'body.times'"
        )
        raise ExpressionError(f"'{text}' is no order", width=len(text), hint=hint)
    return compile_expression("none" if text in ORDERS else text)


_COMPILERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "template": compile_template,
        "body_template": lambda text: compile_template(text, statements=True),
        "expression": compile_expression,
        "order": _compile_order,
        "condition": compile_condition,
        "check": compile_expression,
        "jsonpath": compile_jsonpath,
        "pattern": compile_pattern,
    }
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a scenario defines for its templates."""

    variables: frozenset[str]
    feeders: Mapping[str, Fields | None]  #: the fields of their rows; None where those could not be read
    captures: Mapping[str, str]  #: what is captured, and a place that does it, in words
    payloads: Mapping[str, tuple[Path, ...]]  #: the requests that send each payload
    session_endpoints: frozenset[str]  #: those that are sent several times in an iteration
    elements: frozenset[str]  #: what the elements of `each` are called
    captured: Captured  #: what is captured before each place
    read_back_endpoint: str | None = None  #: the one that returns a session's history
    paging: frozenset[str] = frozenset()  #: names by which that one says which page it asks for


@dataclass(frozen=True, slots=True)
class _Scope:
    known: frozenset[str]
    possible: frozenset[str]  #: what is not known for certain, but on some ways to the place
    is_message: bool  #: whether messages of a session are sent from here, of which the first one has no reply before it


def check_texts(texts: list[Text], names: Names) -> tuple[list[Diagnostic], frozenset[str]]:
    """Compile every template and expression, and look up the names in it.

    Returns the mistakes, and the names that are used somewhere, or were meant by those that do not exist.
    """
    found: list[Diagnostic] = []
    used: set[str] = set()
    excess = _one_too_many(texts)
    if excess is not None:
        message = f"more than {_MOST_COMPILED:,} expressions in one scenario"
        return [excess.diagnostic(message)], frozenset(_WORD.findall(" ".join(t.filled.text for t in texts)))
    for text in texts:
        compiler = _COMPILERS.get(text.kind)
        if compiler is None:
            continue
        if "{" not in text.filled.text and text.kind in ("template", "body_template"):
            continue
        try:
            references: tuple[Reference, ...] = compiler(text.filled.text).references
        except ExpressionError as error:
            where = {"offset": error.offset, "width": error.width}
            found.append(text.diagnostic(error.message, error.hint, **where))
            used.update(_WORD.findall(text.filled.text))  # a feeder in it is not unused
            continue
        scope = _scope(text, names)
        used.update(_meant(reference.path[0], scope.known) for reference in references)
        found += _undefined(text, references, scope, names)
        if text.kind == "check" and all(reference.path[0] in FUNCTIONS for reference in references):
            hint = "write a condition, such as 'status == 200'"
            found.append(
                text.diagnostic("this names nothing of the response, so it is always the same", hint)
            )
    return found, frozenset(used)


def _one_too_many(texts: list[Text]) -> Text | None:
    """Return the text with which there are more to compile than a scenario may have, if there is one."""
    count = 0
    for text in texts:
        if text.kind in _COMPILERS:
            count += text.filled.text.count("{{") if "template" in text.kind else 1
            if count > _MOST_COMPILED:
                return text
    return None


def _meant(name: str, known: frozenset[str]) -> str:
    return name if name in known else closest(name, known) or name


def _scope(text: Text, names: Names) -> _Scope:
    """Return the names that a text may use, by where it stands in the document."""
    root = text.path[0]
    known = frozenset(_NAMESPACES.keys() | names.feeders.keys() | FUNCTIONS)
    if root == "variables" or (root in ("load", "traffic") and "variables" in text.path):
        return _Scope(known, frozenset(), is_message=False)
    known |= names.variables
    if root == "invariants":
        known |= names.paging if text.path[2:3] == ("read_back",) else frozenset()
        return _Scope(known | _RESPONSE, frozenset(), is_message=False)
    if _is_read_back(text, names):
        known |= names.paging
    senders = _senders(text, names)
    met = names.captured.whenever_sent if root == "target" else names.captured.at_all(senders)
    known |= _spelled_out(met.certain)
    place = place_of(text.path)
    if place is not None and place.key in ("checks", "capture", "refused"):
        known |= _RESPONSE
    if text.kind == "condition":
        known |= CONDITIONS
    return _Scope(
        known,
        _spelled_out(met.possible),
        any(("endpoints", name) in senders for name in names.session_endpoints),
    )


def _senders(text: Text, names: Names) -> tuple[Path, ...]:
    """Return the endpoints and steps that use a text, or the part of a step that it stands in."""
    if text.path[0] == "payloads":
        return names.payloads.get(str(text.path[1]), ())
    place = place_of(text.path)
    if place is None:
        return ()
    return ((*place.path, place.key),) if place.is_step else (place.path,)


def _spelled_out(names: frozenset[str]) -> frozenset[str]:
    return names - {RESPONSE} | _RESPONSE if RESPONSE in names else names


def _undefined(
    text: Text, references: tuple[Reference, ...], scope: _Scope, names: Names
) -> Iterator[Diagnostic]:
    for reference in references:
        name = reference.path[0]
        place = {"offset": reference.offset, "width": reference.width}
        if name in scope.known:
            problem = _unknown_field(reference, names)
            is_known = _is_read_back(text, names) and reference.path == ("session", "id")
            if problem is not None and not is_known:
                yield _at_field(text, reference, *problem)
        elif name in scope.possible and not reference.guarded:
            hint = f"write '{name} | default(...)' or ask '{name} is defined'"
            yield text.diagnostic(_uncertain(name, is_message=scope.is_message), hint, **place)
        elif name not in scope.possible and not _is_guarded_capture(reference, names):
            yield text.diagnostic(f"'{name}' is not defined here", _where_is(name, scope, names), **place)


def _uncertain(name: str, *, is_message: bool) -> str:
    if is_message:
        return f"'{name}' is captured from a reply, so the first message lacks it"
    if name in _RESPONSE:
        return f"'{name}' is of the latest response, and there may be none yet"
    if name == _REPEAT:
        return "'repeat' is known in a step that repeats, and this is not always in one"
    return f"'{name}' is not captured on every way to here"


def _is_read_back(text: Text, names: Names) -> bool:
    """Whether a text is of the request that reads a session back, or of `read_back`: both know more of the session."""
    if text.path[:3] == ("invariants", "delivery", "read_back"):
        return True
    return names.read_back_endpoint is not None and text.path[:2] == ("endpoints", names.read_back_endpoint)


def _is_guarded_capture(reference: Reference, names: Names) -> bool:
    return reference.guarded and (reference.path[0] in names.captures or reference.path[0] in _RESPONSE)


def _where_is(name: str, scope: _Scope, names: Names) -> str:
    """Return a hint at a name that is not defined in a place."""
    if name in _HABITS:
        return _HABITS[name]
    if name in _RESPONSE:
        return "it is known in checks, capture and refused, and in steps after a response"
    if name == _REPEAT:
        return "it is known in a step with 'repeat'"
    if name in names.elements:
        return "it is known inside a step with 'each'"
    if name in names.variables:
        return "a variable cannot use other variables"
    if name in names.captures:
        return f"{names.captures[name]} captures it, which is not before this, or in another iteration"
    if re.fullmatch(r"true|false", name, re.IGNORECASE):
        return f"write '{name.lower()}'"
    return did_you_mean(name, scope.known | scope.possible) or "to send it as text, put it in quotes"


def _unknown_field(reference: Reference, names: Names) -> tuple[str, str] | None:
    """Return message and hint for a field that a namespace or feeder does not have."""
    name, fields = reference.path[0], reference.path[1:]
    if name in names.variables:
        return None
    if name == "fake" and (problem := problem_of_package()) is not None:
        return problem
    if name in _NAMESPACES or name == _REPEAT:
        known = suggested = _OF_REPEAT if name == _REPEAT else _NAMESPACES[name]
        if not fields:
            example = min(known, default="")
            return (f"'{name}' is no value by itself", f"write '{name}.{example}'") if known else None
    elif name in names.feeders:
        of_rows = names.feeders[name]
        if of_rows is None or of_rows.kind == "list" or not fields:
            return None
        known, suggested = of_rows.every, of_rows.some
        if fields[0] in of_rows.some - known and not reference.guarded:
            hint = f"write '{name}.{fields[0]} | default(...)'"
            return f"not every row of '{name}' has a '{fields[0]}'", hint
    else:
        return None
    if reference.guarded or not fields or fields[0] in known:
        return None
    listed = f"it has {', '.join(sorted(known))}" if known else "it is a plain value"
    return f"'{name}' has no '{fields[0]}'", did_you_mean(fields[0], suggested) or listed


def _at_field(text: Text, reference: Reference, message: str, hint: str) -> Diagnostic:
    """Show a mistake at the first field of a reference, where that can be found after the name."""
    end = reference.offset + reference.width
    width = reference.width
    if len(reference.path) > 1 and text.filled.text.startswith(f".{reference.path[1]}", end):
        width += 1 + len(reference.path[1])
    return text.diagnostic(message, hint, offset=reference.offset, width=width)
