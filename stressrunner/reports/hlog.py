"""The hlog report: response times as an HdrHistogram log (version 1.3), which the usual tools read and draw.

    #[StartTime: 1790000000.000 (seconds since epoch), 2026-09-21T14:13:20+00:00]
    "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
    0.000,30.120,412.305,HISTFAAAA...                       a measured phase
    Tag=warmup:ramp,0.000,5.000,300.102,HISTFAAAA...        a phase that warms up
    Tag=agent_run,0.000,35.120,412.305,HISTFAAAA...         an endpoint, all measured phases together

Lines without a tag add up to what the run measured, and are what tools take by default. Timestamps are seconds after the
load began, Interval_Max is in milliseconds, and the values are nanoseconds, as tools expect. What never ended has no
place in such a histogram; a comment counts it.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime

from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.summary import Latency
from stressrunner.result.model import Result
from stressrunner.spelling import printable

__all__ = ["encoded", "render"]

_NO_TAG = re.compile(r"[,\s]")  # where a tag or its line would end
_COOKIE = 0x1C849313  # V2, words of one byte
_COMPRESSED_COOKIE = 0x1C849314
_DIGITS = 3
_LEAST_RANGE_NS = 3_600_000_000_000  # an hour, which readers need not stretch when they add intervals up


def render(result: Result) -> str:
    """Return the log."""
    lines = [
        f"#[Logged by stressrunner {printable(result.run.version)}, run {printable(result.run.id)}]",
        "#[Histogram log format version 1.3]",
        *_times(result.run.started_at),
        f"#[Response times in nanoseconds; {_never(result.totals.response_time)}]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
        *_intervals(result),
    ]
    return "\n".join(lines) + "\n"


def _times(started_at: str) -> Iterator[str]:
    epoch_s = datetime.fromisoformat(started_at).timestamp()
    yield f"#[StartTime: {epoch_s:.3f} (seconds since epoch), {started_at}]"
    yield f"#[BaseTime: {epoch_s:.3f} (seconds since epoch)]"


def _never(times: Latency) -> str:
    if not times.never:
        return "every request ended"
    return f"{times.never} requests never ended or were dropped, and are in no interval"


def _intervals(result: Result) -> Iterator[str]:
    for phase in result.phases:
        tag = f"warmup:{phase.name}" if phase.warmup else ""
        yield _interval(tag, phase.started_at_s, phase.duration_s, phase.totals.response_time)
    for name, stats in result.endpoints.items():
        yield _interval(name, 0.0, result.run.duration_s, stats.response_time)


def _interval(tag: str, at_s: float, duration_s: float, times: Latency) -> str:
    named = f"Tag={printable(_NO_TAG.sub('_', tag))}," if tag else ""
    max_ms = 1000 * (times.max_s or 0.0)
    return f"{named}{at_s:.3f},{duration_s:.3f},{max_ms:.3f},{encoded(times.distribution)}"


def encoded(histogram: Histogram) -> str:
    """Return what ended of a histogram in HdrHistogram's compressed V2 encoding, as base64.

    The buckets of HdrHistogram at three digits are those of `Histogram`, only that these are of nanoseconds.
    """
    counts: dict[int, int] = {}
    for value_us, n in histogram.values_us():
        index = _index(min(max(value_us * 1000, histogram.min_ns or 0), histogram.max_ns or 0))
        counts[index] = counts.get(index, 0) + n
    payload = b"".join(map(_zigzag, _runs(counts)))
    highest_ns = max(_LEAST_RANGE_NS, 2 * (histogram.max_ns or 0))
    head = struct.pack(">iiiiqqd", _COOKIE, len(payload), 0, _DIGITS, 1, highest_ns, 1.0)
    packed = zlib.compress(head + payload)
    return base64.b64encode(struct.pack(">ii", _COMPRESSED_COOKIE, len(packed)) + packed).decode("ascii")


def _index(value_ns: int) -> int:
    b = max(0, value_ns.bit_length() - 11)
    return (b << 10) + (value_ns >> b)


def _runs(counts: dict[int, int]) -> Iterator[int]:
    """Yield the counts of all buckets up to the last one in use; several empty ones are a number below zero."""
    following = 0
    for index in sorted(counts):
        empty = index - following
        if empty:
            yield -empty if empty > 1 else 0
        yield counts[index]
        following = index + 1


def _zigzag(number: int) -> bytes:
    """Write a number with its sign in the lowest bit, in groups of seven bits."""
    rest = number << 1 if number >= 0 else (-number << 1) - 1
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
