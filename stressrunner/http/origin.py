"""Where a request goes: scheme, host and port of a base URL, and what a request's target means beside it."""

import os
import socket
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

__all__ = ["Origin", "locate", "origin_of"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNIX = "http+unix"
_LONGEST_SOCKET = 107  #: bytes in the path of a Unix socket on Linux


class Origin(NamedTuple):
    """Scheme, host and port, or the path of a Unix socket: what a connection is good for."""

    scheme: str  #: "http" or "https"
    host: str  #: a name in its ASCII form, or an address without brackets
    port: int
    socket: str = ""  #: path of a Unix socket that is connected to instead of host and port

    @property
    def authority(self) -> str:
        """Value of the Host header: IPv6 addresses in brackets, the default port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def address(self) -> str:
        """Host and port for messages, the port always named; or the path of the socket."""
        if self.socket:
            return self.socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The origin as a URL without a path."""
        if self.socket:
            return f"{_UNIX}://{quote(self.socket, safe='')}"
        return f"{self.scheme}://{self.authority}"


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute URL; path, query and user are left out.

    The host of an `http+unix` URL is the percent-encoded path of a Unix socket.

    Raises:
        ValueError: the URL is not an http or https URL with a host and a valid port, or names no socket.
    """
    parts = urlsplit(url)
    if parts.scheme == _UNIX:
        return _socket_origin(url, unquote(parts.netloc))
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"{url!r} is not an http or https URL")
    if not parts.hostname:
        raise ValueError(f"{url!r} has no host")
    host = parts.hostname
    if ":" not in host:  # else an IPv6 address
        host = host.encode("idna").decode("ascii")
    return Origin(parts.scheme, host, _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port)


def _socket_origin(url: str, path: str) -> Origin:
    if not hasattr(socket, "AF_UNIX"):
        raise ValueError("this system has no Unix sockets")
    if not path or "\0" in path:
        raise ValueError(f"{url!r} names no socket")
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        raise ValueError(f"the path of a socket has at most {_LONGEST_SOCKET} bytes")
    return Origin("http", "localhost", _DEFAULT_PORTS["http"], path)


def locate(target: str, base: Origin) -> tuple[Origin, str]:
    """Return the origin to ask and the origin-form path for a request's target.

    A path (and the `*` of OPTIONS) goes to the base; a whole URL to the origin that it names.

    Raises:
        ValueError: the target is neither.
    """
    if target.startswith("/") or target == "*":
        return base, target
    origin = origin_of(target)
    parts = urlsplit(target)
    path = parts.path or "/"
    return origin, f"{path}?{parts.query}" if parts.query else path
