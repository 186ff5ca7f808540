"""Timelines of sessions: what is drawn says when messages overlapped, how they were answered, and where they are."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports.example_results import EXAMPLES

from stressrunner.reports import render
from stressrunner.reports.page.course import course
from stressrunner.reports.page.timeline import timeline
from stressrunner.reports.page.timeline_marks import END
from stressrunner.verdict.delivery.outcome import MessageEvidence, SessionEvidence, StoredEvidence

NAME = "sr-1f0c9a2b-7"


def message(
    number, became="delivered", found=(), *, reply="acknowledged", at_s=0.0, took_s=0.1, is_fault=False
):
    """Return a message of session 7."""
    token = f"sr.1f0c9a2b.7.{number}"
    return MessageEvidence(token, at_s, at_s + took_s, reply, 200, became, None, is_fault, tuple(found))


def drawn(messages, stored=(), unread=""):
    """Return the timeline of a session; `stored` are the numbers of the sessions in whose histories they stand."""
    places = [StoredEvidence(f"sr-1f0c9a2b-{owner}", i, (), "") for i, owner in enumerate(stored)]
    return timeline("t", SessionEvidence(NAME, (), tuple(messages), 0, tuple(places), 0, unread))


def bars(svg, reply="acknowledged"):
    """Return where the bars of a reply begin and how wide they are."""
    (path,) = re.findall(f'class="bar {reply}" d="([^"]+)"', svg)
    return [(float(left), float(width)) for left, width in re.findall(r"M([\d.]+) [\d.]+h([\d.]+)", path)]


def links(svg):
    """Return the rows that lines lead from and to."""
    paths = "".join(re.findall(r'class="link [^"]*" d="([^"]+)"', svg))
    return [(int(a), int(b)) for a, b in re.findall(r"M\d+ (\d+)C\S+ \d+ \S+ \d+ \d+ (\d+)", paths)]


def nodes(svg):
    """Return the kinds of the stored messages with their rows, in their order."""
    return [(kind, int(y)) for kind, y in re.findall(r'class="node (\w+)" d="M\d+ (\d+)', svg)]


def test_messages_under_way_together_overlap():
    """Two messages of which one was sent before the other was answered share a stretch of the axis, a third does not."""
    svg = drawn([message(0), message(1, at_s=0.05), message(2, at_s=0.2)]).svg
    (first, width), (second, _), (third, _) = bars(svg)
    assert first < second < first + width < third


def test_every_reply_looks_different():
    """Bars end in a shape for each reply, which is in the legend, too."""
    made = drawn([message(i, reply=reply) for i, reply in enumerate(END)])
    assert made.replies == tuple(END)
    assert len(set(END.values())) == len(END)
    for reply, shape in END.items():
        assert re.search(f'class="end {reply}" d="M[^"]* \\d+{re.escape(shape)}"', made.svg)


def test_merged_messages_meet():
    """Lines of messages that were joined lead to one place."""
    made = drawn([message(0, "merged", [0]), message(1, "merged", [0]), message(2, "delivered", [1])], [7, 7])
    (one, to), (other, also_to), (_, elsewhere) = links(made.svg)
    assert one != other
    assert to == also_to != elsewhere
    assert [kind for kind, _ in nodes(made.svg)] == ["joined", "single"]
    assert ("joined", "messages joined into one") in made.marks


@pytest.mark.parametrize("became", ["lost", "dropped", "superseded", "refused"])
def test_what_is_nowhere_leads_nowhere(became):
    """A message that is not stored has a line that ends at a cross."""
    made = drawn([message(0, became, is_fault=True)])
    assert links(made.svg) == []
    assert f'class="link {became} fault"' in made.svg
    assert ("missing", "not stored") in made.marks
    assert f">{became}</text>" in made.svg


def test_duplicates_lead_to_all_their_places():
    """One message that is stored twice has two lines."""
    made = drawn([message(0, "duplicated", [0, 1], is_fault=True)], [7, 7])
    assert len(links(made.svg)) == len({to for _, to in links(made.svg)}) == 2


def test_another_session_is_named():
    """A message in the history of session 3 leads to a mark of its own, with that number."""
    made = drawn([message(0, "misrouted", [0], is_fault=True)], [3])
    assert nodes(made.svg)[0][0] == "elsewhere"
    assert '#0<tspan class="wide"> in 3</tspan>' in made.svg


def test_a_history_that_is_not_known_is_said_to_be_so():
    """No class, no cross: only that nothing is known."""
    made = drawn([message(0, None)], unread="timeout")
    assert made.svg.count("not known</text>") == 2
    assert "Stored: timeout." in made.svg
    assert made.marks == ()


def test_waiting_in_vain_does_not_hide_the_rest():
    """A message that waited for half a minute ends at the edge; what was answered within 0.1 s keeps its width."""
    quick = message(0)
    silent = message(1, "dropped", reply="unanswered", at_s=0.01, took_s=30.0)
    svg = drawn([quick, silent]).svg
    assert bars(svg) == bars(drawn([quick, replace(silent, ended_at_s=0.1)]).svg)
    assert "waited longer" in svg
    assert "waited longer" not in drawn([silent]).svg


def test_long_pauses_are_cut():
    """Between bursts that are far apart time is left out, said so, and labelled where it goes on."""
    bursts = [message(i, at_s=i // 2 * 10.0 + i % 2 * 0.05) for i in range(6)]
    made = drawn(bursts)
    (first, width), (second, _), (third, _), *_ = bars(made.svg)
    assert first < second < first + width < third
    assert width > 20
    assert made.svg.count('class="pause"') == 2
    assert ">20 s</text>" in made.svg
    assert ("pause", "a pause, cut short") in made.marks


moments = st.floats(min_value=0, max_value=1e6)


@given(st.lists(st.tuples(moments, moments).map(sorted), min_size=1, max_size=9))
def test_time_goes_on(spans):
    """Whatever is left out, a later moment is never drawn before an earlier one, and no span is left out."""
    begin = min(start for start, _ in spans)
    spans = [(start - begin, end - begin) for start, end in spans]
    last = max(end for _, end in spans)
    drawn_time = course(spans, last)
    places = [drawn_time.place(at) for at in sorted(at for span in spans for at in span)]
    assert all(one <= other + 1e-9 for one, other in pairwise(places))
    shares = [drawn_time.place(end) - drawn_time.place(start) for start, end in spans]
    assert all(
        share >= (end - start) / max(last, 1e-6) * 0.98 - 1e-9
        for share, (start, end) in zip(shares, spans, strict=True)
    )


@given(
    st.lists(st.lists(st.integers(0, 11), max_size=3, unique=True), max_size=12),
    st.lists(st.sampled_from([7, 7, 3]), max_size=12),
)
def test_a_history_keeps_its_order(found, stored):
    """Whatever holds what, each stored message has a row of its own, and those of the session go down in their order."""
    svg = drawn([message(i, "delivered", places) for i, places in enumerate(found)], stored).svg
    rows = [row for _, row in nodes(svg)]
    own = [row for row, owner in zip(rows, stored, strict=True) if owner == 7]
    assert len(set(rows)) == len(rows)
    assert own == sorted(own)
    assert len(links(svg)) == sum(place < len(stored) for places in found for place in places)


def test_a_page_has_room_for_so_many():
    """With more and longer sessions than that, the first of each fault are drawn, and of the rest it is said."""
    result = EXAMPLES["undelivered"]()
    (outcome,) = result.invariants
    (session, *_) = outcome.evidence[0].sessions
    long = replace(session, messages=tuple(message(i, "lost", is_fault=True) for i in range(40)))
    evidence = tuple(replace(each, sessions=(long,) * 5) for each in outcome.evidence)
    text = render("html", replace(result, invariants=(replace(outcome, evidence=evidence),)))
    made = re.findall(r'id="timeline-0-(\d+)-(\d+)-title"', text)
    shown = [session for _, session in made]
    assert 5 < len(made) < 5 * len(evidence)
    assert shown.count("0") == min(len(made), len(evidence))
    assert text.count("The page has no room for this session") == 5 * len(evidence) - len(made)
    assert len(text.encode()) < 250_000
