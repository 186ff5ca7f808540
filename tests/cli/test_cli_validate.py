"""`validate` takes files, folders and packs, knows what each file is for, and sums up."""

import time

import pytest
from command import ROOT, stressrunner

SCENARIO = """\
stressrunner: 1
name: shop
uses: [common/api.yaml]
target: {base_url: "http://127.0.0.1"}
load: {concurrency: 1, requests: 1}
mix: {home: 1}
"""
FILES = {
    "shop.yaml": SCENARIO,
    "common/api.yaml": "stressrunner: 1\nendpoints: {home: {get: /}}\n",
    "environments/lab.yaml": "load: {concurrency: 2}\n",
    "pack.yaml": "stressrunner: 1\nname: shop\nversion: 1\nscenarios: [shop.yaml]\n",
    "openapi.yml": "openapi: 3.1.0\n",
    ".hidden/broken.yaml": "stressrunner: 1\nname: [",
    "notes.txt": "stressrunner: 1",
}


def tree(folder, **changes):
    """Write a pack with a file of each kind."""
    for name, text in {**FILES, **changes}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_a_folder_is_all_that_is_in_it(tmp_path):
    """Scenarios, used files, environments and the manifest are told apart; other YAML and hidden files are let be."""
    ran = stressrunner("validate", ".", cwd=tree(tmp_path))
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "pack.yaml: pack shop-1: valid",
        "shop.yaml: shop: valid",
        "common/api.yaml: used file: valid",
        "environments/lab.yaml: environment lab: valid",
    ]
    assert ran.err == "1 scenario, 1 used file, 1 environment, 1 pack, 1 other file: all valid\n"


def test_every_mistake_is_shown_once(tmp_path):
    """What a used file has wrong is shown once, however many scenarios use it; the summary counts."""
    folder = tree(
        tmp_path,
        **{
            "a.yaml": SCENARIO,
            "common/api.yaml": "stressrunner: 1\nendpoints: {home: {gett: /}}\n",
            "environments/lab.yaml": "lod: {concurrency: 2}\nuses: [x.yaml]\n",
            "pack.yaml": FILES["pack.yaml"].replace("shop.yaml", "shpo.yaml"),
        },
    )
    ran = stressrunner("validate", folder.name, cwd=folder.parent)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("unknown key 'gett'") == 1
    assert "there is no file shpo.yaml in the pack; did you mean 'shop.yaml'?" in ran.err
    assert f"{folder.name}/shop.yaml: has only mistakes that are shown above\n" in ran.err
    assert "unknown key 'lod'; did you mean 'load'?" in ran.err
    assert "'uses' cannot stand in an environment" in ran.err
    assert ran.err.endswith(
        "2 scenarios, 1 used file, 1 environment, 1 pack, 1 other file: 4 mistakes in 5 files\n"
    )


def test_a_file_that_is_named_is_meant(tmp_path):
    """A file that does not look like a scenario is taken for one where it is named, and told what it lacks."""
    folder = tree(tmp_path)
    ran = stressrunner("validate", "openapi.yml", cwd=folder)
    assert ran.code == 2
    assert "unknown key 'openapi'" in ran.err
    assert "the key 'stressrunner' is missing" in ran.err
    parts = stressrunner("validate", "common/api.yaml", "environments/lab.yaml", "pack.yaml", cwd=folder)
    assert parts.code == 0, parts.err
    assert parts.err == "1 used file, 1 environment, 1 pack: all valid\n"


def test_a_folder_without_scenarios_is_no_success(tmp_path):
    """Where nothing is found nothing was checked."""
    ran = stressrunner("validate", tmp_path)
    assert (ran.code, ran.err) == (2, "no scenario was found\n")


