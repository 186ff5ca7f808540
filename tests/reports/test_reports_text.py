"""The text report: what stands in it, where, and that a terminal can show it."""

from dataclasses import replace

import pytest
from hypothesis import given
from reports.example_results import EXAMPLES, UNWATCHED, wrong_replies
from result.result_strategies import WHOLE_RESULTS, results

from stressrunner.errors import UsageError
from stressrunner.reports import REPORTS, render
from stressrunner.reports.exemplars import exchanges_of
from stressrunner.reports.text import render_judgement
from stressrunner.reports.wording import NEVER
from stressrunner.verdict.outcome import ThresholdOutcome


def section(result, title):
    """Return the lines of a section of the text report."""
    parts = render("text", result).split("\n\n")
    return next(part.splitlines()[1:] for part in parts if part.startswith(title))


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("passed", "✓ PASSED  Full API"),
        ("failed", "✗ FAILED  Full API"),
        ("unreachable", "✗ INVALID  Full API"),
        ("aborted", "! ABORTED  Full API"),
    ],
)
def test_the_verdict_comes_first_and_last(name, head):
    """Outcome and exit code stand in the first lines and in the last, where a scrolling terminal stops."""
    result = EXAMPLES[name]()
    lines = render("text", result).splitlines()
    assert lines[1].startswith(head)
    assert lines[1].endswith(f"exit code {result.verdict.exit_code}")
    assert lines[-1] == lines[1]


def test_an_embedded_target_is_named_at_once():
    """Nobody takes figures of the demonstration for figures of a system."""
    assert render("text", EXAMPLES["passed"]()).splitlines()[3].startswith("Embedded demonstration target")
    assert "demonstration" not in render("text", EXAMPLES["failed"]())


def test_thresholds_show_the_measured_value_beside_the_limit():
    """The columns are mark, measured, limit, text and samples; a threshold without a figure says why."""
    lines = section(EXAMPLES["failed"](), "Thresholds")
    assert lines[1].split() == ["✗", "2.5", "%", "1", "%", "errors", "<", "1%", "200"]
    assert len({line.index("  1 %") for line in lines if "  1 %" in line}) == 1
    assert "      unproven: 2,995 samples are needed to claim it" in lines
    assert "      skipped: the target is not on this machine" in lines


def test_advice_follows_the_failed_topics_only():
    """Each failed topic points to its section once, and what has passed to none."""
    failed = section(EXAMPLES["failed"](), "Thresholds")
    assert [line.split()[-1] for line in failed if "What to do" in line] == [
        "high-error-rate",
        "high-latency",
        "memory-growth",
    ]
    assert not any("What to do" in line for line in section(EXAMPLES["passed"](), "Thresholds"))


def test_requests_that_are_missing_are_counted():
    """What was planned and not sent, or sent and not finished, is shown when there is any, and only then."""
    aborted = "\n".join(section(EXAMPLES["aborted"](), "Summary"))
    assert "Unfinished      1  (in flight when the run was cut off)" in aborted
    assert "Not reached     167  (never sent: the run ended before they were due)" in aborted
    assert "Dropped         20" in "\n".join(section(EXAMPLES["overloaded"](), "Summary"))
    plain = "\n".join(section(EXAMPLES["passed"](), "Summary"))
    assert not any(word in plain for word in ("Refused", "Unfinished", "Dropped", "Skipped", "Not reached"))


def test_redirects_and_resends_are_shown_when_there_are_any():
    """What was sent beside the requests themselves has lines of its own, and none where there was nothing."""
    result = EXAMPLES["passed"]()
    assert not any(line.split()[0] in ("Redirects", "Resent") for line in section(result, "Summary"))
    busy = replace(result, totals=replace(result.totals, redirects=1200, resent=3))
    lines = [line.partition("(")[0].split() for line in section(busy, "Summary")]
    assert ["Redirects", "1,200"] in lines
    assert ["Resent", "3"] in lines


def test_never_is_explained_where_it_stands():
    """A percentile among requests that did not finish reads `never`, and a line below says what that means."""
    lines = section(EXAMPLES["overloaded"](), "Latency")
    assert lines[4].split() == ["p95", "never", "never", "295", "ms", "400", "µs", "30", "s"]
    assert lines[-1].strip() == NEVER
    assert not any("never" in line for line in section(EXAMPLES["passed"](), "Latency"))


def test_nothing_measured_reads_as_nothing():
    """A run that sent nothing has no tables of it, and no figure that looks like a measured zero."""
    text = render("text", EXAMPLES["unreachable"]())
    assert "\nLatency" not in text
    assert "\nEndpoints" not in text
    assert "  Error ratio     -" in text


def test_the_target_and_the_generator_are_kept_apart():
    """Processes of the target and of the generator stand in sections of their own, a missing one with its reason."""
    result = EXAMPLES["failed"]()
    watched = "\n".join(section(result, "Monitored processes"))
    assert "pid 4711 (python -m stressrunner.demo)" in watched
    assert "not watched: the target is not on this machine" in watched
    assert "pid 4700" not in watched
    itself = "\n".join(section(replace(result, monitors={}), "Generator"))
    assert "61 MB" in itself
    assert "245 MB" not in itself


