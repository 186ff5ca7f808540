"""Quantities: texts become exact fractions, and figures become texts that people read."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.units import (
    Quantity,
    format_bytes,
    format_duration,
    format_quantity,
    format_rate,
    format_ratio,
    parse_duration,
    parse_quantity,
    parse_rate,
    parse_ratio,
    parse_size,
)

UNITS = "units are us, ms, s, m, h, B, kB, MB, GB, KiB, MiB, GiB, %, /s, /m, /h"


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("500ms", Fraction(1, 2), "duration"),
        ("85us", Fraction(85, 1_000_000), "duration"),
        ("1.5 h", Fraction(5400), "duration"),
        ("2m", Fraction(120), "duration"),
        ("0.1s", Fraction(1, 10), "duration"),
        ("-3s", Fraction(-3), "duration"),
        ("+3s", Fraction(3), "duration"),
        ("50MB", Fraction(50_000_000), "size"),
        ("1MB/h", Fraction(1_000_000), "size_rate"),
        ("2 kB/s", Fraction(2000 * 3600), "size_rate"),
        ("1KiB/m", Fraction(1024 * 60), "size_rate"),
        ("1KiB", Fraction(1024), "size"),
        ("2GiB", Fraction(2 * 1024**3), "size"),
        ("7B", Fraction(7), "size"),
        ("99.9%", Fraction(999, 1000), "ratio"),
        ("100/s", Fraction(100), "rate"),
        ("90/m", Fraction(3, 2), "rate"),
        ("1/h", Fraction(1, 3600), "rate"),
        (" 100 ", Fraction(100), "count"),
        ("1e-2s", Fraction(1, 100), "duration"),
        ("0.30000000000000004s", Fraction("0.30000000000000004"), "duration"),
        ("1.5E+3 ms", Fraction(3, 2), "duration"),
        ("5e-324s", Fraction(0), "duration"),
    ],
)
def test_quantities_are_exact(text, value, dimension):
    """A number and its unit make an exact value in the base unit."""
    assert parse_quantity(text) == Quantity(value, dimension)


def test_a_tenth_of_a_second_at_100_per_second_is_ten():
    """Rates and durations multiply without rounding, which floats would not."""
    assert parse_rate("100/s") * parse_duration("0.1s") == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (text, f"{text!r} is not a quantity: write a number with its unit, such as 500ms, 1% or 100/s")
        for text in (
            "",
            "fast",
            ".5s",
            "5.s",
            "1_000s",
            "1,000/s",
            "--5s",
            "5s5",
            "inf s",
            "nan",
            "1e1000s",
            "1" * 401 + "s",
            "٣s",
        )
    ]
    + [
        ("5sec", f"unknown unit 'sec' in '5sec': {UNITS}"),
        ("5%%", f"unknown unit '%%' in '5%%': {UNITS}"),
        ("5MS", "unknown unit 'MS' in '5MS': did you mean 'ms'?"),
        ("5 kb", "unknown unit 'kb' in '5 kb': did you mean 'kB'?"),
        ("85µs", "unknown unit 'µs' in '85µs': did you mean 'us'?"),
        ("85\u03bcs", "unknown unit '\u03bcs' in '85\u03bcs': did you mean 'us'?"),
    ],
)
def test_what_is_no_quantity_is_refused(text, message):
    """What cannot be read is refused with what can, or with the unit that was meant."""
    with pytest.raises(ValueError) as caught:
        parse_quantity(text)
    assert str(caught.value) == message


@given(st.floats(0, 1e15, exclude_max=True) | st.integers(0, 10**15 - 1))
def test_every_number_that_is_printed_is_one(number):
    """What a template computes can be a quantity, however Python writes it; what is next to nothing is nothing."""
    assert float(parse_duration(f"{number}s")) == (number if number >= 1e-15 else 0)


@pytest.mark.parametrize("text", ["1e15s", "-1e15s", "9" * 400 + "s", "1e999/s"])
def test_what_no_figure_can_hold_is_refused(text):
    """A number that nothing can be computed with says so itself, and is no crash later."""
    with pytest.raises(ValueError, match="is too large: numbers are less than 1e15"):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_duration, "500", "'500' needs a unit (us ms s m h), such as 30s"),
        (parse_duration, "1%", "'1%' is not a duration: its unit is one of us ms s m h, such as 30s"),
        (parse_duration, "-1s", "'-1s' is negative"),
        (parse_size, "50", "'50' needs a unit (B kB MB GB KiB MiB GiB), such as 50MB"),
        (parse_size, "5s", "'5s' is not a size: its unit is one of B kB MB GB KiB MiB GiB, such as 50MB"),
        (parse_ratio, "0.01", "'0.01' needs a unit (%), such as 1%"),
        (parse_ratio, "-1%", "'-1%' is negative"),
        (parse_rate, "0", "'0' needs a unit (/s /m /h), such as 100/s"),
        (parse_rate, "5 s", "'5 s' is not a rate: its unit is one of /s /m /h, such as 100/s"),
    ],
)
def test_a_quantity_of_another_kind_is_refused(parse, text, message):
    """Where a duration is wanted, a number without a unit or with another one is told what to write."""
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("parse", [parse_duration, parse_size, parse_ratio])
def test_nothing_needs_no_unit(parse):
    """Zero is zero in every unit."""
    assert parse("0") == 0


def test_sizes_are_whole_bytes():
    """A part of a byte is left off."""
    assert parse_size("1.0019kB") == 1001


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1e-9, "0.001 µs"),
        (0.0000854, "85.4 µs"),
        (0.000999, "999 µs"),
        (0.00099996, "1 ms"),
        (0.0123456, "12.3 ms"),
        (0.999, "999 ms"),
        (0.99996, "1 s"),
        (1.25, "1.25 s"),
        (59.99, "60 s"),
        (99.94, "99.9 s"),
        (99.96, "1 min 40 s"),
        (120, "2 min"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h"),
        (7185, "2 h"),
        (7500, "2 h 5 min"),
        (360_000, "100 h"),
        (-0.5, "-500 ms"),
        (-200, "-3 min 20 s"),
    ],
)
def test_durations_for_people(seconds, text):
    """Three digits in the unit that suits; what rounds up to the next unit is written in it."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1 kB"),
        (1536, "1.54 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (245_000_000, "245 MB"),
        (-2_500_000, "-2.5 MB"),
        (1e12, "1,000 GB"),
    ],
)
def test_sizes_for_people(size, text):
    """Three digits in decimal units."""
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0, "0 %"),
        (1e-9, "< 0.01 %"),
        (0.0001, "0.01 %"),
        (0.025, "2.5 %"),
        (0.5, "50 %"),
        (0.9999, "99.99 %"),
        (0.999999, "> 99.99 %"),
        (1, "100 %"),
        (1.5, "150 %"),
    ],
)
def test_ratios_for_people(ratio, text):
    """Percent with two decimals; a single failure in a billion does not read as none."""
    assert format_ratio(ratio) == text


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (0.25, "duration", "250 ms"),
        (2048, "size", "2.05 kB"),
        (0.01, "ratio", "1 %"),
        (16.23, "rate", "16.2/s"),
        (12_345.6, "rate", "12,346/s"),
        (1_234_567, "count", "1,234,567"),
        (0, "count", "0"),
    ],
)
def test_values_are_written_by_what_they_measure(value, dimension, text):
    """The dimension of a value decides how it is written."""
    assert format_quantity(value, dimension) == text


