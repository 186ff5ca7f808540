"""Whatever `validate` accepts can be compiled, explained, divided and tried: nothing that is valid crashes later."""

import json
import sys
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stressrunner.engine.clock import EventLoopClock
from stressrunner.errors import InvalidScenario
from stressrunner.http.fake import FakeAnswer, FakeTransports
from stressrunner.masking import Masker
from stressrunner.plan.plan import compile_plan
from stressrunner.run.expectation import expected_load
from stressrunner.run.trial import iteration_of, try_iteration
from stressrunner.run.trial_text import trial_text
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

sys.path.append(str(Path(__file__).parents[1] / "scenario"))
from schema_scenarios import keys_of_schema, mutated

ANSWERS = ((200, b'{"ok": true, "id": 3, "items": [1, 2]}'), (404, b"{"), (500, b""), (200, b"[]"))
ENVIRON = {"API_KEY": "longer-than-six"}


def answer(tree):
    """Do with a scenario what all commands do, unless it is told what is wrong with it."""
    try:
        document = load_text(json.dumps(tree), environ=ENVIRON)
    except InvalidScenario as invalid:
        str(invalid)  # every mistake with its place
        return
    scenario = build(document)
    plan = compile_plan(scenario, seed=1, run_id="r", uuid_salt="r")
    assert all(figure.words for figure in expected_load(scenario))
    shards = min(2, plan.most_shards)
    assert all(plan.shard(index, shards) for index in range(shards))
    masker = Masker(document.secrets)
    trial = trio.run(tried, plan, scenario, masker, clock=trio.testing.MockClock(autojump_threshold=0))
    assert trial is None or trial_text(trial, masker)


async def tried(plan, scenario, masker):
    """Try an iteration in virtual time; an hour of it is enough."""
    clock = EventLoopClock()

    def answering(number, _request):
        status, body = ANSWERS[number % len(ANSWERS)]
        return FakeAnswer(0.01, status=status, body=body)

    part, number = iteration_of(plan, None)
    with trio.move_on_after(3600):
        to = (FakeTransports(clock, answering), "http://127.0.0.1:8080", clock)
        return await try_iteration(part, scenario, number, to, masker, [].append)
    return None


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=True))
def test_what_is_valid_never_crashes(random):
    """Scenarios changed as the schema allows are refused with places, or can be done everything with."""
    answer(mutated(random))


def test_many_of_them_are_valid():
    """The property is about what is valid, so some of its scenarios must be; and nearly every key of the schema comes up."""
    from random import Random  # noqa: PLC0415  seeded, for this alone

    trees = [mutated(Random(seed)) for seed in range(800)]
    text = json.dumps(trees)
    missing = {key for _, key in keys_of_schema() if f'"{key}"' not in text}
    assert len(missing) < 0.2 * len(keys_of_schema()), missing  # the rarest come up at length
    valid = 0
    for tree in trees[:150]:
        try:
            load_text(json.dumps(tree), environ=ENVIRON)
        except InvalidScenario:
            continue
        valid += 1
    assert valid >= 20


@pytest.mark.soak
@settings(max_examples=50_000, database=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=True))
def test_what_is_valid_never_crashes_at_length(random):
    """The same 50,000 times."""
    answer(mutated(random))
