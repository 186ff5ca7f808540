"""Names that a scenario gives and nothing uses, and endpoints that its load never sends."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stressrunner.scenario.source import ListNode, MappingNode, Node, ScalarNode
from stressrunner.scenario.values import Text

__all__ = ["sent_names", "words_not_understood"]

_WORD = re.compile(r"[A-Za-z_]\w*")
#: What at the top of a scenario says what is sent.
_TRAFFIC = ("mix", "flow", "flows", "session", "traffic", "load")
#: What is there for readers, where the name of a variable is no use of it.
_PROSE = ("name", "description", "uses")


def words_not_understood(root: Node, texts: list[Text]) -> frozenset[str]:
    """Return the words of all values that are none of these texts, and so were not looked into for names.

    Such values have mistakes of their own, or stand under keys that do; a name in one of them may well be used.
    """
    understood = {id(text.node) for text in texts}
    return frozenset(
        word for node in _scalars(root) if id(node) not in understood for word in _WORD.findall(node.text)
    )


def _scalars(root: Node) -> Iterator[ScalarNode]:
    prose = (
        [root.entries[name].value for name in _PROSE if name in root.entries]
        if isinstance(root, MappingNode)
        else []
    )
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ScalarNode):
            yield node
        elif isinstance(node, ListNode):
            waiting += node.items
        else:
            waiting += (inner for _, inner in node if all(inner is not text for text in prose))


def sent_names(value: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the names that the traffic of a typed scenario mentions, or None where all endpoints are sent.

    Names that a `mix` gives no weight are not among them; others that are no endpoints are.
    """
    if not any(key in value for key in _TRAFFIC if key != "load"):
        return None
    return frozenset(_mentioned({key: value[key] for key in _TRAFFIC if key in value}))


def _mentioned(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for inner in part:
            yield from _mentioned(inner)
    elif isinstance(part, dict):
        for key, inner in part.items():
            if key == "mix" and isinstance(inner, dict):
                yield from (name for name, weight in inner.items() if weight != 0)
            else:
                yield from _mentioned(inner)
