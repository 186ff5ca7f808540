"""Nodes back to YAML: the scenario as it was composed, for reports and for other processes."""

from collections.abc import Iterator, Mapping

import yaml

from stressrunner.scenario.holes import fill_public
from stressrunner.scenario.source import ListNode, Node, ScalarNode

__all__ = ["composed_yaml"]

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def composed_yaml(root: Node, environ: Mapping[str, str]) -> str:
    """Return a tree as YAML that reads back as the same scenario, with every `${...}` filled but secrets.

    Raises:
        HoleError: a hole cannot be filled; not for a tree whose values were typed without mistakes.
    """
    events = [
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(explicit=False),
        *_events(root, environ),
        yaml.DocumentEndEvent(explicit=False),
        yaml.StreamEndEvent(),
    ]
    text: str = yaml.emit(events, Dumper=_DUMPER, width=110, allow_unicode=True)
    return text


def _events(node: Node, environ: Mapping[str, str]) -> Iterator[yaml.Event]:
    if isinstance(node, ScalarNode):
        yield _scalar(node, fill_public(node.text, environ))
    elif isinstance(node, ListNode):
        yield yaml.SequenceStartEvent(None, None, implicit=True, flow_style=False)
        for item in node.items:
            yield from _events(item, environ)
        yield yaml.SequenceEndEvent()
    else:
        yield yaml.MappingStartEvent(None, None, implicit=True, flow_style=False)
        for entry in node.entries.values():
            yield _scalar(entry.key, entry.key.text)
            yield from _events(entry.value, environ)
        yield yaml.MappingEndEvent()


def _scalar(node: ScalarNode, text: str) -> yaml.Event:
    style = None if node.plain else "|" if "\n" in text else '"'
    return yaml.ScalarEvent(None, None, implicit=(node.plain, not node.plain), value=text, style=style)
