"""Whether thresholds can be read, and whether what they name exists."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stressrunner.errors import Diagnostic
from stressrunner.scenario.phase_names import phase_names
from stressrunner.scenario.source import Node, Path, node_at
from stressrunner.scenario.threshold import MONITOR_STATS, Threshold
from stressrunner.scenario.threshold_grammar import (
    ThresholdError,
    parse_threshold,
    render_parts,
    threshold_of_mapping,
)
from stressrunner.scenario.values import Text
from stressrunner.spelling import did_you_mean

__all__ = ["check_thresholds"]

#: Shows a mistake at the part of a threshold that says a word, or at the whole of it.
_Show = Callable[[str, str, str], Diagnostic]


def check_thresholds(
    root: Node, value: Any, texts: Sequence[Text], names: tuple[Sequence[str], Sequence[str]]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the thresholds of a typed scenario.

    Args:
        root: its nodes.
        value: its typed values, which may have other mistakes.
        texts: its special texts, thresholds among them.
        names: what a threshold can be about: endpoints with `session`, and monitors.
    """
    if not isinstance(value, dict):
        return
    phases = phase_names(value.get("load"))
    for text in texts:
        if text.kind != "threshold":
            continue
        try:
            threshold = parse_threshold(text.filled.text)
        except ThresholdError as error:
            yield text.diagnostic(error.message, error.hint, offset=error.offset, width=error.width)
        else:
            yield from _unknown_names(threshold, names, phases, _shown_in(text))
    listed = value.get("thresholds")
    for number, mapping in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(mapping, dict) and _is_readable(mapping):
            yield from _check_mapping(root, ("thresholds", number), mapping, (names, phases))


def _is_readable(mapping: Mapping[str, Any]) -> bool:
    """Whether the schema has no quarrel with the parts that make up the text."""
    strings = all(isinstance(mapping.get(key), str) for key in ("stat", "op", "value"))
    return strings and all(
        isinstance(mapping.get(key, ""), str) for key in ("of", "metric", "over", "in", "else", "after")
    )


def _check_mapping(
    root: Node,
    path: Path,
    mapping: Mapping[str, Any],
    known: tuple[tuple[Sequence[str], Sequence[str]], list[str]],
) -> Iterator[Diagnostic]:
    try:
        threshold = threshold_of_mapping(mapping)
    except ThresholdError as error:
        key = _part_at(mapping, error.offset)
        yield node_at(root, (*path, key)).diagnostic(error.message, error.hint)
        return

    def show(word: str, message: str, hint: str) -> Diagnostic:
        key = next((key for key in ("of", "stat", "in") if mapping.get(key) == word), "stat")
        return node_at(root, (*path, key)).diagnostic(message, hint)

    yield from _unknown_names(threshold, *known, show)


def _part_at(mapping: Mapping[str, Any], offset: int) -> str:
    """Return the key that an offset into the text of a mapping comes from."""
    end = 0
    key = "stat"
    for key, part in render_parts(mapping):  # noqa: B007  the last one is wanted where the offset is the end
        end += len(part)
        if offset < end:
            break
    return key


def _shown_in(text: Text) -> _Show:
    def show(word: str, message: str, hint: str) -> Diagnostic:
        return text.diagnostic(message, hint, offset=max(0, text.filled.text.find(word)), width=len(word))

    return show


def _unknown_names(
    threshold: Threshold, names: tuple[Sequence[str], Sequence[str]], phases: list[str], show: _Show
) -> Iterator[Diagnostic]:
    subjects, monitors = names
    of = threshold.of
    is_figure = threshold.stat in MONITOR_STATS
    if of is not None and of not in (*subjects, *monitors):
        known = monitors if is_figure else (*subjects, *monitors)
        yield show(
            of, f"there is no {'monitor' if is_figure else 'endpoint or monitor'} '{of}'", _near(of, known)
        )
    elif of is not None and is_figure and of not in monitors:
        yield show(of, f"'{of}' is no monitor, so it has no '{threshold.stat}'", _near(of, monitors))
    elif of is not None and not is_figure and of in monitors:
        hint = f"figures of a monitor are {', '.join(MONITOR_STATS)}"
        yield show(threshold.stat, f"the monitor '{of}' has no '{threshold.stat}'", hint)
    if threshold.phase is not None and threshold.phase not in phases:
        yield show(threshold.phase, f"there is no phase '{threshold.phase}'", _near(threshold.phase, phases))


def _near(name: str, known: Sequence[str]) -> str:
    listed = f"known are {', '.join(known)}" if 0 < len(known) <= 8 else ""
    return did_you_mean(name, known) or listed
