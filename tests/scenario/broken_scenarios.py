"""Scenarios that hypothesis builds, and ways to break them: the shared part of the fuzz tests."""

import json
from pathlib import Path
from time import process_time

from hypothesis import strategies as st

from stressrunner.errors import InvalidScenario
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text
from stressrunner.scenario.source import Source

ROOT = Path(__file__).parents[2]
#: Texts to begin from: the shipped scenarios, and those with one mistake each.
CORPUS = sorted([*ROOT.glob("scenarios/*.yaml"), *ROOT.glob("tests/golden/scenario/*.yaml")])
#: What YAML, the language and templates stumble over.
FRAGMENTS = (
    *("a", "- ", ": ", "\n", "  ", "{", "}", "[", "]", "{{", "}}", "{% if x %}", "{%", "'", '"', "#", " #"),
    *(
        "&a ",
        "*a",
        "!x ",
        "<<: ",
        "|\n",
        ">",
        "${",
        "${A}",
        "${secret:A}",
        "$${",
        "%",
        "@",
        "`",
        "\t",
        "é",
        "😀",
    ),
    *(
        "\u2028",
        "\r\n",
        "\r",
        "\x00",
        "\x85",
        "\ufeff",
        "\udc80",
        "---\n",
        "...\n",
        "? ",
        ",",
        "1e999",
        ".nan",
        "0x1F",
    ),
    *(
        "-1",
        "0",
        "true",
        "null",
        "~",
        "5s",
        "10/s",
        "1%",
        "99999999999999999999",
        "p95 < 5s",
        "status == 200",
    ),
    *(
        "get: /",
        "json: ",
        "checks: ",
        "load: ",
        "uses: [x]\n",
        "thresholds:\n- ",
        "endpoints:\n  ",
        "variables:\n  v: ",
    ),
    *("{{ a.b }}", "{{ x | default(1) }}", "{{ 2 ** 9 }}", "body.items[0]", "and", "(", ")", "\\", "+:", "+"),
)
_SLOWEST_S = 10.0  # of processor time, in which the collector of a long run may have its turn
_LONGEST = 4_000


def answer(content):
    """Load a scenario of untrusted content: return its document, or the mistakes in it.

    The answer comes in little time whatever the content is; mistakes stand somewhere in it and say what is wrong, and
    a scenario without any can be built and compiled.
    """
    began_s = process_time()
    try:
        found = load_text(content, environ={"A": "x"})
    except InvalidScenario as invalid:
        found = invalid.diagnostics
        assert found
        _check_places(found, content)
    else:
        compile_plan(build(found), seed=1, run_id="r")
    assert process_time() - began_s < _SLOWEST_S
    return found


def _check_places(diagnostics, content):
    text = content if isinstance(content, str) else content.decode("utf-8-sig", "replace")
    lines = Source.of("", text.removeprefix("\ufeff")).lines
    for diagnostic in diagnostics:
        assert diagnostic.message
        assert len(diagnostic.render()) < _LONGEST
        assert 1 <= diagnostic.line <= len(lines)
        assert 1 <= diagnostic.column <= len(lines[diagnostic.line - 1]) + 1


_words = st.sampled_from(["alpha", "beta", "gamma", "delta"])
_durations = st.sampled_from(["1s", "500ms", "2m", "0.5s"])
_checks = st.sampled_from(
    ["status == 200", "body.ok", "response_time < 0.5", "'x' in text", "body.items | length > 1"]
)
_texts = st.sampled_from(
    ["plain", "{{ uuid() }}", "{{ v }}", "a {{ iteration }} b", "{{ rows.text }}", "é😀 #: '\""]
)
_paths = st.sampled_from(["/", "/a/{{ v }}", "/b?c=d", "/{{ rows.text }}/e"])
_thinks = _durations | st.just({"min": "1s", "max": "2s"})
_closed = st.fixed_dictionaries(
    {"concurrency": st.integers(1, 50)}, optional={"think": _thinks, "graceful_stop": _durations}
).flatmap(
    lambda phase: st.sampled_from([{"duration": "5s"}, {"iterations": 5}]).map(lambda end: {**phase, **end})
)
_open = st.fixed_dictionaries(
    {"rate": st.sampled_from(["5/s", "30/m", {"from": "1/s", "to": "5/s"}]), "duration": _durations},
    optional={
        "max_in_flight": st.integers(1, 99),
        "arrivals": st.sampled_from(["constant", "poisson"]),
        "overflow": st.sampled_from(["wait", "drop", "abort"]),
    },
)
_bodies = st.one_of(
    st.just({}),
    _texts.map(lambda text: {"body": text}),
    _texts.map(lambda text: {"json": {"a": [text, 1, None]}}),
    _texts.map(lambda text: {"form": {"a": text, "b": None}}),
    st.just({"json": {"$payload": "message"}}),
)


