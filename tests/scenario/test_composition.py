"""One scenario of many texts: the order of the layers, what displaces what, and where files are looked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.build import build
from stressrunner.scenario.compose import merge
from stressrunner.scenario.document import load_document, load_text
from stressrunner.scenario.parse import parse
from stressrunner.scenario.schema import root_place
from stressrunner.scenario.source import Layer, MappingNode, Source
from stressrunner.scenario.values import typed

MAIN = """\
stressrunner: 1
name: shop
uses: [../common/a.yaml, ../common/b.yaml]
target: {base_url: "http://127.0.0.1"}
variables: {main: main}
endpoints: {home: {get: "/{{ main }}"}}
load: {concurrency: 1, requests: 10}
"""
COMMON = """\
stressrunner: 1
name: never brought in
load: {rate: 1/s, duration: 1h}
mix: {cart: 1}
endpoints: {cart: {get: /cart, timeout: 3s}}
"""


@pytest.fixture
def pack(tmp_path):
    """A pack in which files are written by name; `load` reads its scenario."""

    class Written:
        folder = tmp_path

        def write(self, name, text):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            return path

        def load(self, *overrides, environment=None, environ=None):
            path = tmp_path / "scenarios" / "main.yaml"
            return load_document(path, environ=environ or {}, overrides=overrides, environment=environment)

    written = Written()
    written.write("scenarios/main.yaml", MAIN)
    written.write("common/a.yaml", COMMON)
    written.write("common/b.yaml", "stressrunner: 1\n")
    return written


def test_layers_lie_in_their_order(pack):
    """Used files first to last, the file, the pack's environment, the file's own, the settings: the last one wins."""
    texts = {
        "common/a.yaml": "stressrunner: 1\nvariables: {x1: a, x2: a, x3: a, x4: a, x5: a, x6: a}\n",
        "common/b.yaml": "stressrunner: 1\nvariables: {x2: b, x3: b, x4: b, x5: b, x6: b}\n",
        "scenarios/main.yaml": MAIN.replace(
            "{main: main}", "{x3: file, x4: file, x5: file, x6: file}"
        ).replace("{{ main }}", "{{ [x3, x4, x5, x6] }}")
        + "environments: {lab: {variables: {x5: own, x6: own}}}\n",
        "environments/lab.yaml": "variables: {x4: pack, x5: pack, x6: pack}\n",
    }
    for name, text in texts.items():
        pack.write(name, text)
    value = pack.load("variables.x6=set", environment="lab").value
    assert value["variables"] == {"x1": "a", "x2": "b", "x3": "file", "x4": "pack", "x5": "own", "x6": "set"}
    without = pack.load().value
    assert [without["variables"][name] for name in ("x3", "x4", "x5", "x6")] == ["file"] * 4
    assert not {"uses", "environments"} & value.keys()


def test_lists_replace_and_additions_append_in_every_layer(pack):
    """A list replaces that of the layers before it, and `name+` appends to it."""
    pack.write("common/a.yaml", COMMON + "thresholds: [errors < 5%]\n")
    pack.write("common/b.yaml", "stressrunner: 1\nthresholds+: [p95 < 5s]\n")
    pack.write(
        "scenarios/main.yaml",
        MAIN + "environments: {lab: {thresholds+: [p95 < 3s]}}\nthresholds+: [p95 < 4s]\n",
    )
    texts = [
        threshold.text
        for threshold in build(pack.load("thresholds+=p95 < 2s", environment="lab")).thresholds
        if not threshold.is_default
    ]
    assert texts == ["errors < 5%", "p95 < 5s", "p95 < 4s", "p95 < 3s", "p95 < 2s"]
    pack.write(
        "scenarios/main.yaml",
        MAIN + "thresholds: [p95 < 4s]\nenvironments: {lab: {thresholds: [p95 < 1s]}}\n",
    )
    assert pack.load().value["thresholds"] == ["p95 < 4s"]
    assert pack.load(environment="lab").value["thresholds"] == ["p95 < 1s"]


def test_an_addition_is_a_key_where_every_key_is_possible(pack):
    """In a payload `c+` is a key of its own, unless there is a list `c` to append to."""
    pack.write("common/a.yaml", COMMON + "payloads: {p: {list: [1], text: x}}\n")
    pack.write(
        "scenarios/main.yaml",
        MAIN.replace("get: /", "post: /, json: {$payload: p}") + "payloads: {p: {list+: [2], text+: y}}\n",
    )
    assert pack.load().value["payloads"]["p"] == {"list": [1, 2], "text": "x", "text+": "y"}


def test_what_belongs_to_the_used_file_stays_there(pack):
    """Neither name nor load nor traffic are brought in, and mappings merge by key."""
    pack.write("scenarios/main.yaml", MAIN.replace("home:", "cart: {checks: status == 200}, home:"))
    value = pack.load("mix.cart=1").value
    assert value["name"] == "shop"
    assert value["load"] == {"concurrency": 1, "requests": 10}
    assert value["endpoints"]["cart"] == {"get": "/cart", "timeout": "3s", "checks": "status == 200"}


def test_endpoints_that_are_used_are_not_sent_by_themselves(pack):
    """Without a mix the file's own endpoints are sent, not those it uses, changed or not; so says the composed text."""
    pack.write("scenarios/main.yaml", MAIN.replace("home:", "cart: {timeout: 9s}, home:"))
    document = pack.load()
    assert dict(build(document).workloads[0].traffic.weights) == {"home": 1}
    again = load_text(document.composed, environ={})
    assert dict(build(again).workloads[0].traffic.weights) == {"home": 1}
    assert again.value == document.value


