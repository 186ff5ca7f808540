"""Every value of a composed scenario knows which text gave it, and what it took the place of."""

import pytest

from stressrunner.errors import UsageError
from stressrunner.scenario.document import load_document, load_text
from stressrunner.scenario.provenance import settings_at
from stressrunner.scenario.source import Layer

COMMON = """\
stressrunner: 1
endpoints:
  cart:
    get: /cart
    timeout: 3s
thresholds: [errors < 1%]
"""
MAIN = """\
stressrunner: 1
name: shop
uses: [common.yaml]
target:
  base_url: ${BASE_URL:-http://127.0.0.1}
  headers: {x-api-key: "${secret:KEY}", "x.y": z}
variables: {empty: {}, lines: "two\\nlines", page: {size: 1}}
endpoints: {home: {get: "/{{ [empty, lines, page] }}"}}
load:
  concurrency: 1
  requests: 10
environments:
  lab:
    endpoints: {cart: {timeout: 5s}}
    load: {duration: 5s}
    thresholds+: [p95 < 1s]
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Return a function that tells where the values at a path come from, as tuples."""
    (tmp_path / "common.yaml").write_text(COMMON, "utf-8")
    (tmp_path / "main.yaml").write_text(MAIN, "utf-8")
    monkeypatch.chdir(tmp_path)
    environ = {"KEY": "sesame-open"}

    def tell(path, *overrides, environment="lab"):
        main = tmp_path.joinpath("main.yaml").relative_to(tmp_path)
        document = load_document(main, environ=environ, overrides=overrides, environment=environment)
        found = settings_at(document, path, environ)
        return [
            (s.path, s.origin.value, s.origin.place, s.origin.layer, [(o.place, o.value) for o in s.overrode])
            for s in found
        ]

    return tell


def test_a_value_names_its_line_and_layer(told):
    """A value that nothing was laid over comes from its line of the scenario, or of a file that it uses."""
    assert told("load.concurrency") == [("load.concurrency", "1", "main.yaml:10", Layer.SCENARIO, [])]
    assert told("endpoints.cart.get") == [("endpoints.cart.get", "/cart", "common.yaml:4", Layer.USED, [])]


def test_what_was_overridden_is_told_layer_by_layer(told):
    """The history goes from the latest layer to the first."""
    past = [("main.yaml:14", "5s"), ("common.yaml:5", "3s")]
    setting = ("endpoints.cart.timeout", "7s", "--set endpoints.cart.timeout=7s", Layer.SETTING, past)
    assert told("endpoints.cart.timeout", "endpoints.cart.timeout=7s") == [setting]


def test_what_was_displaced_is_told_with_its_name(told):
    """A key that gave way to another one is named."""
    (duration,) = told("load.duration")
    assert duration[3:] == (Layer.ENVIRONMENT, [("main.yaml:11", "requests: 10")])


def test_what_was_replaced_as_a_whole_is_told_for_its_parts(told):
    """A load that begins anew shows the one before it, or the very value where it had the same."""
    rate, duration = told("load", "load.rate=5/s", "load.duration=1m")
    assert rate[4] == [("main.yaml:9", "load: {concurrency: 1, duration: 5s}")]
    assert duration[4] == [("main.yaml:15", "5s")]


def test_a_mapping_over_a_value_and_back(told):
    """In free places a value may take the place of a mapping; the whole of it is shown."""
    (page,) = told("variables.page", "variables.page=7")
    assert page[4] == [("main.yaml:7", "{size: 1}")]


def test_items_of_lists_come_from_where_they_were_appended(told):
    """Each item of a list that grew names its own text, and a list that was replaced is shown as a whole."""
    assert [row[:3] for row in told("thresholds", "thresholds+=p99 < 2s")] == [
        ("thresholds.0", "errors < 1%", "common.yaml:6"),
        ("thresholds.1", "p95 < 1s", "main.yaml:16"),
        ("thresholds.2", "p99 < 2s", "--set thresholds+=p99 < 2s"),
    ]
    (replaced,) = told("thresholds.0", "thresholds=[p50 < 1s]")
    assert replaced[4] == [("common.yaml:6", "thresholds: [errors < 1%, p95 < 1s]")]


def test_the_default_mix_is_told(told):
    """The shares that nobody wrote come from the endpoints that they are of."""
    assert told("mix") == [("mix.home", "1", "main.yaml:8", Layer.DEFAULT, [])]


def test_values_are_shown_in_one_line_and_secrets_as_placeholders(told):
    """Placeholders are filled but for secrets; what is no plain line is quoted."""
    values = {row[0]: row[1] for row in told("", environment=None)}
    assert values["target.base_url"] == "http://127.0.0.1"
    assert values["target.headers.x-api-key"] == "${secret:KEY}"
    assert values["target.headers.x.y"] == "z"
    assert values["variables.empty"] == "{}"
    assert values["variables.lines"] == '"two\\nlines"'


def test_keys_may_have_dots(told):
    """A path finds a key that has a dot in it."""
    assert told("target.headers.x.y")[0][1] == "z"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("laod", "the scenario has no 'laod'; did you mean 'load'?"),
        ("load.rate", "'load' has no 'rate'; there are concurrency, duration"),
        ("load.duration.x", "'load.duration' has no 'x', because it is a value"),
        ("thresholds.9", "'thresholds' has no '9'; there are 0, 1"),
    ],
)
def test_a_path_to_nothing_is_told(told, path, message):
    """A path that leads nowhere says where it ends and what is there."""
    with pytest.raises(UsageError) as caught:
        told(path)
    assert str(caught.value) == message


def test_settings_of_one_key_remember_one_another():
    """The last of several settings wins and knows those before it."""
    text = 'stressrunner: 1\nname: x\ntarget: {base_url: "http://h"}\nendpoints: {a: {get: /}}\nload: {concurrency: 1, requests: 1}\n'
    document = load_text(text, environ={}, overrides=["name=y", "name=z"])
    (name,) = settings_at(document, "name", {})
    assert [(o.place, o.value) for o in name.overrode] == [("--set name=y", "y"), ("scenario.yaml:2", "x")]
