"""How a history is asked for page by page, compiled: what the first request says of its place, and what the next one.

next      `page`: whatever the expression gives, until that is null or empty
pages     `page`: 1, 2, ... up to the number that the expression gives
cursor    `cursor`: whatever the expression gives, until that is null or empty
offset    `offset`: the rows that were read so far, until a page has none
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from stressrunner.expressions import CannotEvaluate, ExpressionError, compile_expression
from stressrunner.expressions.expression import Expression
from stressrunner.expressions.jsonpath import compile_jsonpath
from stressrunner.scenario.delivery import Listing, ReadBack, path_to_rows

__all__ = ["Names", "Paging", "compile_paging", "list_of", "row_counter"]

Names: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Paging:
    """How pages follow upon each other."""

    kind: Literal["next", "pages", "cursor", "offset"]
    expression: Expression | None = None  #: over the response; None of `offset`

    @property
    def name(self) -> str:
        """The query parameter, and the name that templates know it by."""
        return "page" if self.kind in ("next", "pages") else self.kind

    @property
    def first(self) -> Any:
        """What templates know of the first page; nothing of it is added to the request."""
        return {"pages": 1, "offset": 0}.get(self.kind)

    def after(self, names: Names, at: Any, rows: int | None, *, on_page: int | None) -> Any:
        """Return what the request for the next page says; None after the last one.

        Args:
            names: those of the response.
            at: what the request for this page said.
            rows: that were read so far, those of this page included; None where they cannot be counted.
            on_page: how many of them are of this page.

        Raises:
            CannotEvaluate: the response does not say what the expression asks for.
        """
        if self.expression is None:
            if rows is None:
                raise CannotEvaluate("the rows of a page cannot be counted; add 'rows' to 'read_back'")
            return rows if on_page else None
        value = self.expression.evaluate(names)
        if self.kind == "pages":
            return at + 1 if at < _number(value) else None
        # Not `value in (None, False, "")`, in which 0 is: the first page of some.
        return None if value is None or value is False or value == "" else value


def _number(value: Any) -> int:
    try:
        if not isinstance(value, bool):
            return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise CannotEvaluate(f"{value!r} is no number of pages"[:100])


def compile_paging(spec: ReadBack) -> Paging | None:
    """Compile how pages follow upon each other; None where the first page is all."""
    if spec.offset:
        return Paging("offset")
    for kind, source in (("next", spec.next), ("pages", spec.pages), ("cursor", spec.cursor)):
        if source is not None:
            return Paging(kind, compile_expression(source))  # type: ignore[arg-type]  # it is one of the literals
    return None


def list_of(listing: Listing) -> Callable[[Names], Any]:
    """Compile what finds a list in a response; what it returns may be none, and it raises CannotEvaluate."""
    if listing.by == "jsonpath":
        query = compile_jsonpath(listing.source)
        return lambda names: query.all(names["body"])
    return compile_expression(listing.source).evaluate


def row_counter(spec: ReadBack) -> Callable[[Names], int | None]:
    """Compile what counts the rows of a page, also those that `messages` passes over.

    Without `rows` these are what a JSONPath filters, or the one list of the body that an expression begins from. What is
    returned is None where there is no such list.
    """
    if spec.rows is not None:
        rows = compile_expression(spec.rows)
        return lambda names: _counted(rows.evaluate(names))
    if spec.messages.by == "jsonpath":
        return _counter_of_query(spec.messages.source)
    paths = {r.path for r in compile_expression(spec.messages.source).references if r.path[0] == "body"}
    if len(paths) != 1:
        return lambda _names: None
    fields = paths.pop()[1:]
    return lambda names: _length(names["body"], fields)


def _counter_of_query(source: str) -> Callable[[Names], int | None]:
    filtered = path_to_rows(source)
    if filtered is None:
        query = compile_jsonpath(source)
        return lambda names: len(query.all(names["body"]))
    try:
        lists = compile_jsonpath(filtered)
    except ExpressionError:
        return lambda _names: None  # such as that of `$..[?@.role]`, which filters wherever it can
    return lambda names: sum(len(f) for f in lists.all(names["body"]) if isinstance(f, list | dict))


def _counted(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, list | tuple | dict):
        return len(value)
    raise CannotEvaluate("what is found is no list and no number")


def _length(value: Any, fields: tuple[str, ...]) -> int | None:
    for field in fields:
        value = value.get(field) if isinstance(value, dict) else None
    return len(value) if isinstance(value, list | dict) else None
