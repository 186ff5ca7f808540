"""Secrets never leave: one Masker that every output goes through.

A value given by `${secret:NAME}` is replaced wherever it stands as a whole: as it is, URL-encoded, JSON-escaped,
HTML-escaped, or base64-encoded at any of the three alignments that it can have inside longer encoded text. What is
left of one where a text was cut short goes too.
"""

import base64
import binascii
import html
import json
import re
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

__all__ = ["MASK", "Masker", "authorizing", "is_sensitive", "masked_header", "masked_query"]

MASK = "***"

_TELLING_NAME = re.compile(
    r"""pass(?:word|wd|phrase|code)|^pass$|^pwd$|secret|token(?!s)|api[-_]?key|subscription[-_]?key|auth(?!or(?!iz))
    |(?:access|private|signing)[-_]?key|session[-_]?(?:id|key|token)|(?:^|[-_.])sid$|sess(?:ion)?id|cookie
    |credential|signature|^sig$|jwt|bearer|csrf|xsrf|(?:^|[-_])otp$|^pin$|cvv|cvc|card[-_]?number""",
    re.IGNORECASE | re.VERBOSE,
)
#: Headers that are nothing but credentials.
_AUTHORIZATION = frozenset({"authorization", "proxy-authorization"})
#: Headers that ask for credentials, and have none.
_CHALLENGES = frozenset({"www-authenticate", "proxy-authenticate"})
_PARAMETER = re.compile(r"(?<=[?&])([^=&#]*)=([^&#]*)")

#: Fewer characters than these occur by chance: in base64, and at the end of a text that was cut short.
_TELLING = 6
#: Credentials that are learned while a run lasts; each makes every text slower to mask.
_MOST_LEARNED = 40
#: What stays as it is where a secret stands in the path of a scenario.
_KEPT_IN_PATHS = "/:?[]@!$&'()*+,;=%-._~"
#: Where a text was cut short: at its end, or where an ellipsis says so.
_CUT = re.compile(r"\.\.\.|…|\Z")


def _base64_forms(secret: bytes) -> set[str]:
    """Return what `secret` looks like inside base64, for each of the three places it can begin in a group.

    The characters at either end also encode bits of the neighbours, which are unknown, so they are cut.
    """
    forms = set()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + secret).decode("ascii").rstrip("=")
        first = (offset * 8 + 5) // 6
        last = (offset + len(secret)) * 8 // 6
        core = text[first:last]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


def _html_forms(text: str) -> set[str]:
    """Return a text escaped for HTML in the ways in which quotes are written, or left alone."""
    escaped = html.escape(text)
    numbered = escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    return {escaped, numbered, html.escape(text, quote=False)}


def _forms(secret: str) -> set[str]:
    encoded = json.dumps(secret)[1:-1]
    # Surrogates are what an environment variable that is not UTF-8 is read as.
    octets = secret.encode("utf-8", "surrogatepass")
    forms = {
        secret,
        encoded,
        encoded.replace("/", "\\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        urllib.parse.quote(octets, safe=""),
        urllib.parse.quote(octets),
        urllib.parse.quote(octets, safe=_KEPT_IN_PATHS),
        urllib.parse.quote_plus(octets),
        *_html_forms(secret),
        *_html_forms(encoded),
    }
    return forms | {form for form in _base64_forms(octets) if len(form) >= _TELLING}


def is_sensitive(name: str) -> bool:
    """Whether a header, parameter or field of this name carries a secret, wherever its value comes from."""
    return _TELLING_NAME.search(name) is not None


def masked_header(name: str, value: str) -> str:
    """Return the value of a header, or a mask for all of it where it is a credential by its name."""
    return MASK if is_sensitive(name) and name.lower() not in _CHALLENGES else value


def authorizing(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the credentials in `Authorization` headers that are long enough not to occur by chance.

    Of a name and password (RFC 7617) that is both together as they are encoded, and the password.
    """
    for name, value in headers:
        if name.lower() not in _AUTHORIZATION:
            continue
        scheme, _, credential = value.strip().partition(" ")
        credential = credential.strip() or scheme
        if len(credential) >= _TELLING:
            yield credential
        if scheme.lower() == "basic":
            password = _decoded(credential).partition(":")[2]
            if len(password) >= _TELLING:
                yield password


def _decoded(credential: str) -> str:
    try:
        return base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def masked_query(url: str, keep: Callable[[str], bool] | None = None) -> str:
    """Return a URL in which the values of parameters that are credentials by their names are masked as a whole.

    A value that `keep` says yes to stays as it is.
    """

    def masked(found: re.Match[str]) -> str:
        is_kept = not is_sensitive(urllib.parse.unquote(found[1])) or (keep is not None and keep(found[2]))
        return found[0] if is_kept else f"{found[1]}={MASK}"

    return _PARAMETER.sub(masked, url)


class Masker:
    """Replaces secrets by `***` in text and in decoded JSON; without secrets it changes nothing."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)
        self._learned: deque[str] = deque(maxlen=_MOST_LEARNED)
        self._below: Masker | None = None  # that masks what this one leaves
        self._seek()

    def learn(self, credentials: Iterable[str]) -> None:
        """Mask these too from now on, as access tokens are that a run has fetched; the latest 40 are known."""
        new = [text for text in credentials if len(text) >= _TELLING and text not in self._learned]
        if new:
            self._learned.extend(new)
            self._seek()

    def plus(self, credentials: Iterable[str]) -> "Masker":
        """Return a masker of these too, which leaves all others to this one."""
        more = tuple(text for text in credentials if len(text) >= _TELLING)
        if not more:
            return self
        masker = Masker(more)
        masker._below = self
        return masker

    def _seek(self) -> None:
        forms = {form for secret in (*self._secrets, *self._learned) for form in _forms(secret)}
        # The longest first, so that a secret that contains another one disappears as a whole.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None
        self._lowered = [form.lower() for form in ordered if len(form) > _TELLING]
        heads = sorted({form[:_TELLING] for form in self._lowered})
        self._heads = re.compile(f"(?={'|'.join(map(re.escape, heads))})", re.IGNORECASE) if heads else None

    def text(self, text: str) -> str:
        """Return the text with every secret replaced."""
        if self._pattern is not None:
            text = self._without_stumps(self._pattern.sub(MASK, text))
        return text if self._below is None else self._below.text(text)

    def _without_stumps(self, text: str) -> str:
        """Mask the beginnings of secrets that were cut off, of six characters or more."""
        if self._heads is None:
            return text
        longest = max(map(len, self._lowered))
        parts = []
        at = 0
        for cut in _CUT.finditer(text):
            end = cut.start()
            for head in self._heads.finditer(text, max(at, end - longest), end):
                stump = text[head.start() : end].lower()
                if any(form.startswith(stump) for form in self._lowered):
                    parts += [text[at : head.start()], MASK]
                    at = end
                    break
        return "".join([*parts, text[at:]])

    def value(self, value: Any) -> Any:
        """Return decoded JSON with every secret replaced, in keys too."""
        if self._pattern is None and self._below is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value