def test_a_choice_of_an_environment_displaces_the_other(pack):
    """An environment that chooses a session displaces the mix, and one that goes over to a rate begins the load anew."""
    pack.write(
        "scenarios/main.yaml",
        MAIN
        + "mix: {cart: 1}\nenvironments:\n"
        + "  chat: {session: {send: cart, messages: 2}, load: {sessions: 3}}\n"
        + "  open: {load: {rate: 5/s, duration: 1m}}\n",
    )
    chat = pack.load(environment="chat").value
    assert "mix" not in chat
    assert chat["load"] == {"concurrency": 1, "sessions": 3}
    assert pack.load(environment="open").value["load"] == {"rate": "5/s", "duration": "1m"}


def test_a_file_that_is_used_twice_is_laid_once(pack):
    """A file that two others use lies below both, so that it undoes nothing of either."""
    pack.write("common/c.yaml", "stressrunner: 1\nvariables: {x: c}\nthresholds: [errors < 1%]\n")
    pack.write(
        "common/a.yaml", "stressrunner: 1\nuses: [c.yaml]\nvariables: {x: a}\nthresholds+: [p95 < 1s]\n"
    )
    pack.write("common/b.yaml", "stressrunner: 1\nuses: [c.yaml]\n")
    value = pack.load().value
    assert value["variables"] == {"x": "a", "main": "main"}
    assert value["thresholds"] == ["errors < 1%", "p95 < 1s"]


def test_only_what_is_used_is_filled(pack):
    """Variables of other environments, and of what is replaced, need not be set."""
    pack.write("common/a.yaml", COMMON + "variables: {x: '${UNSET}'}\n")
    pack.write(
        "scenarios/main.yaml",
        MAIN.replace("{main: main}", "{x: y}").replace("{{ main }}", "{{ x }}")
        + "environments: {other: {variables: {z: '${secret:UNSET}'}}}\n",
    )
    assert pack.load().value["variables"] == {"x": "y"}
    with pytest.raises(InvalidScenario, match="the secret UNSET is not set"):
        pack.load(environment="other")


def test_what_nothing_takes_stays_out_of_the_composed_text(pack):
    """Used files may offer more than a scenario takes; in the one text it would be a mistake, and is left out."""
    pack.write(
        "common/a.yaml",
        COMMON
        + "variables: {main: a, spare: a}\nfeeders: {rows: {values: [1]}}\npayloads: {message: {text: hi}}\n",
    )
    document = pack.load()
    assert document.value["variables"] == {"main": "main", "spare": "a"}
    again = load_text(document.composed, environ={})
    assert again.value["variables"] == {"main": "main"}
    assert again.value["feeders"] == again.value["payloads"] == {}


def test_environments_of_used_files_count(pack):
    """An environment may stand in a used file; the scenario's own goes over it."""
    pack.write("common/a.yaml", COMMON + "environments: {lab: {variables: {x: a, y: a}}}\n")
    pack.write("scenarios/main.yaml", MAIN + "environments: {lab: {variables: {y: own}}}\n")
    document = pack.load(environment="lab")
    assert document.value["variables"] == {"main": "main", "x": "a", "y": "own"}
    assert document.environment == "lab"


