"""Whether thresholds can be read, and whether what they name exists."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.scenario.source import Node, Path, node_at
from stressrunner.scenario.threshold import MONITOR_STATS, OVERALL_STATS, Threshold
from stressrunner.scenario.threshold_grammar import (
    ThresholdError,
    parse_threshold,
    render_parts,
    threshold_of_mapping,
)
from stressrunner.scenario.values import Text
from stressrunner.scenario.workload_parts import workload_parts
from stressrunner.spelling import did_you_mean

__all__ = ["Subjects", "check_thresholds"]

#: Shows a mistake at the part of a threshold that says a word, or at the whole of it.
_Show = Callable[[str, str, str], Diagnostic]


class Subjects(NamedTuple):
    """What the thresholds of a scenario can be about."""

    measured: Sequence[str]  #: endpoints, and what is measured of iterations as a whole
    monitors: Sequence[str]
    unsent: frozenset[str]  #: those of the measured that the load never sends


class _Known(NamedTuple):
    """What a scenario has that its thresholds may name or depend on."""

    subjects: Subjects
    phases: Mapping[str, str]  #: with the workload that each belongs to
    counted_s: Mapping[str, float]  #: the longest that all phases of a workload that count can last
    lengths_s: Mapping[str, float]  #: the longest that a phase can last

    @classmethod
    def of(cls, value: Mapping[str, Any], subjects: Subjects) -> "_Known":
        phases: dict[str, str] = {}
        counted_s: dict[str, float] = {}
        lengths_s: dict[str, float] = {}
        for part in workload_parts(value):
            counted_s[part.name] = 0.0
            for name, phase in zip(part.phase_names, part.phases, strict=True):
                phases[name], lengths_s[name] = part.name, _longest_s(phase)
                if not (isinstance(phase, dict) and phase.get("warmup")):
                    counted_s[part.name] += lengths_s[name]
        return cls(subjects, phases, counted_s, lengths_s)

    def longest_s(self, threshold: Threshold) -> float:
        """Return the longest time that a threshold can judge."""
        if threshold.phase is not None:
            return self.lengths_s[threshold.phase]
        if threshold.of is not None and threshold.of in self.counted_s:
            return self.counted_s[threshold.of]
        return max(self.counted_s.values(), default=inf)


def _longest_s(phase: Any) -> float:
    """Return after how many seconds the last request of a phase has ended, infinity where that is not known."""
    if not isinstance(phase, dict) or "duration" not in phase:
        return inf
    spelled = (phase["duration"], phase.get("graceful_stop", "30s"))
    try:
        return float(sum(units.parse_duration(text) for text in spelled if isinstance(text, str)))
    except ValueError:
        return inf  # the schema has said so


def check_thresholds(
    root: Node, value: Any, texts: Sequence[Text], subjects: Subjects
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the thresholds of a typed scenario.

    Args:
        root: its nodes.
        value: its typed values, which may have other mistakes.
        texts: its special texts, thresholds among them.
        subjects: what they can be about.
    """
    if not isinstance(value, dict):
        return
    known = _Known.of(value, subjects)
    for text in texts:
        if text.kind != "threshold":
            continue
        try:
            threshold = parse_threshold(text.filled.text)
        except ThresholdError as error:
            yield text.diagnostic(error.message, error.hint, offset=error.offset, width=error.width)
        else:
            yield from _misjudged(threshold, known, _shown_in(text))
    listed = value.get("thresholds")
    for number, mapping in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(mapping, dict) and _is_readable(mapping):
            yield from _check_mapping(root, ("thresholds", number), mapping, known)


def _is_readable(mapping: Mapping[str, Any]) -> bool:
    """Whether the schema has no quarrel with the parts that make up the text."""
    strings = all(isinstance(mapping.get(key), str) for key in ("stat", "op", "value"))
    return (
        strings
        and mapping["op"] != ""
        and all(
            isinstance(mapping.get(key, ""), str) for key in ("of", "metric", "over", "in", "else", "after")
        )
    )