def test_an_environment_is_laid_over_every_scenario(tmp_path):
    """`--env` and `--set` hold for every scenario of a folder."""
    folder = tree(tmp_path, **{"other.yaml": SCENARIO})
    assert stressrunner("validate", ".", "--env", "lab", cwd=folder).code == 0
    ran = stressrunner("validate", ".", "--env", "lob", cwd=folder)
    assert ran.code == 2
    assert "there is no environment 'lob'; did you mean 'lab'?" in ran.err


def test_packs_are_validated_as_they_are(tmp_path):
    """All scenarios of a zip file are looked at, or the one that is named."""
    stressrunner("pack", "build", tree(tmp_path / "shop"), cwd=tmp_path)
    ran = stressrunner("validate", "shop-1.zip", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "shop-1.zip//shop.yaml: shop: valid\n")
    assert stressrunner("validate", "shop-1.zip//shop.yaml", "--env", "lab", cwd=tmp_path).code == 0


@pytest.mark.soak
def test_a_thousand_scenarios_take_less_than_20_s(tmp_path):
    """1,000 scenarios like the largest shipped one, all of different texts, are validated in 20 s."""
    text = (ROOT / "scenarios" / "full_api.yaml").read_text("utf-8")
    tree(tmp_path, **{"data/prompts.csv": (ROOT / "scenarios/data/prompts.csv").read_text("utf-8")})
    for number in range(1000):
        changed = text.replace("status == 200", f"status in [200, {1000 + number}]")
        changed = changed.replace("uuid()", f"uuid() ~ '{number}'")
        (tmp_path / f"{number}.yaml").write_text(changed, "utf-8")
    began = time.monotonic()
    ran = stressrunner("validate", tmp_path)
    assert ran.code == 0, ran.err
    assert "1,001 scenarios" in ran.err
    assert time.monotonic() - began < 20


UNREACHABLE = """\
stressrunner: 1
name: shop
target: {base_url: "demo://agents"}
endpoints: {a: {get: /health}}
load: {rate: 50/s, duration: 200ms}
thresholds: [throughput > 200/s else warn, dropped < 100%]
"""


@pytest.mark.parametrize(
    ("command", "is_told"),
    [
        (["validate"], True),
        (["explain"], True),
        (["try"], True),
        (["run", "--repeat", "3"], True),
        (["run", "--quiet"], False),
    ],
    ids=["validate", "explain", "try", "run", "run quietly"],
)
def test_limits_that_the_load_cannot_reach_are_warned_of(tmp_path, command, is_told):
    """A warning stands at its threshold and ends nothing."""
    path = tmp_path / "shop.yaml"
    path.write_text(UNREACHABLE, "utf-8")
    ran = stressrunner(*command, path)
    assert ran.code in ((0, 4) if command[0] == "run" else (0,)), ran.err
    assert (
        f"{path}:6:14: warning: the load cannot satisfy this: it sends at most 50/s" in ran.err
    ) == is_told


def test_warnings_of_shared_thresholds_are_shown_once(tmp_path):
    """Like mistakes, and beside them: they are not counted among these, and make no file invalid."""
    limit = "thresholds: [throughput > 200/s else warn, dropped < 100%]\n"
    (tmp_path / "limits.yaml").write_text(f"stressrunner: 1\n{limit}", "utf-8")
    scenario = UNREACHABLE.replace(limit, "uses: [limits.yaml]\n")
    for name, text in (("a", scenario), ("b", scenario), ("c", scenario.replace("rate:", "raet:"))):
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    ran = stressrunner("validate", "a.yaml", "b.yaml", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.out == "a.yaml: shop: valid\nb.yaml: shop: valid\n"
    assert ran.err.count("warning: the load cannot satisfy this") == 1
    assert ran.err.endswith("2 scenarios: all valid\n")
    ran = stressrunner("validate", "a.yaml", "c.yaml", cwd=tmp_path)
    assert ran.code == 2
    mistakes = len([line for line in ran.err.splitlines() if line.startswith("c.yaml:")])
    assert mistakes > 0
    assert ran.err.endswith(f": {mistakes} mistake{'s' * (mistakes > 1)} in 1 file\n")
