"""What a secret looks like inside base64 and hexadecimal, and inside what comes of encodings one within the other."""

import base64
import html
import json
import urllib.parse
from collections.abc import Iterable, Iterator

from stressrunner.masking.escapes import DEPTH

__all__ = ["TELLING", "encoded", "escaped"]

#: Fewer characters than these occur by chance: in base64, and at the end of a text that was cut short.
TELLING = 6
#: What stays as it is where a secret stands in the path of a scenario.
_KEPT_IN_PATHS = "/:?[]@!$&'()*+,;=%-._~"


def _octets(text: str) -> bytes:
    # Surrogates are what an environment variable that is not UTF-8 is read as.
    return text.encode("utf-8", "surrogatepass")


def escaped(text: str) -> set[str]:
    """Return a text as it is and escaped for URLs, JSON, HTML and messages, in all the ways in which that is done."""
    encoded = json.dumps(text)[1:-1]
    octets = _octets(text)
    return {
        text,
        encoded,
        encoded.replace("/", "\\/"),
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        urllib.parse.quote(octets, safe=""),
        urllib.parse.quote(octets),
        urllib.parse.quote(octets, safe=_KEPT_IN_PATHS),
        urllib.parse.quote_plus(octets),
        *_in_html(text),
        *_in_html(encoded),
    }


def _in_html(text: str) -> set[str]:
    """Return a text escaped for HTML in the ways in which quotes are written, or left alone."""
    quoted = html.escape(text)
    numbered = quoted.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    return {quoted, numbered, html.escape(text, quote=False)}


def _wrapped(text: str) -> Iterator[str]:
    """Yield a text as it looks inside base64 and hexadecimal."""
    octets = _octets(text)
    yield octets.hex()
    for offset in range(3):
        in_base64 = base64.b64encode(b"\0" * offset + octets).decode("ascii").rstrip("=")
        # The characters at either end also encode bits of the neighbours, which are unknown, so they are cut.
        core = in_base64[(offset * 8 + 5) // 6 : (offset + len(octets)) * 8 // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def encoded(secret: str) -> set[str]:
    """Return what a secret looks like in base64 and hexadecimal, up to three encodings one within the other.

    Those whose outermost encoding is an escape are left out: they are found where escapes are undone.
    """
    found: set[str] = set()
    level = {secret}
    for depth in range(1, DEPTH + 1):
        wrapped = {form for text in level for form in _wrapped(text) if len(form) >= TELLING}
        found |= wrapped
        if depth < DEPTH:
            level = wrapped | _plainly_escaped(level)
    return found


def _plainly_escaped(texts: Iterable[str]) -> set[str]:
    """Return texts escaped in the ways of common libraries, where that changes them."""
    return {form for text in texts for form in _escaped_once(text)} - set(texts)


def _escaped_once(text: str) -> Iterator[str]:
    octets = _octets(text)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield urllib.parse.quote(octets, safe="")
    yield urllib.parse.quote(octets)
    yield urllib.parse.quote_plus(octets)
    yield from _in_html(text)
