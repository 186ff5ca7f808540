"""Reads thresholds from text, and from the mapping form by way of its text.

A tokenizer and a parser that goes from left to right, so that every mistake has its place in the text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import Any, cast

from stressrunner.scenario.threshold import METRICS, MONITOR_STATS, Metric, Operator, Threshold
from stressrunner.spelling import did_you_mean
from stressrunner.units import Dimension, Quantity, parse_duration, parse_quantity

__all__ = [
    "STATS",
    "ThresholdError",
    "parse_figure",
    "parse_threshold",
    "render_parts",
    "threshold_of_mapping",
]

_EXAMPLE = "write it like 'p95 < 500ms' or 'login.errors < 1%'"
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<percentile>p\d+(?:\.\d+)?(?![A-Za-z0-9_]))
    | (?P<quantity>[+-]?(?:\d[\d.]*|\.\d+)(?:[eE][+-]?\d+)?(?:[A-Za-zµ]+(?:/[A-Za-z]+)?|%|/[A-Za-z]+|\s(?:us|ms|[smh]|(?:[kMG]i?)?B(?:/[smh])?|%|/[smh])(?!\w))?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator>[<>=!~]+)
    | (?P<mark>[().])
    | (?P<unknown>\S)
    )""",
    re.VERBOSE,
)
_LATENCY_STATS = ("min", "mean", "max")
#: What each stat may be compared with.
STATS: Mapping[str, tuple[Dimension, ...]] = MappingProxyType(
    {
        **dict.fromkeys(_LATENCY_STATS, ("duration",)),
        "errors": ("ratio",),
        "refused": ("ratio",),
        "throughput": ("rate",),
        "goodput": ("rate",),
        "dropped": ("count", "ratio"),
        "unfinished": ("count", "ratio"),
        "not_reached": ("count", "ratio"),
        "count": ("count",),
        **{stat: (dimension,) for stat, dimension in MONITOR_STATS.items()},
    }
)
_OPERATORS = ("<", "<=", ">", ">=", "==", "!=")
_MISSPELLED = MappingProxyType({"=": "==", "=<": "<=", "=>": ">=", "<>": "!="})
#: What other tools call a stat.
_ALIASES = MappingProxyType(
    {
        "avg": "mean",
        "average": "mean",
        "med": "p50",
        "median": "p50",
        "rate": "errors",
        "error_rate": "errors",
        "error_ratio": "errors",
        "http_req_failed": "errors",
        "http_req_duration": "p95",
        "rps": "throughput",
        "requests": "count",
    }
)
_UNIT_EXAMPLES: Mapping[Dimension, str] = MappingProxyType(
    {
        "duration": "500ms",
        "size": "50MB",
        "size_rate": "1MB/h",
        "ratio": "1%",
        "rate": "100/s",
        "count": "100",
    }
)
_CALLED: Mapping[Dimension, str] = MappingProxyType({"size_rate": "size per time"})
_ZERO_OF = ("ratio", "size", "size_rate")  #: whose zero needs no unit
_MAY_SHRINK = ("memory_growth", "memory_slope")


class ThresholdError(ValueError):
    """A threshold that cannot be read, with the place in its text."""

    def __init__(self, message: str, *, offset: int, width: int, hint: str = "") -> None:
        self.message = message
        self.offset = offset  #: characters before the mistake
        self.width = width  #: characters of the mistake
        self.hint = hint
        super().__init__(f"{message}; {hint}" if hint else message)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int

    def error(self, message: str, hint: str = "") -> ThresholdError:
        return ThresholdError(message, offset=self.offset, width=max(1, len(self.text)), hint=hint)


def parse_threshold(text: str) -> Threshold:
    """Read a threshold such as `login.p99(ttfb) <= 2s in hold else warn`.

    Raises:
        ThresholdError: it cannot be read; with the place in the text and, where it is known, what to write.
    """
    return _Parser(text).threshold()


def parse_figure(text: str) -> Threshold:
    """Read what a threshold is about, without a limit, such as `login.p99(ttfb) in hold`; its limit is infinite.

    Raises:
        ThresholdError: it cannot be read, or goes on with an operator; as `parse_threshold` does.
    """
    return _Parser(text).figure()


def threshold_of_mapping(mapping: Mapping[str, Any]) -> Threshold:
    """Read the mapping form, which says the same and can ask for `min_samples` and `no_data` too.

    Raises:
        ThresholdError: with a place in the text of `render_parts`.
    """
    threshold = parse_threshold("".join(text for _, text in render_parts(mapping)))
    return replace(threshold, min_samples=mapping.get("min_samples"), no_data=mapping.get("no_data", "fail"))


