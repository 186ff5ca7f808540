"""Material that is broken somewhere is imported or refused in words: no traceback, and no scenario that is invalid."""

import json
from copy import deepcopy

import pytest
from authoring.golden_material import MATERIAL
from hypothesis import given, settings
from hypothesis import strategies as st

from stressrunner.authoring.importing import Material, import_scenario
from stressrunner.authoring.openapi_document import ApiDocument
from stressrunner.errors import UsageError

ODD = [
    None, True, 5, -1, 1.5, "", "x", "{{a}}", "${x}", "{% a %}", "http://h/:id", "http://.h/", "a b/c?d=e&f#g", "\u00e9", "\0\a",
    "A" * 300, [], {}, [{}], {"a": [1]}, "password", "Bearer abcdefgh", "body", "{ q }", '{"query": "{a}"}', "$payload", "flow",
    "session", "2025-01-01", 880017, "880017", [1, None],
]  # fmt: skip


def decoded(path):
    """Return the material of a file as JSON."""
    text = path.read_text("utf-8")
    return ApiDocument(text, path.name).root if path.suffix == ".yaml" else json.loads(text)


SOURCES = [(path.parent.name, decoded(path)) for path in MATERIAL if path.parent.name != "curl"]


def places_in(value, here=()):
    """Yield the paths of everything in a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*here, key)
        yield from places_in(inner, (*here, key))


def at(value, path):
    """Return what is at a path."""
    for step in path:
        value = value[step]
    return value


@st.composite
def broken_material(draw):
    """Return a kind and a document in which some places hold what does not belong there."""
    kind, source = draw(st.sampled_from(SOURCES))
    document = deepcopy(dict(source))
    for _ in range(draw(st.integers(1, 4))):
        places = list(places_in(document))
        if not places:
            break
        path = places[draw(st.integers(0, len(places) - 1))]
        place = at(document, path[:-1])
        change = draw(st.sampled_from(["odd", "gone", "renamed", "moved"]))
        if change == "odd":
            place[path[-1]] = deepcopy(draw(st.sampled_from(ODD)))
        elif change == "moved":
            place[path[-1]] = deepcopy(at(document, places[draw(st.integers(0, len(places) - 1))]))
        elif change == "renamed" and isinstance(place, dict):
            place[str(draw(st.sampled_from(ODD)))] = place.pop(path[-1])
        else:
            del place[path[-1]]
    return kind, json.dumps(document)


def imported_or_refused(kind, text, traffic):
    """Import a text; what is written has been checked, so that anything wrong with it would be raised."""
    try:
        made = import_scenario(Material(kind, "made", text, traffic=traffic))
    except UsageError:
        return
    assert "stressrunner: 1" in made.text


@settings(max_examples=60)
@given(broken_material(), st.sampled_from(["", "flow", "mix"]))
def test_broken_documents(material, traffic):
    """Documents with odd, missing, renamed or misplaced parts are imported or refused."""
    imported_or_refused(*material, traffic)


@pytest.mark.soak
@settings(max_examples=20_000)
@given(broken_material(), st.sampled_from(["", "flow", "mix"]))
def test_many_broken_documents(material, traffic):
    """The same, of many more."""
    imported_or_refused(*material, traffic)


CURL = [path.read_text("utf-8") for path in MATERIAL if path.parent.name == "curl"]
PIECES = ["'", '"', "\\", "=", "@", ";", "$", "{{", "-F ", "-u ", ":", "\n", "%", "http://", "-H ", "a", "{", "&", "curl "]  # fmt: skip


@settings(max_examples=60)
@given(st.sampled_from(CURL), st.data())
def test_broken_commands(text, data):
    """Commands in which pieces are missing or put in are imported or refused."""
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 6))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[start + length :]
    imported_or_refused("curl", text, "")
