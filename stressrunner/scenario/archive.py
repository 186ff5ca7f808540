"""Packs as zip files: read without trust, and unpacked only where every file is what its checksum says.

A pack that `pack build` made has plain files alone, one of which, SHA256SUMS, lists all others. Whatever else a zip
file can have is refused: names that lead elsewhere or mean two files on some system, links, encryption, more files or
bytes than a pack has any use for.
"""

import hashlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath
from tempfile import gettempdir
from typing import IO, NamedTuple
from unicodedata import normalize

from stressrunner.errors import BadPack
from stressrunner.scenario.manifest import MANIFEST, Manifest, read_manifest
from stressrunner.scenario.pack_files import Unpacked
from stressrunner.scratch import scratch_folder
from stressrunner.spelling import did_you_mean

__all__ = [
    "SUMS",
    "Contents",
    "Located",
    "Packed",
    "inside",
    "located",
    "problem_of_name",
    "unpacked",
    "verified",
]

SUMS = "SHA256SUMS"  #: as `sha256sum --check` reads it

_MOST_FILES = 10_000
_LARGEST_DIRECTORY = 4_000_000  #: bytes of a zip file's list of its files
_LARGEST = 2_000_000_000  #: bytes of all files together
_CHUNK = 1 << 20
_END_OF_ZIP = 22  #: bytes of the record that a zip file ends with
_BAD_CHARACTER = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
#: What is raised for zip files that are broken, or made so as to break their readers.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class Packed(NamedTuple):
    """A file of a pack."""

    name: str  #: relative to the pack, with `/`
    size: int  #: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a zip file that has been verified."""

    files: tuple[Packed, ...]  #: in the order of their names, without the list of checksums
    manifest: Manifest


class Located(NamedTuple):
    """Where a scenario can be read."""

    path: FilePath
    unpacked: Unpacked | None = None  #: the zip file that it comes from


def inside(path: FilePath) -> tuple[FilePath, str] | None:
    """Return the zip file and the name in it that a path means, as in `agents-1.2.zip//session_queue.yaml`.

    The name is empty when the path is that of the zip file itself; None when no zip file is in it.
    """
    for archive in (path, *path.parents):
        if archive.suffix.lower() == ".zip" and archive.is_file():
            return archive, "" if archive == path else path.relative_to(archive).as_posix()
    return None


@contextmanager
def located(path: FilePath) -> Iterator[Located]:
    """Yield where a scenario can be read; one in a zip file is there for as long as the context lasts.

    Raises:
        BadPack: the zip file is no pack, or is not as it was packed; or no scenario in it is named.
    """
    found = inside(path)
    if found is None:
        yield Located(path)
        return
    archive, name = found
    with unpacked(archive) as (contents, folder):
        names = [file.name for file in contents.files]
        if name not in names:
            near = did_you_mean(name, names) or f"scenarios are {', '.join(contents.manifest.scenarios)}"
            what = f"there is no {name} in it" if name else "name a scenario in it"
            raise BadPack(str(archive), f"{what}, as in {archive}//{contents.manifest.scenarios[0]}; {near}")
        yield Located(folder.folder / name, folder)


@contextmanager
def unpacked(archive: FilePath) -> Iterator[tuple[Contents, Unpacked]]:
    """Yield the contents of a pack, and the folder that they are in for as long as the context lasts; raises BadPack."""
    with scratch_folder(FilePath(gettempdir())) as files:
        folder = Unpacked(str(archive), files)
        yield _extracted(archive, folder), folder


def verified(archive: FilePath) -> Contents:
    """Return the contents of a pack whose files are all as they were packed.

    Raises:
        BadPack: they are not, or this is no pack.
    """
    with unpacked(archive) as (contents, _):
        return contents


def problem_of_name(name: str) -> str:
    """Return what is wrong with the name of a file in a pack, in a few words; nothing when it is good on all systems."""
    if not name or len(name) > 1000:
        return "is no name of a file"
    if name.startswith("/") or _BAD_CHARACTER.search(name):
        return "is no relative path that every system has"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return "leads elsewhere"
        if part != part.strip(" ") or part.endswith(".") or len(part) > 200 or _DEVICE.fullmatch(part):
            return "is no name that every system has"
    return ""


