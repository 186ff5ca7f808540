"""Packs from end to end: built, looked into, and run as they are."""

import json
import zipfile

import pytest
from command import ROOT, in_this_process, stressrunner


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    """The shipped scenarios as a pack, in a folder of its own."""
    folder = tmp_path_factory.mktemp("agents")
    built = stressrunner("pack", "build", ROOT / "scenarios", cwd=folder)
    assert built.code == 0, built.err
    assert built.out.startswith("wrote agents-1.0.zip: 12 files of")
    assert built.err == "next: stressrunner agents-1.0.zip//hello.yaml\n"
    return folder


def test_a_pack_is_verified_and_listed(agents):
    """`verify` says that all is well, and `list` what there is to run, what it needs, and every file."""
    verified = stressrunner("pack", "verify", "agents-1.0.zip", cwd=agents)
    assert verified.code == 0
    assert verified.out.startswith("agents-1.0.zip: agents-1.0, 12 files of")
    listed = stressrunner("pack", "list", "agents-1.0.zip", cwd=agents).out
    assert listed.startswith("agents 1.0\nLoad for the agents API")
    assert "  agents-1.0.zip//session_queue.yaml\n" in listed
    assert "needs BASE_URL (where the API is), API_KEY (a secret: a key that may run agents)\n" in listed
    assert listed.endswith(" session_race.yaml\n")


def test_a_scenario_runs_out_of_a_pack(agents, tmp_path):
    """A scenario in a zip file is run with its data and environment, and named as such in the result."""
    result_file = tmp_path / "r.json"
    ran = stressrunner(
        "agents-1.0.zip//full_api.yaml", "--env", "local", "--set", "load.requests=40", "-q",
        "--report", f"json={result_file}", cwd=agents, BASE_URL="demo://agents", TMPDIR=str(tmp_path),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    result = json.loads(result_file.read_text("utf-8"))
    assert result["totals"]["ok"] == 40
    assert result["run"]["environment"] == "local"
    assert result["run"]["scenario"]["path"] == "agents-1.0.zip//full_api.yaml"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json"]


def test_a_pack_is_explained_in_its_own_names(agents):
    """`explain` names the texts in the zip file."""
    told = stressrunner(
        "explain", "agents-1.0.zip//full_api.yaml", "target.timeout", "--env", "local", cwd=agents
    )
    assert told.out == (
        "target.timeout = 60s   agents-1.0.zip//environments/local.yaml:6 (--env local)   "
        "overrides agents-1.0.zip//full_api.yaml:15: 30s\n"
    )


def test_what_a_pack_needs_is_one_message(agents):
    """Without what an environment needs nothing is sent, and one message lists it all."""
    ran = in_this_process("agents-1.0.zip//hello.yaml", "--env", "production", cwd=agents)
    assert ran.code == 2
    assert ran.err.splitlines()[0] == (
        "agents-1.0.zip//pack.yaml:16:17: the pack 'agents' needs what is not set: BASE_URL (where the API is), "
        "API_KEY (a secret: a key that may run agents); set them in the environment, as in BASE_URL=... stressrunner ..."
    )
    assert ran.err.count("not set") == 1


@pytest.mark.parametrize("command", [["run"], ["explain"], ["pack", "verify"], ["pack", "list"]])
def test_a_pack_that_was_changed_is_not_used(agents, tmp_path, command):
    """After a change to one byte of a scenario no command takes anything from the pack."""
    path = tmp_path / "changed.zip"
    content = (agents / "agents-1.0.zip").read_bytes()
    path.write_bytes(content.replace(b"concurrency: 10, duration: 5s", b"concurrency: 90, duration: 5s"))
    words = path if command[0] == "pack" else f"{path}//hello.yaml"
    ran = in_this_process(*command, words)
    assert ran.code == 2
    assert ran.err.startswith(f"{path}: is no zip file that can be read")


def test_a_zip_file_that_is_no_pack_is_told(tmp_path):
    """A zip file made by other means has no checksums, and is not trusted."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.write(ROOT / "scenarios" / "hello.yaml", "hello.yaml")
    ran = in_this_process("run", f"{path}//hello.yaml")
    assert ran.code == 2
    assert ran.err == f"{path}: there is no SHA256SUMS in it; make packs with 'stressrunner pack build'\n"


@pytest.mark.parametrize("command", ["run", "try", "explain", "compare"])
@pytest.mark.parametrize("pack", ["pack.yaml", "agents-1.0.zip//pack.yaml"])
def test_a_pack_is_no_scenario(agents, command, pack):
    """Where a scenario is wanted, a pack is told as what it is, with one of its scenarios."""
    where = "" if pack == "pack.yaml" else "agents-1.0.zip/"
    if not where:
        (agents / "pack.yaml").write_bytes((ROOT / "scenarios" / "pack.yaml").read_bytes())
    told = stressrunner(command, pack, cwd=agents)
    assert (told.code, told.out) == (2, "")
    assert (
        told.err
        == f"{pack.replace('//', '/')}: this is a pack: name a scenario in it, such as {where}hello.yaml\n"
    )


def test_a_pack_with_mistakes_is_no_scenario_either(tmp_path):
    """A pack that cannot be read is told as a pack all the same."""
    (tmp_path / "pack.yaml").write_text("scenarios: 1\n", "utf-8")
    told = in_this_process("explain", "pack.yaml", cwd=tmp_path)
    assert (told.code, told.err) == (2, "pack.yaml: this is a pack: name a scenario in it\n")
