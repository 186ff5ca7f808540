"""Scenarios drawn from the JSON Schema, so that every key of the language comes up, and what is done with them."""

import json
from functools import cache
from pathlib import Path

import yaml

from stressrunner.scenario.schema import root_place, scenario_schema

ROOT = Path(__file__).parents[2]

_TEXTS = (
    *("a", "", "p95", "=cmd", "{{ uuid() }}", "{{ v }}", "a {{ iteration }} b", "{{ rows.text }}", "{{ message.token }}"),
    *("{{ session.name }}", "{{ uuid }}", "{{ 'x' * 2000000 }}", "{{ [1] * 9 }}", "{{ now('unix') }}", "é\u202e\x1b", "{{ 1 / 0 }}"),
    *("{{ random_int(1, 9) }}", "{{ random_int(6, 1) }}", "{{ choice([]) }}", "{{ v ~ v }}", "{{ body }}", "{{ c | default(1) }}"),
    *("{{ fake.name }}", "{{ none }}", "{{ [] }}", "{{ 1e999 }}", "{{ -1 }}", "{{ user.id }}", "{{ repeat.index | default(0) }}"),
    *("/", "/a/{{ v }}", "/{{ uuid() }}?q={{ iteration }}", "{{ v }}", "http://127.0.0.1:8080/a", "a" * 300, "x\x00y"),
)  # fmt: skip
_EXPRESSIONS = (
    *("status == 200", "body.ok", "true", "1", "v", "body", "text", "size", "'x' in text", "body.items | length", "1 / 0"),
    *("status", "headers", "headers.etag", "response_time < 1", "response_time < 200", "not not not v", "range(3)", "range(10 ** 9)"),
    *("body.a.b.c", "c", "c is defined", "always()", "failure()", "status / 0 > 1", "text * 3", "[v, v]", "iteration > 1", "uuid"),
    *("body | length", "body.id | default(1)", "user.id", "repeat.index > 1", "item", "rows.text", "status in [200, 201]", "null"),
)  # fmt: skip
_DURATIONS = ("0s", "1us", "5ms", "1s", "3s", "1m", "10h", "0.3333333s", "100000h")
_RATES = ("0/s", "1/h", "3/m", "5/s", "0.3333/s", "1000000/s", "999999999/s")
_OF_FORMAT = {
    "duration": _DURATIONS,
    "positive_duration": _DURATIONS,
    "rate": _RATES,
    "positive_rate": _RATES,
    "limit": ("0", "1%", "0.00001%", "100%", "3"),
    "share": ("0%", "1%", "33.3333333%", "100%"),
    "positive_size": ("1B", "5MB", "99999999GB"),
    "host": ("127.0.0.1", "a.example", "[::1]", "*.a.example"),
    "media_type": ("text/plain", "a/b; c=d"),
    "header_name": ("x-a", "Cookie", "Content-Length", "host"),
    "token_url": ("/token", "http://127.0.0.1:9/token", "https://a.example/t"),
    "no_placeholders": ("a", "b c"),
    "pack_file": ("data/prompts.csv", "missing", "..", "a" * 300, ".", "x\x00y"),
    "expression": _EXPRESSIONS,
    "condition": _EXPRESSIONS,
    "check": _EXPRESSIONS,
    "jsonpath": ("$", "$.a", "$..a", "$..[?count($..*)>1]", "$.items[0].id", "$[?@.a == 1]"),
    "pattern": ("a", "(a+)+b", "id=(\\d+)", "()", "(a)|(b)"),
    "threshold": (
        *("errors < 1%", "p95 < 1s", "p99.9(ttfb) <= 2s over 1s else abort after 1s", "throughput > 1/s", "count > 1"),
        *("all.p50 < 1s", "target.memory < 1GB", "max < 1us in load", "dropped == 0", "goodput >= 9999999/s", "alpha.errors == 0%"),
    ),
    "template": _TEXTS,
    "body_template": (*_TEXTS, "{% for i in range(3) %}{{ i }}{% endfor %}", "{{- v }}", "{# a #}"),
}  # fmt: skip
_NAMES = (
    "alpha",
    "beta",
    "all",
    "v",
    "rows",
    "c",
    "message",
    "load",
    "hold",
    "calm",
    "x-a",
    "q",
    "a b",
    "page",
    "id",
)
_NUMBERS = (0, 1, 2, 3, 7, 50, 1000, 10**6, 10**9, 10**12, 10**18, 0.5, 33.3333, 66.6667, 1e-9, 1e300, -1)

