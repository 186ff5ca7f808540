"""Counts of durations in log-linear buckets: mergeable, bounded in size, off by at most 0.1 % or 1 µs.

The layout is HdrHistogram's at three significant digits (https://hdrhistogram.org), on microseconds: values below
2,048 µs have a bucket each, above that every power of two is divided into 1,024:

    b = max(0, bit_length(v) - 11)    index = (b << 10) + (v >> b)

A duration that never ended is counted in `never` and ranks after every other one.
"""

import base64
import zlib
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, sqrt
from operator import mul

__all__ = ["Histogram"]

_NS_PER_US = 1000


def _index(value_us: int) -> int:
    """Return the bucket of a value in microseconds: the layout above."""
    b = value_us.bit_length() - 11
    return (b << 10) + (value_us >> b) if b > 0 else value_us


def _middle_us(index: int) -> float:
    """Return the middle of a bucket, in microseconds: the layout above, backwards."""
    if index < 2048:
        return float(index)
    b = (index >> 10) - 1
    return float(((index - (b << 10)) << b) + ((1 << b) - 1) / 2)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varints(encoded: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in encoded:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


class Histogram:
    """A live, mergeable histogram of nanoseconds.

    min, max, mean and standard deviation are exact: sums are kept as whole numbers of any size.
    """

    __slots__ = ("count", "counts", "max_ns", "min_ns", "never", "sum_ns", "sum_squares")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}  #: bucket index to how many
        self.count = 0  #: durations that ended
        self.never = 0  #: durations that did not
        self.min_ns: int | None = None
        self.max_ns: int | None = None
        self.sum_ns = 0
        self.sum_squares = 0  #: of nanoseconds

    def record(self, ns: int) -> None:
        """Count one duration in nanoseconds; below zero counts as zero."""
        self.extend([ns])

    def extend(self, durations_ns: list[int]) -> None:
        """Count many durations in nanoseconds, at a third of the cost of one by one; below zero counts as zero."""
        if not durations_ns:
            return
        low, high = min(durations_ns), max(durations_ns)
        if low < 0:
            durations_ns = [max(0, ns) for ns in durations_ns]
            low, high = max(0, low), max(0, high)
        if low == high:  # such as the queue of those that did not wait
            self._add(low, len(durations_ns))
            return
        counts = self.counts
        for value_us, n in Counter([(ns + 500) // 1000 for ns in durations_ns]).items():
            index = _index(value_us)
            counts[index] = counts.get(index, 0) + n
        self.count += len(durations_ns)
        self.sum_ns += sum(durations_ns)
        self.sum_squares += sum(map(mul, durations_ns, durations_ns))
        self.min_ns = low if self.min_ns is None else min(self.min_ns, low)
        self.max_ns = high if self.max_ns is None else max(self.max_ns, high)

    def _add(self, ns: int, times: int) -> None:
        """Count one duration in nanoseconds so many times."""
        index = _index((ns + 500) // 1000)
        self.counts[index] = self.counts.get(index, 0) + times
        self.count += times
        self.sum_ns += ns * times
        self.sum_squares += ns * ns * times
        self.min_ns = ns if self.min_ns is None else min(self.min_ns, ns)
        self.max_ns = ns if self.max_ns is None else max(self.max_ns, ns)

    def take_off(self, part: "Histogram") -> None:
        """Take off durations that were counted before; where the ends go with them, buckets say what they are now."""
        for index, n in part.counts.items():
            left = self.counts[index] - n
            if left:
                self.counts[index] = left
            else:
                del self.counts[index]
        self.count -= part.count
        self.never -= part.never
        self.sum_ns -= part.sum_ns
        self.sum_squares -= part.sum_squares
        if not self.counts:
            self.min_ns = self.max_ns = None
            return
        if part.min_ns is not None and part.min_ns == self.min_ns:
            self.min_ns = round(self._within(_middle_us(min(self.counts)) * _NS_PER_US))
        if part.max_ns is not None and part.max_ns == self.max_ns:
            self.max_ns = round(self._within(_middle_us(max(self.counts)) * _NS_PER_US))

    def record_never(self) -> None:
        """Count a duration that did not end in time."""
        self.never += 1

    def merge(self, other: "Histogram") -> None:
        """Add everything that another histogram has counted."""
        for index, n in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + n
        self.count += other.count
        self.never += other.never
        self.sum_ns += other.sum_ns
        self.sum_squares += other.sum_squares
        if other.min_ns is not None:
            self.min_ns = other.min_ns if self.min_ns is None else min(self.min_ns, other.min_ns)
        if other.max_ns is not None:
            self.max_ns = other.max_ns if self.max_ns is None else max(self.max_ns, other.max_ns)

    def percentile_s(self, percent: float) -> float | None:
        """Return the nearest-rank percentile in seconds.

        None when nothing was counted, or when the rank falls among those that never ended.
        """
        # As the percentage is written: 99.9 % of ten million is rank 9,990,000, and floats make it one more.
        rank = max(1, ceil(Fraction(str(percent)) * (self.count + self.never) / 100))
        if rank > self.count:
            return None
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= rank:
                return self._within(_middle_us(index) * _NS_PER_US) / 1e9
        raise AssertionError("buckets hold fewer durations than were counted")

    def _within(self, ns: float) -> float:
        """Keep a bucket's middle inside what was really seen."""
        return min(max(ns, float(self.min_ns or 0)), float(self.max_ns or 0))

    def share_over(self, limit_s: float) -> float:
        """Return the part of all durations that exceeded a limit in seconds; those that never ended did."""
        total = self.count + self.never
        if total == 0:
            return 0.0
        limit_ns = limit_s * 1e9
        over = sum(
            n for index, n in self.counts.items() if self._within(_middle_us(index) * _NS_PER_US) > limit_ns
        )
        return (over + self.never) / total

    def values_us(self) -> Iterator[tuple[int, int]]:
        """Yield a whole number of microseconds in each bucket that is in use, and how many it holds."""
        for index, n in self.counts.items():
            yield int(_middle_us(index)), n

    @property
    def mean_s(self) -> float | None:
        """The mean of what ended, in seconds."""
        return self.sum_ns / self.count / 1e9 if self.count else None

    @property
    def stddev_s(self) -> float | None:
        """The population's standard deviation of what ended, in seconds."""
        if not self.count:
            return None
        # Wplaceholder numbers until the last step, so that nothing cancels.
        return sqrt(max(0, self.count * self.sum_squares - self.sum_ns**2)) / self.count / 1e9

    def encode(self) -> str:
        """Return the histogram as text: base64 of zlib of varints (totals, then bucket gaps and counts)."""
        head = [self.count, self.never, self.sum_ns, self.sum_squares, self.min_ns or 0, self.max_ns or 0]
        body = bytearray(b"".join(map(_varint, head)))
        previous = 0
        for index in sorted(self.counts):
            body += _varint(index - previous) + _varint(self.counts[index])
            previous = index
        return base64.b64encode(zlib.compress(bytes(body), 9)).decode("ascii")

    @classmethod
    def decode(cls, text: str) -> "Histogram":
        """Read what `encode` wrote.

        Raises:
            ValueError: the text is not an encoded histogram, or its parts contradict each other.
        """
        try:
            numbers = list(_varints(zlib.decompress(base64.b64decode(text, validate=True))))
        except (ValueError, zlib.error) as error:
            raise ValueError(f"not an encoded histogram: {error}") from error
        if len(numbers) < 6 or len(numbers) % 2:
            raise ValueError("not an encoded histogram: it is cut short")
        histogram = cls()
        histogram.count, histogram.never, histogram.sum_ns, histogram.sum_squares, low, high = numbers[:6]
        index = 0
        for gap, n in zip(numbers[6::2], numbers[7::2], strict=True):
            index += gap
            histogram.counts[index] = n
        if sum(histogram.counts.values()) != histogram.count or low > high:
            raise ValueError("not an encoded histogram: its parts contradict each other")
        if histogram.count:
            histogram.min_ns, histogram.max_ns = low, high
        return histogram
