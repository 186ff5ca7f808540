"""Suggestions: the closest of the known words, or none."""

import pytest

from stressrunner.spelling import did_you_mean, spreadsheet_cell


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("treshold", ["thresholds", "target"], "did you mean 'thresholds'?"),
        ("hom", ["name", "home"], "did you mean 'home'?"),
        ("wholly", ["target", "load"], ""),
        ("x", [], ""),
        ("x" * 1000, ["x" * 999], ""),
    ],
)
def test_the_closest_word_is_suggested(word, known, hint):
    """A word that is nearly a known one is taken for it; others, and such as nobody types, are not."""
    assert did_you_mean(word, known) == hint


def test_a_suggestion_takes_no_time_to_speak_of():
    """Among very many known words only the first are compared: a hostile file has as many as it likes."""
    assert did_you_mean("home", (f"name{number}" for number in range(10**9))) == ""


def test_half_a_character_can_be_written():
    """What JSON may hold and UTF-8 may not is an escape, in a cell of a table as elsewhere."""
    assert spreadsheet_cell("=a\udc80") == "'=a\\udc80"
