"""Every scenario that is imported runs: against a server that answers as its checks and captures want it to."""

import json
import re
from collections import Counter

import pytest
from authoring.golden_material import MATERIAL, imported
from engine.virtual_load import virtual_run

from stressrunner.http.fake import FakeAnswer
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

_STATUS = re.compile(r"status (?:==|in [\[(]) ?(\d+)")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\['([^']+)'\]")


def body_for(expressions):
    """Return JSON in which expressions such as `body.items[0].id` find something, each a text of its own."""
    body = {}
    for number, expression in enumerate(expressions):
        steps = [int(index) if index else name or key for name, index, key in _STEP.findall(expression)]
        body = planted(body, steps, f"found-{number}")
    return body


def planted(value, steps, leaf):
    """Return a value with a leaf at the end of some steps, of which those in lists are all 0."""
    if not steps:
        return leaf
    step, *rest = steps
    if step == 0:
        return [planted(value[0] if isinstance(value, list) else None, rest, leaf)]
    fields = value if isinstance(value, dict) else {}
    return {**fields, step: planted(fields.get(step), rest, leaf)}


def server_for(scenario):
    """Return what answers each request as the endpoint of its method and path wants it; of several, each in turn."""
    turns = Counter()

    def answer(_number, request):
        path = request.target.partition("?")[0]
        if path.endswith("/token"):
            return FakeAnswer(body=b'{"access_token": "granted", "token_type": "bearer"}')
        found = []
        for endpoint in scenario.endpoints.values():
            pattern = re.sub(r"\\\{\\\{.*?\\\}\\\}", "[^/]+", re.escape(endpoint.path.partition("?")[0]))
            if endpoint.method == request.method and re.fullmatch(pattern, path):
                found.append(endpoint)
        assert found, f"no endpoint sends {request.method} {request.target}"
        turn = turns[found[0].name]
        turns[found[0].name] += 1
        return answered(found[turn % len(found)])

    return answer


def answered(endpoint):
    """Return an answer that an endpoint takes."""
    statuses = [found[1] for check in endpoint.checks if (found := _STATUS.match(check))]
    captures = [capture.source for capture in endpoint.capture.values()]
    headers = [
        (found[1], "of-header") for source in captures if (found := re.match(r"headers\['(.*)'\]", source))
    ]
    body = body_for([source for source in captures if source.startswith("body")])
    return FakeAnswer(
        status=int(statuses[0]) if statuses else 200,
        body=json.dumps(body).encode(),
        headers=(("Content-Type", "application/json"), *headers),
    )


@pytest.mark.parametrize("path", MATERIAL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_scenarios_run(path):
    """All that an imported scenario plans is sent, can be filled in, and passes its checks and captures."""
    made = imported(path)
    environ = dict.fromkeys(made.variables, "value-of-it") | {"BASE_URL": "http://target"}
    scenario = build(load_text(made.text, environ=environ))
    ran = virtual_run(scenario, server_for(scenario))
    assert [(group.kind, group.samples[0].message) for group in ran.summary.errors] == []
    assert ran.totals.ok == ran.totals.planned > 0


@pytest.mark.parametrize("path", MATERIAL, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("traffic", ["flow", "mix"])
def test_traffic_is_as_wished(path, traffic):
    """Whatever the source is, its requests can be a flow or a mix, and either is valid."""
    made = imported(path, traffic=traffic)
    environ = dict.fromkeys(made.variables, "value-of-it") | {"BASE_URL": "http://target"}
    document = load_text(made.text, environ=environ)
    assert len(build(document).endpoints) == 1 or traffic in document.value
