"""What the schema cannot say of `auth`: that tokens come from a host that requests may go to."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from stressrunner.errors import Diagnostic
from stressrunner.http.hosts import Hosts, listed_host
from stressrunner.http.origin import origin_of
from stressrunner.scenario.requests import requests_in
from stressrunner.scenario.source import Node, Path, node_at

__all__ = ["check_auth"]

_EMBEDDED = "http://127.0.0.1"


def check_auth(root: Node, value: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield the token URLs of a typed scenario, its target and its requests, that lead to a host not allowed."""
    hosts = _hosts(target)
    holders: list[tuple[Path, Any]] = [(("target",), target)]
    holders += requests_in(value)
    for path, holder in holders:
        url = _token_url(holder)
        host = urlsplit(url).hostname if url.startswith(("http://", "https://")) else None
        if hosts is not None and host and not hosts.allow(host):
            yield node_at(root, (*path, "auth", "oauth2", "token_url")).diagnostic(
                f"{host} is neither the target's host nor among target.allow_hosts",
                f"write 'allow_hosts: [{host}]' under target, if tokens come from there",
            )


def _hosts(target: Mapping[str, Any]) -> Hosts | None:
    """Return the hosts that requests may go to; None where the target has mistakes."""
    url, listed = target.get("base_url"), target.get("allow_hosts", [])
    try:
        origin = origin_of(_EMBEDDED if str(url).startswith("demo:") else str(url))
        return Hosts(origin.host, tuple(map(listed_host, listed)))
    except (ValueError, TypeError, AttributeError):
        return None


def _token_url(holder: Any) -> str:
    for key in ("auth", "oauth2", "token_url"):
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder if isinstance(holder, str) else ""
