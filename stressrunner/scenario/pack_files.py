"""Where the files are that a scenario names: in its pack, and never outside.

Without a `pack.yaml` above it, the pack of a scenario is the folder that holds it and the folders beside it.
"""

from pathlib import Path as FilePath

from stressrunner.scenario.validate import did_you_mean

__all__ = ["NoSuchFile", "file_of_pack"]


class NoSuchFile(ValueError):
    """A file of the pack cannot be had."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def file_of_pack(folder: FilePath, file: str, what: str) -> FilePath:
    """Return the resolved path of a file that a scenario in `folder` names; `what` it should be, for hints.

    Raises:
        NoSuchFile: it does not exist, is no file, or lies outside the pack.
    """
    if "\0" in file or len(file) > 1000:
        raise NoSuchFile("this is not the name of a file")
    path = (folder / file).resolve()
    if not _in_pack(folder.resolve(), path):
        raise NoSuchFile(
            f"'{file}' lies outside the pack", "a pack is the scenario's folder and the folders beside it"
        )
    if path.is_dir():
        raise NoSuchFile(f"'{file}' is a folder", f"name {what}")
    if not path.is_file():
        beside = (p.name for p in path.parent.iterdir()) if path.parent.is_dir() else ()
        near = did_you_mean(path.name, beside)
        raise NoSuchFile(f"'{file}' does not exist", near or f"it is looked for at {folder / file}")
    return path


def _in_pack(folder: FilePath, path: FilePath) -> bool:
    """Whether a resolved path lies in the folder of a scenario or in a folder beside it."""
    if path.is_relative_to(folder):
        return True
    around = folder.parent
    # Beside a folder at the root of the file system lies the whole machine.
    is_top = around == around.parent
    return not is_top and path.is_relative_to(around) and len(path.relative_to(around).parts) > 1
