"""Opening a connection: several addresses (RFC 8305), TLS, and what went wrong in the terms of an exchange."""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from stressrunner.http.failures import ExchangeFailed, connect_failure
from stressrunner.http.h1_resolver import Resolver
from stressrunner.http.origin import Origin

__all__ = ["dial"]

#: How long one address may take before the next one is tried beside it.
_HEAD_START_S = 0.25


#: What talks over the connection.
D = TypeVar("D", bound=asyncio.Protocol)


async def dial(
    origin: Origin, tls: ssl.SSLContext | None, protocol: Callable[[], D], resolver: Resolver
) -> D:
    """Open a connection to `origin` and return its protocol; TLS is spoken with https only, which needs `tls`.

    Raises:
        ExchangeFailed: there is no connection.
    """
    try:
        if origin.socket:
            _, connected = await asyncio.get_running_loop().create_unix_connection(protocol, origin.socket)
            return connected
        hosts = await resolver.addresses(origin)
        if len(hosts) == 1:
            return (await _connect(hosts[0], origin, tls, protocol))[1]
        return await _first_of(hosts, origin, tls, protocol)
    except (OSError, ExceptionGroup) as error:
        raise ExchangeFailed(connect_failure(error, origin)) from error


async def _connect(
    host: str, origin: Origin, tls: ssl.SSLContext | None, protocol: Callable[[], D]
) -> tuple[asyncio.Transport, D]:
    is_tls = origin.scheme == "https"
    return await asyncio.get_running_loop().create_connection(
        protocol,
        host,
        origin.port,
        ssl=tls if is_tls else None,
        server_hostname=origin.host if is_tls else None,
    )


async def _first_of(
    hosts: list[str], origin: Origin, tls: ssl.SSLContext | None, protocol: Callable[[], D]
) -> D:
    """Try addresses one after the other, each with a head start; the first connection wins.

    Raises:
        ExceptionGroup: what went wrong at each address, when all have failed.
    """
    attempts: set[asyncio.Task[tuple[asyncio.Transport, D]]] = set()
    errors: list[Exception] = []
    waiting = list(reversed(hosts))
    try:
        while attempts or waiting:
            if waiting:
                attempts.add(asyncio.create_task(_connect(waiting.pop(), origin, tls, protocol)))
            head_start_s = _HEAD_START_S if waiting else None
            ended, attempts = await asyncio.wait(
                attempts, timeout=head_start_s, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in ended:
                if isinstance(error := attempt.exception(), Exception):
                    errors.append(error)
                else:
                    attempts |= ended - {attempt}
                    return attempt.result()[1]
        raise ExceptionGroup("no address could be reached", errors)
    finally:
        for attempt in attempts:
            attempt.add_done_callback(_discard)
            attempt.cancel()


def _discard(attempt: "asyncio.Task[tuple[asyncio.Transport, D]]") -> None:
    """Close the connection of an attempt that came second; its error does not matter any more."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result()[0].abort()
