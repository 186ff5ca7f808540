"""Durations in few buckets, for drawings: HdrHistogram's layout with four buckets for every power of two.

The formula is that of `histogram`, with 3 bits where there are 11, so that its buckets lie within these:

    b = max(0, bit_length(v) - 3)    index = (b << 2) + (v >> b)    v in whole microseconds

As text it is `INDEX:COUNT`, by index and separated by blanks, and at the end `never:COUNT` where some never ended:
`57:3 58:12 never:1`. A second of a run takes some 60 characters so, a fiftieth of its histogram.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stressrunner.metrics.histogram import Histogram

__all__ = ["Spread", "lower_edge_s"]

_TEXT = re.compile(r"(?:\d{1,3}:\d+(?: |$))*(?:never:\d+)?", re.ASCII)


def lower_edge_s(index: int) -> float:
    """Return where a bucket begins, in seconds; it ends where the next one begins."""
    if index < 8:
        return index / 1e6
    b = (index >> 2) - 1
    return ((index - (b << 2)) << b) / 1e6


@dataclass(frozen=True, slots=True)
class Spread:
    """How many durations fell into each bucket."""

    counts: Mapping[int, int]  #: bucket index to how many, none of them zero
    never: int  #: durations that did not end

    @classmethod
    def of(cls, histogram: Histogram) -> "Spread":
        """Sum the buckets of a histogram."""
        counts: dict[int, int] = {}
        for value_us, n in histogram.values_us():
            b = max(0, value_us.bit_length() - 3)
            index = (b << 2) + (value_us >> b)
            counts[index] = counts.get(index, 0) + n
        return cls(MappingProxyType(dict(sorted(counts.items()))), histogram.never)

    @classmethod
    def read(cls, text: str) -> "Spread":
        """Read what `text` returned.

        Raises:
            ValueError: it is something else.
        """
        if not _TEXT.fullmatch(text):
            raise ValueError("not a spread: expected 'INDEX:COUNT' by index, separated by blanks")
        pairs = [pair.split(":") for pair in text.split()]
        counts = {int(index): int(n) for index, n in pairs if index != "never"}
        never = next((int(n) for index, n in pairs if index == "never"), 0)
        return cls(MappingProxyType(counts), never)

    def text(self) -> str:
        """Return it as text; empty when nothing was counted."""
        pairs = [f"{index}:{n}" for index, n in self.counts.items()]
        return " ".join([*pairs, f"never:{self.never}"] if self.never else pairs)