def test_files_are_relative_to_the_text_that_names_them(pack):
    """The CSV file of a used file lies beside that one, and the composed text finds it from beside the scenario."""
    pack.write("common/rows.csv", "text\nhello\n")
    pack.write("common/a.yaml", COMMON + "feeders: {rows: {file: rows.csv}}\n")
    document = pack.load("endpoints.home.get=/{{ main }}/{{ rows.text }}")
    assert document.rows["rows"] == ({"text": "hello"},)
    composed = pack.write("scenarios/composed.yaml", document.composed)
    assert "file: ../common/rows.csv" in document.composed
    assert load_document(composed, environ={}).rows == document.rows


def test_a_pack_file_widens_and_closes_the_pack(pack):
    """With a `pack.yaml` above, files may be used from anywhere below it, and its folder has the environments."""
    main = pack.folder / "scenarios" / "main.yaml"
    deep = pack.write("scenarios/deep/er/main.yaml", main.read_text().replace("../common", "../../../common"))
    with pytest.raises(InvalidScenario, match="outside the pack"):
        load_document(deep, environ={})
    pack.write("pack.yaml", "stressrunner: 1\nname: shop\nversion: 1\nscenarios: [scenarios/main.yaml]\n")
    pack.write("environments/lab.yaml", "variables: {x: lab}\n")
    pack.write("scenarios/deep/environments/lab.yaml", "variables: {x: not looked for}\n")
    assert load_document(deep, environ={}, environment="lab").value["variables"]["x"] == "lab"
    pack.write("common/a.yaml", COMMON + "feeders: {rows: {file: ../../rows.csv}}\n")
    with pytest.raises(InvalidScenario, match=r"holds its pack\.yaml"):
        load_document(deep, environ={})


def test_environments_lie_beside_the_scenario(pack):
    """Without a `pack.yaml` a folder `environments` in the scenario's own goes before one beside it."""
    pack.write("environments/lab.yaml", "variables: {x: beside}\n")
    assert pack.load(environment="lab").value["variables"]["x"] == "beside"
    pack.write("scenarios/environments/lab.yaml", "variables: {x: inside}\n")
    assert pack.load(environment="lab").value["variables"]["x"] == "inside"


def test_no_environment_anywhere_is_told(pack):
    """Where there is no environment at all, no list of them is given."""
    with pytest.raises(InvalidScenario, match="this scenario and its pack have none"):
        pack.load(environment="lab")


def test_a_text_without_a_file_uses_none():
    """A scenario that comes from no file cannot use any, and says so."""
    with pytest.raises(InvalidScenario, match="comes from no file"):
        load_text(MAIN, environ={})


def test_every_node_knows_what_it_took_the_place_of(pack):
    """The history of a value names every layer below it, the latest first, and displaced keys too."""
    pack.write("scenarios/main.yaml", MAIN + "environments: {lab: {load: {duration: 5s}}}\n")
    root = pack.load("load.duration=9s", environment="lab").root
    entry = root.entries["load"].value.entries["duration"]
    assert entry.value.source.layer is Layer.SETTING
    past = [(old.key.text, old.value.text, old.key.source.layer) for old in entry.replaced]
    assert past == [("duration", "5s", Layer.ENVIRONMENT), ("requests", "10", Layer.SCENARIO)]


trees = st.recursive(
    st.integers(0, 3) | st.booleans() | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def laid(base, overlay):
    """Return what laying one plain mapping over another means, where no key excludes another."""
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        return overlay
    keys = [*base, *(key for key in overlay if key not in base)]
    return {
        k: laid(base.get(k), overlay[k]) if k in overlay and k in base else {**base, **overlay}[k]
        for k in keys
    }


def node(variables):
    """Return variables as the tree of a scenario."""
    root = parse(
        Source.of("x.yaml", repr({"variables": variables}).replace("True", "true").replace("False", "false"))
    ).root
    assert isinstance(root, MappingNode)
    return root


mappings = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@given(mappings, mappings)
def test_merging_is_by_key(base, overlay):
    """Values of an overlay win, mappings merge by key, lists and scalars replace."""
    merged = merge(node(base), node(overlay), root_place())
    assert typed(merged, {}).value["variables"] == laid(base, overlay)


@given(mappings, mappings)
def test_laying_an_overlay_twice_is_laying_it_once(base, overlay):
    """What already lies on top changes nothing, where nothing appends."""
    once = merge(node(base), node(overlay), root_place())
    twice = merge(once, node(overlay), root_place())
    assert typed(twice, {}).value == typed(once, {}).value
