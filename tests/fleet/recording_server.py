"""A small HTTP server that remembers every request, in a thread of its own."""

import asyncio
import threading
from collections import Counter
from contextlib import contextmanager


class RecordingServer:
    """Answers everything with `{}` after a while, and counts what came by method, target and body."""

    def __init__(self, delay_s: float) -> None:
        self.url = ""
        self.requests: Counter[tuple[str, str, bytes]] = Counter()
        self.most_connections = 0
        self._connections = 0
        self._delay_s = delay_s
        self._arrived = threading.Condition()

    def wait_for(self, total: int) -> None:
        """Return when so many requests have come, or fail after 20 s."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.requests.total() >= total, 20)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self._connections += 1
        self.most_connections = max(self.most_connections, self._connections)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split(" ", 2)
                length = head.lower().partition("content-length:")[2].partition("\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                with self._arrived:
                    self.requests[method, target, body] += 1
                    self._arrived.notify_all()
                await asyncio.sleep(self._delay_s)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections -= 1
            writer.transport.abort()


@contextmanager
def recording_server(delay_s: float = 0.002):
    """Serve on a free loopback port until this is left."""
    server = RecordingServer(delay_s)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def main(ended: asyncio.Event) -> None:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
            server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            ready.set()
            await ended.wait()
            serving = asyncio.all_tasks() - {asyncio.current_task()}
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)
            await asyncio.sleep(0)  # in which the connections are closed

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(main(ended),))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