figures = st.floats(1e-9, 1e12)


@given(figures)
def test_no_exponents(value):
    """Nothing is ever written in scientific notation, which people misread."""
    for write in (format_duration, format_bytes, format_rate):
        assert re.fullmatch(r"[\d.,]+ ?(µs|ms|s|min|h|B|kB|MB|GB|/s)( \d+ (s|min))?", write(value))


@given(st.floats(1e-6, 99.9))
def test_durations_read_back(seconds):
    """A duration as it is written is the duration, to three digits."""
    text = format_duration(seconds).replace("µ", "u")
    assert float(parse_duration(text)) == pytest.approx(seconds, rel=0.005)


@given(st.floats(1, 9.9e11))
def test_sizes_read_back(size):
    """A size as it is written is the size, to three digits or a byte."""
    assert parse_size(format_bytes(size)) == pytest.approx(size, rel=0.005, abs=1)


@given(st.floats(0.0001, 0.9999))
def test_ratios_read_back(ratio):
    """A ratio as it is written is the ratio, to a hundredth of a percent."""
    assert float(parse_ratio(format_ratio(ratio))) == pytest.approx(ratio, abs=0.000051)


@given(st.floats(0.001, 999))
def test_rates_read_back(rate):
    """A rate as it is written is the rate, to three digits."""
    assert float(parse_rate(format_rate(rate))) == pytest.approx(rate, rel=0.005)


@given(
    st.integers(0, 10**15 - 1),
    st.sampled_from(["us", "ms", "s", "m", "h", "B", "kB", "MB", "GB", "KiB", "MiB", "GiB", "%", "/s", "/m"]),
    st.sampled_from(["", " "]),
)
def test_whole_numbers_of_every_unit_are_exact(number, unit, space):
    """A whole number of a unit is exactly that many times the unit."""
    one = parse_quantity(f"1{unit}")
    assert parse_quantity(f"{number}{space}{unit}") == Quantity(number * one.value, one.dimension)
