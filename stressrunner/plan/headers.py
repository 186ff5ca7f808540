"""The header lines of a request: what never changes, what is filled in, and cookies."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from stressrunner.expressions import CannotEvaluate, Template, compile_template
from stressrunner.expressions.environment import to_text
from stressrunner.http.exchange import Headers

__all__ = ["HeaderTemplate", "compile_headers", "header_line", "with_cookies"]

Names = Mapping[str, Any]
_FIELD_BREAK = re.compile(r"[\r\n\0]")
_COOKIE_BREAK = re.compile(r"[;\x00-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, token


class HeaderTemplate(NamedTuple):
    """A header line that is made for each request, or the same for all of them."""

    name: str
    render: Callable[[Names], Any]  #: None leaves the line out; raises CannotEvaluate
    is_constant: bool


def compile_headers(
    content_type: str | None,
    shared: Mapping[str, str],
    authorization: HeaderTemplate | None,
    own: Mapping[str, str | None],
) -> tuple[Headers, list[tuple[str, Callable[[Names], Any]]]]:
    """Return the header lines that never change, and what makes the others.

    Of several lines with one name the last argument's goes, and None there leaves it out.

    Raises:
        ExpressionError: a text makes no sense.
        ValueError: a name is not one that a header can have.
    """
    merged: dict[str, HeaderTemplate | None] = {}
    if content_type is not None:
        merged["content-type"] = _template("Content-Type", content_type)
    merged |= {name.lower(): _template(name, text) for name, text in shared.items()}
    if authorization is not None:
        merged[authorization.name.lower()] = authorization
    merged |= {name.lower(): None if text is None else _template(name, text) for name, text in own.items()}
    lines = [line for line in merged.values() if line is not None]
    fixed = tuple(header_line(line.name, line.render({})) for line in lines if line.is_constant)
    return fixed, [(line.name, line.render) for line in lines if not line.is_constant]


def _template(name: str, text: str) -> HeaderTemplate:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a header")
    template = compile_template(text)
    return HeaderTemplate(name, template.render, template.is_constant)


def header_line(name: str, text: str) -> tuple[str, str]:
    """Return a header line; raises CannotEvaluate when it would be several."""
    if _FIELD_BREAK.search(text):
        raise CannotEvaluate(f"the header {name!r} would hold a line break")
    return name, text


def with_cookies(headers: Headers, cookies: Mapping[str, Template], names: Names) -> Headers:
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