def _extracted(archive: FilePath, into: Unpacked) -> Contents:
    try:
        if stat.S_IFMT(archive.stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
            raise BadPack(
                str(archive), "is no zip file that can be read from its end, but a pipe or a device"
            )
        with archive.open("rb") as stream:
            _check_end(archive, stream)
            with zipfile.ZipFile(stream) as opened:
                entries = _entries(archive, opened)
                sums = _sums(archive, opened, entries)
                files = tuple(_extract(opened, entries[name], into, archive) for name in sorted(sums))
    except OSError as error:
        raise BadPack(str(archive), f"cannot be read: {error.strerror or error}") from error
    except _UNREADABLE as error:
        raise BadPack(str(archive), f"is no zip file that can be read: {error}") from error
    for file in files:
        if file.sha256 != sums[file.name]:
            raise BadPack(str(archive), f"{file.name} is not as it was packed: its checksum differs")
    manifest = into.folder / MANIFEST
    if MANIFEST not in sums:
        raise BadPack(
            str(archive), f"there is no {MANIFEST} in it; make packs with 'stressrunner pack build'"
        )
    return Contents(files, read_manifest(manifest, into.shown(manifest)))


def _check_end(archive: FilePath, stream: IO[bytes]) -> None:
    """Look at the end record before anything is read by it, so that no list of files is too long to be held."""
    size = stream.seek(0, 2)
    if size > _LARGEST + _LARGEST_DIRECTORY:
        raise BadPack(str(archive), f"larger than {_LARGEST // 1_000_000:,} MB")
    stream.seek(max(0, size - 2 * _END_OF_ZIP))
    tail = stream.read()
    record = tail[-_END_OF_ZIP:]
    if not record.startswith(b"PK\x05\x06") or b"PK\x06\x07" in tail[:_END_OF_ZIP]:
        raise BadPack(str(archive), "is no zip file as 'stressrunner pack build' writes them")
    count, length = int.from_bytes(record[10:12], "little"), int.from_bytes(record[12:16], "little")
    if count > _MOST_FILES or length > _LARGEST_DIRECTORY:
        raise BadPack(str(archive), f"more than {_MOST_FILES:,} files")
    stream.seek(0)


def _entries(archive: FilePath, opened: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    """Return the entries by name, all of them plain files that can lie beside one another in a folder."""
    entries: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for entry in opened.infolist():
        name = entry.orig_filename
        if problem := problem_of_name(name) or _problem_of_entry(entry):
            raise BadPack(str(archive), f"{name!r} {problem}")
        key = normalize("NFC", name).casefold()
        if key in seen:
            raise BadPack(str(archive), f"{name!r} is in it twice, on some systems at least")
        seen.add(key)
        entries[name] = entry
    folders = {key[:at] for key in seen for at, character in enumerate(key) if character == "/"}
    if both := folders & seen:
        raise BadPack(str(archive), f"{min(both)!r} is a file and a folder")
    if sum(entry.file_size for entry in entries.values()) > _LARGEST:
        raise BadPack(str(archive), f"its files are larger than {_LARGEST // 1_000_000:,} MB")
    return entries


def _problem_of_entry(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is a link, or something else that is no file"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that packs are not"
    return ""


def _sums(
    archive: FilePath, opened: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]
) -> Mapping[str, str]:
    """Return the checksums of all files, by name."""
    if SUMS not in entries:
        raise BadPack(str(archive), f"there is no {SUMS} in it; make packs with 'stressrunner pack build'")
    if entries[SUMS].file_size > _LARGEST_DIRECTORY:
        raise BadPack(str(archive), f"{SUMS} is too large")
    sums: dict[str, str] = {}
    for line in opened.read(entries[SUMS]).decode("utf-8").splitlines():
        match = _SUM.fullmatch(line)
        if match is None or match[2] in sums:
            raise BadPack(str(archive), f"{SUMS} is no list of checksums")
        sums[match[2]] = match[1]
    if differing := (entries.keys() - {SUMS}) ^ sums.keys():
        name = min(differing)
        verb = "is not in it, although" if name in sums else "is in it, but not"
        raise BadPack(str(archive), f"{name} {verb} among its {SUMS}")
    return sums


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, into: Unpacked, archive: FilePath) -> Packed:
    """Write a file into the folder, and return what it really is."""
    path = into.folder / entry.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with opened.open(entry) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > entry.file_size:
                raise BadPack(str(archive), f"{entry.filename} is larger than it says")
            digest.update(chunk)
            target.write(chunk)
    return Packed(entry.filename, size, digest.hexdigest())
