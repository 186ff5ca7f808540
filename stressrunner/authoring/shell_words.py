"""Commands as a POSIX shell reads them, so far as copied `curl` commands need it.

Quotes of three kinds (`$'...'` is what browsers write), backslashes, comments, line ends, `;`, `&` and `|`. Nothing is
executed: `$NAME` becomes what `expand` makes of it, and `$(...)` stays text.
"""

import re
from collections.abc import Callable, Iterator

__all__ = ["ShellSyntaxError", "shell_commands"]

_TOKEN = re.compile(
    r"""(?P<joint>\\\n)
    |(?P<blank>[ \t]+)
    |(?P<end>\n|;|&&?|\|\|?)
    |(?P<ansi>\$'(?:[^'\\]|\\.)*')
    |(?P<single>'[^']*')
    |(?P<double>"(?:[^"\\]|\\.)*")
    |(?P<escape>\\.)
    |(?P<variable>\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}))
    |(?P<comment>(?<![^\s;&|])\#[^\n]*)
    |(?P<text>[^\s'"\\;&|$\#]+|[$\#])
    |(?P<open>['"\\])
    |(?P<other>\s)""",
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})|\\([$`\"\\\n])", re.DOTALL)
_ANSI = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|[0-7]{1,3}|.)", re.DOTALL)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


class ShellSyntaxError(ValueError):
    """A text is no shell command; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(message)


def shell_commands(text: str, expand: Callable[[str], str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the commands of a text, each with its line from 1.

    Args:
        text: a shell script, or a part of one.
        expand: from the name of a variable to what stands in its place.

    Raises:
        ShellSyntaxError: a quote is not closed.
    """
    text = text.replace("\r\n", "\n")
    words: list[str] = []
    word: str | None = None
    line = first = 1
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind == "open":
            raise ShellSyntaxError(line, f"the quote {token} is not closed")
        if kind not in ("joint", "blank", "end", "comment", "other"):
            first = line if word is None and not words else first
            word = (word or "") + _meaning(str(kind), token, expand)
        elif word is not None and kind != "joint":
            words.append(word)
            word = None
        if kind == "end" and words:
            yield first, words
            words = []
        line += token.count("\n")
    if word is not None:
        words.append(word)
    if words:
        yield first, words


def _meaning(kind: str, token: str, expand: Callable[[str], str]) -> str:
    """Return what a token adds to its word."""
    if kind == "single":
        return token[1:-1]
    if kind == "double":
        return _VARIABLE.sub(lambda m: _in_double_quotes(m, expand), token[1:-1])
    if kind == "ansi":
        return _ANSI.sub(_unescaped, token[2:-1])
    if kind == "escape":
        return token[1:]
    if kind == "variable":
        return expand(token.strip("${}"))
    return token


def _in_double_quotes(match: re.Match[str], expand: Callable[[str], str]) -> str:
    if match[3] is not None:
        return "" if match[3] == "\n" else match[3]
    return expand(match[1] or match[2])


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _ANSI_LETTERS.get(code, code)
