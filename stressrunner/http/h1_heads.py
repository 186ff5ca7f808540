"""Heads of responses that have been read before: what a server says again, byte for byte, is not parsed again.

Responses of one endpoint mostly have the same head within a second, after which Date changes. Equal heads mean the same,
and a body of a length that the head announces means nothing. So a response that begins with a known head and is exactly
as long as that head's response was is complete and means the same (test_known_heads_change_nothing).
"""

from typing import NamedTuple

from stressrunner.http.exchange import Headers

__all__ = ["KnownHead", "KnownHeads"]

_END = b"\r\n\r\n"
_MOST = 256  #: heads that are kept
_LONGEST = 4096  #: bytes of a head that is kept

#: Heads learned in a row without use for one: this server gives every response a head of its own.
_PATIENCE = 2000


class KnownHead(NamedTuple):
    """What a head says."""

    status: int
    headers: Headers
    content_encoding: str
    head_bytes: int
    length: int  #: bytes of head and body


class KnownHeads:
    """The heads of one origin's responses; not for those to HEAD, which announce a body that does not come."""

    __slots__ = ("_heads", "_in_vain", "_last")

    def __init__(self) -> None:
        self._heads: dict[bytes, KnownHead] = {}
        self._last: tuple[bytes, int, KnownHead] | None = None  # the head recalled last, with its `length`
        self._in_vain = 0

    def recall(self, received: bytes) -> KnownHead | None:
        """Return what the head says that `received` begins with, if that is one whole response known from before."""
        last = self._last
        if last is not None and len(received) == last[1] and received.startswith(last[0]):
            return last[2]
        if self._in_vain >= _PATIENCE:
            return None
        head = received[: received.find(_END) + 4]
        known = self._heads.get(head)
        if known is None or known.length != len(received):
            return None
        self._in_vain = 0
        self._last = (head, known.length, known)
        return known

    def learn(self, received: bytes, body_bytes: int, read: KnownHead) -> None:
        """Remember the head of a response that came in one piece and left the connection ready for the next one.

        Only where its body is all that follows the head, which excludes chunked bodies and interim responses.
        """
        head_bytes = received.find(_END) + 4
        if head_bytes > _LONGEST or head_bytes + body_bytes != len(received) or self._in_vain >= _PATIENCE:
            return
        self._in_vain += 1
        if len(self._heads) == _MOST:
            self._heads.clear()
        self._heads[received[:head_bytes]] = read._replace(head_bytes=head_bytes, length=len(received))
