"""The HTML report: well-formed, self-contained, of bounded size, and safe with any content."""

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports.example_results import EXAMPLES
from result.result_strategies import WHOLE_RESULTS, results

from stressrunner.metrics.timeline import MAX_POINTS
from stressrunner.monitor.figures import MonitorPoint
from stressrunner.reports import render

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
    """No script, and nothing that a browser would fetch; the page forbids it, too."""
    text = render("html", EXAMPLES[name]())
    page = Page(text)
    assert not {tag for tag, _ in page.elements} & {"script", "img", "iframe", "object", "embed", "form"}
    assert page.named("link") == [{"rel": "icon", "href": "data:,"}]
    assert not [attributes for _, attributes in page.elements if "src" in attributes or "style" in attributes]
    assert "url(" not in text
    assert "@import" not in text
    policy = [meta for meta in page.named("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0]["content"].startswith("default-src 'none'")


def test_the_verdict_stands_before_the_figures():
    """A reader meets the outcome, then why, then the key figures, then everything else."""
    words = " ".join(" ".join(Page(render("html", EXAMPLES["failed"]())).words).split())
    places = [
        words.index(word) for word in ("exit code 3", "measured 2.5 %", "suspect", "Thresholds", "Charts")
    ]
    assert places == sorted(places)


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


def test_a_long_run_stays_small():
    """A run with as many points as there can be makes a page below 250 kB."""
    result = EXAMPLES["failed"]()
    point, looks = result.timeline[0], result.monitors["target"]
    timeline = tuple(
        replace(point, at_s=float(i), sent=i * 7919 % 1000, p95_s=i * 104729 % 997 / 1000)
        for i in range(MAX_POINTS)
    )
    points = tuple(MonitorPoint(float(i), i % 10 / 10, i * 7919, 5, 5) for i in range(MAX_POINTS))
    watched = replace(looks, points=points)
    generator = replace(result.generator, process=watched)
    monitors = dict.fromkeys(("api", "worker", "database"), watched)
    text = render("html", replace(result, timeline=timeline, monitors=monitors, generator=generator))
    assert len(text.encode()) < 250_000


@WHOLE_RESULTS
@given(results())
def test_any_result_makes_a_sound_page(result):
    """No result makes the report fail or the page unsound, and it can be written as UTF-8."""
    text = render("html", result)
    Page(text)
    assert text.encode("utf-8")


@WHOLE_RESULTS
@given(
    results(st.sampled_from(["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"]))
)
def test_hostile_texts_stay_texts(result):
    """Names, messages and answers of others are shown, whatever they look like."""
    text = render("html", result)
    page = Page(text)
    assert page.named("script") == page.named("img") == []
    assert "49" not in page.words


def test_half_a_character_can_be_written():
    """JSON can hold halves of characters; a page with one of them is still UTF-8."""
    result = EXAMPLES["passed"]()
    text = render("html", replace(result, run=replace(result.run, target="http://\ud800")))
    assert "http://\\ud800" in text.encode("utf-8").decode("utf-8")
