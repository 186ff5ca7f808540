"""What the schema cannot say of the target: URLs that lead somewhere, and transports that can be had."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from stressrunner.demo.options import DemoOptions
from stressrunner.errors import Diagnostic
from stressrunner.http.origin import origin_of
from stressrunner.http.proxy import unencoded
from stressrunner.scenario.placeholders import SHORTEST_SECRET
from stressrunner.scenario.source import Node, node_at

__all__ = ["check_target", "problem_of_http", "proxy_secrets"]

#: Message and hint.
_Problem = tuple[str, str]
_URLS_LIKE: Mapping[str, str] = MappingProxyType(
    {
        "http": "write it like 'http://127.0.0.1:8080'",
        "https": "write it like 'https://example.org'",
        "http+unix": "write the path of the socket as in 'http+unix://%2Ftmp%2Fapp.sock'",
    }
)


def check_target(root: Node, target: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield what does not fit together in the typed `target` of a scenario with these nodes."""
    url, proxy = target.get("base_url"), target.get("proxy")
    problems: dict[str, _Problem | None] = {}
    if isinstance(url, str) and url:
        problems["base_url"] = _problem_of_url(url)
    if isinstance(proxy, str) and proxy:
        problems["proxy"] = _problem_of_proxy(proxy, str(url))
    if target.get("http") == 2:
        is_proxied = proxy is not None
        problems["http"] = problem_of_http(str(url), is_proxied=is_proxied, has_package=_has_http2())
    for key, problem in problems.items():
        if problem is not None:
            yield node_at(root, ("target", key)).diagnostic(*problem)


def proxy_secrets(value: Any) -> tuple[str, ...]:
    """Return the password in the proxy's URL of a typed scenario, which is a secret however it came there."""
    target = value.get("target") if isinstance(value, dict) else None
    proxy = target.get("proxy") if isinstance(target, dict) else None
    try:
        password = urlsplit(proxy).password if isinstance(proxy, str) else None
    except ValueError:
        return ()
    return (unquote(password),) if password and len(password) >= SHORTEST_SECRET else ()


def _has_http2() -> bool:
    return find_spec("hpack") is not None


def _problem_of_url(url: str) -> _Problem | None:
    if "{{" in url:
        return (
            "'base_url' is the same for all requests, so it has no '{{ }}'",
            "put the template expression into the path",
        )
    if url.startswith("demo:"):
        try:
            DemoOptions.parse(url)
        except ValueError as error:
            return f"'base_url': {error}", ""
        return None
    if "://" not in url:
        return f"'{url}' has no scheme", f"write 'http://{url}'"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"'base_url': {error}", ""
    if parts.scheme not in _URLS_LIKE:
        return f"the scheme '{parts.scheme}' is not known", "schemes are http, https, http+unix and demo"
    if not parts.hostname or port == 0:
        return f"'{url}' names no host", _URLS_LIKE[parts.scheme]
    return _problem_of_parts(url, parts)


def _problem_of_parts(url: str, parts: SplitResult) -> _Problem | None:
    if parts.username is not None:
        return "'base_url' takes no user and password", "send them in a header"
    if parts.query or parts.fragment:
        return "'base_url' is a prefix, so it ends before '?' and '#'", "use 'query' of an endpoint"
    try:
        origin_of(url)
    except ValueError as error:
        return f"'base_url': {error}", ""
    return None


def _problem_of_proxy(proxy: str, url: str) -> _Problem | None:
    if problem := unencoded(proxy):
        return f"'proxy': {problem}", ""
    try:
        parts = urlsplit(proxy)
        port = parts.port
    except ValueError as error:
        return f"'proxy': {error}", ""
    if parts.scheme not in ("http", "https"):
        return "'proxy' wants the URL of an HTTP proxy", "write it like 'http://127.0.0.1:3128'"
    if not parts.hostname or port == 0:
        return "'proxy' names no host", "write it like 'http://127.0.0.1:3128'"
    if parts.password and len(parts.password) < SHORTEST_SECRET:
        return (
            f"the password of the proxy has fewer than {SHORTEST_SECRET} characters, too few to be masked",
            "",
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "the URL of a proxy ends after its port", "the path belongs to 'base_url'"
    return _unproxied(url)


def _unproxied(url: str) -> _Problem | None:
    """Return why a target cannot lie behind a proxy."""
    if url.startswith("demo:"):
        return "no proxy leads to the embedded target", "remove 'proxy', or name another 'base_url'"
    if url.startswith("http+unix:"):
        return "no proxy leads to a Unix socket", "remove 'proxy', or name another 'base_url'"
    return None


def problem_of_http(url: str, *, is_proxied: bool, has_package: bool) -> _Problem | None:
    """Return message and hint where `http: 2` cannot be spoken with the target at `url`.

    `has_package` says whether the package is there that speaks it.
    """
    if url.startswith("demo:"):
        return "the embedded target speaks HTTP/1.1 alone", "remove 'http', or name another 'base_url'"
    if url.startswith("http+unix:"):
        return "HTTP/2 is not spoken over Unix sockets", "remove 'http', or name another 'base_url'"
    if is_proxied and not url.startswith("https:"):
        return "through a proxy HTTP/2 is spoken with https targets alone", "remove 'http' or 'proxy'"
    if not has_package:
        return "HTTP/2 needs the package hpack", "install it with: pip install 'stressrunner[http2]'"
    return None
