"""A server whose service times are known: `python -m benchmarks.target`, ended by SIGTERM.

It answers GET requests after a fixed time, one after the other or all at once, and writes down when each came and how
long it really took. One after the other, a request's service begins when it has come and the one before was answered:
end(i) = max(arrival(i), end(i - 1)) + service(i) holds exactly, whatever the timers did.
"""

import argparse
import asyncio
import contextlib
import json
import selectors
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.theory import thawed_s

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n" + b'{"success":true}'
)
_MOST_S = 600  #: it ends by itself when nobody ends it


@dataclass
class Service:
    """How long answers take, and the record of those that were given; times are monotonic seconds."""

    service_s: float
    alone: bool  #: one request after the other; otherwise all at once
    freeze: tuple[float, float] | None = None  #: after the first request: from, to
    arrived: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)  #: as `arrived`; -1 while unanswered
    cpu_first_s: float = 0.0
    cpu_last_s: float = 0.0
    answered_s: float = 0.0  #: when the last answer was given
    _free_s: float = 0.0  # when the one server is expected to be free

    def came(self, reply: Callable[[], None]) -> None:
        """Take a request; `reply` sends its answer."""
        now_s = time.monotonic()
        if not self.arrived:
            self.cpu_first_s = time.process_time()
            if self.freeze is not None:
                self.freeze = (now_s + self.freeze[0], now_s + self.freeze[1])
        number = len(self.arrived)
        self.arrived.append(now_s)
        self.took.append(-1.0)
        begins_s = max(now_s, self._free_s) if self.alone else now_s
        due_s = begins_s + self.service_s
        if self.freeze is not None:
            due_s = thawed_s(begins_s, self.service_s, self.freeze)
        if self.alone:
            self._free_s = due_s
        asyncio.get_running_loop().call_at(due_s, self._answer, number, reply)

    def _answer(self, number: int, reply: Callable[[], None]) -> None:
        reply()
        now_s = time.monotonic()
        begun_s = max(self.arrived[number], self.answered_s) if self.alone else self.arrived[number]
        self.took[number] = now_s - begun_s
        self.answered_s = now_s
        self.cpu_last_s = time.process_time()

    def record(self) -> dict[str, object]:
        """Return what happened, for JSON."""
        wall_s = self.answered_s - self.arrived[0] if self.arrived else 0.0
        return {
            "arrived_s": self.arrived,
            "service_s": self.took,
            "core": (self.cpu_last_s - self.cpu_first_s) / wall_s if wall_s else 0.0,
        }


class Connection(asyncio.Protocol):
    """Reads requests without a body, and answers them in order."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._rest = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError(transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand on every request that is complete."""
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in requests:
            self._service.came(partial(self._transport.write, _ANSWER))


class Awake(selectors.SelectSelector):
    """Looks for what is ready again and again and never waits: a server that has slept takes its time to wake up."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:  # noqa: ARG002
        """Return what is ready now."""
        return super().select(0)


async def serve(service: Service) -> None:
    """Serve on a free loopback port, printed on the first line, until SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), _MOST_S)
    server.close()


def main() -> None:
    """Serve as the arguments say, then write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service-s", type=float, required=True, help="time of an answer")
    parser.add_argument("--alone", action="store_true", help="answer one request after the other")
    parser.add_argument(
        "--freeze", type=float, nargs=2, metavar=("FROM_S", "TO_S"), help="stand still meanwhile"
    )
    parser.add_argument("--record", type=Path, required=True, help="the JSON file to write")
    parser.add_argument(
        "--awake", action="store_true", help="never sleep, so that no time is spent on waking up"
    )
    arguments = parser.parse_args()
    freeze = tuple(arguments.freeze) if arguments.freeze else None
    service = Service(arguments.service_s, arguments.alone, freeze)
    # select() waits to the microsecond, where epoll rounds up to the millisecond.
    loop = asyncio.SelectorEventLoop(Awake() if arguments.awake else selectors.SelectSelector())
    try:
        loop.run_until_complete(serve(service))
    finally:
        loop.close()
    arguments.record.write_text(json.dumps(service.record()), "utf-8")


if __name__ == "__main__":
    main()