def _check_mapping(root: Node, path: Path, mapping: Mapping[str, Any], known: _Known) -> Iterator[Diagnostic]:
    try:
        threshold = threshold_of_mapping(mapping)
    except ThresholdError as error:
        key = _part_at(mapping, error.offset)
        yield node_at(root, (*path, key)).diagnostic(error.message, error.hint)
        return

    def show(word: str, message: str, hint: str) -> Diagnostic:
        places = ("of", "stat", "in", "over")
        key = next((key for key in places if word in (key, mapping.get(key)) and key in mapping), "stat")
        return node_at(root, (*path, key)).diagnostic(message, hint)

    yield from _misjudged(threshold, known, show)


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


def _misjudged(threshold: Threshold, known: _Known, show: _Show) -> Iterator[Diagnostic]:
    """Yield what is wrong with the names of a threshold, or where these are right, why it never has data."""
    wrong = list(_unknown_names(threshold, known, show))
    yield from wrong
    if not wrong and threshold.no_data == "fail":
        yield from _without_data(threshold, known, show)


def _unknown_names(threshold: Threshold, known: _Known, show: _Show) -> Iterator[Diagnostic]:
    subjects, monitors, _ = known.subjects
    of = threshold.of
    if of is not None and of in OVERALL_STATS:
        yield from _of_overall(threshold, of, known, show)
        return
    is_figure = threshold.stat in MONITOR_STATS
    if of is not None and of not in (*subjects, *monitors):
        near = _near(of, monitors if is_figure else (*subjects, *monitors))
        yield show(of, f"there is no {'monitor' if is_figure else 'endpoint or monitor'} '{of}'", near)
    elif of is not None and is_figure and of not in monitors:
        yield show(of, f"'{of}' is no monitor, so it has no '{threshold.stat}'", _near(of, monitors))
    elif of is not None and not is_figure and of in monitors:
        hint = f"figures of a monitor are {', '.join(MONITOR_STATS)}"
        yield show(threshold.stat, f"the monitor '{of}' has no '{threshold.stat}'", hint)
    if threshold.phase is not None and threshold.phase not in known.phases:
        near = _near(threshold.phase, list(known.phases))
        yield show(threshold.phase, f"there is no phase '{threshold.phase}'", near)


def _of_overall(threshold: Threshold, of: str, known: _Known, show: _Show) -> Iterator[Diagnostic]:
    """Yield what a threshold asks of a figure of the run as a whole that it does not have."""
    stats = OVERALL_STATS[of]
    if threshold.stat not in stats:
        yield show(threshold.stat, f"'{of}' has no '{threshold.stat}'", f"it has {', '.join(stats)}")
    elif threshold.window_s is not None or threshold.action == "abort":
        word = "over" if threshold.window_s is not None else "else"
        message = f"'{of}.{threshold.stat}' is judged when the load has ended"
        yield show(word, message, f"leave out '{'over' if word == 'over' else 'else abort'}'")
    elif threshold.phase is not None and of == "user_setup":
        yield show("in", "users are set up in all phases", "leave out 'in'")
    elif threshold.phase is not None and threshold.phase not in known.phases:
        near = _near(threshold.phase, list(known.phases))
        yield show(threshold.phase, f"there is no phase '{threshold.phase}'", near)


def _without_data(threshold: Threshold, known: _Known, show: _Show) -> Iterator[Diagnostic]:
    of, window_s, longest_s = threshold.of, threshold.window_s, known.longest_s(threshold)
    workload = None if threshold.phase is None else known.phases[threshold.phase]
    if of in known.subjects.unsent:
        yield show(
            of, f"the load never sends '{of}', so there is nothing to judge", "send it, or remove this"
        )
    if of in known.counted_s and threshold.phase is not None and workload != of:
        own = [name for name, workload in known.phases.items() if workload == of]
        message = f"'{threshold.phase}' is a phase of '{workload}', so it has nothing of '{of}'"
        yield show(threshold.phase, message, f"phases of '{of}' are {', '.join(own)}")
    elif window_s is not None and window_s > longest_s:
        what = "the load lasts" if threshold.phase is None else f"'{threshold.phase}' lasts"
        longest = units.format_duration(longest_s)
        yield show("over", f"{what} at most {longest}, so no window is ever full", "shorten the window")


def _near(name: str, known: Sequence[str]) -> str:
    listed = f"known are {', '.join(known)}" if 0 < len(known) <= 8 else ""
    return did_you_mean(name, known) or listed
