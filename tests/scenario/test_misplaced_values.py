"""Any value at any place of a scenario: it is told, or the scenario builds; nothing in between."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

COMPLETE = {
    "stressrunner": 1,
    "name": "complete",
    "description": "every key once",
    "target": {
        "base_url": "demo://agents?queue=merge",
        "headers": {"x-api-key": "${secret:API_KEY:-demo-key}"},
        "timeout": {"connect": "5s", "total": "30s"},
        "connections": 50,
    },
    "variables": {"agent": "a", "key": "{{ uuid() }}"},
    "feeders": {
        "prompts": {
            "values": [{"text": f"hello {i}"} for i in range(5)],
            "order": "random",
            "per": "user",
            "on_end": "stop",
        }
    },
    "payloads": {"message": {"text": "{{ prompts.text }} {{ message.token }}"}},
    "endpoints": {
        "chat": {
            "post": "/chat/{{ agent }}",
            "query": {"q": ["a", "b"], "n": None},
            "headers": {"x-key": "{{ key }}", "x-api-key": None},
            "json": {"$payload": "message"},
            "timeout": "5s",
            "checks": ["status == 200", "body.ok"],
            "capture": {"id": "body.id"},
            "refused": "status == 429",
        },
        "form": {"put": "/form", "form": {"a": "1"}, "checks": "status < 300"},
        "raw": {"patch": "/raw", "body": "{% if true %}x{% endif %}"},
    },
    "session": {"messages": 4, "send": "chat", "burst": 2, "gap": "1ms", "think": {"min": "1s", "max": "2s"}},
    "load": [
        {
            "name": "warm",
            "rate": "5/s",
            "duration": "10s",
            "max_in_flight": 5,
            "warmup": True,
            "graceful_stop": "1s",
        },
        {"name": "hold", "concurrency": 5, "sessions": 10, "think": "1s"},
    ],
    "monitors": {"server": {"port": 8000}, "other": {"pid": 1}, "third": {"command": "uvicorn"}},
    "thresholds": [
        "p95 < 500ms in hold",
        "server.memory < 1GB",
        {
            "stat": "p99",
            "of": "chat",
            "op": "<",
            "value": "2s",
            "else": "abort",
            "after": "5s",
            "min_samples": 5,
        },
    ],
}


def places(value, path=()):
    """Yield the path of every value in a tree."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in inner:
        yield from places(part, (*path, step))


PLACES = [path for path in places(COMPLETE) if path]
#: The same as a workload beside others.
SIDE_BY_SIDE = {
    **{key: part for key, part in COMPLETE.items() if key not in ("mix", "flow", "session", "load")},
    "feeders": {"prompts": {**COMPLETE["feeders"]["prompts"], "per": "request"}},
    "traffic": {
        "first": {key: COMPLETE[key] for key in ("mix", "flow", "session", "load") if key in COMPLETE},
        "flowing": {"flow": [next(iter(COMPLETE["endpoints"]))], "load": {"rate": "1/s", "duration": "1s"}},
    },
}
STREAM_PLACES = [path for path in places(SIDE_BY_SIDE) if path[:1] == ("traffic",)]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["", "x", "1s", "5%", "10/s", "{{ a.b }}", "{{", "${X}", "p95 < 1s", "mix", "\n", "status == 1"]
    )
    | st.text("aé😀 :#'", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["get", "a", "$payload", "min"]), inner)
    ),
    max_leaves=4,
)


def changed(path, value, complete=COMPLETE):
    """Return the complete scenario with another value at a path."""
    tree = copy.deepcopy(complete)
    inner = tree
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return tree


def test_every_key_may_be_used():
    """A scenario with every key in it builds."""
    for complete in (COMPLETE, SIDE_BY_SIDE):
        assert build(load_text(json.dumps(complete), environ={})).name == "complete"


COMPLETES = st.one_of(
    st.tuples(st.just(COMPLETE), st.sampled_from(PLACES)),
    st.tuples(st.just(SIDE_BY_SIDE), st.sampled_from(STREAM_PLACES)),
)


@given(COMPLETES, values)
def test_a_misplaced_value_is_told_or_builds(place, value):
    """A value of any kind at any place gives diagnostics, or a document that builds."""
    complete, path = place
    try:
        text = json.dumps(changed(path, value, complete), ensure_ascii=False)
        document = load_text(text, environ={"X": "x"})
    except InvalidScenario as invalid:
        told = invalid.diagnostics
    else:
        told = (build(document),)
    assert told


@given(st.sampled_from(PLACES), values)
def test_a_missing_key_is_told_beside_a_misplaced_value(path, value):
    """One broken place does not hide another."""
    tree = changed(path, value)
    tree.pop("endpoints" if path[0] != "endpoints" else "target")
    with pytest.raises(InvalidScenario) as caught:
        load_text(json.dumps(tree, ensure_ascii=False), environ={"X": "x"})
    messages = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert any("is missing" in message for message in messages)
