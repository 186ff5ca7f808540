"""The live view is a function of where a load stands: frames of two widths as they were last looked at.

STRESSRUNNER_UPDATE_GOLDEN=1 writes them anew, for the next reviewer to look at.
"""

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_progress import CROWDED, EMPTY, FINISHING, PAST, RUNNING, WORKLOADS, second
from rich.console import Console

from stressrunner.cli.live_view import LiveView
from stressrunner.cli.screen import ASCII, UNICODE, Screen, draw
from stressrunner.cli.sparkline import bar, sparkline
from stressrunner.metrics.delta import Delta

GOLDEN = Path(__file__).parents[1] / "golden" / "live"
SCREENS = {
    "running": Screen(RUNNING, (*PAST, RUNNING)),
    "workloads": Screen(WORKLOADS, (*PAST, WORKLOADS)),
    "empty": Screen(EMPTY, (EMPTY,)),
    "crowded": Screen(CROWDED, (CROWDED,) * 3),
    "finishing": Screen(FINISHING, (*PAST, FINISHING)),
}


def drawn(screen, width, height=30, glyphs=UNICODE, **how):
    """Return a frame as text."""
    workload = io.StringIO()
    console = Console(file=workload, width=width, height=height, highlight=False, **how)
    console.print(draw(screen, width, height, glyphs))
    return workload.getvalue()


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("name", SCREENS)
def test_a_frame_is_as_it_was(name, width):
    """The same state is drawn as the same text."""
    frame = "\n".join(line.rstrip() for line in drawn(SCREENS[name], width).splitlines()) + "\n"
    path = GOLDEN / f"{name}-{width}.txt"
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN") == "1":
        path.write_text(frame, encoding="utf-8")
    assert frame == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 109, 110, 160, 240])
@pytest.mark.parametrize("height", [18, 24, 50])
@pytest.mark.parametrize("name", SCREENS)
def test_a_frame_fits_its_terminal(name, width, height):
    """Whatever there is to show, no line is longer than the terminal is wide, nor are there more than it is high."""
    lines = drawn(SCREENS[name], width, height).splitlines()
    assert len(lines) <= height
    measure = Console(file=io.StringIO(), width=1000).measure
    assert all(measure(line).maximum <= width for line in lines)


def test_what_is_broken_is_shown_when_not_all_has_room():
    """Of thirty thresholds that hold and one that does not, that one is seen, and how many are not is said."""
    frame = drawn(SCREENS["crowded"], 80)
    assert "✗" in frame
    assert "errors < 1%" in frame
    assert f"and {31 - frame.count('p95(service_time)') - 1} more" in frame


def test_thresholds_turn_from_green_to_red():
    """Their colour is their state, and so is a sign, for those who see no colours."""
    colours = drawn(SCREENS["running"], 80, force_terminal=True, color_system="standard")
    assert "\x1b[31m✗" in colours
    assert "\x1b[32m✓" in colours
    assert "\x1b[33m" in drawn(SCREENS["crowded"], 80, force_terminal=True, color_system="standard")


def test_no_color_is_respected():
    """Where NO_COLOR is set nothing is coloured, and nothing is lost."""
    plain = drawn(SCREENS["running"], 80, force_terminal=True, color_system="standard", no_color=True)
    assert "\x1b[3" not in plain.replace("\x1b[39m", "")
    assert "✗" in plain


def test_a_terminal_without_unicode_gets_letters():
    """Its signs, bars and small charts are of ASCII; the sign for a millionth is left to the workload."""
    assert drawn(SCREENS["running"], 80, glyphs=ASCII).replace("µ", "u").isascii()


@given(st.lists(st.none() | st.floats(0, 1e9), max_size=200), st.integers(0, 80))
def test_a_small_chart_shows_the_latest_values(values, width):
    """It has a character for each of the latest values, the highest one full, and a blank where there is none."""
    line = sparkline(values, width, UNICODE)
    latest = values[-width:] if width else []
    assert len(line) == len(latest)
    assert [sign == " " for sign in line] == [value is None for value in latest]
    known = [value for value in latest if value is not None]
    if known and max(known) > 0:
        assert line[latest.index(max(known))] == "█"


@given(st.floats(0, 1), st.integers(0, 100))
def test_a_bar_has_its_length(share, width):
    """It is as long as it has room for, and full at the end only."""
    full, empty = bar(share, width, UNICODE)
    assert len(full) + len(empty) == width
    assert (not empty) == (share == 1 or width == 0)


class Terminal(io.StringIO):
    """A terminal's screen, as far as what is written to it can be read."""

    encoding = "utf-8"

    def isatty(self):
        """Say that it is one."""
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Return a terminal of 80 columns."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "30")
    return Terminal()


def test_the_view_is_taken_away(terminal):
    """It draws on the terminal's other screen, which goes as a whole however the window changed; the cursor is given back."""
    view = LiveView(terminal)
    for n in range(1, 4):
        view.progress(second(n), Delta())
    drawn_until_now = len(terminal.getvalue())
    assert "Full API" in terminal.getvalue()
    view.close()
    removed = terminal.getvalue()[drawn_until_now:]
    assert terminal.getvalue().count("\x1b[?1049h") == 1
    assert removed.count("\x1b[?1049l") == 1
    assert "\x1b[?25h" in removed


def test_what_was_told_meanwhile_is_written_when_the_view_closes(terminal):
    """Notes are drawn while there is a view, and stand above the report afterwards, each once."""
    view = LiveView(terminal, verbose=True)
    view.note("before the load")
    view.progress(second(1), Delta())
    view.note("a worker is late")
    view.progress(second(2), Delta())
    view.close()
    before, drawn = terminal.getvalue().split("\x1b[?1049h")
    drawn, after = drawn.split("\x1b[?1049l")
    assert "before the load" in before
    assert "a worker is late" in drawn
    assert after.count("a worker is late") == 1
    assert "before the load" not in after


@pytest.mark.parametrize("width", [40, 60, 72])
def test_no_figure_is_cut_in_a_narrow_window(width):
    """Columns that have no room are left out; the name of an endpoint alone may be shortened."""
    for name, screen in SCREENS.items():
        figures = drawn(screen, width).partition("endpoint ")[2].splitlines()
        for line in figures:
            assert "…" not in line[max(12, width // 3) :], (name, line)


def test_at_most_four_frames_a_second(terminal):
    """What is told faster than that is remembered, and drawn with the next frame."""
    view = LiveView(terminal)
    for n in range(101):
        view.progress(replace(second(1), at_s=n / 100), Delta())
    view.close()
    assert terminal.getvalue().count("Full API") in (4, 5, 6)


def test_news_stand_above_the_view(terminal):
    """When everything is to be told, notes and the first error of each kind stay when the view is gone."""
    view = LiveView(terminal, verbose=True)
    view.note("target https://staging.example.com")
    for n in range(1, 3):
        view.progress(second(n), Delta())
    view.close()
    text = terminal.getvalue()
    assert text.startswith("target https://staging.example.com\n")
    assert text.count("1 s  first http 503: status was 503") == 1
    quiet = Terminal()
    LiveView(quiet).note("not to be told")
    assert quiet.getvalue() == ""
