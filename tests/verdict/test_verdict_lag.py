"""The rules on lag, held against runs in which is known what the target did: few here, many under `soak`."""

from random import Random

import pytest
from lag_simulation import bimodal, closed_run, fast, merged, noise, open_run, rank, scattered, starved

FEW, MANY = 16, 1000


def runs(count, make):
    """Return runs at fixed seeds."""
    return [make(Random(seed)) for seed in range(count)]


def share_invalid(made):
    """Return the part of some runs that are invalid."""
    return sum(run.validity.state == "invalid" for run in made) / len(made)


def noisy(random):
    """Return half a minute of a fast target beside ordinary noise."""
    return open_run(random, fast, 100, 30, noise(random, 30))


def two_spells(random):
    """Return a run in two spells of which each alone moves p99."""
    first, second = random.uniform(1, 3), random.uniform(6, 8)
    lengths = [random.uniform(0.15, 0.24) for _ in "12"]
    absences = [(at, at + length) for at, length in zip((first, second), lengths, strict=True)]
    return open_run(random, fast, 100, 10, merged(absences + scattered(random, 10, 2, 0.001, 0.01)))


def one_spell(random):
    """Return a run with a spell of a quarter of a second or more that moves p95."""
    at_s, length_s = random.uniform(1, 2), random.uniform(0.26, 0.6)
    return open_run(random, fast, 100, length_s * 10, [(at_s, at_s + length_s)])


def test_ordinary_noise_leaves_runs_valid():
    """Of runs beside ordinary noise nearly none is invalid, and those that are off are suspect."""
    made = runs(FEW // 2, noisy)
    assert share_invalid(made) == 0
    assert all(run.validity.state != "valid" for run in made if run.truly_off(50, 95, 99))


@pytest.mark.soak
def test_ordinary_noise_leaves_a_thousand_runs_valid():
    """Fewer than 1 % are invalid."""
    assert share_invalid(runs(MANY, noisy)) < 0.01


@pytest.mark.parametrize("spells", [two_spells, one_spell])
def test_spells_that_move_figures_are_invalid(spells):
    """What lag moved by a quarter and 5 ms is no measurement, in two spells or a long one."""
    made = [run for run in runs(FEW, spells) if run.truly_off(95 if spells is one_spell else 99)]
    assert len(made) > FEW / 2
    assert share_invalid(made) >= 0.95


@pytest.mark.soak
@pytest.mark.parametrize("spells", [two_spells, one_spell])
def test_spells_that_move_figures_of_a_thousand_runs_are_invalid(spells):
    """At least 95 % of them."""
    made = [run for run in runs(MANY, spells) if run.truly_off(95 if spells is one_spell else 99)]
    assert share_invalid(made) >= 0.95


@pytest.mark.parametrize("target", [fast, bimodal])
def test_a_starved_generator_is_invalid_under_any_load(target):
    """With half of a core, at a rate or with users, over a fast target or one that is slow at times."""

    def at_a_rate(random):
        return open_run(random, target, 100, 5, starved(random, 5))

    def with_users(random):
        return closed_run(random, target, 10, 3, starved(random, 3))

    for make in (at_a_rate, with_users):
        made = [run for run in runs(3, make) if run.truly_off(50, 95, 99)]
        assert made
        assert share_invalid(made) == 1


def test_a_freeze_is_invalid_with_timeouts_of_its_making_too():
    """Two seconds of eight: what never ended because nobody read is no excuse."""

    def frozen(random, **more):
        at_s = random.uniform(1, 5)
        return open_run(random, bimodal, 100, 8, [(at_s, at_s + 2.0)], **more)

    assert share_invalid(runs(4, frozen)) == 1
    assert share_invalid(runs(4, lambda random: frozen(random, timeout_s=0.5))) == 1


def test_a_freeze_before_a_busy_target_is_invalid():
    """The queue that a freeze of 0.4 s leaves at a target that is 90 % busy is its wake, and not the target's pace."""

    def frozen(random):
        at_s = random.uniform(2, 15)
        return open_run(random, fast, 200, 20, [(at_s, at_s + 0.4)], station=0.9)

    made = runs(5, frozen)
    assert all(run.truly_off(95, 99) for run in made)
    assert share_invalid(made) == 1


def answers(made):
    """Yield how a run answers limits 30 % beyond what the target did, where lag breaks them."""
    for percentile in (95, 99):
        limit_s = 1.3 * rank(made.true_s, percentile)
        if rank(made.measured_s, percentile) > 1.002 * limit_s:
            yield made.judged(percentile, limit_s).state


def restless(random):
    """Return a run with absences of any length and frequency."""
    mean_s = random.uniform(0.002, 0.06)
    absences = scattered(random, 10, 1 / random.uniform(0.05, 1.5), mean_s / 2, mean_s * 1.5)
    return open_run(random, random.choice([fast, bimodal]), 100, 10, merged(absences))


def test_limits_that_lag_breaks_are_turned():
    """No failure of the target is made of them."""
    states = [state for made in runs(FEW, restless) for state in answers(made)]
    assert len(states) > FEW / 2
    assert set(states) == {"turned"}


@pytest.mark.soak
def test_limits_that_lag_breaks_are_turned_in_a_thousand_runs():
    """Nor in many runs, beside ordinary noise included."""
    made = [*runs(MANY, restless), *runs(200, noisy), *runs(200, two_spells), *runs(200, one_spell)]
    states = [state for run in made for state in answers(run)]
    assert set(states) == {"turned"}


def test_limits_that_the_target_breaks_fail():
    """A limit below what the target did fails, beside ordinary noise too, unless the figures are off."""
    made = [run for run in runs(4, noisy) if run.validity.state == "valid"]
    assert len(made) > 1
    assert {run.judged(95, 0.7 * rank(run.true_s, 95)).state for run in made} == {"failed"}


def test_a_slow_target_is_no_lag():
    """A punctual generator is valid whatever the target does."""
    made = runs(3, lambda random: open_run(random, bimodal, 100, 10, []))
    assert [run.validity.state for run in made] == ["valid"] * 3