def test_a_process_that_ended_is_told_whatever_is_judged():
    """Its end stands beside its name, also where no threshold is on it."""
    result = EXAMPLES["failed"]()
    name, figures = next((name, one) for name, one in result.monitors.items() if one.available)
    ended = "it ended under load, noticed after 3.0 s"
    watched = section(
        replace(result, monitors={name: replace(figures, reason=ended, ended=ended)}), "Monitored processes"
    )
    assert ended in " ".join(" ".join(watched).split())


def test_a_generator_that_was_not_watched_says_so():
    """Where the platform tells nothing of the own process, the reason stands in its place."""
    result = EXAMPLES["passed"]()
    generator = replace(result.generator, process=UNWATCHED)
    assert "  Process     not watched  (the target is not on this machine)" in section(
        replace(result, generator=generator), "Generator"
    )


def test_a_long_name_has_a_line_of_its_own():
    """An endpoint's name is never cut, and never moves the figures out of their columns."""
    result = EXAMPLES["passed"]()
    name = "post_a_message_to_a_session_and_wait_for_the_answer"
    lines = section(replace(result, endpoints={name: result.totals, "b": result.totals}), "Endpoints")
    assert lines[1] == f"  {name}"
    assert lines[2].split() == lines[3].split()[1:]
    assert all(len(line) <= 80 for line in lines)


def test_the_command_can_be_pasted():
    """The command that repeats the run is broken between options only, and quoted for a shell."""
    result = EXAMPLES["failed"]()
    scenario = replace(result.run.scenario, overrides=("variables.greeting=it's me", "load.concurrency=20"))
    lines = section(replace(result, run=replace(result.run, scenario=scenario)), "Run it again")
    assert [line.strip() for line in lines] == [
        "stressrunner run scenarios/full_api.yaml --env staging \\",
        "--set 'variables.greeting=it'\"'\"'s me' --set load.concurrency=20 \\",
        "--workers 4 --seed 42",
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_lines_fit_a_terminal(name):
    """No line is wider than 80 columns, or ends in blanks."""
    lines = render("text", EXAMPLES[name]()).splitlines()
    assert [line for line in lines if len(line) > 80 or line != line.rstrip()] == []


@WHOLE_RESULTS
@given(results())
def test_any_result_can_be_shown(result):
    """No result makes the report fail, and no text in it reaches the terminal as a control character."""
    text = render("text", result)
    assert all(c.isprintable() for c in text if c != "\n")


def test_millions_of_requests_fit():
    """Large figures take their room from the columns that can be left out, and from the names."""
    result = EXAMPLES["failed"]()
    large = replace(
        result.totals, sent=12_345_678, failed=1_234_567, throughput_per_s=98_765.4, error_ratio=0.1025
    )
    text = render("text", replace(result, totals=large, endpoints=dict.fromkeys(result.endpoints, large)))
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "12,345,678" in text


def test_colours_of_others_do_not_get_through():
    """Escape sequences in an error message are shown, not obeyed."""
    result = EXAMPLES["failed"]()
    group = result.errors[0]
    hostile = replace(group.samples[0], message="\x1b[2J\x1b]0;title\x07gone", excerpt="a\r\nb\u202e")
    text = render("text", replace(result, errors=(replace(group, samples=(hostile,)),)))
    assert r"agent_list: \x1b[2J\x1b]0;title\x07gone" in text
    assert r"| a\r\nb\u202e" in text


def test_a_default_threshold_is_marked():
    """A threshold that the scenario does not have is shown as the default."""
    result = EXAMPLES["passed"]()
    given_by_hand = ThresholdOutcome("errors < 5%", "passed", 0.0, 0.05, "ratio", 200)
    assert "errors < 1% (default)" in render("text", result)
    assert "(default)" not in render("text", replace(result, thresholds=(given_by_hand,)))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("hmtl", "did you mean 'html'?"), ("pdf", f"there are {', '.join(REPORTS)}")],
)
def test_an_unknown_format_is_refused_with_a_suggestion(name, hint):
    """A format that does not exist is an error of usage that names the nearest, or all."""
    with pytest.raises(UsageError, match="unknown report format") as caught:
        render(name, EXAMPLES["passed"]())
    assert str(caught.value).endswith(hint)


def test_a_judgement_is_the_verdict_and_the_thresholds():
    """What is held against an earlier result is answered without repeating its figures."""
    result = EXAMPLES["failed"]()
    text = render_judgement(result)
    assert render("text", result).startswith(text.split("\n\n")[0])
    assert text.splitlines()[-4].split()[:2] == ["skipped:", "the"]
    assert "\nSummary" not in text


def test_each_group_of_errors_has_its_own_command():
    """The command beside 404 sends a request that was answered with 404, and the one beside 500 the other."""
    result = wrong_replies()
    lost, broken, *others = result.errors
    assert [one.response.status for one in exchanges_of(result, lost)] == [404]
    assert [one.response.status for one in exchanges_of(result, broken)] == [500]
    assert not any(exchanges_of(result, group) for group in others)


def test_an_older_file_has_commands_by_kind():
    """Where a file tells neither check nor status, all exchanges of a kind belong to its errors."""
    result = wrong_replies()
    older = tuple(replace(one, rule="") for one in result.exchanges)
    group = replace(result.errors[0], rule="", status=None)
    kept = exchanges_of(replace(result, exchanges=older, errors=(group,)), group)
    assert [one.response.status for one in kept] == [404, 500]