#: Trees without mistakes to begin from.
_HOLDING = {
    "stressrunner": 1,
    "name": "held",
    "target": {"base_url": "http://127.0.0.1:8080/p"},
    "variables": {"v": "w"},
    "feeders": {"rows": {"values": [{"text": "a"}, {"text": "b"}]}},
    "payloads": {"message": {"text": "{{ message.token }} {{ v }}"}},
    "endpoints": {
        "alpha": {"post": "/a/{{ rows.text }}", "json": {"$payload": "message"}, "checks": "body.ok", "capture": {"c": "body.id"}},
        "beta": {"get": "/b", "query": {"q": "{{ v }}"}, "timeout": "2s"},
    },
}  # fmt: skip
_STEPS = [
    "alpha",
    {"think": "1s"},
    {"send": "beta", "if": "c", "repeat": {"until": "status == 200", "times": 2}},
]
_BASES = (
    {"load": {"concurrency": 2, "requests": 5}, "mix": {"alpha": 1, "beta": 2}},
    {"load": [{"name": "calm", "rate": "5/s", "duration": "2s"}, {"name": "hold", "concurrency": 3, "duration": "1s"}]},
    {"load": {"concurrency": 2, "iterations": 3}, "flow": _STEPS},
    {"load": {"rate": {"from": "1/s", "to": "5/s"}, "duration": "3s"}, "flows": {"f": _STEPS}, "mix": {"f": 1, "beta": 3}},
    {"load": {"concurrency": 2, "sessions": 2}, "session": {"send": "alpha", "messages": 3, "burst": 2, "gap": "1ms"}},
    {"traffic": {"s": {"flow": _STEPS, "load": {"concurrency": 1, "iterations": 2}}, "m": {"mix": {"alpha": 1}, "load": {"rate": "2/s", "duration": "1s"}}}},
    {
        "load": {"concurrency": 1, "sessions": 2},
        "session": {"send": "alpha", "messages": 2},
        "invariants": {"delivery": {"acknowledged": "status == 200", "read_back": {"endpoint": "beta", "messages": "body.items"}}},
    },
    {"load": {"concurrency": 1, "iterations": 2}, "flow": _STEPS, "setup": ["beta"], "user_setup": ["beta"], "teardown": ["alpha"]},
)  # fmt: skip


@cache
def _bases():
    shipped = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(ROOT.glob("scenarios/*.yaml"))]
    trees = [{**_HOLDING, **base} for base in _BASES]
    return tuple(
        json.dumps(tree) for tree in [*trees, *(t for t in shipped if "load" in t and "uses" not in t)]
    )


def mutated(random):
    """Return a scenario as a tree, changed in one to four places as the schema allows."""
    tree = json.loads(random.choice(_bases()))
    for _ in range(random.randint(1, 4)):
        _mutate(tree, random)
    return tree


def _mutate(tree, random):
    """Change a value somewhere, add a key that the schema knows there, or take one away."""
    spots = list(_spots(tree, root_place()))
    holder, place = random.choice(spots)
    if isinstance(holder, list):
        if holder and random.random() < 0.3:
            del holder[random.randrange(len(holder))]
        holder.insert(random.randint(0, len(holder)), value_of(place.item, random, 3))
        return
    if holder and random.random() < 0.15:
        del holder[random.choice(list(holder))]
        return
    known = tuple(key for key in place.keys if key not in ("uses", "values"))
    name = random.choice(known) if known and random.random() < 0.8 else random.choice([*holder, *_NAMES])
    inner = place.key(name)
    if inner is None:
        return
    for choice in place.choices:
        if name in choice.keys:
            for other in choice.keys:
                holder.pop(other, None)
    holder[name] = value_of(inner, random, 3)


def _spots(value, place):
    """Yield every mapping and list with its place in the schema."""
    if isinstance(value, dict):
        yield value, place
        for name, inner in value.items():
            if name in ("values", "uses"):
                continue  # rows that differ from one another, and files that are not there, are mistakes
            below = place.key(name)
            if below is not None:
                yield from _spots(inner, below)
    elif isinstance(value, list):
        yield value, place
        for item in value:
            yield from _spots(item, place.item)


def value_of(place, random, depth):
    """Draw a value that the schema would have in a place, or nearly."""
    said = {key: value for schema in reversed(place.schemas) for key, value in schema.items()}
    if "examples" in said and random.random() < 0.35:
        return json.loads(json.dumps(random.choice(said["examples"])))
    if "enum" in said and random.random() < 0.95:
        return random.choice(said["enum"])
    kinds = sorted(place.types - {"null"}) or ["string", "integer", "object", "array", "boolean"]
    kind = random.choice(
        kinds if depth > 0 else [k for k in kinds if k not in ("object", "array")] or ["null"]
    )
    if kind == "string":
        if random.random() < 0.2:
            return random.choice(_NAMES)
        return random.choice(_OF_FORMAT.get(place.format, _TEXTS))
    if kind in ("integer", "number"):
        low, high = said.get("minimum", 0), said.get("maximum", 10**18)
        numbers = [
            n for n in (*_NUMBERS, low, high) if low <= n <= high and (kind == "number" or n == int(n))
        ]
        return random.choice(numbers)
    if kind == "boolean":
        return random.random() < 0.5
    if kind == "array":
        return [value_of(place.item, random, depth - 1) for _ in range(random.randint(1, 3))]
    return _mapping(place, random, depth, said) if kind == "object" else None


def _mapping(place, random, depth, said):
    keys = list(dict.fromkeys(place.keys))
    names = set(said.get("required", ())) | set(random.sample(keys, random.randint(0, min(3, len(keys)))))
    for choice in place.choices:
        names -= set(choice.keys)
        if not (choice.may_be_none and random.random() < 0.5):
            names.add(random.choice(choice.keys))
    if not keys or random.random() < 0.1:
        names |= set(random.sample(_NAMES, random.randint(1, 2)))
    made = {}
    for name in sorted(names):
        inner = place.key(name)
        if inner is not None:
            made[name] = value_of(inner, random, depth - 1)
    return made


def keys_of_schema():
    """Return the places of all keys that the schema names, as paths into it."""
    found = set()

    def walk(part, path):
        if isinstance(part, dict):
            for name, inner in part.items():
                if name == "properties":
                    found.update((path, key) for key in inner)
                walk(inner, (*path, name))

    walk(scenario_schema(), ())
    return found
