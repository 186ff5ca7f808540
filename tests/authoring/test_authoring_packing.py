"""A folder becomes the same zip file wherever it lies, if its manifest tells the truth about it."""

import os
import shutil
import subprocess
import sys

import pytest
from cli.command import ROOT
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.authoring.packing import check_scenarios, draft_of, write_pack
from stressrunner.errors import InvalidScenario, UsageError
from stressrunner.scenario.archive import verified

PACK = """\
stressrunner: 1
name: shop
version: 1
scenarios: [main.yaml]
"""
MAIN = """\
stressrunner: 1
name: main
target: {base_url: "${URL:-http://127.0.0.1}"}
endpoints: {home: {get: /}}
load: {concurrency: 1, requests: 1}
"""


def tree(folder, **texts):
    """Write a pack's folder; return it."""
    for name, text in {"pack.yaml": PACK, "main.yaml": MAIN, **texts}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_packs_are_the_same_to_the_byte(tmp_path):
    """Times, modes, order and place of the files leave no trace in the zip file."""
    first = shutil.copytree(ROOT / "scenarios", tmp_path / "first")
    second = tmp_path / "second" / "deeper"
    for path in sorted(first.rglob("*"), reverse=True):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = second / path.relative_to(first)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            copy.chmod(0o700)
            os.utime(copy, (1e9, 1e9))
    digests = [write_pack(draft_of(folder), tmp_path / f"{folder.name}.zip") for folder in (first, second)]
    assert digests[0] == digests[1]
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "deeper.zip").read_bytes()


def test_other_interpreters_make_the_same_pack(tmp_path):
    """Neither the hash seed nor the time zone of a process shows in what it makes."""
    made = []
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.zip"
        command = [sys.executable, "-m", "stressrunner", "pack", "build", "scenarios", "-o", path]
        variables = {**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"}
        subprocess.run(command, check=True, cwd=ROOT, env=variables, capture_output=True, timeout=60)
        made.append(path.read_bytes())
    assert made[0] == made[1]


@given(
    st.dictionaries(
        st.from_regex(r"\A[a-w][a-z0-9_]{0,8}(/[a-w][a-z0-9_]{0,8}){0,2}\.txt\Z"),
        st.binary(max_size=200),
        max_size=8,
    )
)
def test_what_is_packed_is_what_comes_out(tmp_path_factory, contents):
    """Every file of the folder is in the pack, under its name and with its content."""
    folder = tree(tmp_path_factory.mktemp("packed") / "in")
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    archive = folder.parent / "out.zip"
    write_pack(draft_of(folder), archive)
    sizes = {file.name: file.size for file in verified(archive).files}
    assert sizes == {
        **{name: len(content) for name, content in contents.items()},
        "pack.yaml": len(PACK),
        "main.yaml": len(MAIN),
    }


def test_what_is_no_part_of_a_pack_is_left_out(tmp_path):
    """Hidden files, zip files and what Python leaves behind are not packed."""
    names = {".git/config": "", ".env": "", "__pycache__/x.pyc": "", "__init__.py": "", "shop-1.zip": ""}
    assert list(draft_of(tree(tmp_path, **names)).files) == ["main.yaml", "pack.yaml"]


@pytest.mark.parametrize("name", ["link.yaml", "folder"])
def test_links_are_refused(tmp_path, name):
    """A link leads out of the pack, or to where it would be another file; it is named."""
    folder = tree(tmp_path / "pack", **{"../other/x.yaml": ""})
    target = tmp_path / "other"
    (folder / name).symlink_to(target / "x.yaml" if name == "link.yaml" else target)
    with pytest.raises(UsageError, match=f"{name} is a link"):
        draft_of(folder)


@pytest.mark.parametrize("name", ["a:b.csv", "aux.csv"])
def test_names_that_others_cannot_have_are_refused(tmp_path, name):
    """A name that some system does not have is told when the pack is made."""
    with pytest.raises(UsageError, match="rename the file"):
        draft_of(tree(tmp_path, **{name: ""}))


def test_a_folder_without_a_manifest_is_no_pack(tmp_path):
    """Without a pack.yaml there is nothing to build."""
    with pytest.raises(UsageError, match=r"there is no pack\.yaml in"):
        draft_of(tmp_path)


MISTAKES = {
    "a scenario is missing": (
        {"pack.yaml": PACK.replace("main", "mian")},
        "there is no file mian.yaml in the pack",
    ),
    "an environment is missing": (
        {"pack.yaml": f"{PACK}environments: {{lab: null}}\n"},
        "there is no environment 'lab'",
    ),
    "nobody reads a variable": (
        {"pack.yaml": f"{PACK}variables: {{URI: null}}\n"},
        "nothing in the pack reads URI; did you mean 'URL'?",
    ),
    "a variable is not named": (
        {"more.yaml": "stressrunner: 1\nvariables: {x: '${MORE}'}\n"},
        "the pack needs MORE and does not say so; name it under variables",
    ),
    "a secret of an environment is not named": (
        {
            "pack.yaml": f"{PACK}environments: {{lab: null}}\n",
            "environments/lab.yaml": "name: '${secret:KEY}'\n",
        },
        "the pack needs KEY and does not say so; name it under secrets of the environment 'lab'",
    ),
    "a variable of an inner environment is not named": (
        {"main.yaml": f"{MAIN}environments: {{lab: {{name: '${{LAB}}'}}}}\n"},
        "the pack needs LAB and does not say so; name it under variables of the environment 'lab'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_manifest_tells_the_truth(tmp_path, mistake):
    """What the manifest says and the files do not, or the other way round, is told before a pack is made."""
    texts, expected = MISTAKES[mistake]
    with pytest.raises(InvalidScenario) as caught:
        draft_of(tree(tmp_path, **texts))
    (told,) = caught.value.diagnostics
    assert f"{told.message}; {told.hint}".startswith(expected)


def test_a_pack_that_cannot_be_written_leaves_nothing(tmp_path):
    """Where there is no folder for it, the reason is told."""
    with pytest.raises(UsageError, match="No such file or directory"):
        write_pack(draft_of(tree(tmp_path / "in")), tmp_path / "no" / "x.zip")


def test_an_unzipped_pack_is_built_again(tmp_path):
    """What was unzipped has a list of checksums, and makes the same pack."""
    made, again = tmp_path / "a.zip", tmp_path / "b.zip"
    write_pack(draft_of(tree(tmp_path / "in")), made)
    shutil.unpack_archive(made, tmp_path / "out")
    write_pack(draft_of(tmp_path / "out"), again)
    assert made.read_bytes() == again.read_bytes()


def test_a_pack_has_only_what_runs(tmp_path):
    """Scenarios that `run` refuses make no pack; what a user's variables will say is let pass."""
    folder = tree(tmp_path)
    check_scenarios(folder, draft_of(folder).manifest)
    (folder / "main.yaml").write_text(MAIN.replace("get: /", "gett: /"), "utf-8")
    with pytest.raises(InvalidScenario, match="unknown key 'gett'"):
        check_scenarios(folder, draft_of(folder).manifest)
