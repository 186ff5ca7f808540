"""Lines that decide at a boundary: what lies on it, and on either side."""

from dataclasses import replace

import pytest
from made_figures import cell_of, figures, sample, stats

from stressrunner.fleet.snapshot import Snapshot
from stressrunner.metrics.delta import Delta
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.rolling import Rolling, Slice
from stressrunner.verdict.setup_patience import SetupPatience
from stressrunner.verdict.thresholds import evaluate


@pytest.mark.parametrize(("at_s", "is_over"), [(29.9, False), (30.0, True), (30.4, True)])
def test_patience_with_users_who_cannot_be_set_up_ends_after_30_s(at_s, is_over):
    """Seconds are never handed over exactly: the first one at or beyond the limit ends the load."""
    patience, total = SetupPatience(), Delta()
    total.record_group(0, "user_setup", None)
    assert not patience.is_over(Snapshot(1.0, 1.0, Delta(), frozenset({0})), total)
    assert patience.is_over(Snapshot(at_s, 1.0, Delta(), frozenset({0})), total) == is_over


@pytest.mark.parametrize(("not_reached", "measured"), [(0, 0.0), (5, 0.5), (15, 0.75)])
def test_what_was_not_reached_is_a_part_of_what_was_planned(not_reached, measured):
    """Half of a plan that was not reached is a half, also where an older file tells only how many."""
    told = stats([10.0] * 5, not_reached=not_reached)
    for each in (told, replace(told, not_reached_ratio=None)):
        outcome = evaluate(parse_threshold("not_reached < 60%"), figures(each))
        assert outcome.measured == measured
        assert outcome.state == ("passed" if measured < 0.6 else "failed")


def test_a_window_without_failures_has_no_certain_ones():
    """What is certain begins at nothing, in windows as in whole runs, and a loop that was always there was there."""
    rolling = Rolling(2.0)
    for _ in range(3):
        rolling.add(Slice.of([cell_of([sample(5)] * 4)], None, 1.0))
    window = rolling.aggregate()
    assert (window.certain, window.certain_replies, window.completed) == (0, 0, 8)
    assert window.present == 1.0


@pytest.mark.parametrize(("absent_s", "present"), [(0.0, 1.0), (0.5, 0.75), (2.0, 0.0), (9.0, 0.0)])
def test_presence_is_a_part_of_the_time(absent_s, present):
    """A loop that was late for longer than the window was not there at all, and never less than that."""
    rolling = Rolling(2.0)
    piece = Slice.of([cell_of([sample(5)])], None, 2.0)
    piece.absent_s = absent_s
    rolling.add(piece)
    assert rolling.aggregate().present == present
