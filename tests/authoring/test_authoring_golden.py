"""What is made of real-looking material is kept: the scenario and the notes, letter by letter."""

import os
import re

import pytest
from authoring.golden_material import GOLDEN, MATERIAL, imported

from stressrunner.authoring.importing import KINDS
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_document

#: What stands in the material and must not get out of it.
SECRETS = re.compile(
    r"8f14e45f|c9f0f895|eyJhbGci|7d793037|correct.horse|sk_test|lovelace42|tok-77777|tok_visa_secret|hunter22|s3cr3t"
)


@pytest.mark.parametrize("path", MATERIAL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_scenarios_are_as_kept(path):
    """The scenario and the notes of a document are those of its golden files."""
    made = imported(path)
    notes = "".join(f"{line}\n" for line in (*made.notes, f"variables: {', '.join(made.variables)}"))
    kept = path.with_suffix(".scenario"), path.with_suffix(".notes")
    for file, text in zip(kept, (made.text, notes), strict=True):
        if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN"):
            file.write_text(text, "utf-8")
        assert text == file.read_text("utf-8")


@pytest.mark.parametrize("path", MATERIAL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_scenarios_compile(path, tmp_path):
    """With the variables set that it asks for, every scenario is valid and every request can be compiled."""
    made = imported(path)
    scenario = tmp_path / "made.yaml"
    scenario.write_text(made.text, "utf-8")
    environ = dict.fromkeys(made.variables, "value-of-it") | {"BASE_URL": "http://127.0.0.1:9"}
    assert compile_plan(build(load_document(scenario, environ=environ)), seed=1, run_id="r")


@pytest.mark.parametrize("path", MATERIAL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_secrets_stay_behind(path):
    """No secret of the material is in the scenario or the notes."""
    made = imported(path)
    assert not SECRETS.search(made.text)
    assert not SECRETS.search("\n".join(made.notes))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_tested(kind):
    """There are three documents of each kind at least, and one of them is full of secrets."""
    paths = [path for path in MATERIAL if path.parent.name == kind]
    assert len(paths) >= 3
    assert any(SECRETS.search(path.read_text("utf-8")) for path in paths)
    assert (GOLDEN / kind).is_dir()
