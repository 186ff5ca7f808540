"""Undoing the content encoding of a response, bounded, so that a small body cannot become a large one."""

import zlib

from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.failures import ExchangeFailed

__all__ = ["body_too_large", "decode_content"]

_GZIP = 16 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


def decode_content(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the body as it was before the encodings of a Content-Encoding header were applied.

    `limit` bounds the result of every step, in bytes. An encoding that is not known is left as it is, with
    all that were applied before it: that was not asked for in Accept-Encoding.

    Raises:
        ExchangeFailed: the content is damaged or cut off (protocol), or larger than the limit (too_large).
    """
    for name in reversed(encoding.lower().split(",")):
        if not body:
            break
        match name.strip():
            case "gzip" | "x-gzip":
                body = _inflate(body, _GZIP, limit)
            case "deflate":
                body = _inflate(body, _deflate_window(body), limit)
            case "identity" | "":
                continue
            case _:
                break
    return body


def body_too_large(limit: int) -> Failure:
    """Return the failure of a response whose body exceeds the limit, in bytes."""
    return Failure(FailureKind.TOO_LARGE, f"the response has more than {limit:,} bytes of body")


def _deflate_window(body: bytes) -> int:
    """Tell deflate in its zlib envelope, which the standard means, from the bare one that some servers send."""
    enveloped = body[0] & 0x0F == 8 and len(body) > 1 and int.from_bytes(body[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if enveloped else _RAW


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    parts, room = [], limit
    while body:  # gzip may consist of several members
        inflater = zlib.decompressobj(wbits=window)
        try:
            part = inflater.decompress(body, room + 1)
        except zlib.error as error:
            raise ExchangeFailed(_damaged("damaged")) from error
        room -= len(part)
        if room < 0:
            raise ExchangeFailed(body_too_large(limit))
        if not inflater.eof:
            raise ExchangeFailed(_damaged("cut off"))
        parts.append(part)
        body = inflater.unused_data if window == _GZIP else b""
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _damaged(how: str) -> Failure:
    return Failure(FailureKind.PROTOCOL, f"the compressed body of the response is {how}")
