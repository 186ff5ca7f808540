"""Whatever stands in a result file: it is read and every report is made of it, or it is told what cannot be read."""

import json
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports import example_results

from stressrunner.cli.check_command import check_result
from stressrunner.errors import StressrunnerError, UnreadableResult
from stressrunner.reports import REPORTS, render
from stressrunner.reports.comparison import render_comparison
from stressrunner.result.codec import from_json, to_json
from stressrunner.run.comparison import compare_results

EXAMPLES = ("failed", "undelivered", "side_by_side", "unreachable")
ANYTHING = [
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    -1e308,
    1e308,
    "",
    "aaa",
    "=\x1b[31m\u202e\udc80",
    "a\nb",
    [],
    [1],
    {},
    {"a": 1},
]


@cache
def written(name):
    """Return an example as the text of its file."""
    return to_json(getattr(example_results, name)())


def places(value, path=()):
    """Yield the places of all values in a decoded file."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


@cache
def kinds_of_places(name):
    """Return one place of each kind: of many endpoints or exchanges, the first two."""
    seen = {}
    for path in places(json.loads(written(name))):
        seen.setdefault(tuple(min(key, 1) if isinstance(key, int) else key for key in path), path)
    return sorted(seen.values(), key=str)


@st.composite
def damaged(draw):
    """Draw an example in which a value or two are another one, gone, or have company; alike values are likelier."""
    name = draw(st.sampled_from(EXAMPLES))
    document = json.loads(written(name))
    for path in draw(st.lists(st.sampled_from(kinds_of_places(name)), min_size=1, max_size=2)):
        *way, last = path
        holder = document
        try:
            for key in way:
                holder = holder[key]
            old = holder[last]
        except (LookupError, TypeError):
            continue
        alike = [value for value in ANYTHING if type(value) is type(old)] or ANYTHING
        act = draw(st.sampled_from(["alike", "alike", "alike", "other", "gone"]))
        if act == "gone":
            del holder[last]
        else:
            holder[last] = draw(st.sampled_from(alike if act == "alike" else ANYTHING))
    return json.dumps(document)


def answer(text, forms, folder):
    """Read a file and make reports of it; all that may come of it is one line that says why not."""
    result = refused = None
    try:
        result = from_json(text, "result.json")
    except UnreadableResult as error:
        refused = str(error)
    if result is None:
        assert refused.startswith("result.json: ")
        assert len(refused) < 400
        return
    for form in forms:
        try:
            shown = render(form, result)
        except StressrunnerError:
            continue
        assert shown.encode()
        assert form == "json" or not {"\x1b", "\u202e"} & set(shown)
    base = ("base", from_json(written("failed"), "base.json"))
    for pair in ((base, ("damaged", result)), (("damaged", result), base)):
        with suppress(StressrunnerError):
            assert render_comparison("text", compare_results(*pair, ())).encode()
    path = folder / "result.json"
    path.write_text(text, "utf-8")
    with suppress(StressrunnerError):
        assert check_result(path, (), strict=True) in (0, 3, 4)
    with suppress(StressrunnerError):
        assert check_result(path, ("p95 < 1s", "login.errors < 1%"), strict=False) in (0, 3, 4)


@pytest.mark.parametrize("started_at", ["", "aaa", "2024-13-01"])
def test_a_moment_that_is_none_cannot_be_read(started_at):
    """When a run started is a time, or the file is damaged."""
    document = json.loads(written("failed"))
    document["run"]["started_at"] = started_at
    with pytest.raises(UnreadableResult, match=r"run\.started_at: .* is no time"):
        from_json(json.dumps(document), "result.json")


@pytest.mark.parametrize(("key", "value"), [("duration_s", 1e19), ("seed", 10**30), ("workers", -(10**30))])
def test_numbers_have_an_end(key, value):
    """A number that nothing measured could be is damage: what is computed from it would not be finite."""
    document = json.loads(written("failed"))
    document["run"][key] = value
    with pytest.raises(UnreadableResult, match=r"the number is too large"):
        from_json(json.dumps(document), "result.json")


@settings(max_examples=60)
@given(damaged())
def test_a_damaged_file_is_answered(tmp_path_factory, text):
    """A file with any value in any place is read or refused, and nothing ends in a traceback."""
    answer(text, ("text", "csv", "hlog", "junit", "markdown"), tmp_path_factory.getbasetemp())


@pytest.mark.soak
@settings(max_examples=5_000, database=None)
@given(damaged())
def test_damaged_files_are_answered_at_length(tmp_path_factory, text):
    """The same 5,000 times, with every report."""
    answer(text, REPORTS, tmp_path_factory.getbasetemp())
