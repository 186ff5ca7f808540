"""A server in a process of its own: `python slow_server.py SERVICE_MS STATION_MS` prints its port, and serves until stdin ends.

It answers after SERVICE_MS, and serves one request at a time for STATION_MS before that: at a rate of r it is busy for
r x STATION_MS of its time, and sleeps in it, so that it takes no processor time from anybody.
"""

import asyncio
import sys


async def main(service_s: float, station_s: float) -> None:
    """Serve until stdin ends."""
    loop = asyncio.get_running_loop()
    free_s = 0.0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal free_s
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                free_s = max(free_s, loop.time()) + station_s
                await asyncio.sleep(free_s - loop.time() + service_s)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  to whoever started it
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*(float(argument) / 1000 for argument in sys.argv[1:3])))
