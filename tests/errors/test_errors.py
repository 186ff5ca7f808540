"""Errors carry what a reader needs: the place of a mistake with a caret, and the exit code."""

import pytest

from stressrunner.errors import (
    Diagnostic,
    GeneratorFault,
    InvalidScenario,
    StressrunnerError,
    TargetUnreachable,
    UnreadableResult,
    UsageError,
)


def test_a_mistake_is_shown_in_its_line():
    """The head names place, mistake and remedy; below it the line, with carets under the mistake."""
    shown = Diagnostic(
        "scenarios/checkout.yaml",
        12,
        3,
        "unknown key 'treshold'",
        "did you mean 'thresholds'?",
        "  treshold:",
        8,
    ).render()
    assert shown == (
        "scenarios/checkout.yaml:12:3: unknown key 'treshold'; did you mean 'thresholds'?\n"
        "   12 |   treshold:\n"
        "      |   ^^^^^^^^"
    )


def test_without_a_line_there_is_no_caret():
    """A mistake in a value given on the command line has a head alone."""
    assert Diagnostic("--set", 1, 6, "not YAML").render() == "--set:1:6: not YAML"


@pytest.mark.parametrize(
    ("column", "line", "width", "carets"),
    [
        (1, "abc", 1, "^"),
        (2, "abc", 99, " ^^"),
        (4, "abc", 3, "   ^"),
        (3, "\t\tabc", 3, "\t\t^^^"),
        (2, "abc", 0, " ^"),
    ],
)
def test_carets_stay_under_the_line(column, line, width, carets):
    """Carets begin at the column, tabs kept as they are, end with the line, and are never none."""
    assert Diagnostic("f", 1, column, "m", source_line=line, width=width).render().splitlines()[2] == (
        f"      | {carets}"
    )


def test_long_files_keep_their_shape():
    """A line number of six digits moves the caret along with the line."""
    head, line, carets = Diagnostic("f", 123456, 2, "m", source_line="abc").render().splitlines()
    assert head == "f:123456:2: m"
    assert line.index("b") == carets.index("^")


def test_all_mistakes_are_in_the_text():
    """The text of an invalid scenario is all its mistakes, one below the other."""
    mistakes = [Diagnostic("f", n, 1, f"mistake {n}") for n in (1, 2)]
    error = InvalidScenario(mistakes)
    assert error.diagnostics == tuple(mistakes)
    assert str(error) == "f:1:1: mistake 1\nf:2:1: mistake 2"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("no such option"), 2, "no such option"),
        (InvalidScenario([]), 2, ""),
        (UnreadableResult("r.json", "it is empty"), 2, "r.json: it is empty"),
        (
            TargetUnreachable("http://x", "nothing listens"),
            4,
            "cannot reach http://x: nothing listens",
        ),
        (
            GeneratorFault("too few descriptors", "raise ulimit -n"),
            4,
            "too few descriptors; raise ulimit -n",
        ),
    ],
)
def test_errors_know_their_exit_code(error, code, text):
    """Each error is a sentence and an exit code of the contract."""
    assert isinstance(error, StressrunnerError)
    assert (error.exit_code, str(error)) == (code, text)
