"""Which names an expression uses, and where they stand in its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.lexer import ignored_tokens
from jinja2.parser import Parser

from stressrunner.expressions.environment import environment
from stressrunner.expressions.problem import ExpressionError

__all__ = ["Reference", "parse", "references_of"]

#: Slips that people bring from other languages: pattern, what is wrong, what to write.
_SLIPS = (
    (re.compile(r"&&"), "'&&' is no operator", "write 'and'"),
    (re.compile(r"\|\|"), "'||' is no operator", "write 'or'"),
    (re.compile(r"(?<![=!<>])=(?!=)"), "'=' does not compare", "write '=='"),
    (re.compile(r"=<|=>"), "comparison is spelled the other way round", "write '<=' or '>='"),
    (
        re.compile(r"\b\d+(?:\.\d+)?(?:us|ms|s|m|h)\b"),
        "durations have no unit here",
        "write seconds, such as 0.5",
    ),
    (re.compile(r"(?<!\w)!(?!=)"), "'!' is no operator", "write 'not'"),
    (re.compile(r"\?"), "'?' is no operator", "write 'a if condition else b'"),
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


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


def _tokens(source: str) -> list[tuple[int, str, str]]:
    """Return (offset, kind, text) of the tokens that mean something."""
    offset = 0
    tokens = []
    for _, kind, text in environment().lex(source):
        if kind not in ignored_tokens:
            tokens.append((offset, kind, text))
        offset += len(text)
    return tokens


def _slip(source: str) -> ExpressionError | None:
    """Return the mistake that explains a syntax error best, when it is a known slip."""
    visible = _QUOTED.sub(lambda match: " " * len(match.group()), source)
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
    try:
        parser = Parser(environment(), source)
    except TemplateSyntaxError as error:
        raise _slip(source) or ExpressionError(str(error.message), width=len(source)) from error
    try:
        return parser.parse()
    except TemplateSyntaxError as error:
        slip = _slip(source)
        if slip is not None:
            raise slip from error
        raise _located(source, parser, str(error.message)) from error


def _located(source: str, parser: Parser, message: str) -> ExpressionError:
    remaining = 0
    while not parser.stream.eos:
        remaining += 1
        next(parser.stream)
    tokens = _tokens(source)
    offset, _, text = tokens[max(0, min(len(tokens) - 1, len(tokens) - remaining))]
    return ExpressionError(message, offset=offset, width=len(text))


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


def references_of(source: str, tree: nodes.Template) -> tuple[Reference, ...]:
    """Return the names that a parsed template takes from outside, in the order of the text."""
    outside = meta.find_undeclared_variables(tree) - set(environment().globals)
    tokens = _tokens(source)
    places: dict[str, list[int]] = {}
    for before, (offset, kind, text) in zip([(0, "", ""), *tokens], tokens, strict=False):
        if kind == "name" and before[2] not in (".", "|") and not (before[1] == "name" and before[2] == "is"):
            places.setdefault(text, []).append(offset)
    found = [(path, guarded) for path, guarded in _lookups(tree, guarded=False) if path[0] in outside]
    guarded_roots = {path[0] for path, guarded in found if guarded}
    references = []
    for path, _ in found:
        at = places.get(path[0], [0])
        offset = at.pop(0) if len(at) > 1 else at[0]
        references.append(Reference(path, offset, len(path[0]), path[0] in guarded_roots))
    return tuple(sorted(references, key=lambda reference: reference.offset))
