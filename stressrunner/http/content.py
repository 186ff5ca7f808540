"""Undoing the content encoding of a response, bounded, so that a small body cannot become a large one."""

import zlib
from functools import cache, lru_cache
from importlib import import_module
from types import ModuleType

from stressrunner.http.exchange import Exchange, Failure, FailureKind
from stressrunner.http.failures import ExchangeFailed

__all__ = ["accepted_encodings", "body_too_large", "content_of", "decode_content", "undone"]

_GZIP = 16 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
#: Zstandard is fed in pieces, none of which can become more than 16 MiB: 128 KiB for a block of four bytes.
_ZSTD_PIECE = 512
#: Bytes of a body that is remembered when it has been looked at.
_LOOKED_AT_BYTES = 16 * 1024


@cache
def accepted_encodings() -> str:
    """Return the encodings that can be undone here, for Accept-Encoding; br and zstd need their packages."""
    optional = [name for name, package in (("br", _brotli()), ("zstd", _zstandard())) if package]
    return ", ".join(["gzip", "deflate", *optional])


def content_of(exchange: Exchange, limit: int = 64 * 1024 * 1024) -> bytes:
    """Return the body of a response as it was before any encoding, or as it came where that cannot be undone.

    For those who show a body that nobody needed when it came; `limit` bounds it, in bytes.
    """
    if not exchange.content_encoding:
        return exchange.body
    try:
        return decode_content(exchange.body, exchange.content_encoding, limit)
    except ExchangeFailed:
        return exchange.body


def undone(body: bytes, encoding: str, limit: int, *, is_needed: bool) -> tuple[bytes, str]:
    """Return a body that came with these encodings as it is kept, and the encodings that it still has.

    A body that nobody needs is kept as it came, but whether it is whole is looked at all the same: a response whose
    content is cut off or damaged is none, whoever reads it.

    Raises:
        ExchangeFailed: as from `decode_content`.
    """
    if is_needed:
        return decode_content(body, encoding, limit), ""
    if len(body) <= _LOOKED_AT_BYTES:
        _look_at(body, encoding, limit)
    else:
        decode_content(body, encoding, limit)
    return body, encoding


@lru_cache(64)
def _look_at(body: bytes, encoding: str, limit: int) -> None:
    """Decode a body for what is wrong with it; servers mostly say the same again."""
    decode_content(body, encoding, limit)


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
            case "br" if _brotli():
                body = _unbrotli(body, limit)
            case "zstd" if _zstandard():
                body = _unzstd(body, limit)
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


@cache
def _brotli() -> ModuleType | None:
    """Return the package brotli, when it is there and can bound what it makes of a body (1.2 and later)."""
    try:
        package = import_module("brotli")
    except ImportError:
        return None
    return package if hasattr(package.Decompressor, "can_accept_more_data") else None


@cache
def _zstandard() -> ModuleType | None:
    try:
        return import_module("zstandard")
    except ImportError:
        return None


def _unbrotli(body: bytes, limit: int) -> bytes:
    package = _brotli()
    assert package is not None  # noqa: S101  # the caller has asked
    decompressor, parts, room = package.Decompressor(), [], limit
    try:
        while not decompressor.is_finished():
            part = decompressor.process(body, output_buffer_limit=max(room, 1))
            if not part and not decompressor.is_finished() and decompressor.can_accept_more_data():
                raise ExchangeFailed(_damaged("cut off"))
            body = b""
            room -= len(part)
            if room < 0:
                raise ExchangeFailed(body_too_large(limit))
            parts.append(part)
    except package.error as error:
        raise ExchangeFailed(_damaged("damaged")) from error
    return b"".join(parts)


def _unzstd(body: bytes, limit: int) -> bytes:
    package = _zstandard()
    assert package is not None  # noqa: S101  # the caller has asked
    decompressor, parts, room = package.ZstdDecompressor().decompressobj(), [], limit
    at = 0
    try:
        while at < len(body):
            if decompressor.eof:  # a frame has ended, and another one follows
                decompressor = package.ZstdDecompressor().decompressobj()
            piece = body[at : at + _ZSTD_PIECE]
            parts.append(decompressor.decompress(piece))
            at += len(piece) - len(decompressor.unused_data)
            room -= len(parts[-1])
            if room < 0:
                raise ExchangeFailed(body_too_large(limit))
    except package.ZstdError as error:
        raise ExchangeFailed(_damaged("damaged")) from error
    if not decompressor.eof:
        raise ExchangeFailed(_damaged("cut off"))
    return b"".join(parts)
