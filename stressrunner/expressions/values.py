"""Data with placeholders: a tree of mappings, lists and scalars whose texts are templates."""

from collections.abc import Callable, Mapping
from typing import Any

from stressrunner.expressions.references import Reference
from stressrunner.expressions.template import compile_template

__all__ = ["ValueTemplate", "compile_value"]

Render = Callable[[Mapping[str, Any]], Any]


class ValueTemplate:
    """A compiled tree; what has no placeholder is kept as it is and shared between renderings."""

    __slots__ = ("is_constant", "references", "render")

    def __init__(self, render: Render, references: tuple[Reference, ...], *, is_constant: bool) -> None:
        self.render = render  #: names to the tree with its placeholders filled; raises CannotEvaluate
        self.references = references
        self.is_constant = is_constant


def compile_value(value: Any) -> ValueTemplate:
    """Compile a decoded value; only texts have placeholders, keys are taken as they are.

    Raises:
        ExpressionError: a text in it makes no sense.
    """
    if isinstance(value, str):
        template = compile_template(value)
        if template.is_constant:
            return _constant(value)
        return ValueTemplate(template.render, template.references, is_constant=False)
    if isinstance(value, Mapping):
        fields = [(key, compile_value(inner)) for key, inner in value.items()]
        inners = [inner for _, inner in fields]
        renders = [(key, inner.render) for key, inner in fields]
        return _joined(value, inners, lambda names: {key: render(names) for key, render in renders})
    if isinstance(value, list | tuple):
        inners = [compile_value(inner) for inner in value]
        items = [inner.render for inner in inners]
        return _joined(value, inners, lambda names: [render(names) for render in items])
    return _constant(value)


def _constant(value: Any) -> ValueTemplate:
    return ValueTemplate(lambda _: value, (), is_constant=True)


def _joined(value: Any, inners: list[ValueTemplate], render: Render) -> ValueTemplate:
    if all(inner.is_constant for inner in inners):
        return _constant(value)
    return ValueTemplate(render, tuple(r for inner in inners for r in inner.references), is_constant=False)
