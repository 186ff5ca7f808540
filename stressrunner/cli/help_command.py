"""`stressrunner help`: the documentation that comes with the package, by page or by section."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import click

from stressrunner.errors import UsageError
from stressrunner.spelling import did_you_mean

__all__ = ["show_help"]

_HEADING = re.compile(r"^(?P<level>#{1,4}) (?P<title>.+)$")
_INTERNAL = ("decisions",)  # for those who work on stressrunner itself


class _Section(NamedTuple):
    anchor: str
    first: int  #: of its lines
    last: int


def show_help(topic: str | None) -> None:
    """Show a page or a section of the documentation; without a topic, which pages there are.

    Raises:
        UsageError: there is no such page or section.
    """
    pages = dict(_pages())
    if topic is None:
        width = max(map(len, pages))
        for name, text in sorted(pages.items()):
            click.echo(f"{name.ljust(width)}  {text.splitlines()[0].lstrip('# ')}")
        click.echo("\nstressrunner help PAGE shows a page, and PAGE#SECTION or SECTION a part of one")
        return
    click.echo(_found(topic, pages), nl=False)


def _pages() -> Iterator[tuple[str, str]]:
    for page in files("stressrunner.documentation").iterdir():
        name = page.name.removesuffix(".md")
        if page.name.endswith(".md") and name not in _INTERNAL:
            yield name, page.read_text("utf-8")


def _found(topic: str, pages: dict[str, str]) -> str:
    page, _, anchor = topic.removeprefix("docs/").lower().partition("#")
    page = page.removesuffix(".md")
    if page in pages and not anchor:
        return pages[page]
    wanted = [page] if page in pages else sorted(pages)
    sought = anchor or page
    for name in wanted:
        lines = pages[name].splitlines()
        for section in _sections(lines):
            if section.anchor == sought and (page in pages or not anchor):
                return "\n".join(lines[section.first : section.last]).rstrip() + "\n"
    known = [*pages, *(section.anchor for name in wanted for section in _sections(pages[name].splitlines()))]
    hint = did_you_mean(sought, known) or f"pages are {', '.join(sorted(pages))}"
    raise UsageError(f"there is no help on '{topic}'; {hint}")


def _sections(lines: list[str]) -> Iterator[_Section]:
    """Yield the sections of a page; a comment in an example is no heading."""
    found: list[tuple[int, int, str]] = []
    fenced = False
    for number, line in enumerate(lines):
        fenced ^= line.startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading is not None:
            found.append((number, len(heading["level"]), heading["title"]))
    for i, (number, level, title) in enumerate(found):
        last = next((n for n, other, _ in found[i + 1 :] if other <= level), len(lines))
        yield _Section(_anchor(title), number, last)


def _anchor(title: str) -> str:
    """Return the name of a section as links have it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
