"""Rows of feeders: a pure function of the seed and a number."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.plan.feeders import Rows
from stressrunner.scenario.model import Feeder

orders = st.sampled_from(["sequential", "random", "shuffled"])
seeds = st.integers(0, 2**63)


def rows(size=5, seed=1, name="rows", **fields):
    """Return rows that are their own numbers."""
    return Rows(Feeder(name, tuple(range(size)), **fields), seed)


def test_sequential_rows_come_in_order_and_again():
    """In sequence the rows come as they stand in the file, and then from the first one on."""
    assert [rows(3).row(i) for i in range(7)] == [0, 1, 2, 0, 1, 2, 0]


@given(st.integers(1, 50), seeds, st.integers(0, 5))
def test_shuffled_rows_come_once_per_turn(size, seed, turn):
    """Shuffled, every row comes exactly once in each turn."""
    shuffled = rows(size, seed, order="shuffled")
    assert sorted(shuffled.row(turn * size + i) for i in range(size)) == list(range(size))


def test_turns_are_shuffled_anew():
    """Each turn has an order of its own, and so has each seed and feeder."""
    turns = [[rows(50, order="shuffled").row(50 * turn + i) for i in range(50)] for turn in (0, 1)]
    other_seed = [rows(50, 2, order="shuffled").row(i) for i in range(50)]
    other_name = [rows(50, name="other", order="shuffled").row(i) for i in range(50)]
    assert len({tuple(order) for order in (*turns, other_seed, other_name)}) == 4


def test_random_rows_are_drawn_independently():
    """At random every row comes about as often as any other, also twice in a row."""
    drawn = [rows(5, order="random").row(i) for i in range(5000)]
    assert all(900 < count < 1100 for count in Counter(drawn).values())
    assert any(a == b for a, b in pairwise(drawn))


@given(orders, st.integers(1, 20), seeds, st.permutations(range(60)))
def test_rows_do_not_depend_on_their_order(order, size, seed, numbers):
    """The row of a number is the same in every process, in whichever order they are asked for."""
    one, other = rows(size, seed, order=order), rows(size, seed, order=order)
    assert {n: one.row(n) for n in numbers} == {n: other.row(n) for n in range(60)}


@given(orders, st.integers(1, 50), seeds)
def test_users_never_share_a_row(order, size, seed):
    """With a row per user as many users as there are rows have each their own, in whichever order."""
    per_user = rows(size, seed, order=order, per="user")
    assert sorted(per_user.row(user) for user in range(size)) == list(range(size))


@pytest.mark.parametrize(
    ("order", "on_end", "limit"),
    [
        ("sequential", "stop", 5),
        ("shuffled", "stop", 5),
        ("random", "stop", None),
        ("sequential", "repeat", None),
        ("shuffled", "repeat", None),
    ],
)
def test_rows_that_stop_have_a_limit(order, on_end, limit):
    """The load ends with the rows where it is told to; rows drawn at random never end."""
    stopping = rows(5, order=order, on_end=on_end)
    assert stopping.limit == limit
    assert len(stopping) == 5


@pytest.mark.parametrize("per", ["iteration", "user"])
def test_many_rows_are_shuffled_without_a_list_of_them(per):
    """The order of very many rows is computed, and still gives each row once per turn."""
    many = rows(60_000, order="shuffled", per=per)
    turns = [[many.row(60_000 * turn + i) for i in range(60_000)] for turn in (0, 1)]
    assert sorted(turns[0]) == sorted(turns[1]) == list(range(60_000))
    assert turns[0] != turns[1]
