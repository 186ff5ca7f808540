"""Folders to begin with: a commented first scenario, or the scenarios that come with stressrunner."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from stressrunner.errors import UsageError

__all__ = ["shipped_files", "starter_files", "write_files"]

_SCHEMAS = ("scenario.schema.json", "pack.schema.json")


def starter_files() -> Mapping[str, bytes]:
    """Return a first scenario with all that it needs: contents by path."""
    folder = files("stressrunner.authoring").joinpath("templates")
    return {
        "scenarios/first.yaml": folder.joinpath("first.yaml").read_bytes(),
        "scenarios/pack.yaml": folder.joinpath("pack.yaml").read_bytes(),
        "scenarios/data/words.csv": folder.joinpath("words.csv").read_bytes(),
        "scenarios/README.md": folder.joinpath("README.md").read_bytes(),
        **_schemas(),
    }


def shipped_files() -> Mapping[str, bytes]:
    """Return the scenarios that come with stressrunner and their data: contents by path."""
    shipped = dict(_below(files("stressrunner.shipped"), "scenarios"))
    return {**shipped, **_schemas()}


def _schemas() -> Mapping[str, bytes]:
    folder = files("stressrunner.schemas")
    return {f"schemas/{name}": folder.joinpath(name).read_bytes() for name in _SCHEMAS}


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith((".", "__")):
            continue  # what makes a Python package of the folder is no part of the pack
        if entry.is_dir():
            yield from _below(entry, f"{path}/{entry.name}")
        else:
            yield f"{path}/{entry.name}", entry.read_bytes()


def write_files(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files below a folder, which is made when it is not there; return their paths.

    Raises:
        UsageError: one of them is there already with another content, so none was written; or one cannot be written.
    """
    paths = {folder / path: content for path, content in contents.items()}
    try:
        taken = [path for path, content in paths.items() if path.exists() and not _holds(path, content)]
        if taken:
            raise UsageError(f"already there, nothing was written: {', '.join(map(str, taken))}")
        for path, content in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    return list(paths)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
