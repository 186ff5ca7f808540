"""Requests compiled from endpoints: what does not change is computed once, the rest is filled in for each request."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from stressrunner.expressions import (
    Template,
    ValueTemplate,
    compile_template,
    compile_value,
)
from stressrunner.expressions.environment import evaluation_errors, to_text
from stressrunner.http.exchange import Headers, Request
from stressrunner.plan.auth import compile_auth, query_key
from stressrunner.plan.bodies import compile_body, pairs
from stressrunner.plan.headers import compile_headers, header_line, with_cookies
from stressrunner.plan.tokens import AccessToken
from stressrunner.scenario.model import Endpoint, OAuth2, Target

__all__ = ["Common", "RequestTemplate", "own_path", "with_query"]

Names = Mapping[str, Any]
# RFC 3986: reserved, unreserved, and escapes already made; not '#', which begins what is never sent.
_KEPT_IN_PATHS = "/:?[]@!$&'()*+,;=%-._~"
_WHOLE_URL = re.compile(r"https?://", re.IGNORECASE)


def _escape_segment(text: str) -> str:
    """Encode what fills a placeholder so that it stays one path segment; dot segments would climb."""
    if text.isascii() and text.isalnum():
        return text
    return quote(text, safe="") if text not in (".", "..") else text.replace(".", "%2E")


def _path(template: Template, prefix: str) -> Callable[[Names], str]:
    if template.placeholder is not None:
        placeholder = template.placeholder

        def whole(names: Names) -> str:
            text = to_text(placeholder.evaluate(names)).partition("#")[0]
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


def own_path(target: Target) -> str:
    """Return the path that a base URL has itself, which stands before that of every request."""
    return "" if target.base_url.startswith("demo:") else urlsplit(target.base_url).path.rstrip("/")


def with_query(target: str, fields: Mapping[str, Any]) -> str:
    """Return a path with query parameters added: None leaves one out, a list repeats it."""
    query = urlencode(pairs(fields), quote_via=quote)
    return f"{target}{'&' if '?' in target else '?'}{query}" if query else target


@dataclass(frozen=True, slots=True)
class Common:
    """What the requests of a plan have in common."""

    prefix: str = ""  #: the base URL's own path
    headers: Mapping[str, str] = field(default_factory=dict)  #: the target's, under the endpoint's own
    seed: int = 0
    tokens: Mapping[OAuth2, AccessToken] = field(default_factory=dict)  #: of every client


class RequestTemplate:
    """An endpoint, compiled.

    Raises ExpressionError when one of its texts makes no sense and ValueError when a header's name is not one.
    """

    def __init__(self, endpoint: Endpoint, common: Common, *, needs_body: bool = True) -> None:
        """Compile an endpoint; `needs_body` says whether anything is asked about the bodies of responses."""
        path = compile_template(endpoint.path)
        self.follows_redirects = endpoint.follow_redirects
        #: whether a request may go to another host than the target's: by a redirect, or a path that is a whole URL
        self.may_leave = endpoint.follow_redirects or path.placeholder is not None
        self._method = endpoint.method
        self._path = _path(path, common.prefix)
        query = query_key(endpoint.auth) | dict(endpoint.query)
        self._query = compile_value(query) if query else None
        self._body = compile_body(endpoint.body, seed=common.seed, use=endpoint.name)
        timeout = endpoint.timeout
        self.timeout_s = timeout.total_s
        self._rest = (timeout.total_s, timeout.connect_s, needs_body, endpoint.follow_redirects, False)
        authorization = compile_auth(endpoint.auth, common.tokens)
        self._fixed, self._filled = compile_headers(
            self._body.content_type, common.headers, authorization, endpoint.headers
        )
        self._cookies = {
            name: compile_template(text) for name, text in endpoint.cookies.items() if text is not None
        }
        self._same_target = self._target({}) if path.is_constant and _is_constant(self._query) else None
        cookies = self._cookies.values()
        is_same = not self._filled and all(cookie.is_constant for cookie in cookies)
        self._same_headers = self._headers({}) if is_same else None
        is_standing = self._body.is_constant and is_same and self._same_target is not None
        #: the request itself, where every rendering is the same
        self.standing = self._rendered({})._replace(is_standing=True) if is_standing else None

    def render(self, names: Names) -> Request:
        """Return the request with its placeholders filled.

        Raises:
            CannotEvaluate: a placeholder cannot be filled, or with something that cannot be written in UTF-8 or as JSON.
        """
        if self.standing is not None:
            return self.standing
        try:
            return self._rendered(names)
        except Exception:
            with evaluation_errors():
                raise

    def _rendered(self, names: Names) -> Request:
        target, headers = self._same_target, self._same_headers
        if target is None:
            target = self._target(names)
        if headers is None:
            headers = self._headers(names)
        fields = (self._method, target, headers, self._body.render(names), *self._rest)
        return tuple.__new__(Request, fields)  # half of what calling it costs

    def _target(self, names: Names) -> str:
        path = self._path(names)
        return path if self._query is None else with_query(path, self._query.render(names))

    def _headers(self, names: Names) -> Headers:
        rendered = [(name, render(names)) for name, render in self._filled]
        filled = [header_line(name, to_text(value)) for name, value in rendered if value is not None]
        headers = (*self._fixed, *filled)
        return with_cookies(headers, self._cookies, names) if self._cookies else headers


def _is_constant(value: ValueTemplate | None) -> bool:
    return value is None or value.is_constant
