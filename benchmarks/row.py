"""A row of the table: what is measured, what is to be reached, and what was found."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.peers import NGINX
from benchmarks.processes import CommandFailed
from benchmarks.servers import Nginx, nginx

#: Whether a row reached what it should; "least" is the weaker of two limits.
Met = Literal["yes", "least", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Bench:
    """How a measurement is to be made."""

    tools: Path  #: where programs are looked for first
    quick: bool = False  #: short runs, to see that everything works; the figures mean little

    def length(self, full: int) -> int:
        """Return a number of requests or seconds: all of it, or a tenth when quick, and one at least."""
        return max(1, full // 10) if self.quick else full

    def rounds(self, full: int) -> int:
        """Return how often a measurement is repeated: once when quick."""
        return 1 if self.quick else full

    @contextmanager
    def nginx(self) -> Iterator[Nginx]:
        """Run nginx.

        Raises:
            CommandFailed: it is not installed.
        """
        program = NGINX.locate(self.tools)
        if program is None:
            raise CommandFailed(NGINX.advice(self.tools))
        with nginx(program) as server:
            yield server


@dataclass(frozen=True, slots=True)
class Finding:
    """What a row measured."""

    measured: str  #: in a few words
    met: Met
    figures: dict[str, Any] = field(default_factory=dict)  #: all that was measured, for JSON


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table."""

    name: str
    what: str
    reach: str
    measure: Callable[[Bench], Finding]


def within(value: float, limit: float, least: float | None = None) -> Met:
    """Return whether a value is at most a limit, or at most a weaker one."""
    if value <= limit:
        return "yes"
    return "least" if least is not None and value <= least else "no"


def worst(judged: list[Met]) -> Met:
    """Return the least favourable of several; unknown when nothing was judged."""
    order: list[Met] = ["no", "unknown", "least", "yes"]
    return min(judged, key=order.index, default="unknown")


def tell(text: str) -> None:
    """Tell whoever waits what is going on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