@st.composite
def _endpoints(draw):
    method = draw(st.sampled_from(["get", "post", "put", "patch", "delete", "head", "options"]))
    optional = {
        "query": st.dictionaries(_words, _texts, max_size=2),
        "headers": st.dictionaries(_words, _texts, max_size=2),
        "cookies": st.dictionaries(_words, _words, max_size=2),
        "timeout": _durations | st.just({"connect": "1s", "total": "2s"}),
        "checks": _checks | st.lists(_checks, max_size=3),
        "capture": st.dictionaries(st.sampled_from(["c1", "c2"]), st.just("body.id"), max_size=2),
        "refused": st.just("status == 429"),
        "follow_redirects": st.booleans(),
    }
    return {method: draw(_paths), **draw(_bodies), **draw(st.fixed_dictionaries({}, optional=optional))}


@st.composite
def scenarios(draw):
    """Build a scenario without mistakes, as a tree."""
    endpoints = draw(st.dictionaries(_words, _endpoints(), min_size=1, max_size=3))
    # Whatever else is drawn, everything that is defined is used.
    endpoints["all"] = {"post": "/{{ v }}/{{ rows.text }}", "json": {"$payload": "message"}}
    load = draw(_closed | _open | st.lists(_closed | _open, min_size=1, max_size=3))
    names = st.sampled_from(sorted(endpoints))
    tree = {
        "stressrunner": 1,
        "name": draw(_words),
        "target": {"base_url": draw(st.sampled_from(["demo://agents", "http://127.0.0.1:8080/prefix"]))},
        "variables": {"v": draw(_words | st.integers(0, 9) | st.just("{{ uuid() }}"))},
        "feeders": {
            "rows": {
                "values": [{"text": "a"}, {"text": "b"}],
                "order": draw(st.sampled_from(["random", "shuffled"])),
            }
        },
        "payloads": {"message": {"text": draw(_texts), "n": draw(st.none() | st.booleans() | st.integers())}},
        "endpoints": endpoints,
        "load": load,
    }
    traffic = draw(st.sampled_from(["none", "mix", "session"]))
    if traffic == "mix":
        tree["mix"] = {**draw(st.dictionaries(names, st.integers(0, 9))), draw(names): 1}
    if traffic == "session":
        tree["session"] = {"messages": 4, "send": draw(names), "burst": draw(st.integers(1, 4))}
    tree["thresholds"] = draw(
        st.lists(st.sampled_from(["p95 < 1s", "errors < 1%", "throughput > 1/s in load"]), max_size=2)
    )
    if isinstance(load, list):
        tree["thresholds"] = [text for text in tree["thresholds"] if "in load" not in text]
    return tree


def written(tree, draw):
    """Write a tree as YAML, in block style down to some depth and as JSON below it."""
    return "".join(_block(tree, draw(st.integers(1, 4)), 0))


def _block(tree, depth, indent):
    pad = " " * indent
    for key, value in tree.items():
        if isinstance(value, dict) and value and depth > 1:
            yield f"{pad}{key}:\n"
            yield from _block(value, depth - 1, indent + 2)
        else:
            yield f"{pad}{key}: {json.dumps(value, ensure_ascii=False)}\n"


_edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "replace", "repeat line", "drop line", "indent", "typo"]),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(FRAGMENTS),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=5,
)


@st.composite
def damaged(draw, texts):
    """Draw a text and break it in a few places."""
    text = draw(texts)
    for kind, where, fragment, length in draw(_edits):
        text = _edited(text, kind, int(where * len(text)), fragment, length)
    return text


def _edited(text, kind, at, fragment, length):
    if kind == "insert":
        return text[:at] + fragment + text[at:]
    if kind == "delete":
        return text[:at] + text[at + length :]
    if kind == "replace":
        return text[:at] + fragment + text[at + length :]
    if kind == "typo":
        return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
    lines = text.splitlines(keepends=True) or [""]
    number = text.count("\n", 0, at) % len(lines)
    changed = {"repeat line": lines[number] * 2, "drop line": "", "indent": f"{' ' * length}{lines[number]}"}
    return "".join([*lines[:number], changed[kind], *lines[number + 1 :]])


#: Contents of files, text or not.
CONTENTS = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join),
    st.text(max_size=80),
)
