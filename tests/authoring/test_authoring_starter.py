"""Starter packs: what `init` writes is valid, runs, and never replaces what is there."""

import json

import pytest
from cli.command import ROOT, stressrunner

from stressrunner.authoring.packing import draft_of
from stressrunner.authoring.starter import shipped_files, starter_files, write_files
from stressrunner.errors import UsageError

SLOW_TARGET = {"BASE_URL": "demo://agents?latency=100ms", "API_KEY": "demo-key"}


def test_the_first_scenario_runs(tmp_path):
    """The starter pack is written into a new folder, and its scenario is valid and passes."""
    ran = stressrunner("init", tmp_path / "pack")
    assert ran.code == 0, ran.err
    scenario = tmp_path / "pack" / "scenarios" / "first.yaml"
    assert f"next: stressrunner {scenario}" in ran.out
    ran = stressrunner(scenario, "-q", "--set", "load.duration=500ms", **SLOW_TARGET)
    assert ran.code == 0, ran.err


def test_shipped_scenarios_are_copied(tmp_path):
    """`--from agents` writes the shipped scenarios as they are, all valid where they land."""
    ran = stressrunner("init", "--from", "agents", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert ran.code == 0, ran.err
    shipped = [path for path in (ROOT / "scenarios").rglob("*") if path.suffix in {".yaml", ".csv"}]
    for path in shipped:
        assert (tmp_path / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
        assert f"wrote {path.relative_to(ROOT)}" in ran.out
    assert not list(tmp_path.rglob("__init__.py"))
    scenarios = [path for path in shipped if path.parent.name == "scenarios" and path.name != "pack.yaml"]
    assert len(scenarios) >= 4
    assert (
        stressrunner(
            "validate", *(path.relative_to(ROOT) for path in scenarios), cwd=tmp_path, PYTHONPATH=str(ROOT)
        ).code
        == 0
    )


@pytest.mark.parametrize("contents", [starter_files(), shipped_files()], ids=["starter", "agents"])
def test_editors_find_the_schema(contents, tmp_path):
    """Every scenario names the schema beside it in its first line, and the schema is the shipped one."""
    paths = write_files(tmp_path, contents)
    for path in paths:
        if path.parent == tmp_path / "scenarios" and path.suffix == ".yaml":
            first = path.read_text("utf-8").splitlines()[0]
            named = first.removeprefix("# yaml-language-server: $schema=")
            schema = (path.parent / named).read_text("utf-8")
            kind = "pack" if path.name == "pack.yaml" else "scenario"
            assert json.loads(schema)["title"] == f"stressrunner {kind}"
            assert schema == (ROOT / "schemas" / f"{kind}.schema.json").read_text("utf-8")


@pytest.mark.parametrize("contents", [starter_files(), shipped_files()], ids=["starter", "agents"])
def test_what_is_written_is_a_pack(contents, tmp_path):
    """The folder of scenarios has a manifest that tells the truth about it."""
    write_files(tmp_path, contents)
    draft = draft_of(tmp_path / "scenarios")
    others = {"pack.yaml", *(name for name in draft.files if not name.endswith(".yaml") or "/" in name)}
    assert set(draft.manifest.scenarios) == draft.files.keys() - others


def test_nothing_is_replaced(tmp_path):
    """A file of another content stops everything; what was written before may be written again."""
    write_files(tmp_path, starter_files())
    write_files(tmp_path, starter_files())
    mine = tmp_path / "scenarios" / "first.yaml"
    mine.write_text("mine", "utf-8")
    (tmp_path / "scenarios" / "README.md").unlink()
    ran = stressrunner("init", tmp_path)
    assert ran.code == 2
    assert f"already there, nothing was written: {mine}" in ran.err
    assert mine.read_text("utf-8") == "mine"
    assert not (tmp_path / "scenarios" / "README.md").exists()


def test_a_file_in_the_way_is_told(tmp_path):
    """Where a folder is wanted and a file stands, the error names it."""
    (tmp_path / "scenarios").write_text("", "utf-8")
    with pytest.raises(UsageError, match="scenarios"):
        write_files(tmp_path, starter_files())
