"""Text with holes: `/api/v1/agent/{{ agent }}/run`.

A text is cut into literal parts and holes; each hole is an expression. Statements and comments mean nothing, but
for bodies, which may be whole Jinja2 templates.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from jinja2 import TemplateError, nodes

from stressrunner.expressions.calls import refuse_methods, refuse_unknown_filters
from stressrunner.expressions.environment import environment, evaluation_errors, to_text
from stressrunner.expressions.expression import Expression, compile_expression
from stressrunner.expressions.problem import ExpressionError
from stressrunner.expressions.references import Reference, parse, references_of, tokens_of

__all__ = ["Template", "compile_template"]

#: What makes a body a whole Jinja2 template: statements, comments, and holes that trim the text around them.
_STATEMENTS = ("{%", "{#", "{{-", "-}}")


class Template:
    """A compiled text with holes."""

    __slots__ = ("_jinja", "_roots", "parts", "references", "source")

    def __init__(
        self,
        source: str,
        parts: tuple[str | Expression, ...],
        jinja: jinja2.Template | None,
        references: tuple[Reference, ...],
    ) -> None:
        self.source = source
        self.parts = parts  #: literal texts and holes in order; empty for a template with statements
        self.references = references
        self._jinja = jinja
        self._roots = tuple({reference.path[0] for reference in references})

    @property
    def is_constant(self) -> bool:
        """Whether every rendering is the same text."""
        return self._jinja is None and all(isinstance(part, str) for part in self.parts)

    @property
    def hole(self) -> Expression | None:
        """The expression, when the text is exactly one hole."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return self.parts[0]
        return None

    def render(self, names: Mapping[str, Any]) -> Any:
        """Return the text with its holes filled; a text that is exactly one hole keeps the type of its value.

        Raises:
            CannotEvaluate: a hole cannot be filled.
        """
        hole = self.hole
        return self.render_text(names) if hole is None else hole.evaluate(names)

    def render_text(self, names: Mapping[str, Any], escape: Callable[[str], str] | None = None) -> str:
        """Return the text with its holes filled, each passed through `escape`.

        Raises:
            CannotEvaluate: a hole cannot be filled.
        """
        with evaluation_errors():
            if self._jinja is not None:
                return self._jinja.render({root: names[root] for root in self._roots if root in names})
            filled = []
            for part in self.parts:
                if isinstance(part, str):
                    filled.append(part)
                else:
                    text = to_text(part.evaluate(names))
                    filled.append(text if escape is None else escape(text))
            return "".join(filled)


def _end_of_hole(text: str, start: int) -> int:
    """Return where the `}}` of a hole begins, braces and quotes inside it respected."""
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
        "a hole that is not closed", offset=start - 2, width=2, hint="write '}}' at its end"
    )


def compile_template(text: str, *, statements: bool = False) -> Template:
    """Compile a text with holes; with `statements`, one that may be a whole Jinja2 template.

    Raises:
        ExpressionError: a hole is not closed, is empty or makes no sense.
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
        end = _end_of_hole(text, start + 2)
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
    return Template(text, tuple(parts), None, tuple(references))


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
    tree = parse(text)
    _refuse_other_files(tree, text)
    refuse_methods(text, tree)
    refuse_unknown_filters(text, tree)
    try:
        compiled = environment().from_string(tree)
    except TemplateError as error:
        raise ExpressionError(str(error.message), width=len(text)) from error
    return Template(text, (), compiled, references_of(text, tree))


def _refuse_other_files(tree: nodes.Template, text: str) -> None:
    for _ in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        tag = next(t for t in tokens_of(text) if t.text in ("include", "import", "from", "extends"))
        raise ExpressionError("a template cannot take in other files", offset=tag.offset, width=len(tag.text))
