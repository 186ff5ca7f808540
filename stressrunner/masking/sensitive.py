"""What is a credential by its name or place, wherever its value comes from."""

import base64
import binascii
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator

from stressrunner.masking.encodings import TELLING
from stressrunner.masking.masker import MASK

__all__ = ["authorizing", "is_sensitive", "masked_header", "masked_query"]

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
        if len(credential) >= TELLING:
            yield credential
        if scheme.lower() == "basic":
            password = _decoded(credential).partition(":")[2]
            if len(password) >= TELLING:
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
