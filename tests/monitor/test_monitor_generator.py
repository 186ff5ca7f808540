"""The generator's look at itself: collections, stalls, and room for what it is to open."""

import gc

import pytest

from stressrunner.errors import GeneratorFault
from stressrunner.monitor.generator import SystemLimits, calm, check_room, limits


def test_collections_are_timed_while_calm_lasts():
    """Each collection under load tells how long it took; before and after nobody listens."""
    took = []
    with calm(took.append):
        gc.collect()
        gc.collect()
    gc.collect()
    assert len(took) == 2
    assert all(ns > 0 for ns in took)


def test_what_lives_before_the_load_is_not_looked_at_again():
    """Objects made before are out of the collector's way during the load, and back in it afterwards."""
    before = gc.get_freeze_count()
    with calm(lambda _: None):
        assert gc.get_freeze_count() > before
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(
    ("connections", "room", "says"),
    [
        (100, SystemLimits(1024, 28_000), None),
        (100, SystemLimits(None, None), None),
        (1000, SystemLimits(1024, 28_000), "ulimit -n 1064"),
        (50_000, SystemLimits(1_000_000, 28_232), "ip_local_port_range"),
    ],
)
def test_room_is_checked_before_the_load(connections, room, says):
    """Too few descriptors or ports are a fault of the generator that says what to change."""
    if says is None:
        check_room(connections, room)
        return
    with pytest.raises(GeneratorFault, match=says) as caught:
        check_room(connections, room)
    assert caught.value.exit_code == 4


def test_limits_of_this_process_are_read():
    """What this process may open is known here, or said not to be."""
    room = limits()
    assert room.descriptors is None or room.descriptors > 100
    assert room.ports is None or room.ports > 1000
