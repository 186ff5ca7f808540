"""What a recorded response gave and a later request sent: it is captured, where it can have come from nowhere else.

A value is taken for one that the server made when it is long enough not to be there by chance, stands by itself in the
JSON of a response, or in a header of a telling name, and no request had it before. A short one is taken for that where a
request has made something and a later one names it below the same path: `POST /items` and `GET /items/26`.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from stressrunner.authoring.composing import SourceRequest
from stressrunner.authoring.names import EXPRESSION_WORDS, identifier, variable_names
from stressrunner.authoring.template_text import has_marks, marked
from stressrunner.masking import is_sensitive

__all__ = ["Recorded", "linked"]

#: Characters of a value that is no word: with a digit in it, and without.
_SHORTEST_ID, _SHORTEST_TOKEN = 8, 16
_SHORTEST_NUMBER = 5
_DEEPEST = 20
_MOST_VALUES = 20_000  #: of a recording that are looked at
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
#: Where the id of what a request has made stands.
_OF_MADE = re.compile(r"body(?:\.\w+|\['\w+'\])?\.(?:id|uuid|slug|number)")
_WORD = re.compile(r"[A-Za-z_]\w*")


class Recorded(NamedTuple):
    """A request with the response that was recorded."""

    request: SourceRequest
    body: str  #: of the response; empty where it was not kept
    headers: tuple[tuple[str, str], ...] = ()  #: of the response


class _Origin(NamedTuple):
    """Where a value came from."""

    entry: int
    expression: str  #: that captures it
    wish: str  #: for its name


def linked(recorded: Sequence[Recorded]) -> tuple[list[SourceRequest], frozenset[str]]:
    """Return the requests, values that earlier responses gave being captures; and the names of these."""
    links = _Links()
    requests = []
    for number, (request, body, headers) in enumerate(recorded):
        requests.append(links.filled(request))
        links.sent(request)
        links.received(number, request, body, headers)
    captures = links.captures
    return [
        replace(request, capture=captures.get(number, {})) for number, request in enumerate(requests)
    ], frozenset(name for own in captures.values() for name in own)


class _Links:
    """Walks through a recording in its order."""

    def __init__(self) -> None:
        self.captures: dict[int, dict[str, str]] = {}
        self._origins: dict[str, _Origin] = {}  # by value, or by the address of what was made
        self._sent: set[str] = set()
        self._names: dict[str, str] = {}  # likewise
        self._free = variable_names()

    def sent(self, request: SourceRequest) -> None:
        """Remember what a request had in it."""

        def remember(text: str) -> str:
            self._sent.add(text)
            return text

        _changed(request, remember)
        self._sent.update(_addresses(request.url))

    def received(
        self, number: int, request: SourceRequest, body: str, headers: Iterable[tuple[str, str]]
    ) -> None:
        """Remember what a response has that no request had before."""
        owner = _owner(request.url)
        places = [
            (f"headers['{name.lower()}']", name, value) for name, value in headers if is_sensitive(name)
        ]
        makes = request.method.upper() == "POST"
        address = request.url.partition("?")[0].rstrip("/")
        for expression, key, value in (*places, *_leaves(_decoded(body), "body", "", 0)):
            known_by = value
            if not _is_telling(value):
                if not (makes and value and _OF_MADE.fullmatch(expression)):
                    continue
                known_by = f"{address}/{quote(value, safe='')}"
            is_new = known_by not in self._sent and known_by not in self._origins
            if is_new and len(self._origins) < _MOST_VALUES:
                wish = f"{owner}_id" if key == "id" and owner else key
                self._origins[known_by] = _Origin(number, expression, wish)

    def filled(self, request: SourceRequest) -> SourceRequest:
        """Return a request with placeholders for what earlier responses gave."""
        bare, mark, query = request.url.partition("?")
        steps = [
            self._placeholder(address) if address in self._origins else step
            for step, address in zip(bare.split("/"), _addresses(bare), strict=True)
        ]
        request = replace(request, url="/".join(steps) + mark + query)
        return _changed(request, lambda text: self._placeholder(text) if text in self._origins else text)

    def _placeholder(self, value: str) -> str:
        if value not in self._names:
            origin = self._origins[value]
            name = self._names[value] = self._free.take(identifier(origin.wish, "captured"))
            self.captures.setdefault(origin.entry, {})[name] = origin.expression
        return marked(f"{{{{ {self._names[value]} }}}}")


def _addresses(url: str) -> list[str]:
    """Return what a URL leads to, step by step."""
    steps = url.partition("?")[0].split("/")
    return ["/".join(steps[: i + 1]) for i in range(len(steps))]


def _is_telling(value: str) -> bool:
    if _DATE.match(value):
        return False  # people pick dates, whatever was shown before
    if value.isdigit():
        return len(value) >= _SHORTEST_NUMBER
    has_digit = any(character.isdigit() for character in value)
    is_one = value.isprintable() and not re.search(r"[\s:/]", value)
    return is_one and len(value) >= (_SHORTEST_ID if has_digit else _SHORTEST_TOKEN)


def _owner(url: str) -> str:
    """Return the last word of a path, in the singular: `/orders` is `order`."""
    words = [step for step in urlsplit(url).path.split("/") if re.fullmatch(r"[A-Za-z_-]+", step)]
    return words[-1].removesuffix("s") if words else ""


def _decoded(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any, path: str, key: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """Yield expression, key and text of every text and whole number in JSON; of lists, of the first element."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            is_plain = _WORD.fullmatch(name) and name not in EXPRESSION_WORDS
            if is_plain or re.fullmatch(r"[\w $.-]+", name):
                yield from _leaves(
                    inner, f"{path}.{name}" if is_plain else f"{path}['{name}']", name, depth + 1
                )
    elif isinstance(value, list) and value:
        yield from _leaves(value[0], f"{path}[0]", key, depth + 1)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield path, key, str(value)


