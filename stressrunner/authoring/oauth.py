"""Where access tokens come from: a path of the target, or another host that a scenario has to name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from stressrunner.authoring.draft import DraftRequest, Notes

__all__ = ["with_token_hosts"]


def with_token_hosts(
    requests: Sequence[DraftRequest], base_url: str, notes: Notes
) -> tuple[list[DraftRequest], tuple[str, ...]]:
    """Return requests whose token URLs below the base are paths of it, and the other hosts of token URLs."""
    hosts: list[str] = []
    found = []
    for request in requests:
        auth = request.auth
        if auth is not None and "oauth2" in auth:
            auth = _placed(auth, base_url, hosts)
        found.append(replace(request, auth=auth))
    for host in dict.fromkeys(hosts):
        notes.add(
            "",
            f"access tokens come from {host}, which is added to target.allow_hosts; look at it before a run",
        )
    return found, tuple(dict.fromkeys(hosts))


def _placed(auth: Mapping[str, Any], base_url: str, hosts: list[str]) -> Mapping[str, Any]:
    url = auth["oauth2"]["token_url"]
    if base_url and url.startswith(f"{base_url}/"):
        return {"oauth2": {**auth["oauth2"], "token_url": url.removeprefix(base_url)}}
    host = None if url.startswith("/") else urlsplit(url).hostname
    hosts += [host] if host else []
    return auth
