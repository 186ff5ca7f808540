"""Which names an expression uses, and where they stand in its text."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.lexer import ignored_tokens
from jinja2.parser import Parser

from stressrunner.expressions.environment import environment
from stressrunner.expressions.problem import ExpressionError

__all__ = ["NOT_BEHIND", "Reference", "parse", "references_of", "tokens_of"]

#: What is wrong with `a == not b`, which Jinja2 reads as a name, or as a function where a bracket follows.
NOT_BEHIND = ("'not' cannot stand behind an operator", "write 'a != b', or '(not b)' in brackets")
#: Slips that people bring from other languages: pattern, what is wrong, what to write.
_SLIPS = (
    (re.compile(r"&&"), "'&&' is no operator", "write 'and'"),
    (re.compile(r"\|\|"), "'||' is no operator", "write 'or'"),
    (re.compile(r"=<|=>"), "comparison is spelled the other way round", "write '<=' or '>='"),
    (re.compile(r"(?<![=!<>])=(?!=)"), "'=' does not compare", "write '=='"),
    (
        re.compile(r"\b\d+(?:\.\d+)?(?:us|ms|s|m|h)\b"),
        "durations have no unit here",
        "write seconds, such as 0.5",
    ),
    (re.compile(r"(?<!\w)!(?!=)"), "'!' is no operator", "write 'not'"),
    (re.compile(r"[=!]=\s*not\b"), *NOT_BEHIND),
    (re.compile(r"\?"), "'?' is no operator", "write 'a if condition else b'"),
)
_UNOPENED = re.compile(r"unexpected '([)\]}])'")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
#: A placeholder or statement, up to its end or that of the text.
_CODE = re.compile(rf"\{{[{{%](?>{_QUOTED.pattern}|(?![%}}]\}}).)*(?:[%}}]\}})?", re.DOTALL)
_UNEXPECTED = re.compile(r"unexpected char ('.*') at (\d+)", re.DOTALL)


class TemplateToken(NamedTuple):
    """A word, sign or literal of a template."""

    offset: int  #: characters before it in the text
    kind: str  #: as Jinja2 calls it: name, operator, string, ...
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that an expression takes from its surroundings."""

    path: tuple[str, ...]  #: the name and the fields looked up in it: `body.user.id` is (body, user, id)
    offset: int  #: characters before it in the text
    width: int
    guarded: bool  #: its absence is provided for, with `is defined` or `default`

    def moved(self, by: int) -> "Reference":
        """Return the same reference in a text that has so many more characters before it."""
        return Reference(self.path, self.offset + by, self.width, self.guarded)


def tokens_of(source: str) -> list[TemplateToken]:
    """Return the tokens that mean something, up to the place where the text cannot be read."""
    tokens = []
    end = 0
    try:
        for _, kind, text in environment().lex(source):
            # The lexer leaves out the blanks before '{%-', and writes every line break as one character.
            offset = source.find(text, end)
            if offset < 0:
                continue
            end = offset + len(text)
            if kind not in ignored_tokens:
                tokens.append(TemplateToken(offset, kind, text))
    except TemplateSyntaxError:
        pass  # the parser meets the same text and says what is wrong
    return tokens


def _visible(source: str) -> str:
    """Return the text with everything blanked that is no code: literal text, and what is quoted."""
    parts = []
    at = 0
    for code in _CODE.finditer(source):
        parts += [" " * (code.start() - at), _QUOTED.sub(lambda match: " " * len(match[0]), code[0])]
        at = code.end()
    return "".join([*parts, " " * (len(source) - at)])


def _slip(source: str) -> ExpressionError | None:
    """Return the mistake that explains a syntax error best, when it is a known slip."""
    visible = _visible(source)
    if visible.count("'") % 2 or visible.count('"') % 2:
        return ExpressionError(
            "unbalanced quote",
            offset=max(visible.find("'"), visible.find('"')),
            hint="in YAML ' #' begins a comment: quote the whole",
        )
    for pattern, message, hint in _SLIPS:
        match = pattern.search(visible)
        if match:
            return ExpressionError(message, offset=match.start(), width=len(match.group()), hint=hint)
    for opening, closing in ("()", "[]", "{}"):
        if visible.count(opening) > visible.count(closing):
            return ExpressionError(
                "unbalanced bracket",
                offset=visible.rfind(opening),
                hint="inside [...] and {...} a comma ends the item: use block style or quotes",
            )
    return None


def parse(source: str) -> nodes.Template:
    """Parse a template.

    Raises:
        ExpressionError: with the offset of the token at which it stops making sense.
    """
    parser = None
    try:
        parser = Parser(environment(), source)
        return parser.parse()
    except TemplateSyntaxError as error:
        raise _slip(source) or _mistake(source, parser, str(error.message)) from error
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        token = max((t for t in tokens_of(source) if t.kind == "integer"), key=lambda t: len(t.text))
        raise ExpressionError(
            "a number with too many digits", offset=token.offset, width=len(token.text)
        ) from error