def render_parts(mapping: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Write the mapping form as one line, in parts that each name the key that they come from."""
    forms = (
        ("of", "{}."),
        ("stat", "{}"),
        ("metric", "({})"),
        ("op", " {} "),
        ("value", "{}"),
        ("over", " over {}"),
        ("in", " in {}"),
        ("else", " else {}"),
        ("after", " after {}"),
    )
    return tuple((key, form.format(mapping[key])) for key, form in forms if mapping.get(key) is not None)


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "unknown"
        yield _Token(kind, match[kind], match.start(kind))
    yield _Token("end", "", len(text.rstrip()))


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0

    def threshold(self) -> Threshold:
        name, stat = self._subject()
        dimensions = self._dimensions(name, stat)
        metric = self._metric(stat, dimensions)
        op = self._operator()
        limit = self._limit(stat, dimensions)
        self._refuse_foregone(stat, op, limit)
        threshold = Threshold(
            text=self._text.strip(),
            stat=stat.text,
            op=op,
            limit=float(limit.value),
            dimension=limit.dimension,
            of=name,
            metric=metric,
            percentile=float(stat.text[1:]) if stat.kind == "percentile" else None,
        )
        return self._clauses(threshold)

    def figure(self) -> Threshold:
        name, stat = self._subject()
        dimensions = self._dimensions(name, stat)
        metric = self._metric(stat, dimensions)
        phase = self._phase()
        rest = self._take()
        if rest.kind != "end":
            raise rest.error(f"'{rest.text}' is not expected here", "a figure has no limit")
        percentile = float(stat.text[1:]) if stat.kind == "percentile" else None
        return Threshold(
            self._text.strip(),
            stat.text,
            "<",
            inf,
            dimensions[-1],
            of=name,
            metric=metric,
            percentile=percentile,
            phase=phase,
        )

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _takes(self, text: str) -> bool:
        if self._peek().text != text:
            return False
        self._take()
        return True

    def _subject(self) -> tuple[str | None, _Token]:
        first = self._take()
        if first.kind not in ("word", "percentile"):
            raise first.error("a threshold begins with a stat or a name", _EXAMPLE)
        if not self._takes("."):
            return None, first
        stat = self._take()
        if stat.kind not in ("word", "percentile"):
            raise stat.error(f"a stat is missing after '{first.text}.'", _EXAMPLE)
        return first.text, stat

    def _dimensions(self, name: str | None, stat: _Token) -> tuple[Dimension, ...]:
        if stat.kind == "percentile":
            if not 0 < float(stat.text[1:]) < 100:
                raise stat.error("percentiles lie between 0 and 100", "write 'max' for the largest")
            return ("duration",)
        if stat.text in MONITOR_STATS and name is None:
            hint = f"write NAME.{stat.text} with the name of a monitor"
            raise stat.error(f"'{stat.text}' is the figure of a process", hint)
        if stat.text not in STATS:
            raise stat.error(f"unknown stat '{stat.text}'", self._known_stat(stat.text))
        return STATS[stat.text]

    def _known_stat(self, word: str) -> str:
        """Return a hint at the stat that was meant, for people who know k6 too."""
        if word == "p" and (k6 := re.search(r"\bp\(\s*(\d+(?:\.\d+)?)\s*\)", self._text)):
            return f"write 'p{k6[1]} < 500ms'"
        if word in ("rate", "http_req_failed"):
            return "write 'errors < 1%'"
        if word in _ALIASES:
            return f"write '{_ALIASES[word]}'"
        return did_you_mean(word, STATS) or f"stats are pN, {', '.join(STATS)}"

    def _metric(self, stat: _Token, dimensions: tuple[Dimension, ...]) -> Metric:
        if not self._takes("("):
            return "response_time"
        word = self._take()
        if dimensions != ("duration",):
            raise word.error(f"'{stat.text}' has no metrics", f"write '{stat.text}' alone")
        if word.text not in METRICS:
            hint = did_you_mean(word.text, METRICS) or f"metrics are {', '.join(METRICS)}"
            raise word.error(f"unknown metric '{word.text}'", hint)
        if not self._takes(")"):
            raise self._peek().error("')' is missing after the metric")
        return word.text

    def _operator(self) -> Operator:
        token = self._take()
        if token.text in _OPERATORS:
            return cast("Operator", token.text)
        if token.text in _MISSPELLED:
            raise token.error(f"'{token.text}' is no operator", f"write '{_MISSPELLED[token.text]}'")
        if token.text == "(":
            raise token.error("an operator belongs here", _EXAMPLE)
        raise token.error("an operator is missing", f"operators are {' '.join(_OPERATORS)}")

    def _limit(self, stat: _Token, dimensions: tuple[Dimension, ...]) -> Quantity:
        token = self._take()
        example = f"such as {_UNIT_EXAMPLES[dimensions[-1]]}"
        if token.kind != "quantity":
            raise token.error("a limit is missing", f"write a quantity, {example}")
        try:
            quantity = parse_quantity(token.text)
        except ValueError as error:
            raise token.error(str(error)) from None
        if quantity.value < 0 and stat.text not in _MAY_SHRINK:
            raise token.error(f"'{stat.text}' is never negative")
        if quantity.dimension in dimensions:
            if quantity.dimension == "count" and quantity.value.denominator != 1:
                raise token.error(f"'{stat.text}' is compared with a whole number or a ratio", example)
            return quantity
        if quantity.dimension == "count" and quantity.value == 0 and dimensions[0] in _ZERO_OF:
            return Quantity(quantity.value, dimensions[0])
        if quantity.dimension == "count":
            raise token.error(f"'{token.text}' needs a unit", self._with_unit(token.text, dimensions[0]))
        wanted = " or ".join(f"a {_CALLED.get(each, each)}" for each in dimensions)
        given = _CALLED.get(quantity.dimension, quantity.dimension)
        raise token.error(f"'{stat.text}' is compared with {wanted}, not a {given}", example)

    def _refuse_foregone(self, stat: _Token, op: Operator, limit: Quantity) -> None:
        """Refuse a limit that every figure keeps, or none; `errors <= 100%` is how a guard is lifted."""
        token = self._tokens[self._next - 1]
        is_part = limit.dimension == "ratio" and stat.text not in MONITOR_STATS  # processes use several cores
        if is_part and limit.value > 1:
            raise token.error(f"'{stat.text}' is never more than 100%", f"such as {_UNIT_EXAMPLES['ratio']}")
        lowest, highest = limit.value == 0 and stat.text not in _MAY_SHRINK, is_part and limit.value == 1
        if lowest and op == ">=":
            raise token.error("this holds whatever comes", f"such as {_UNIT_EXAMPLES[limit.dimension]}")
        if (lowest and op == "<") or (highest and op == ">"):
            raise token.error("this never holds", f"such as {_UNIT_EXAMPLES[limit.dimension]}")

    @staticmethod
    def _with_unit(number: str, dimension: Dimension) -> str:
        if dimension == "duration":
            return f"write {number}ms or {number}s"
        if dimension == "rate":
            return f"write {number}/s"
        if dimension == "ratio":
            quantity = parse_quantity(number).value * 100
            return f"write {float(quantity):g}%" if quantity <= 100 else f"write {number}%"
        return f"such as {_UNIT_EXAMPLES[dimension]}"

    def _clauses(self, threshold: Threshold) -> Threshold:
        if self._peek().text == "over" and threshold.stat == "not_reached":
            raise self._peek().error("what was not reached is known at the end alone", "leave 'over' out")
        if self._takes("over"):
            threshold = replace(threshold, window_s=self._duration_s("over"))
        threshold = replace(threshold, phase=self._phase())
        if self._takes("else"):
            action = self._take()
            if action.text not in ("warn", "abort"):
                raise action.error("'else' is followed by 'warn' or 'abort'")
            threshold = replace(threshold, action="warn" if action.text == "warn" else "abort")
            if self._takes("after"):
                threshold = replace(threshold, after_s=self._duration_s("after"))
        rest = self._take()
        if rest.kind != "end":
            raise rest.error(f"'{rest.text}' is not expected here", self._order_of_clauses(rest.text))
        return threshold

    def _phase(self) -> str | None:
        if not self._takes("in"):
            return None
        phase = self._take()
        if phase.kind not in ("word", "percentile"):
            raise phase.error("the name of a phase is missing after 'in'")
        return phase.text

    @staticmethod
    def _order_of_clauses(word: str) -> str:
        if word in ("over", "in", "else", "after", "warn", "abort"):
            return "the order is: over WINDOW in PHASE else warn|abort after DURATION"
        if word in ("and", "or", "&", "|"):
            return "write one threshold each"
        return ""

    def _duration_s(self, after: str) -> float:
        token = self._take()
        if token.kind != "quantity":
            raise token.error(f"a duration is missing after '{after}'", "such as 10s")
        try:
            duration_s = float(parse_duration(token.text))
        except ValueError as error:
            raise token.error(str(error)) from None
        if not duration_s:
            raise token.error("the duration must be more than 0")
        return duration_s
