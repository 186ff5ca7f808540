"""URLs of foreign material, taken apart: origin, path and query, with marked placeholders left as they are."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from stressrunner.authoring.template_text import has_marks, marked, split_marks

__all__ = [
    "UrlParts",
    "chosen_base",
    "clean_path",
    "grouped",
    "is_below",
    "is_token_url",
    "names_a_host",
    "path_below",
    "place_of",
    "query_fields",
]

# RFC 3986: reserved, unreserved, and escapes already made.
_KEPT = "/:?[]@!$&'()*+,;=%-._~"
_ORIGIN = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?([^/?#]*)(.*)", re.DOTALL)


class UrlParts(NamedTuple):
    """Where a request goes."""

    origin: str  #: scheme and host, in lower case; with a placeholder in it where that is not known
    path: str  #: with its query, from `/` or `?` on
    credentials: str = ""  #: `user:password` of the URL, percent-decoded


def place_of(url: str) -> UrlParts:
    """Return the parts of a URL; http unless it says otherwise, as curl does.

    Raises:
        ValueError: with the reason, when nothing can be sent to it.
    """
    match = _ORIGIN.fullmatch(url.strip())
    if match is None or not match[2]:
        raise ValueError(f"'{url[:80]}' names no host")
    scheme, authority, rest = (match[1] or "http").lower(), match[2], match[3].partition("#")[0]
    if scheme not in ("http", "https"):
        raise ValueError(f"'{scheme}' is not HTTP")
    userinfo, _, host = authority.rpartition("@")
    if has_marks(host):
        return UrlParts(host if match[1] is None else f"{scheme}://{host}", rest, unquote(userinfo))
    origin = f"{scheme}://{host.lower()}"
    parts = urlsplit(origin)
    is_host = _is_name(parts.hostname or "") and re.fullmatch(r"[a-z0-9_.:\[\]-]+", host.lower())
    if not is_host or parts.port == 0:
        raise ValueError(f"'{host[:80]}' is no host")
    return UrlParts(origin, rest, unquote(userinfo))


def _is_name(host: str) -> bool:
    """Whether the parts of a host's name have lengths that can be looked up."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def names_a_host(url: str) -> bool:
    """Whether a URL has a host that something can be sent to."""
    try:
        return bool(place_of(url).origin)
    except ValueError:
        return False


def is_token_url(url: str) -> bool:
    """Whether access tokens can be fetched there: a path of the target, or a URL whose host is known."""
    if url.startswith("/"):
        return not url.startswith("//") and re.search(r"[\s#]", url) is None
    return re.fullmatch(r"https?://[a-z0-9.:-]+/[^\s#]*", url, re.IGNORECASE) is not None and names_a_host(
        url
    )


def origin_default(origin: str) -> str:
    """Return the origin as a default for BASE_URL; empty when it is not known before a run."""
    return "" if has_marks(origin) else origin


def chosen_base(places: Iterable[UrlParts], wished: str) -> tuple[str, str]:
    """Choose where a scenario's requests go: the prefix that they share, and the default for BASE_URL.

    The wished base URL when some requests go there; else the origin that most go to, with the wish in its stead.
    """
    found = list(places)
    wish = wished.rstrip("/")
    if wish and any(is_below(place, wish) for place in found):
        return wish, wish
    counts = Counter(place.origin for place in found)
    most = max(counts, key=lambda origin: counts[origin])
    return most, wish or origin_default(most)


def is_below(place: UrlParts, base: str) -> bool:
    """Whether a place is the base or below its path."""
    whole = place.origin + place.path
    return whole == base or whole.startswith((f"{base}/", f"{base}?"))


def path_below(place: UrlParts, base: str) -> str:
    """Return the path with its query below a base that the place is below of, beginning with `/`."""
    path = (place.origin + place.path)[len(base) :]
    return path if path.startswith("/") else f"/{path}"


def clean_path(path: str) -> str:
    """Return a path percent-encoded where HTTP wants it, placeholders apart."""
    parts = []
    for literal, placeholder in split_marks(path):
        quoted = quote(literal, safe=_KEPT, errors="replace")
        if placeholder:
            parts += [re.sub(r"\$\Z", "%24", quoted), marked(placeholder)]
        else:
            parts.append(quoted)
    return "".join(parts).replace("://", "%3A//")  # which the language would take for a whole URL


def query_fields(query: str) -> dict[str, str | list[str]] | None:
    """Return the parameters of a query, repeated ones as lists; None when it is none of name=value pairs."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    return grouped(pairs)


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Return pairs as a mapping in which a repeated name has a list."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: items[0] if len(items) == 1 else items for name, items in values.items()}
