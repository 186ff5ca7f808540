"""A part of the HTML page, which a module of its own can bring along."""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from stressrunner.result.model import Result

__all__ = ["Section"]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under a heading; the page's index leads to it."""

    anchor: str  #: its identifier on the page
    title: str
    body: Callable[[Result], Markup]  #: what stands under the heading; without anything the part is left out
