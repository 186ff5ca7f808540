"""What the sink saw: how often and when each message of a run was handed to the model. Bounded.

A message is told by its token, `sr.RUN.SESSION.MESSAGE`, which the text that is processed carries along.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["MAX_TOKENS", "SinkLog", "TokenLog", "TokenObservation", "tokens_in"]

MAX_TOKENS = 200_000  #: of which observations are kept; about 70 MB

_TOKEN = re.compile(r"sr\.[0-9A-Za-z]{1,40}\.[0-9]{1,20}\.[0-9]{1,20}")


def tokens_in(text: str) -> tuple[str, ...]:
    """Return the tokens in a text, each once."""
    return tuple(dict.fromkeys(_TOKEN.findall(text)))


class TokenObservation(NamedTuple):
    """What was seen of one token; times are monotonic nanoseconds of this machine."""

    calls: int  #: requests that carried it
    failed: int  #: of these, those that were answered with an error
    first_ns: int  #: when the first of them came in
    last_ns: int

    @property
    def processed(self) -> int:
        """How often the model answered it."""
        return self.calls - self.failed


@dataclass(frozen=True, slots=True)
class SinkLog:
    """The log as it is handed out."""

    observations: Mapping[str, TokenObservation]  #: by token
    requests: int  #: all that the model was asked, with tokens or without
    unlogged: int  #: sightings of tokens for which there was no room any more

    def to_json(self) -> dict[str, Any]:
        """Return the log as JSON can write it."""
        return {"tokens": self.observations, "requests": self.requests, "unlogged": self.unlogged}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "SinkLog":
        """Read what `to_json` wrote."""
        observations = {token: TokenObservation(*figures) for token, figures in value["tokens"].items()}
        return cls(observations, value["requests"], value["unlogged"])


class TokenLog:
    """The log as it grows, with room for `most` tokens."""

    def __init__(self, most: int = MAX_TOKENS) -> None:
        self._most = most
        self._observations: dict[str, TokenObservation] = {}
        self._requests = 0
        self._unlogged = 0

    def arrived(self, tokens: Sequence[str], now_ns: int) -> None:
        """Note a request that carries these tokens."""
        self._requests += 1
        for token in tokens:
            before = self._observations.get(token)
            if before is not None:
                self._observations[token] = before._replace(calls=before.calls + 1, last_ns=now_ns)
            elif len(self._observations) < self._most:
                self._observations[token] = TokenObservation(1, 0, now_ns, now_ns)
            else:
                self._unlogged += 1

    def failed(self, tokens: Iterable[str]) -> None:
        """Note that a request with these tokens, noted before, is answered with an error."""
        for token in tokens:
            before = self._observations.get(token)
            if before is not None:
                self._observations[token] = before._replace(failed=before.failed + 1)

    def snapshot(self) -> SinkLog:
        """Return the log as it is now."""
        return SinkLog(dict(self._observations), self._requests, self._unlogged)
