"""Orders that are computed instead of held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.plan.permutation import Permutation


@given(st.integers(1, 3000), st.integers(0, 2**63))
def test_every_number_stands_at_one_place(size, seed):
    """An order has every number exactly once, however many there are."""
    order = Permutation(size, seed)
    assert sorted(order[i] for i in range(size)) == list(range(size))


def test_orders_depend_on_what_they_are_drawn_for():
    """The same parts give the same order, others another one."""
    orders = [
        tuple(Permutation(500, *parts)[i] for i in range(500)) for parts in ((1, 0), (1, 0), (1, 1), (2, 0))
    ]
    assert orders[0] == orders[1]
    assert len(set(orders)) == 3


def test_numbers_are_spread():
    """No part of the numbers gathers anywhere: each tenth of the places has about a tenth of each tenth of the numbers."""
    order = Permutation(10_000, 7)
    for start in range(0, 10_000, 1000):
        tenths = [order[i] // 1000 for i in range(start, start + 1000)]
        assert all(50 < tenths.count(tenth) < 160 for tenth in range(10))


@pytest.mark.parametrize("place", [-1, 5])
def test_there_is_nothing_beside_an_order(place):
    """A place outside is none."""
    with pytest.raises(IndexError):
        Permutation(5, 1)[place]
