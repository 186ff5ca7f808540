"""The sink as others use it: a process of its own, so that it never shares the loop that generates the load."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio.to_thread

from stressrunner.hosting import Hosted, hosted
from stressrunner.sink.log import SinkLog
from stressrunner.sink.options import SinkOptions

__all__ = ["RunningSink", "running_sink"]

_TITLE = "the sink"
_ANSWERED_WITHIN_S = 30.0


class RunningSink:
    """A sink, answering."""

    def __init__(self, process: Hosted) -> None:
        self.base_url = process.base_url  #: http://127.0.0.1:PORT
        self.pid = process.pid

    @property
    def completions_url(self) -> str:
        """What clients of OpenAI's API are given as its base URL."""
        return f"{self.base_url}/v1"

    async def log(self) -> SinkLog:
        """Return what the sink has seen so far.

        Raises:
            OSError: it does not answer any more.
        """
        return await anyio.to_thread.run_sync(self._read_log)

    def _read_log(self) -> SinkLog:
        from http.client import HTTPConnection, HTTPException  # noqa: PLC0415  for those who have a sink

        connection = HTTPConnection(urlsplit(self.base_url).netloc, timeout=_ANSWERED_WITHIN_S)
        try:
            connection.request("GET", "/log")
            return SinkLog.from_json(json.loads(connection.getresponse().read()))
        except HTTPException as ended:
            raise OSError(f"{_TITLE} does not answer: {ended!r}") from None
        finally:
            connection.close()


@asynccontextmanager
async def running_sink(options: SinkOptions) -> AsyncIterator[RunningSink]:
    """Keep a sink running; it is gone when this is left.

    Raises:
        HostingFailed: it did not start, for instance because its port is taken.
    """
    async with hosted(_TITLE, "stressrunner.sink", options.arguments()) as process:
        yield RunningSink(process)
