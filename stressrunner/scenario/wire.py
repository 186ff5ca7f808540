"""What cannot be put on the wire: paths, headers and cookies that HTTP has no way to write."""

import re
from collections.abc import Iterator, Sequence

from stressrunner.errors import Diagnostic
from stressrunner.scenario.requests import METHODS, place_of
from stressrunner.scenario.values import Text

__all__ = ["check_wire"]

_PLACEHOLDER = re.compile(r"\{\{.*?(?:\}\}|$)", re.DOTALL)
_LINE_END = re.compile(r"[\r\n\0]")
_NOT_IN_COOKIE = re.compile(r"[;\x00-\x1f\x7f]")
_NOT_IN_PATH = re.compile(r"[\s\x00-\x1f\x7f]")


def check_wire(texts: Sequence[Text]) -> Iterator[Diagnostic]:
    """Yield the paths, header values and cookies among the texts of a scenario that cannot be sent."""
    for text in texts:
        place = place_of(text.path)
        key = text.path[1] if text.path[0] == "target" else place and place.key
        if key == "headers":
            yield from _check_header(text)
        elif place is not None and key == "cookies":
            yield from _check_cookie(text)
        elif place is not None and key in METHODS:
            yield from _check_path(text)


def _check_header(text: Text) -> Iterator[Diagnostic]:
    if _LINE_END.search(text.filled.text):
        yield text.diagnostic("a header is one line", "write it in quotes instead of as a block")


def _check_cookie(text: Text) -> Iterator[Diagnostic]:
    literal = _PLACEHOLDER.sub(lambda placeholder: "x" * len(placeholder[0]), text.filled.text)
    bad = _NOT_IN_COOKIE.search(literal)
    if bad is not None:
        message = "the value of a cookie has no ';' and no line end in it"
        yield text.diagnostic(message, "write %3B, if the server decodes it", offset=bad.start(), width=1)


def _check_path(text: Text) -> Iterator[Diagnostic]:
    path = text.filled.text
    # What stands in placeholders is percent-encoded when the request is made, so only the rest counts.
    literal = _PLACEHOLDER.sub(lambda placeholder: "x" * len(placeholder[0]), path)
    bad = _NOT_IN_PATH.search(literal)
    if bad is not None:
        hint = "write %20 for a blank" if bad[0] == " " else "write it in quotes instead of as a block"
        what = "a blank" if bad[0] == " " else "a control character or line end"
        yield text.diagnostic(f"a path cannot have {what} in it", hint, offset=bad.start(), width=1)
    elif "://" in literal:
        yield text.diagnostic("a path is a part of a URL", "the rest of it is 'base_url' of the target")
    elif "#" in literal:
        at = literal.index("#")
        yield text.diagnostic("a path ends before '#'", "write %23 to send one", offset=at, width=1)
    elif not path.startswith(("/", "?", "{{")):
        yield text.diagnostic(f"the path '{path}' does not begin with '/'", f"write '/{path}'")
