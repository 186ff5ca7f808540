"""`pack.yaml` is read with the same care as scenarios: typed, its mistakes told with their places."""

import os
from pathlib import Path

import pytest

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.document import load_document
from stressrunner.scenario.manifest import read_manifest

GOLDEN = Path(__file__).parent.parent / "golden" / "pack"
PACK = """\
stressrunner: 1
name: shop
version: 1.10
scenarios: [main.yaml]
variables: {TENANT: the tenant to test with}
secrets: {KEY: null}
environments:
  lab: {variables: {LAB_URL: where the lab is}}
  idle:
allow_hosts: [shop.example]
"""
MAIN = """\
stressrunner: 1
name: main
target: {base_url: "${URL:-http://127.0.0.1}", headers: {x-key: "${secret:KEY}", x-tenant: "${TENANT}"}}
endpoints: {home: {get: /}}
load: {concurrency: 1, requests: 1}
"""


def tree(folder, **changes):
    """Write a pack with a scenario and an environment; return the scenario's path."""
    texts = {
        "pack.yaml": PACK,
        "main.yaml": MAIN,
        "environments/lab.yaml": 'target: {base_url: "${LAB_URL}"}\n',
    }
    for name, text in {**texts, **changes}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "main.yaml"


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.yaml")))
def test_the_mistake_is_told(name):
    """A mistake in a manifest is told as its golden file says."""
    with pytest.raises(InvalidScenario) as caught:
        read_manifest(GOLDEN / f"{name}.yaml", f"{name}.yaml")
    told = f"{caught.value}\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN"):
        golden.write_text(told, "utf-8")
    assert told == golden.read_text("utf-8")


def test_a_manifest_is_read_as_it_is_spelled(tmp_path):
    """A version is text; a placeholder means nothing; what is needed is known for every environment."""
    tree(tmp_path, **{"pack.yaml": f'{PACK}description: "for ${{TENANT}}"\n'})
    manifest = read_manifest(tmp_path / "pack.yaml", "pack.yaml")
    assert manifest.title == "shop-1.10"
    assert manifest.value["description"] == "for ${TENANT}"
    assert [need.name for need in manifest.needs(None)] == ["TENANT", "KEY"]
    assert [need.name for need in manifest.needs("lab")] == ["TENANT", "KEY", "LAB_URL"]
    assert [need.name for need in manifest.needs("idle")] == ["TENANT", "KEY"]


@pytest.mark.parametrize(
    ("environment", "given", "missing"),
    [
        (None, {}, "TENANT (the tenant to test with), KEY (a secret)"),
        (None, {"KEY": "sesame-open", "TENANT": ""}, "TENANT (the tenant to test with)"),
        ("lab", {"TENANT": "t"}, "KEY (a secret), LAB_URL (where the lab is)"),
    ],
)
def test_all_that_is_missing_is_one_message(tmp_path, environment, given, missing):
    """What a pack needs and has not got is listed in one message, and nowhere else."""
    with pytest.raises(InvalidScenario) as caught:
        load_document(tree(tmp_path), environ=given, environment=environment)
    (told,) = caught.value.diagnostics
    assert told.message == f"the pack 'shop' needs what is not set: {missing}"
    assert told.file == str(tmp_path / "pack.yaml")
    assert told.hint.startswith("set ")


def test_other_mistakes_are_told_beside_it(tmp_path):
    """What is missing hides no other mistake, nor a variable that the pack does not name."""
    text = MAIN.replace("get: /", "get: '/${PAGE}', chekcs: []")
    with pytest.raises(InvalidScenario) as caught:
        load_document(tree(tmp_path, **{"main.yaml": text}), environ={"KEY": "sesame-open"})
    told = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert told == [
        "the variable PAGE is not set",
        "unknown key 'chekcs'",
        "the pack 'shop' needs what is not set: TENANT (the tenant to test with)",
    ]


def test_a_broken_manifest_is_a_mistake_of_the_scenario(tmp_path):
    """A pack.yaml with a mistake is told when one of its scenarios is read."""
    path = tree(tmp_path, **{"pack.yaml": PACK.replace("version", "verson")})
    with pytest.raises(InvalidScenario, match="unknown key 'verson'; did you mean 'version'"):
        load_document(path, environ={"KEY": "sesame-open", "TENANT": "t"})


def test_hosts_of_the_pack_are_added(tmp_path):
    """The pack's hosts stand beside those that the scenario or its environment lists."""
    given = {"KEY": "sesame-open", "TENANT": "t"}
    path = tree(tmp_path)
    assert load_document(path, environ=given).value["target"]["allow_hosts"] == ["shop.example"]
    own = load_document(path, environ=given, overrides=["target.allow_hosts=[a.example]"])
    assert own.value["target"]["allow_hosts"] == ["a.example", "shop.example"]
    assert "shop.example" in own.composed