def _mistake(source: str, parser: Parser | None, message: str) -> ExpressionError:
    """Return what Jinja2 found, at the token that it had come to or the last that can be read."""
    unexpected = _UNEXPECTED.match(message)
    if unexpected is not None:
        return ExpressionError(f"{unexpected[1]} has no meaning here", offset=int(unexpected[2]))
    tokens = tokens_of(source) or [TemplateToken(0, "", source[:1])]
    bracket = _UNOPENED.match(message)
    if bracket is not None:  # the lexer's mistake: it stands after the last token that could be read
        end = tokens[-1].offset + len(tokens[-1].text)
        return ExpressionError(message, offset=max(0, source.find(bracket[1], end)))
    left = 0 if parser is None else _tokens_left(parser)
    token = tokens[max(0, min(len(tokens) - 1, len(tokens) - left))]
    return ExpressionError(message, offset=token.offset, width=max(1, len(token.text)))


def _tokens_left(parser: Parser) -> int:
    left = 0
    try:
        while not parser.stream.eos:
            left += 1
            next(parser.stream)
    except TemplateSyntaxError:
        return 0  # what follows cannot be read either
    return left


def _path(node: nodes.Node) -> tuple[str, ...] | None:
    """Return the path of a chain of lookups that begins with a name, up to the first that is computed."""
    fields: list[str] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            fields.insert(0, node.attr)
        elif isinstance(node, nodes.Getitem):
            constant = isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str)
            fields = [node.arg.value, *fields] if constant and isinstance(node.arg, nodes.Const) else []
        else:
            return None
        node = node.node
    return (node.name, *fields)


def _lookups(node: nodes.Node, *, guarded: bool) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the paths of all lookups below a node in the order of the text, and whether each is guarded."""
    path = _path(node) if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem) else None
    if path is not None:
        yield path, guarded
        yield from _computed_keys(node, guarded=guarded)
        return
    guards = isinstance(node, nodes.Test) and node.name in ("defined", "undefined")
    guards = guards or (isinstance(node, nodes.Filter) and node.name in ("default", "d"))
    for child in node.iter_child_nodes():
        yield from _lookups(child, guarded=guarded or guards)


def _computed_keys(node: nodes.Node, *, guarded: bool) -> Iterator[tuple[tuple[str, ...], bool]]:
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
            yield from _lookups(node.arg, guarded=guarded)
        node = node.node


def _occurrences(tokens: list[TemplateToken]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the chains of lookups as they stand in the text, and their offsets."""
    before = [TemplateToken(0, "", ""), TemplateToken(0, "", ""), *tokens]
    for i, token in enumerate(tokens):
        if token.kind != "name" or before[i + 1].text in (".", "|"):
            continue
        if before[i + 1].text == "is" or (before[i].text, before[i + 1].text) == ("is", "not"):
            continue  # the name of a test
        path = [token.text]
        at = i + 1
        while True:
            match [following.text if following.kind != "string" else "" for following in tokens[at : at + 3]]:
                case [".", field, *_] if tokens[at + 1].kind == "name":
                    path.append(field)
                    at += 2
                case ["[", "", "]"]:
                    path.append(tokens[at + 1].text[1:-1])
                    at += 3
                case _:
                    break
        yield tuple(path), token.offset


class _Places:
    """Where the lookups of a text stand; each is taken once, as far as that goes."""

    def __init__(self, occurrences: Iterable[tuple[tuple[str, ...], int]]) -> None:
        self._of_path: defaultdict[tuple[str, ...], deque[int]] = defaultdict(deque)
        self._of_root: defaultdict[str, deque[int]] = defaultdict(deque)
        self._left: Counter[str] = Counter()
        self._taken: set[int] = set()
        for path, offset in occurrences:
            self._of_path[path].append(offset)
            self._of_root[path[0]].append(offset)
            self._left[path[0]] += 1

    def take(self, path: tuple[str, ...]) -> int:
        """Return the offset of a lookup and strike it off: the tree does not always go in the order of the text."""
        offset = self._first(self._of_path[path])
        if offset is None:
            offset = self._first(self._of_root[path[0]])
        if offset is None:
            return 0
        if self._left[path[0]] > 1:
            self._left[path[0]] -= 1
            self._taken.add(offset)
        return offset

    def _first(self, offsets: deque[int]) -> int | None:
        while offsets and offsets[0] in self._taken:
            offsets.popleft()
        return offsets[0] if offsets else None


def _undeclared(tree: nodes.Template) -> set[str]:
    """Return what `meta.find_undeclared_variables` does, without its search for constants: cubic in the depth."""
    generator = meta.TrackingCodeGenerator(tree.environment or environment())
    generator.optimizer = None
    generator.visit(tree)
    return generator.undeclared_identifiers


def references_of(source: str, tree: nodes.Template) -> tuple[Reference, ...]:
    """Return the names that a parsed template takes from outside, in the order of the text."""
    outside = _undeclared(tree) - set(environment().globals)
    places = _Places(_occurrences(tokens_of(source)))
    found = [(path, guarded) for path, guarded in _lookups(tree, guarded=False) if path[0] in outside]
    guarded_roots = {path[0] for path, guarded in found if guarded}
    references = [
        Reference(path, places.take(path), len(path[0]), path[0] in guarded_roots) for path, _ in found
    ]
    return tuple(sorted(references, key=lambda reference: reference.offset))
