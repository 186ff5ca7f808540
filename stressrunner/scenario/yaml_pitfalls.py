"""What people write by mistake because YAML reads it in its own way, and what they are told.

libyaml says "did not find expected key" where the reader needs to hear "quote a value that begins with a placeholder".
Each rule below looks at the line that libyaml stumbled over, or at the odd node that it made of it.
"""

import re

import yaml

from stressrunner.errors import Diagnostic
from stressrunner.scenario.source import ListNode, MappingNode, ScalarNode, Source

__all__ = ["COMMENT_FOR_VALUE", "collection_as_key", "empty_by_comment", "shortened", "syntax_error", "tag"]

_QUOTE_HOLE = "quote a value that begins with '{{': \"{{ ... }}\""
_QUOTE_IN_FLOW = "inside [ ] and { } quote everything that has { } [ ] or a comma in it"
_BEGIN_WITH_NAME = "begin with a name, or quote the whole value"

#: Message and hint for a value that begins with `#`.
COMMENT_FOR_VALUE = ("empty, because '#' begins a comment", "quote the value")

#: Pattern of the line, and what to do about it; the first that matches is told.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:^|[:\-]\s+)\{\{"), _QUOTE_HOLE),
    (re.compile(r"(?:[{\[,]\s*|:\s+)(['\"])[^'\"]*\1\s+[^\s,:\]}]"), _BEGIN_WITH_NAME),
    (re.compile(r"^[^'\"]*[{\[].*\$?\{"), _QUOTE_IN_FLOW),
    (re.compile(r"[{,]\s*[\w-]+:\s[^'\"]*\["), _QUOTE_IN_FLOW),
    (re.compile(r"^\s*(?:-|[\w-]+:)\s+(['\"]).*\1\s+\S"), _BEGIN_WITH_NAME),
    (re.compile(r"\s\?\s.*\s:\s"), "write 'x if condition else y'"),
)

#: Characters of a line in which a pitfall is looked for: the rules take the square of that, and nobody writes longer lines.
_MOST_LOOKED_AT = 1_000

#: A bracket that is open where a comment begins right before a word.
_CUT_IN_FLOW = re.compile(r"[{\[][^}\]]*\s#\S")


def syntax_error(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    """Return what libyaml could not read, in our words, with a remedy where the pitfall is known."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return source.diagnostic(0, f"not YAML: {error.problem}")
    start = min(mark.index, len(source.text))
    problem = error.problem or "cannot be read"
    character = source.text[start : start + 1]
    if "cannot start any token" in problem:
        return source.diagnostic(start, *_bad_beginning(character))
    if "escape" in problem and "quoted scalar" in (error.context or ""):
        hint = "write regular expressions in single quotes"
        return source.diagnostic(start, "in double quotes a backslash begins an escape", hint)
    return source.diagnostic(start, *_structure(source, start, error))


def _structure(source: Source, start: int, error: yaml.MarkedYAMLError) -> tuple[str, str]:
    """Return message and hint where the parts of the text are fine, but not how they stand together."""
    context, problem = error.context or "", error.problem or "cannot be read"
    line, column = source.position(start)
    here = source.lines[line - 1]
    message = f"not YAML: {_in_our_words(problem, context)}"
    # libyaml notices that a value was left open only after it, often at the start of a later line.
    opened = error.context_mark.line if error.context_mark is not None and "flow" in context else line - 1
    candidates = (here, source.lines[opened]) if opened < len(source.lines) else (here,)
    looked_at = [text[:_MOST_LOOKED_AT] for text in candidates]
    hint = next((hint for text in looked_at for rule, hint in _RULES if rule.search(text)), "")
    before = here[: column - 1]
    if before[-1:] in ("'", '"') and before.count(before[-1]) % 2:
        hint = f"a {before[-1]} in a line above was not closed"
    elif opened < line - 1 and _CUT_IN_FLOW.search(looked_at[-1]):
        hint = f"in line {opened + 1} ' #' begins a comment: quote the value"
    elif opened < line - 1:
        hint = hint or f"the bracket of line {opened + 1} was not closed"
    elif not before.strip() and not hint:
        hint = "align it with the keys or items above"
    elif "mapping values" in problem and not hint:
        hint = "quote a value that has ': ' in it"
    return message, hint


def _bad_beginning(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab indents here", "indent with spaces"
    return f"a value cannot begin with {character!r}", "quote it"


def _in_our_words(problem: str, context: str) -> str:
    if "mapping values are not allowed" in problem:
        return "a second ': ' in one value"
    if "did not find expected ',' or" in problem:
        closing = "]" if "sequence" in context else "}"
        return f"a ',' or '{closing}' is missing"
    if "did not find expected key" in problem or "'-' indicator" in problem:
        return "neither a new key nor an item of a list begins here"
    return f"{context} {problem}".strip()


def tag(word: str) -> tuple[str, str]:
    """Return message and hint for a value with a tag such as `!x`."""
    name = shortened(word)
    if re.fullmatch(r"![\w.\[\]]+", word):
        return f"'{name}' is a YAML tag, which scenarios do not have", f"write 'not {name[1:]}'"
    return f"'{name}' is a YAML tag, which scenarios do not have", "quote a value that begins with '!'"


def collection_as_key(key: ListNode | MappingNode, *, in_flow: bool) -> Diagnostic:
    """Return the mistake of a key that is a mapping or list, which is what `{{ x }}` without quotes is."""
    text = key.source.text
    doubled = text.startswith("{", key.start) and (in_flow or text.startswith("{{", key.start))
    if doubled:
        start = key.start - 1 if text.startswith("{", key.start - 1) and key.start else key.start
        end = text.find("}}", start)
        width = end + 2 - start if end >= 0 and "\n" not in text[start:end] else 2
        return key.source.diagnostic(
            start, "YAML reads '{{ ... }}' without quotes as a mapping", _QUOTE_HOLE, width
        )
    return key.diagnostic("a key must be text", "quote a value that begins with '[' or '{'")


def empty_by_comment(node: ScalarNode) -> bool:
    """Whether a plain value is empty because a `#` right before its text made a comment of it."""
    after = node.source.text[node.end : node.end + 400].split("\n", 1)[0]
    return not node.text and node.plain and re.match(r"\s*#\S", after) is not None


def shortened(text: str, limit: int = 60) -> str:
    """Return a text for a message, cut when it is long or has several lines."""
    line = " ".join(text[: limit + 1].split())
    return f"{line[:limit]}..." if len(text) > limit else line
