"""How much work a scenario makes, counted in calls: what is twice as long is twice as much."""

import sys

from stressrunner.scenario.traffic_references import check_traffic


def calls(function):
    """Return how many functions were called, generators that went on included."""
    count = 0

    def take(_frame, event, _arg):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(take)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def test_phases_are_not_looked_through_for_each_other():
    """The variables of phases are counted once for all of them."""

    def checked(count):
        load = [{"variables": {"v": 1}, "concurrency": 1} for _ in range(count)]
        return lambda: list(
            check_traffic(None, {"load": load, "endpoints": {"a": {"get": "/"}}, "mix": {"a": 1}})
        )

    assert calls(checked(400)) < 2.5 * calls(checked(200))
