r"""The tokens that tell messages apart: written into what is sent, found again in what was stored.

    sr.RUN.SESSION.MESSAGE        sr.1f0c9a2b.17.3

A token ends with its last digit, so tokens may touch. Those of other runs are passed over. A server may have joined
messages, cut one in two, or stored one twice; so a text can hold any number of tokens, and a token can begin in one
text and end in a later one (a split). Where the cut falls between the digits of the message's number, the first part
is a token by itself and is read as that.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["MAX_EXCERPT", "MessageToken", "Stored", "TokenReader", "token_text"]

MAX_EXCERPT = 80  #: characters of a stored message that are kept
_LONGEST = 100  #: characters of a token
#: Before the tokens that `setup`, `user_setup` and `teardown` write, which are no messages of the load.
_OF_NO_SESSION = "(?<!setup-)(?<!teardown-)"


class MessageToken(NamedTuple):
    """Which message of a run it is."""

    session: int
    message: int


class Stored(NamedTuple):
    """One message of a session's history, as far as tokens are concerned."""

    tokens: tuple[MessageToken, ...]  #: in their order; one that is there twice is listed twice
    splits: int = 0  #: how many of them end in a later message
    excerpt: str = ""  #: its beginning
    ids: tuple[str, ...] = ()  #: of the session, under which it is listed; none where it was read by its name


def token_text(run_id: str, session: int, message: int) -> str:
    """Return the token of a message."""
    return f"sr.{run_id}.{session}.{message}"


class TokenReader:
    """Finds the tokens of one run."""

    def __init__(self, run_id: str, separator: str | None = None) -> None:
        """Read the tokens of a run.

        Args:
            run_id: the run's.
            separator: what stands between messages that the server joined. With it, a token that a payload renders
                twice counts once; None counts every occurrence.
        """
        run = re.escape(run_id)
        self._whole = re.compile(rf"{_OF_NO_SESSION}sr\.{run}\.([0-9]+)\.([0-9]+)")
        self._begun = re.compile(_any_beginning("sr." + run_id + ".") + r"\Z")
        self._separator = separator

    def read(self, texts: Sequence[str]) -> tuple[Stored, ...]:
        """Return what a history holds; `texts` are its messages in their order."""
        found = []
        for i, text in enumerate(texts):
            tokens = self._tokens(text)
            split = self._split(text, texts, i)
            if split is not None:
                tokens.append(split)
            found.append(Stored(tuple(tokens), int(split is not None), text[:MAX_EXCERPT]))
        return tuple(found)

    def may_split(self, texts: Sequence[str]) -> bool:
        """Return whether a token may begin in one of these texts and end in another, in whichever order they stand."""
        return any(self._begun.search(text[-_LONGEST:]) for text in texts)

    def _tokens(self, text: str) -> list[MessageToken]:
        if not self._separator:
            return self._found(text)
        parts = text.split(self._separator)
        return [token for part in parts for token in dict.fromkeys(self._found(part))]

    def _found(self, text: str) -> list[MessageToken]:
        return [MessageToken(int(session), int(message)) for session, message in self._whole.findall(text)]

    def _split(self, text: str, texts: Sequence[str], i: int) -> MessageToken | None:
        """Return the token that begins at the end of a text and ends in those after it."""
        begun = self._begun.search(text[-_LONGEST:])
        if begun is None:
            return None
        joined = begun[0]
        for following in texts[i + 1 :]:
            joined += following
            whole = self._whole.match(joined)
            if whole is not None:
                return MessageToken(int(whole[1]), int(whole[2]))
            if not self._begun.fullmatch(joined):
                break
        return None


def _any_beginning(prefix: str) -> str:
    """Return a pattern of every beginning of a token that is not yet one, the longest first."""
    literal = [re.escape(prefix[:n]) for n in range(len(prefix) - 1, 0, -1)]
    return "(?:" + "|".join([re.escape(prefix) + r"(?:[0-9]+\.?)?", *literal]) + ")"
