"""Requests compiled from endpoints: what does not change is computed once, the rest is filled in for each request."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from stressrunner.expressions import (
    CannotEvaluate,
    Template,
    compile_template,
    compile_value,
)
from stressrunner.expressions.environment import evaluation_errors, to_text
from stressrunner.http.exchange import Headers, Request
from stressrunner.plan.bodies import compile_body, pairs
from stressrunner.scenario.model import Endpoint

__all__ = ["RequestTemplate"]

Names = Mapping[str, Any]
# RFC 3986: reserved, unreserved, and escapes already made; not '#', which begins what is never sent.
_KEPT_IN_PATHS = "/:?[]@!$&'()*+,;=%-._~"
_WHOLE_URL = re.compile(r"https?://", re.IGNORECASE)
_FIELD_BREAK = re.compile(r"[\r\n\0]")
_COOKIE_BREAK = re.compile(r"[;\x00-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, token


def _escape_segment(text: str) -> str:
    """Encode what fills a hole so that it stays one path segment; dot segments would climb."""
    if text.isascii() and text.isalnum():
        return text
    return quote(text, safe="") if text not in (".", "..") else text.replace(".", "%2E")


def _path(template: Template, prefix: str) -> Callable[[Names], str]:
    if template.hole is not None:
        hole = template.hole

        def whole(names: Names) -> str:
            text = to_text(hole.evaluate(names)).partition("#")[0]
            if _WHOLE_URL.match(text):
                return quote(text, safe=_KEPT_IN_PATHS)
            return prefix + quote(text if text.startswith("/") else f"/{text}", safe=_KEPT_IN_PATHS)

        return whole
    parts = [quote(p, safe=_KEPT_IN_PATHS) if isinstance(p, str) else p for p in template.parts]
    first = parts[0] if isinstance(parts[0], str) else ""
    if not first.startswith("/") and not (prefix and first.startswith("?")):
        prefix += "/"
    if template.is_constant:
        path = prefix + "".join(p for p in parts if isinstance(p, str))
        return lambda _: path

    def joined(names: Names) -> str:
        return prefix + "".join(
            p if isinstance(p, str) else _escape_segment(to_text(p.evaluate(names))) for p in parts
        )

    return joined


def _header(name: str, text: str) -> tuple[str, str]:
    if _FIELD_BREAK.search(text):
        raise CannotEvaluate(f"the header {name!r} would hold a line break")
    return name, text


def _with_cookies(headers: Headers, cookies: Mapping[str, Template], names: Names) -> Headers:
    """Add cookies to header lines, behind those of a Cookie header that is there already; None leaves one out."""
    pairs = []
    for name, template in cookies.items():
        value = template.render(names)
        if value is None:
            continue
        text = to_text(value)
        if _COOKIE_BREAK.search(text):
            raise CannotEvaluate(f"the cookie {name!r} would hold a ';' or a line end")
        pairs.append(f"{name}={text}")
    given = [value for name, value in headers if name.lower() == "cookie"]
    line = "; ".join([*given, *pairs])
    others = tuple(header for header in headers if header[0].lower() != "cookie")
    return (*others, ("Cookie", line)) if line else headers


class RequestTemplate:
    """An endpoint, compiled.

    Raises ExpressionError when one of its texts makes no sense and ValueError when a header's name is not one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        prefix: str,
        shared_headers: Mapping[str, str],
        *,
        needs_body: bool = True,
        seed: int = 0,
    ) -> None:
        """Compile an endpoint.

        Args:
            endpoint: what is sent.
            prefix: the base URL's own path.
            shared_headers: the target's, under the endpoint's own.
            needs_body: whether anything is asked about the bodies of responses.
            seed: the run's.
        """
        path = compile_template(endpoint.path)
        self.follows_redirects = endpoint.follow_redirects
        #: whether a request may go to another host than the target's: by a redirect, or a path that is a whole URL
        self.may_leave = endpoint.follow_redirects or path.hole is not None
        self._needs_body = needs_body
        self._method = endpoint.method
        self._path = _path(path, prefix)
        self._query = compile_value(dict(endpoint.query)) if endpoint.query else None
        self._body = compile_body(endpoint.body, seed=seed, use=endpoint.name)
        self._timeout_s = endpoint.timeout.total_s
        self._connect_timeout_s = endpoint.timeout.connect_s
        self._fixed, self._filled = _headers(endpoint, shared_headers, self._body.content_type)
        self._cookies = {
            name: compile_template(text) for name, text in endpoint.cookies.items() if text is not None
        }
        #: the request itself, where every rendering is the same
        self.standing = self._rendered({})._replace(is_standing=True) if self._is_constant(endpoint) else None

    def _is_constant(self, endpoint: Endpoint) -> bool:
        """Return whether every rendering is the same request."""
        return (
            self._body.is_constant
            and compile_template(endpoint.path).is_constant
            and self._query is None
            and not self._filled
            and all(cookie.is_constant for cookie in self._cookies.values())
        )

    def render(self, names: Names) -> Request:
        """Return the request with its holes filled.

        Raises:
            CannotEvaluate: a hole cannot be filled, or with something that cannot be written in UTF-8 or as JSON.
        """
        if self.standing is not None:
            return self.standing
        try:
            return self._rendered(names)
        except Exception:
            with evaluation_errors():
                raise

    def _rendered(self, names: Names) -> Request:
        target = self._path(names)
        if self._query is not None:
            query = urlencode(pairs(self._query.render(names)), quote_via=quote)
            if query:
                target += ("&" if "?" in target else "?") + query
        headers = self._fixed
        if self._filled:
            rendered = [(name, template.render(names)) for name, template in self._filled]
            headers += tuple(_header(name, to_text(value)) for name, value in rendered if value is not None)
        if self._cookies:
            headers = _with_cookies(headers, self._cookies, names)
        return Request(
            self._method,
            target,
            headers,
            self._body.render(names),
            self._timeout_s,
            self._connect_timeout_s,
            self._needs_body,
            self.follows_redirects,
        )


def _headers(
    endpoint: Endpoint, shared: Mapping[str, str], content_type: str | None
) -> tuple[Headers, list[tuple[str, Template]]]:
    """Return the header lines that never change, and the templates of the others."""
    merged: dict[str, tuple[str, str | None]] = {}
    if content_type is not None:
        merged["content-type"] = ("Content-Type", content_type)
    for source in (shared, endpoint.headers):
        for name, text in source.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be the name of a header")
            merged[name.lower()] = (name, text)
    fixed: list[tuple[str, str]] = []
    filled = []
    for name, text in merged.values():
        if text is None:
            continue
        template = compile_template(text)
        if template.is_constant:
            fixed.append(_header(name, text))
        else:
            filled.append((name, template))
    return tuple(fixed), filled
