"""A secret is planted wherever one can go, and looked for in every stream and file of every command.

The server here repeats all that it is told, in every encoding that it knows, and the requests fail in every way that
quotes something.
"""

import json

import pytest
from command import stressrunner
from echoing import SECRET, Echo, leaked
from hosting.handler_server import serving

from stressrunner.reports import REPORTS

PASSWORD = "proxy-passw0rd"
WORD = "a-plain-w0rd"  # which can stand in an expression
SCENARIO = """\
stressrunner: 1
name: planted
description: with ${secret:PLANT} in it
target:
  base_url: "%(url)s/${PREFIX}"
  headers:
    x-plain: "${secret:PLANT}"
    x-amid: "a ${secret:PLANT} b"
    x-default: "${secret:UNSET:-a default/of it}"
    authorization: "Basic {{ base64('user:' ~ key) }}"
variables:
  key: "${secret:PLANT}"
  nested: {list: ["${secret:PLANT}"]}
feeders:
  rows: {values: ["${secret:PLANT} one", "two ${secret:PLANT}"]}
payloads:
  body: {in_json: "{{ key }}", encoded: "{{ base64('a' ~ key) }}", listed: "{{ nested.list }}", row: "{{ rows }}"}
endpoints:
  said: {post: "/said/{{ key }}", query: {q: "{{ key }}"}, json: {$payload: body}, cookies: {c: "{{ sha256(key) }}"}}
  checked: {post: /said, json: {$payload: body}, checks: ["status == 200", "body.told == key"]}
  refuted: {post: /said, json: {$payload: body}, checks: ["key not in text and '${secret:WORD}' not in text"]}
  captured: {post: /said, json: {$payload: body}, capture: {echo: body.told}}
  missing: {post: /said, json: {$payload: body}, capture: {gone: "body[key ~ '${secret:WORD}']"}}
  failing: {get: "/500/{{ key }}"}
  form: {post: /said, form: {field: "{{ key }}"}}
  raw: {put: /said, body: "{{ key }} {{ mine }}", checks: ["early == key"]}
  parts: {post: /said, multipart: {field: "{{ key }}", file: {content: "{{ key }}", filename: "${secret:WORD}.txt"}}}
  asked: {post: /said, graphql: {query: "{ a(b: 1) }", variables: {v: "{{ key }}", w: "${secret:WORD}"}}}
  named: {get: "/500/x", auth: {basic: {username: user, password: "{{ key }}"}}}
  keyed: {get: "/500/x", auth: {api_key: {query: api_key, value: "${secret:WORD}"}}}
  borne: {get: "/500/x", auth: {bearer: "${secret:WORD}"}}
  unfilled: {get: "/{{ key + 1 }}"}
  redirected: {get: "/302/{{ key }}", follow_redirects: true}
setup: [{post: "/said/{{ key }}", json: {k: "{{ key }}"}, capture: {early: body.told}}]
user_setup: [{get: "/said/{{ early }}", capture: {mine: body.told}}]
teardown: [{get: "/500/{{ early }}"}]
load: {concurrency: 2, requests: 40}
thresholds: [errors < 1%%, "said.p95 < 1us", "throughput > 1/s"]
"""


DEFAULT = "a default/of it"
SOUGHT = [SECRET, PASSWORD, WORD, DEFAULT]
GIVEN = {"PLANT": SECRET, "WORD": WORD, "PROXY_PASSWORD": PASSWORD, "PREFIX": "api"}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A scenario full of secrets, run with every report; the folder, and the streams of all that was done so far."""
    folder = tmp_path_factory.mktemp("planted")
    with serving(Echo) as url:
        (folder / "planted.yaml").write_text(SCENARIO % {"url": url}, "utf-8")
        reports = [f"--report={form}={form}.out" for form in (*REPORTS, "samples")]
        template = folder / "own.j2"
        template.write_text("{{ result }}", "utf-8")
        ran = stressrunner(
            "planted.yaml", *reports, "--template", "own.j2", "-v", "--seed", "1", cwd=folder, **GIVEN
        )
        assert ran.code == 3, ran.err
        tried = [
            stressrunner("try", "planted.yaml", "--endpoint", name, cwd=folder, **GIVEN)
            for name in ("said", "missing", "unfilled")
        ]
        assert [each.code for each in tried] == [3, 3, 3]  # as `teardown` fails
        proxied = stressrunner(
            "run", "planted.yaml", "-v", "--yes", "--workers", "0", "--report=json=proxied.out",
            "--set", "target.base_url=http://api.example", "--set", f"target.proxy=http://me:${{secret:PROXY_PASSWORD}}@{url[7:]}",
            "--set", "load.requests=11", cwd=folder, **GIVEN,
        )  # fmt: skip
        assert proxied.code == 3, proxied.err
    return folder, [ran, *tried, proxied]


def test_runs_and_trials_show_no_secret(planted):
    """Nothing that a run or a trial prints has a secret in it, in any form."""
    assert "***" in "".join(ended.out for ended in planted[1])
    for ended in planted[1]:
        assert leaked(ended.out, SOUGHT) == []
        assert leaked(ended.err, SOUGHT) == []


def test_artifacts_hold_no_secret(planted):
    """Every file that was written is free of secrets, and has something to hide."""
    folder, _ = planted
    written = sorted(path for path in folder.iterdir() if path.suffix == ".out")
    assert {path.stem for path in written} == {*REPORTS, "samples", "proxied"}
    for path in written:
        assert leaked(path.read_text("utf-8"), SOUGHT) == [], path.name
    result = json.loads((folder / "json.out").read_text("utf-8"))
    assert len(result["errors"]) >= 5
    assert "***" in json.dumps(result["errors"])
    assert result["totals"]["planned"] == 40
    assert result["totals"]["skipped"] == 3  # that could not be filled in


COMMANDS = {
    "explain": ["explain", "planted.yaml"],
    "explain a path": ["explain", "planted.yaml", "variables"],
    "explain a setting": [
        "explain",
        "planted.yaml",
        "variables.key",
        "--set",
        "variables.key=${secret:PLANT}",
    ],
    "validate": ["validate", "planted.yaml"],
    "a wrong value": ["validate", "planted.yaml", "--set", "load.concurrency=${secret:PLANT}"],
    "a wrong threshold": ["validate", "planted.yaml", "--set", "thresholds+=p95 < ${secret:PLANT}"],
    "a wrong template": ["validate", "planted.yaml", "--set", "endpoints.raw.body=${secret:PLANT}{{ x"],
    "a wrong address": ["validate", "planted.yaml", "--set", "target.base_url=${secret:PLANT}"],
    "an address with it": [
        "run",
        "planted.yaml",
        "-v",
        "--set",
        "target.base_url=http://127.0.0.1:9/${secret:PLANT}",
    ],
    "a stranger": ["run", "planted.yaml", "--set", "target.base_url=http://h.example/${secret:PLANT}"],
    "check": ["check", "json.out", "p95 < 1us"],
    **{f"report {form}": ["report", "json.out", "--format", form] for form in REPORTS},
    "compare": ["compare", "json.out", "proxied.out"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_show_no_secret(planted, command):
    """Whatever a command says of a scenario or a result, its mistakes included, has no secret in it."""
    ran = stressrunner(*COMMANDS[command], cwd=planted[0], **GIVEN)
    assert ran.code in (0, 2, 3, 4, 5), ran.err
    assert "Traceback" not in ran.err
    assert leaked(ran.out, SOUGHT) == []
    assert leaked(ran.err, SOUGHT) == []
