"""Contests of two scenarios, and pairs of results: what is refused, and real runs in turn."""

import json
from dataclasses import replace

import anyio
import pytest
from hosting.handler_server import QuietHandler, serving
from reports.example_results import EXAMPLES

from stressrunner.errors import NotComparable, UsageError
from stressrunner.run.comparison import Interrupted, compare_results, contest_of, run_contest
from stressrunner.run.listener import Silence
from stressrunner.run.run import Options
from stressrunner.scenario.document import load_text
from stressrunner.scenario.threshold_grammar import parse_figure
from stressrunner.verdict.gate import Gate

SCENARIO = """
stressrunner: 1
name: contest
target: {{base_url: "{url}"}}
endpoints: {{home: {{get: /}}}}
load: {{concurrency: 2, requests: {requests}}}
"""
GATES = (Gate(parse_figure("home.p50"), 10.0), Gate(parse_figure("errors"), 0.01))


def document(url="http://127.0.0.1:9", requests=20, name="a.yaml", **changes):
    """Return a scenario that sends a few requests to a URL."""
    text = SCENARIO.format(url=url, requests=requests)
    for old, new in changes.values():
        text = text.replace(old, new)
    return load_text(text, name, environ={})


class Fine(QuietHandler):
    """Answers every request with 200."""

    status = 200

    def answer(self):
        """Answer with nothing but the status."""
        self.reply(self.status)

    do_GET = answer  # noqa: N815  the name that the server looks for


class Failing(Fine):
    """Answers every request with 500."""

    status = 500


class Watching:
    """Remembers which side ran against which target, in their order."""

    def __init__(self, after):
        self._after = after
        self.interrupted = None
        self.seen = []

    def listen(self):
        """Return who listens to the next run."""
        return Silence()

    def ended(self, number, side, result):
        """Take a run that has ended."""
        self.seen.append((number, side, result.run.target))
        self._after(number, self.interrupted)


def held(base_url, candidate_url, *, after=lambda number, interrupted: None, gates=GATES):
    """Hold a contest of three runs each; return the comparison and the sides in the order of their runs."""
    contest = contest_of(document(base_url), document(candidate_url), 3, gates)
    watching = Watching(after)

    async def main():
        watching.interrupted = anyio.Event()
        options = dict.fromkeys(("base", "candidate"), Options(workers=0))
        return await run_contest(contest, options, watching, watching.interrupted)

    return anyio.run(main), watching.seen


def test_sides_run_in_turn_and_a_worse_candidate_regresses():
    """A B B A A B, each side against its own target; a candidate that fails half of its requests has regressed."""
    with serving(Fine) as good, serving(Failing) as bad:
        comparison, order = held(good, bad, gates=GATES[1:])
    assert [side for _, side, _ in order] == ["base", "candidate", "candidate", "base", "base", "candidate"]
    assert {side: target for _, side, target in order} == {"base": good, "candidate": bad}
    assert comparison.outcome == "regressed"
    assert comparison.figures[0].text == "errors"
    assert (comparison.base.runs, comparison.candidate.target) == (3, bad)
    assert any("Run 2, of the candidate, has failed" in note for note in comparison.notes)


def test_the_same_passes():
    """Two targets that are alike pass, within a tolerance that loopback keeps."""
    with serving(Fine) as one, serving(Fine) as other:
        comparison, _ = held(one, other, gates=GATES[1:])
    assert (comparison.outcome, comparison.exit_code) == ("passed", 0)


def test_what_is_missing_ends_a_contest_with_its_first_run():
    """A gate that the first run cannot answer is refused then, not after all the others."""
    gates = (Gate(parse_figure("home.p99"), 0.1),)
    with serving(Fine) as url, pytest.raises(NotComparable, match="has only 20 samples, and 299 are needed"):
        held(url, url, gates=gates)


def test_an_invalid_run_is_refused():
    """A target that is not there makes a run that says nothing, and no comparison."""
    with (
        serving(Fine) as url,
        pytest.raises(NotComparable, match=r"run 2, of the candidate, is invalid: .*refused"),
    ):
        held(url, "http://127.0.0.1:9")


def test_an_interrupt_ends_a_contest():
    """After an interrupt no run is begun, and nothing is compared."""
    begun = []

    def interrupt(number, interrupted):
        begun.append(number)
        interrupted.set()

    with serving(Fine) as url, pytest.raises(Interrupted):
        held(url, url, after=interrupt, gates=GATES[1:])
    assert begun == [1]


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (
            document(requests=30, name="b.yaml"),
            "b.yaml sends 30 requests, 2 at once: give both the same load",
        ),
        (
            document(name="b.yaml", more=("{get: /}", "{get: /}, away: {get: /away}")),
            "only one of them has away",
        ),
    ],
)
def test_unlike_scenarios_are_refused(candidate, reason):
    """Another load, or other endpoints, cannot be compared, and nothing is sent to find that out."""
    with pytest.raises(UsageError, match=reason):
        contest_of(document(), candidate, 3, GATES)


def test_a_gate_on_nothing_is_refused_before_anything_is_sent():
    """A name that no endpoint has is a slip of the pen, with a suggestion."""
    with pytest.raises(
        UsageError, match=r"nothing called 'hone' is measured in a\.yaml; did you mean 'home'"
    ):
        contest_of(document(), document(), 3, [Gate(parse_figure("hone.p50"), 0.1)])


def result(name="passed", **changes):
    """Return an example result, changed."""
    return (f"{name}.json", replace(EXAMPLES[name](), **changes))


def test_results_show_what_both_have():
    """Of two results the usual figures are shown, and p95 of each endpoint; those of too few samples are left out."""
    comparison = compare_results(result(), result(), [])
    assert [figure.text for figure in comparison.figures] == [
        "p50",
        "p95",
        "mean",
        "throughput",
        "errors",
        "agent_run.p95",
    ]
    assert (comparison.base.name, comparison.outcome) == ("passed.json", "advisory")
    json.dumps([figure.change for figure in comparison.figures], allow_nan=False)


@pytest.mark.parametrize(
    ("candidate", "figures", "error", "reason"),
    [
        (result("failed"), [], UsageError, "give both the same load"),
        (result("aborted"), [], NotComparable, "aborted.json is aborted: interrupted"),
        (result("unreachable"), [], NotComparable, "unreachable.json is invalid: cannot reach"),
        (result(), ["p99"], NotComparable, "the base has only 200 samples, and 299 are needed"),
        (result(), ["agent_rum.p95"], UsageError, "did you mean 'agent_run'?"),
        (
            result(endpoints={}),
            [],
            UsageError,
            "do not send the same requests: only one of them has agent_list",
        ),
    ],
)
def test_results_that_cannot_be_compared_are_refused(candidate, figures, error, reason):
    """Other loads, runs that are invalid or were interrupted, and figures of too few samples are refused with why."""
    with pytest.raises(error) as caught:
        compare_results(result(), candidate, list(map(parse_figure, figures)))
    assert reason in str(caught.value)
