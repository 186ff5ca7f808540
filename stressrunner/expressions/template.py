"""Text with placeholders: `/api/v1/agent/{{ agent }}/run`.

A text is cut into literal parts and placeholders; each placeholder is an expression. Statements and comments mean nothing, but
for bodies, which may be whole Jinja2 templates.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jinja2
from jinja2 import nodes

from stressrunner.expressions.bounds import MAX_TEXT, SHORT, Piece, filled, joined
from stressrunner.expressions.calls import refuse_methods, refuse_misused_functions, refuse_unknown_filters
from stressrunner.expressions.constants import refuse_bad_constants
from stressrunner.expressions.environment import environment, evaluation_errors, lookup_all, to_text
from stressrunner.expressions.expression import Expression, compile_expression
from stressrunner.expressions.fusing import fuse_text
from stressrunner.expressions.lowering import Evaluate
from stressrunner.expressions.problem import ExpressionError, compilation_errors
from stressrunner.expressions.references import Reference, parse, references_of, tokens_of

__all__ = ["Template", "compile_template", "join_pieces"]

#: What makes a body a whole Jinja2 template: statements, comments, and placeholders that trim the text around them.
_STATEMENTS = ("{%", "{#", "{{-", "-}}")


class Template:
    """A compiled text with placeholders."""

    __slots__ = ("is_constant", "parts", "placeholder", "references", "render", "render_text", "source")

    def __init__(
        self,
        source: str,
        parts: tuple[str | Expression, ...],
        references: tuple[Reference, ...],
        render_text: Callable[[Mapping[str, Any]], str],
    ) -> None:
        self.source = source
        self.parts = parts  #: literal texts and placeholders in order; empty for a template with statements
        self.references = references
        #: Whether every rendering is the same text.
        self.is_constant = bool(parts) and all(isinstance(part, str) for part in parts)
        #: The expression, when the text is exactly one placeholder.
        self.placeholder = parts[0] if len(parts) == 1 and isinstance(parts[0], Expression) else None
        #: Names to the text with its placeholders filled; raises CannotEvaluate where a placeholder cannot be.
        self.render_text = render_text
        #: As `render_text`, but a text that is exactly one placeholder keeps the type of its value.
        self.render: Evaluate = render_text if self.placeholder is None else self.placeholder.evaluate


def _joined(parts: tuple[str | Expression, ...]) -> Callable[[Mapping[str, Any]], str]:
    """Return what joins literal texts and filled placeholders."""
    pieces = [part if isinstance(part, str) else _written(part.evaluate) for part in parts]
    return join_pieces(pieces, lambda: fuse_text(parts))


def join_pieces(
    pieces: Sequence[Piece], fuse: Callable[[], Evaluate | None]
) -> Callable[[Mapping[str, Any]], str]:
    """Return what joins literal texts and what fills the placeholders between them; it raises CannotEvaluate.

    `fuse` makes what gives the same text at once, or raises something; it is called when the first text is wanted, which
    a scenario that is only validated never does.
    """

    def filled_text(names: Mapping[str, Any]) -> str:
        try:
            return filled(pieces, names)
        except Exception:
            with evaluation_errors():
                raise

    fused: Evaluate | None = None

    def text(names: Mapping[str, Any]) -> str:
        nonlocal fused
        if fused is None:
            fused = fuse() or filled_text
        if fused is filled_text:
            return filled_text(names)
        try:
            made: str = fused(names)
        except Exception:  # noqa: BLE001  whatever failed, the pieces tell what and why
            return filled_text(names)
        return made if len(made) <= SHORT else filled_text(names)

    return text


def _written(evaluate: Evaluate) -> Callable[[Mapping[str, Any]], str]:
    return lambda names: to_text(evaluate(names))


def _filled(
    template: jinja2.Template, references: tuple[Reference, ...]
) -> Callable[[Mapping[str, Any]], str]:
    """Return what renders a template with statements."""
    roots = tuple({reference.path[0] for reference in references})

    def render_text(names: Mapping[str, Any]) -> str:
        with evaluation_errors():
            return joined(template.generate(lookup_all(names, roots)))

    return render_text


def _end_of_placeholder(text: str, start: int) -> int:
    """Return where the `}}` of a placeholder begins, braces and quotes inside it respected."""
    depth = 0
    quote = ""
    i = start
    while i < len(text):
        c = text[i]
        if quote:
            if c == "\\":
                i += 1
            elif c == quote:
                quote = ""
        elif c in "'\"":
            quote = c
        elif c == "{":
            depth += 1
        elif c == "}":
            if depth == 0 and text.startswith("}}", i):
                return i
            depth -= 1
        i += 1
    raise ExpressionError(
        "a template expression that is not closed", offset=start - 2, width=2, hint="write '}}' at its end"
    )


def compile_template(text: str, *, statements: bool = False) -> Template:
    """Compile a text with placeholders; with `statements`, one that may be a whole Jinja2 template.

    Raises:
        ExpressionError: a placeholder is not closed, is empty or makes no sense.
    """
    if statements and any(mark in text for mark in _STATEMENTS):
        return _whole_template(text)
    parts: list[str | Expression] = []
    references: list[Reference] = []
    at = 0
    while True:
        start = text.find("{{", at)
        if start < 0:
            break
        if start > at:
            parts.append(text[at:start])
        end = _end_of_placeholder(text, start + 2)
        _refuse_trimming(text, start, end)
        try:
            expression = compile_expression(text[start + 2 : end])
        except ExpressionError as error:
            raise error.moved(start + 2) from error
        references += [reference.moved(start + 2) for reference in expression.references]
        parts.append(expression)
        at = end + 2
    if at < len(text) or not parts:
        parts.append(text[at:])
    return Template(text, tuple(parts), tuple(references), _joined(tuple(parts)))


def _refuse_trimming(text: str, start: int, end: int) -> None:
    """Refuse `{{- x -}}`, which trims blanks in Jinja2 and would be a minus here."""
    if text[start + 2 : start + 3] == "-" or text[end - 1 : end] == "-":
        raise ExpressionError(
            "'-' beside the braces means nothing here",
            offset=start,
            width=end + 2 - start,
            hint="write '{{ x }}', or '{{ -x }}' for a negative number",
        )


def _whole_template(text: str) -> Template:
    if "\r" in text:
        # Jinja2 would send it as a line feed.
        raise ExpressionError(
            "a body with statements cannot have a carriage return in it",
            offset=text.find("\r"),
            hint=r"write {{ '\r\n' }}",
        )
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"a body with statements has at most {MAX_TEXT:,} characters", width=len(text))
    with compilation_errors(text):
        tree = parse(text)
        _refuse_other_files(tree, text)
        refuse_methods(text, tree)
        refuse_unknown_filters(text, tree)
        refuse_bad_constants(text, parse(text))
        # Compiled from a tree of its own, since that is rewritten.
        compiled = environment().from_string(parse(text))
        references = references_of(text, tree)
        refuse_misused_functions(text, parse(text), references)
    return Template(text, (), references, _filled(compiled, references))


def _refuse_other_files(tree: nodes.Template, text: str) -> None:
    for _ in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        tag = next(t for t in tokens_of(text) if t.text in ("include", "import", "from", "extends"))
        raise ExpressionError("a template cannot take in other files", offset=tag.offset, width=len(tag.text))