def _changed(request: SourceRequest, change: Callable[[str], str]) -> SourceRequest:
    """Return a request in which every value that stands by itself is changed."""
    return replace(
        request,
        url=_changed_url(request.url, change),
        headers=tuple((name, _changed_header(value, change)) for name, value in request.headers),
        body=_changed_body(request.body, change),
        form=tuple((name, change(value)) for name, value in request.form),
        parts=tuple(part._replace(content=change(part.content)) for part in request.parts),
    )


def _changed_header(value: str, change: Callable[[str], str]) -> str:
    scheme, blank, rest = value.partition(" ")
    return scheme + blank + change(rest) if blank else change(value)


def _changed_url(url: str, change: Callable[[str], str]) -> str:
    head, slashes, rest = url.partition("://")
    bare, mark, query = rest.partition("?")
    steps = [_changed_piece(step, change) for step in bare.split("/")]
    pairs = [
        f"{name}{equals}{_changed_piece(value, change, plus=True)}"
        for name, equals, value in (pair.partition("=") for pair in query.split("&"))
    ]
    return head + slashes + "/".join([bare.split("/")[0], *steps[1:]]) + mark + "&".join(pairs)


def _changed_piece(piece: str, change: Callable[[str], str], *, plus: bool = False) -> str:
    text = unquote(piece.replace("+", " ") if plus else piece)
    changed = change(text)
    return piece if changed == text else changed


def _changed_body(body: str, change: Callable[[str], str]) -> str:
    value = _decoded(body)
    if isinstance(value, dict | list):
        changed = _changed_value(value, change)
        return body if changed == value else json.dumps(changed, ensure_ascii=False)
    if value is None and re.fullmatch(r"[^=&\s]+=[^&\s]*(?:&[^=&\s]+=[^&\s]*)*", body):
        pairs = parse_qsl(body, keep_blank_values=True)
        changed_pairs = [(name, change(text)) for name, text in pairs]
        if changed_pairs != pairs:
            return "&".join(f"{quote(name)}={_quoted(text)}" for name, text in changed_pairs)
    return body


def _quoted(text: str) -> str:
    """Return a text of a form, percent-encoded unless it is a placeholder."""
    return text if has_marks(text) else quote(text)


def _changed_value(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, int) and not isinstance(value, bool):
        changed = change(str(value))
        return value if changed == str(value) else changed
    if isinstance(value, Mapping):
        return {key: _changed_value(inner, change) for key, inner in value.items()}
    return [_changed_value(inner, change) for inner in value] if isinstance(value, list) else value
