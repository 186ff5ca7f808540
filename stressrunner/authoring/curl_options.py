"""The options of `curl`, from words to names and values: `-sXPOST` is `silent` and `request` with POST."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from stressrunner.authoring.multipart import STAND_IN, DraftPart, file_part

__all__ = ["curl_options", "form_parts"]

#: What may stand behind the content of a part.
_SETTING = re.compile(r";\s*(type|filename|headers|encoder)=(\"[^\"]*\"|[^;]*)")

#: Short options that take a value.
_SHORT_VALUED: Mapping[str, str] = MappingProxyType(
    {
        "X": "request",
        "H": "header",
        "d": "data",
        "F": "form",
        "u": "user",
        "A": "user-agent",
        "e": "referer",
        "b": "cookie",
        "m": "max-time",
        "x": "proxy",
        "o": "output",
        "w": "write-out",
        "c": "cookie-jar",
        "T": "upload-file",
        "E": "cert",
        "K": "config",
        "r": "range",
        "D": "dump-header",
        "U": "proxy-user",
        "Y": "speed-limit",
        "y": "speed-time",
        "z": "time-cond",
        "C": "continue-at",
    }
)
#: Short options without a value that mean something for the request; all others are flags of no interest.
_SHORT_FLAGS: Mapping[str, str] = MappingProxyType(
    {"G": "get", "I": "head", "L": "location", "k": "insecure"}
)
_LONG_VALUED_NAMES = """
    url url-query data-raw data-binary data-ascii data-urlencode json form-string connect-timeout retry retry-delay
    retry-max-time cacert capath key cert-type key-type pass ciphers resolve connect-to interface limit-rate
    unix-socket oauth2-bearer max-redirs noproxy stderr trace trace-ascii dns-servers max-filesize aws-sigv4
    socks5 socks5-hostname output-dir proto tls-max rate expect100-timeout keepalive-time variable
"""
#: Long options that take a value.
_LONG_VALUED = frozenset(_SHORT_VALUED.values()) | frozenset(_LONG_VALUED_NAMES.split())


def curl_options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command, without its first word, as long name and value.

    A flag has the value `""`; a word that is no option is a `url`.
    """
    rest = iter(words)
    only_urls = False
    for word in rest:
        if only_urls or not word.startswith("-") or word == "-":
            yield "url", word
        elif word == "--":
            only_urls = True
        elif word.startswith("--"):
            name = word[2:]
            yield name, next(rest, "") if name in _LONG_VALUED else ""
        else:
            yield from _short(word[1:], rest)


def _short(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield a cluster of short options; the first that takes a value takes what is left, or the next word."""
    for i, letter in enumerate(letters):
        if letter in _SHORT_VALUED:
            yield _SHORT_VALUED[letter], letters[i + 1 :] or next(rest, "")
            return
        if letter in _SHORT_FLAGS:
            yield _SHORT_FLAGS[letter], ""


def form_parts(value: str, *, is_text: bool) -> Iterator[DraftPart]:
    """Yield the parts of one `-F name=content`; files that it names are not read.

    With `is_text`, which `--form-string` is, the content has no marks in it.
    """
    name, _, rest = value.partition("=")
    if is_text:
        yield DraftPart(name, rest)
        return
    settings = {key: text.strip('"') for key, text in _SETTING.findall(rest)}
    content = _SETTING.sub("", rest)
    kind = settings.get("type", "")
    if content.startswith("@"):
        for path in content[1:].split(","):
            yield file_part(name, settings.get("filename") or path.strip('"'), kind)
    elif content.startswith("<"):
        yield DraftPart(name, STAND_IN, settings.get("filename", ""), kind)
    else:
        quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', content)
        plain = content if quoted is None else re.sub(r"\\(.)", r"\1", quoted[1])
        yield DraftPart(name, plain, settings.get("filename", ""), kind)
