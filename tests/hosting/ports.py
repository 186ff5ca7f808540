"""Ports of loopback for those who have to be told one beforehand."""

import socket

__all__ = ["free_port"]


def free_port() -> int:
    """Return a port that nothing listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
