"""Zip files are read without trust: whatever could write elsewhere, grow without end or be another file is refused."""

import hashlib
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stressrunner.errors import BadPack, InvalidScenario
from stressrunner.scenario.archive import SUMS, inside, located, problem_of_name, verified
from stressrunner.scenario.document import load_document

MANIFEST = b"stressrunner: 1\nname: shop\nversion: 1\nscenarios: [main.yaml]\n"
FILES = {"main.yaml": b"stressrunner: 1\n", "pack.yaml": MANIFEST, "data/rows.csv": b"n\n1\n"}
LINK = 0o120777 << 16
FOLDER = 0o040755 << 16


def entry(name, mode=0, **changes):
    """Return the entry of a file; changes are made to what the zip file says of it."""
    made = zipfile.ZipInfo(name)
    made.external_attr = mode
    for key, value in changes.items():
        setattr(made, key, value)
    return made


def sums_of(files):
    """Return the list of checksums of files."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())


def archive(path, *more, files=FILES, sums=None):
    """Write a pack by hand, with further entries that have the content `x`; all of them are in its list."""
    listed = {**files, **{made.filename: b"x" for made in more}}
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(entry(name), content)
        for made in more:
            opened.writestr(made, b"x")
        if sums != "":
            opened.writestr(entry(SUMS), sums_of(listed) if sums is None else sums)
    return path


def refusal(path):
    """Return why a zip file is refused."""
    with pytest.raises(BadPack) as caught:
        verified(path)
    assert caught.value.path == str(path)
    return caught.value.reason


def test_a_pack_is_what_was_packed(tmp_path):
    """The contents are known with size and checksum, in the order of their names."""
    contents = verified(archive(tmp_path / "a.zip"))
    assert [(f.name, f.size) for f in contents.files] == [
        ("data/rows.csv", 4),
        ("main.yaml", 16),
        ("pack.yaml", 61),
    ]
    assert contents.manifest.title == "shop-1"


NAMES = [
    "../x",
    "a/../../x",
    "a/./x",
    "/etc/x",
    "C:/x",
    "a\\..\\x",
    "a//x",
    "a/",
    "x.",
    "x ",
    " x",
    "aux.txt",
    "a/NUL",
    "com1.log",
    "a\nb",
    "a*",
    "x" * 201,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    """A name must be a plain relative path on every system; nothing is written for any other."""
    assert problem_of_name(name)
    assert repr(name) in refusal(archive(tmp_path / "a.zip", entry(name)))
    assert not (tmp_path.parent / "x").exists()


@pytest.mark.parametrize("name", ["x", "a/b.c/d-e_f", "data/größe.csv", "...x", "console", ".x"])
def test_ordinary_names_are_good(tmp_path, name):
    """Letters of all scripts, dots and dashes make names of files."""
    assert problem_of_name(name) == ""
    assert name in [file.name for file in verified(archive(tmp_path / "a.zip", entry(name))).files]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (entry("link", LINK), "'link' is a link, or something else that is no file"),
        (entry("folder", FOLDER), "'folder' is a link, or something else that is no file"),
        (entry("MAIN.yaml"), "'MAIN.yaml' is in it twice, on some systems at least"),
        (entry("data"), "'data' is a file and a folder"),
        (entry("main.yaml/x"), "'main.yaml' is a file and a folder"),
        (entry("x", compress_type=zipfile.ZIP_LZMA), "'x' is compressed in a way that packs are not"),
    ],
)
def test_entries_that_are_no_files_are_refused(tmp_path, made, reason):
    """Links, folders, and names that mean the same file somewhere are refused."""
    assert refusal(archive(tmp_path / "a.zip", made)) == reason


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_stands_once(tmp_path):
    """Two entries of one name could be read as either."""
    assert (
        refusal(archive(tmp_path / "a.zip", entry("x"), entry("x")))
        == "'x' is in it twice, on some systems at least"
    )


def test_encrypted_files_are_refused(tmp_path):
    """The flag of encryption, in the list of files and before the file itself."""
    path = archive(tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(signature) + at] |= 1
    path.write_bytes(content)
    assert refusal(path) == "'main.yaml' is encrypted"


def test_what_was_changed_is_found(tmp_path):
    """A file that is not what its checksum says, is missing, or is not listed: nothing of the pack is used."""
    changed = archive(tmp_path / "a.zip", sums=sums_of({**FILES, "main.yaml": b"stressrunner: 2\n"}))
    assert refusal(changed) == "main.yaml is not as it was packed: its checksum differs"
    lacking = archive(tmp_path / "b.zip", sums=sums_of({**FILES, "more.yaml": b""}))
    assert refusal(lacking) == f"more.yaml is not in it, although among its {SUMS}"
    unlisted = archive(tmp_path / "c.zip", entry("evil.yaml"), sums=sums_of(FILES))
    assert refusal(unlisted) == f"evil.yaml is in it, but not among its {SUMS}"
    assert "there is no SHA256SUMS in it" in refusal(archive(tmp_path / "d.zip", sums=""))
    assert refusal(archive(tmp_path / "e.zip", sums="no sums")) == f"{SUMS} is no list of checksums"
    without = {name: content for name, content in FILES.items() if name != "pack.yaml"}
    assert "there is no pack.yaml in it" in refusal(archive(tmp_path / "f.zip", files=without))


def test_what_grows_without_end_is_refused(tmp_path):
    """A zip file that says how large its files are is refused by that; one that lies is cut off there."""
    path = tmp_path / "a.zip"
    content = b"\0" * 10_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("big", content)
        opened.writestr(SUMS, sums_of({"big": content}))
    small = path.read_bytes()
    assert len(small) < 20_000
    at = small.find(b"PK\x01\x02") + 24
    path.write_bytes(small[:at] + struct.pack("<I", 2_100_000_000) + small[at + 4 :])
    assert refusal(path) == "its files are larger than 2,000 MB"
    path.write_bytes(small[:at] + struct.pack("<I", 1000) + small[at + 4 :])
    assert "is no zip file that can be read" in refusal(path)


def test_too_many_files_are_refused_unread(tmp_path):
    """The number of files is looked at before the list of them is."""
    path = archive(tmp_path / "a.zip")
    content = path.read_bytes()
    path.write_bytes(content[:-14] + struct.pack("<HH", 60_000, 60_000) + content[-10:])
    assert refusal(path) == "more than 10,000 files"
    path.write_bytes(content + b"comment")
    assert refusal(path) == "is no zip file as 'stressrunner pack build' writes them"


@settings(max_examples=150)
@given(st.data())
def test_damaged_zip_files_are_told(tmp_path_factory, data):
    """Whatever is done to the bytes of a pack, it is read as it was packed or refused with a reason."""
    path = archive(tmp_path_factory.mktemp("damaged") / "a.zip")
    whole = verified(path).files
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    path.write_bytes(content)
    with suppress(BadPack, InvalidScenario):
        assert verified(path).files == whole


def test_a_path_leads_into_a_zip_file(tmp_path):
    """A zip file is found in a path as it is written; a folder of that name is none."""
    path = archive(tmp_path / "a.zip")
    assert inside(path / "data" / "x.yaml") == (path, "data/x.yaml")
    assert inside(Path(f"{path}//x.yaml")) == (path, "x.yaml")
    assert inside(path) == (path, "")
    (tmp_path / "b.zip").mkdir()
    assert inside(tmp_path / "b.zip" / "x.yaml") is None


def test_a_scenario_is_there_for_as_long_as_it_is_needed(tmp_path):
    """A scenario in a pack is read from a folder that is gone afterwards; other paths are left alone."""
    path = archive(tmp_path / "a.zip")
    with located(path / "main.yaml") as found:
        assert found.path.read_bytes() == FILES["main.yaml"]
        assert found.unpacked.shown(found.path) == f"{path}//main.yaml"
        folder = found.unpacked.folder
    assert not folder.exists()
    with located(tmp_path / "main.yaml") as found:
        assert found == (tmp_path / "main.yaml", None)
    with (
        pytest.raises(BadPack, match=r"there is no mian.yaml in it.*did you mean 'main.yaml'"),
        located(path / "mian.yaml"),
    ):
        pass
    with pytest.raises(BadPack, match=r"name a scenario in it, as in .*a\.zip//main\.yaml"), located(path):
        pass


def test_mistakes_are_shown_in_the_zip_file(tmp_path):
    """Messages name files in a pack by the zip file and never by the folder that they were read from."""
    files = {
        "pack.yaml": MANIFEST,
        "main.yaml": b"stressrunner: 1\nuses: [common/api.yaml, zzz.txt]\n",
        "common/api.yaml": b"stressrunner: 1\nuses: [../../../etc/passwd, ../main.yaml]\n",
    }
    path = archive(tmp_path / "a.zip", files=files)
    with located(path / "main.yaml") as found, pytest.raises(InvalidScenario) as caught:
        load_document(found.path, environ={}, unpacked=found.unpacked)
    told = [(d.file, d.message, d.hint) for d in caught.value.diagnostics]
    assert told == [
        (f"{path}//main.yaml", "'zzz.txt' does not exist", f"it is looked for at {path}//zzz.txt"),
        (
            f"{path}//common/api.yaml",
            "'../../../etc/passwd' lies outside the pack",
            "the pack is the folder that holds its pack.yaml",
        ),
        (
            f"{path}//common/api.yaml",
            "files use one another in a circle",
            f"{path}//main.yaml -> {path}//common/api.yaml -> {path}//main.yaml",
        ),
    ]


def test_rows_are_shown_in_the_zip_file(tmp_path):
    """A broken row is shown in the file of the pack."""
    text = (
        'stressrunner: 1\nname: x\nfeeders: {rows: {file: data/rows.csv}}\nvariables: {v: "{{ rows.n }}"}\n'
    )
    files = {"pack.yaml": MANIFEST, "main.yaml": text.encode(), "data/rows.csv": b"n\n1,2\n"}
    path = archive(tmp_path / "a.zip", files=files)
    with located(path / "main.yaml") as found, pytest.raises(InvalidScenario) as caught:
        load_document(found.path, environ={}, unpacked=found.unpacked)
    assert f"{path}//data/rows.csv" in [diagnostic.file for diagnostic in caught.value.diagnostics]
