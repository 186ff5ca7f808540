"""Text as HTML: templates, tables and lists of facts. Whatever comes from a result is escaped here."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stressrunner.reports.table import Fact, Table

__all__ = ["facts", "fill", "table"]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("stressrunner", "reports/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(template: str, **names: Any) -> Markup:
    """Return a template of `reports/templates`, filled in."""
    # It is our own, and everything in it was escaped when it was filled in.
    return Markup(_environment().get_template(template).render(names))  # noqa: S704


def facts(rows: Iterable[Fact]) -> Markup:
    """Return labelled values as a list."""
    return fill("facts.html.j2", rows=tuple(rows))


def table(rows: Table, *, captioned: bool = True, sortable: bool = False) -> Markup:
    """Return a table with its notes; without a visible caption where a heading says the same.

    A table that can be sorted has no notes below its rows.
    """
    return fill("table.html.j2", table=rows, captioned=captioned, sortable=sortable)
