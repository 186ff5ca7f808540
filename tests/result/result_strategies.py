"""Results of any content, made from the type hints of their classes."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.spread import Spread
from stressrunner.metrics.summary import Latency
from stressrunner.metrics.timeline import TimelinePoint
from stressrunner.result.model import SCHEMA, Result, RunRecord

#: Wplaceholder results are large: few of them, and none made smaller when one fails, which takes minutes.
WHOLE_RESULTS = settings(
    max_examples=30,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
FIGURES = st.floats(min_value=0, max_value=1e9)
COUNTS = st.integers(min_value=0, max_value=10**12)


def latency_of(times_ns, never):
    """Return the distribution of some times; its histogram has to agree with its figures."""
    histogram = Histogram()
    for ns in times_ns:
        histogram.record(ns)
    histogram.never = never
    return Latency.of(histogram)


#: Of the times that a point was made of.
SPREADS = st.builds(
    lambda counts, never: Spread(dict(sorted(counts.items())), never).text(),
    st.dictionaries(st.integers(0, 150), st.integers(1, 10**6), max_size=4),
    st.integers(0, 3),
)
LATENCIES = st.builds(latency_of, st.lists(st.integers(0, 10**11), max_size=4), st.integers(0, 3))
#: Texts that have a form of their own.
_OF_FORM = {
    TimelinePoint: {"spread": SPREADS},
    RunRecord: {"started_at": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)},
}


def values_of(hint, text):
    """Return a strategy for the values of a type, with a strategy for all their texts."""
    if hint is Latency:
        return LATENCIES
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        parts = {field.name: values_of(hints[field.name], text) for field in fields(hint)}
        return st.builds(hint, **(parts | _OF_FORM.get(hint, {})))
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.none() | values_of(next(arg for arg in args if arg is not NoneType), text)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values_of(args[0], text), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(text, values_of(args[1], text), max_size=2)
    return {bool: st.booleans(), int: COUNTS, float: FIGURES, str: text}[hint]


def results(text=st.text(max_size=20)):  # noqa: B008  strategies have no state
    """Return a strategy for whole results; `text` is one for the texts in them."""
    hints = get_type_hints(Result)
    parts = {name: values_of(hint, text) for name, hint in hints.items()}
    return st.builds(Result, **(parts | {"schema": st.just(SCHEMA)}))
