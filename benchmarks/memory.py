"""Rows on memory: many users, and many requests."""

import time

from benchmarks.peers import command_line, run_stressrunner
from benchmarks.processes import CommandFailed, resident_bytes
from benchmarks.row import Bench, Finding, Row, within
from benchmarks.servers import Nginx

_MB = 1_000_000


class Sizes:
    """Keeps the largest size of the client, with all its processes."""

    def __init__(self) -> None:
        self.most = 0  #: bytes

    def __call__(self, pid: int) -> None:
        """Look at the client."""
        self.most = max(self.most, resident_bytes(pid))


class Watcher:
    """Notes twice a second how many requests the server has had and how large the client is."""

    def __init__(self, server: Nginx) -> None:
        self._server = server
        self._calls = 0
        self._before = server.counted()
        self._next_s = 0.0
        self.samples: list[tuple[int, int]] = []  #: requests, resident bytes

    def __call__(self, pid: int) -> None:
        """Take a sample when it is time for one."""
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + 0.5
        self._calls += 1
        requests, size = self._server.counted() - self._before - self._calls, resident_bytes(pid)
        if size:
            self.samples.append((requests, size))


def growth_bytes(samples: list[tuple[int, int]], start: int, end: int) -> int:
    """Return how much larger a process is when it has sent `end` requests than when it had sent `start`.

    The first sample at or after `start` is compared with the last one before `end`, while the load still runs.

    Raises:
        ValueError: no two samples are between them.
    """
    between = [size for requests, size in samples if start <= requests < end]
    if len(between) < 2:
        raise ValueError(f"{len(between)} samples between {start} and {end} requests")
    return between[-1] - between[0]


def thinned(samples: list[tuple[int, int]], most: int = 40) -> list[tuple[int, int]]:
    """Return evenly chosen samples, about so many at the most: enough to see a trend."""
    return samples[:: max(1, -(-len(samples) // most))]


def _users(bench: Bench) -> Finding:
    users = bench.length(10_000)
    load = {"load.concurrency": users, "load.duration": f"{bench.length(20)}s"}
    with bench.nginx() as server:
        sizes = Sizes()
        _, result = run_stressrunner(command_line(), "users", server.url, load, watch=sizes)
    connected = result["totals"]["connect"]["count"]
    if connected < users:
        raise CommandFailed(f"only {connected} of {users} users connected")
    size = sizes.most
    figures = {"users": users, "max_resident_bytes": size, "sent": result["totals"]["sent"]}
    return Finding(f"{size / _MB:.0f} MB", within(size, 200 * _MB), figures)


def _growth(bench: Bench) -> Finding:
    start, end = bench.length(1_000_000), bench.length(5_000_000)
    with bench.nginx() as server:
        watcher = Watcher(server)
        load = {"load.requests": end}
        run_stressrunner(command_line(), "static", server.url, load, watch=watcher)
    grown = growth_bytes(watcher.samples, start, end)
    figures = {
        "from_requests": start,
        "to_requests": end,
        "grown_bytes": grown,
        "samples": thinned(watcher.samples),
    }
    return Finding(f"{grown / _MB:+.1f} MB", "yes" if grown < 5 * _MB else "no", figures)


ROWS = (
    Row("memory_users", "10,000 users connected and sending", "at most 200 MB resident", _users),
    Row(
        "memory_growth",
        "resident memory between 1 million and 5 million requests",
        "grows by less than 5 MB",
        _growth,
    ),
)
