"""The HTML report: well-formed, self-contained, of bounded size, and safe with any content."""

import base64
import hashlib
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports.example_results import EXAMPLES
from reports.long_run import hour
from result.result_strategies import WHOLE_RESULTS, results

from stressrunner.metrics.timeline import MAX_POINTS
from stressrunner.monitor.figures import MonitorPoint
from stressrunner.reports import render
from stressrunner.reports.html import SECTIONS

VOID = {"meta", "link"}


class Page(HTMLParser):
    """A page as its elements, attributes and text; an element that is closed wrongly is an error."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.words = []
        self._open = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        """Take the beginning of an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Take an element that closes itself."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """Take the end of the innermost open element, and of no other."""
        assert self._open.pop() == tag

    def handle_data(self, data):
        """Take text."""
        self.words.append(data)

    def named(self, tag):
        """Return the attributes of every element with that name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_is_sound(name):
    """Every element is closed, identifiers are unique, and what refers to one finds it."""
    page = Page(render("html", EXAMPLES[name]()))
    identifiers = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert all(n == 1 for n in identifiers.values())
    referred = {
        name for _, attributes in page.elements for name in attributes.get("aria-labelledby", "").split()
    }
    assert referred <= set(identifiers)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_can_be_read_aloud(name):
    """It has a language, one heading of the first order, captioned tables with scopes, and described charts."""
    page = Page(render("html", EXAMPLES[name]()))
    assert page.named("html") == [{"lang": "en"}]
    assert len(page.named("h1")) == 1
    assert len(page.named("caption")) == len(page.named("table"))
    assert {attributes.get("scope") for attributes in page.named("th")} <= {"row", "col"}
    drawings = [svg for svg in page.named("svg") if svg.get("role") == "img"]
    assert len(drawings) == len(page.named("desc")) == len(page.named("figure"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_needs_nothing_from_outside(name):
    """It has nothing that a browser would fetch, and forbids it, too."""
    text = render("html", EXAMPLES[name]())
    page = Page(text)
    assert not {tag for tag, _ in page.elements} & {"img", "iframe", "object", "embed", "form"}
    assert page.named("script") == [{}]
    assert page.named("link") == [{"rel": "icon", "href": "data:,"}]
    assert not [attributes for _, attributes in page.elements if "src" in attributes or "style" in attributes]
    assert "url(" not in text
    assert "@import" not in text
    assert policy(page).startswith("default-src 'none'")


def policy(page):
    """Return what the page allows itself."""
    (found,) = (meta for meta in page.named("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    return found["content"]


def test_one_script_is_allowed_by_its_digest():
    """The page's policy names its script, so that none that got in by an answer of a target would run."""
    text = render("html", EXAMPLES["passed"]())
    script = text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy(Page(text))
    assert policy(Page(text)).count("script-src") == 1


def test_the_verdict_stands_before_the_figures():
    """A reader meets the outcome, then why, then the key figures, then everything else."""
    words = " ".join(" ".join(Page(render("html", EXAMPLES["failed"]())).words).split())
    words = words.replace("Thresholds Charts Endpoints", "")  # of the index
    order = (
        "exit code 3",
        "measured 2.5 %",
        "suspect",
        "Thresholds",
        "Charts",
        "Endpoints",
        "http 500: 1 of 5 errors",
        "Run it again",
    )
    places = [words.index(word) for word in order]
    assert places == sorted(places)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_index_leads_to_every_part(name):
    """Each part has an identifier and a heading that names it, and a line of the index that leads there."""
    page = Page(render("html", EXAMPLES[name]()))
    parts = [part["id"] for part in page.named("section") if "id" in part]
    assert [link["href"] for link in page.named("a")] == [f"#{part}" for part in parts]
    assert parts == [section.anchor for section in SECTIONS if section.anchor in parts]
    assert {"figures", "generator", "run"} <= set(parts)
    assert ("errors" in parts) == bool(EXAMPLES[name]().errors)


def test_a_short_run_has_lines():
    """Two seconds are enough for lines and dots in every chart over time."""
    page = Page(render("html", EXAMPLES["aborted"]()))
    assert "nothing was measured" not in page.words
    assert len([dot for dot in page.named("circle") if dot["class"] == "dot dot-0"]) >= 2 * 5


def test_a_run_that_measured_nothing_has_no_charts():
    """Where nothing was sent there is a verdict and its reason, and no empty drawing."""
    page = Page(render("html", EXAMPLES["unreachable"]()))
    assert page.named("figure") == []
    assert "cannot reach http://127.0.0.1:9: connection refused" in page.words


def test_an_hour_stays_small():
    """A run of an hour with twelve endpoints, trouble in it and all exchanges kept makes a page below 250 kB."""
    large = replace(EXAMPLES["failed"]().exchanges[0], curl="x" * 1500)
    kinds = [replace(large, kind=group.kind, message=str(i)) for group in hour().errors for i in range(3)]
    slow = [replace(large, kind="", endpoint=name) for name in hour().endpoints for _ in range(3)]
    page = render("html", replace(hour(), exchanges=(*kinds, *slow)))
    assert page.count('<details class="exchange">') > 20
    assert len(page.encode()) < 250_000


def test_exchanges_are_folded_up():
    """Of an error and of the slowest requests, what was sent, what came back and how to send it again can be unfolded."""
    page = Page(render("html", EXAMPLES["failed"]()))
    words = [word.strip() for word in page.words]
    assert "agent_run: 500 after 12.4 ms, at 180 ms" in words
    assert "agent_run: 200 after 340 ms, at 6.9 s" in words
    assert len([one for one in page.named("details") if one.get("class") == "exchange"]) == 5
    assert words.count("Send it again") == 5
    assert not any(attributes.get("open") for attributes in page.named("details"))


def test_exchanges_take_no_more_than_their_room():
    """Of many large ones the first of each kind and endpoint are shown, and how many more the JSON report has."""
    result = EXAMPLES["failed"]()
    large = replace(result.exchanges[0], curl="x" * 3000)
    kinds = [replace(large, kind=f"http {500 + i // 3}", message=str(i)) for i in range(36)]
    slow = [replace(large, kind="", endpoint=f"endpoint {i // 3}", response_time_s=i) for i in range(30)]
    errors = tuple(replace(result.errors[0], kind=f"http {500 + i}") for i in range(12))
    text = render("html", replace(result, exchanges=(*kinds, *slow), errors=errors))
    assert 40_000 < text.count("xxx") * 3 < 60_000
    shown = text.count('<details class="exchange">')
    assert f"The page has no room for {66 - shown} of the exchanges that were kept" in text
    assert all(f"<p>{i}</p>" in text for i in range(0, 36, 3))


def test_half_a_body_is_said_to_be_one():
    """Where a body is not shown in full, its size is said; a response that never came is said to be missing."""
    result = EXAMPLES["failed"]()
    (first, *rest) = result.exchanges
    assert first.response is not None
    start = replace(first.response, kept="start", body="x" * 1000, body_bytes=4096)
    nothing = replace(first.response, kept="none", body="", body_bytes=77)
    changed = (
        replace(first, response=start),
        replace(rest[0], request=replace(rest[0].request, kept="none", body_bytes=1234), response=nothing),
        replace(rest[1], response=None),
    )
    text = render("html", replace(result, exchanges=changed))
    assert "Response 500 (the first 1,000 characters of 4,096 bytes are shown)" in text
    assert "Request (none of 1,234 bytes are shown)" in text
    assert "agent_run: no response after 339 ms, at 1.6 s" in text


def test_every_check_has_a_row():
    """A check that failed, and one that no response was held against, look different."""
    text = render("html", EXAMPLES["failed"]())
    assert '<section id="checks"' in text
    assert "no response was held against it" not in text
    assert "no response was held against it" in render("html", EXAMPLES["overloaded"]())
    assert '<section id="checks"' not in render("html", EXAMPLES["aborted"]())


def test_the_largest_timeline_stays_small():
    """As many points as there can be, each unlike the one before, and several processes still fit."""
    result = EXAMPLES["failed"]()
    point, looks = result.timeline[0], result.monitors["target"]
    timeline = tuple(
        replace(
            point,
            at_s=float(i),
            sent=i * 7919 % 1000,
            offered=float(i * 31 % 977),
            p95_s=i * 104729 % 997 / 1000,
            errors={f"http {500 + i % 5}": i % 7 + 1},
            spread=f"{50 + i % 9}:{i + 1} {60 + i * 7919 % 5}:{i % 11 + 1} {70 + i % 13}:2",
        )
        for i in range(MAX_POINTS)
    )
    points = tuple(MonitorPoint(float(i), i % 10 / 10, i * 7919, 5, 5) for i in range(MAX_POINTS))
    watched = replace(looks, points=points)
    generator = replace(result.generator, process=watched)
    monitors = dict.fromkeys(("api", "worker", "database"), watched)
    text = render("html", replace(result, timeline=timeline, monitors=monitors, generator=generator))
    assert len(text.encode()) < 250_000


def test_thresholds_are_lines_where_they_hold():
    """A threshold on what a chart shows is a line in it, over its phase; one that is broken looks so."""
    page = Page(render("html", hour()))
    drawn = {}
    for tag, attributes in page.elements:
        if tag == "svg":
            chart = attributes.get("aria-labelledby", "").partition("-title")[0]
        elif tag == "path" and attributes.get("class", "").startswith("limit"):
            drawn.setdefault(chart, []).append((attributes["class"], attributes["d"].startswith("M54 ")))
    assert drawn == {
        "rate": [("limit", False)],
        "response-time": [("limit", True), ("limit broken", False)],
        "memory": [("limit", True)],
    }


def test_a_limit_far_above_is_said_and_not_drawn():
    """It would flatten the lines that it belongs to, and is named below them instead."""
    text = render("html", EXAMPLES["passed"]())
    assert "Far above what is drawn: p95 &lt; 2s." in text


def test_phases_are_bands():
    """Each phase is a band with its name, in every chart over time; a warm-up looks different."""
    page = Page(render("html", EXAMPLES["failed"]()))
    bands = [path["class"] for path in page.named("path") if path.get("class", "").startswith("band")]
    over_time = len(page.named("figure")) - 1
    assert Counter(bands) == {"band warmup": over_time, "band odd": over_time}
    assert page.words.count("ramp (warm-up)") >= over_time


def test_rows_of_endpoints_can_be_sorted():
    """Figures carry the number that they are sorted by; `never` comes after every other one."""
    page = Page(render("html", EXAMPLES["overloaded"]()))
    keys = [cell["data-key"] for cell in page.named("td") if "data-key" in cell]
    assert len(keys) == 10 * len(EXAMPLES["overloaded"]().endpoints)
    assert all(float(key or 0) >= 0 for key in keys)
    assert "Infinity" in keys


def test_status_codes_are_named():
    """Each status has its meaning, its share, and the endpoints that it came from most."""
    text = render("html", hour())
    assert "Service Unavailable" in text
    assert "and 9 more" in text


@WHOLE_RESULTS
@given(results())
def test_any_result_makes_a_sound_page(result):
    """No result makes the report fail or the page unsound, and it can be written as UTF-8."""
    text = render("html", result)
    Page(text)
    assert text.encode("utf-8")


@WHOLE_RESULTS
@given(
    results(
        st.sampled_from(["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7919 * 7907 }}"])
    )
)
def test_hostile_texts_stay_texts(result):
    """Names, messages and answers of others are shown, whatever they look like."""
    text = render("html", result)
    page = Page(text)
    assert page.named("script") == [{}]
    assert page.named("img") == []
    assert "62615533" not in text


def test_half_a_character_can_be_written():
    """JSON can hold halves of characters; a page with one of them is still UTF-8."""
    result = EXAMPLES["passed"]()
    text = render("html", replace(result, run=replace(result.run, target="http://\ud800")))
    assert "http://\\ud800" in text.encode("utf-8").decode("utf-8")
