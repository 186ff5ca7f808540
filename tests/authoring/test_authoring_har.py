"""Recordings become the requests that were sent, as often as they were sent."""

import json
from collections import Counter
from urllib.parse import quote, urlencode

import pytest
from authoring.golden_material import GOLDEN, imported
from hypothesis import given, settings
from hypothesis import strategies as st

from stressrunner.authoring.importing import Material, import_scenario
from stressrunner.errors import UsageError
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text


def har(*requests):
    """Return a recording of these requests."""
    return json.dumps({"log": {"entries": [{"request": r, "response": {"status": 200}} for r in requests]}})


def sent_by(text, total):
    """Return how often each target is sent in `total` iterations, each endpoint taking its rows in turn."""
    document = load_text(text, environ={})
    scenario = build(document)
    counts = Counter()
    mix = document.value.get("mix") or dict.fromkeys(scenario.endpoints, total)
    for name, endpoint in scenario.endpoints.items():
        template = RequestTemplate(endpoint, Common())
        rows = document.rows.get(f"{name}_rows", (None,))
        for i in range(mix[name]):
            counts[template.render({f"{name}_rows": rows[i % len(rows)]}).target] += 1
    return counts


steps = st.sampled_from(
    ["users", "42", "7", "a", "b c", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "{{ x }}", "${y}"]
)
targets = st.builds(
    lambda path, query: (path, query),
    st.lists(steps, min_size=1, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(["q", "page"]), st.sampled_from(["1", "2", "x y"])),
        max_size=2,
        unique_by=lambda t: t[0],
    ),
)


@settings(max_examples=30)
@given(st.lists(targets, min_size=2, max_size=8))
def test_what_was_recorded_is_sent_as_often(found):
    """Merged or not, the scenario's endpoints and rows make the recorded requests in the recorded numbers."""
    urls = [
        "/" + "/".join(quote(step, safe="") for step in path) + (f"?{urlencode(query)}" if query else "")
        for path, query in found
    ]
    made = import_scenario(
        Material("har", "made", har(*({"method": "GET", "url": f"http://h{u}"} for u in urls)), traffic="mix")
    )
    expected = Counter(url.replace("+", "%20").replace("%24", "$") for url in urls)
    assert (
        Counter(
            {k.replace("+", "%20").replace("%24", "$"): n for k, n in sent_by(made.text, len(urls)).items()}
        )
        == expected
    )


def test_assets_are_taken_over_when_asked_for():
    """Scripts, styles and images are left out, with their number, unless they are asked for."""
    path = GOLDEN / "har" / "shop.har"
    assert "/static/app.css" not in imported(path).text
    assert any("3 entries are left out: images" in note for note in imported(path).notes)
    assert "/static/app.css" in imported(path, with_assets=True).text
    assert not any("images" in note for note in imported(path, with_assets=True).notes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        ("[]", "this is no HAR"),
        ('{"log": {}}', "this is no HAR"),
        ('{"log": {"entries": []}}', "no request in it"),
        ('{"log": {"entries": [1, {}, {"request": 5}]}}', "3 entries are left out: not HTTP"),
    ],
)
def test_what_is_no_recording_is_refused(text, reason):
    """A text that is no HAR, or has nothing to send in it, is refused with the reason."""
    with pytest.raises(UsageError) as caught:
        import_scenario(Material("har", "made", text))
    assert reason in str(caught.value)
