"""Where the files are that a scenario names: in its pack, and never outside.

A pack is the folder with the nearest `pack.yaml` at or above the scenario. Without one it is the folder that holds the
scenario and the folders beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path as FilePath

from stressrunner.scenario.files import reason_of
from stressrunner.scenario.manifest import MANIFEST
from stressrunner.scenario.yaml_pitfalls import shortened
from stressrunner.spelling import did_you_mean

__all__ = ["ENVIRONMENTS", "NoSuchFile", "Pack", "Unpacked"]

ENVIRONMENTS = "environments"


class NoSuchFile(ValueError):
    """A file of the pack cannot be had."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A zip file whose content was written into a folder, to be read there as any other pack."""

    name: str  #: of the zip file, as the user named it
    folder: FilePath  #: resolved

    def shown(self, path: FilePath) -> str:
        """Return what a user calls a file of the folder: `agents-1.2.zip//common/api.yaml`."""
        return f"{self.name}//{path.resolve().relative_to(self.folder).as_posix()}"


@dataclass(frozen=True, slots=True)
class Pack:
    """The files that a scenario and all that it uses may name."""

    folder: FilePath  #: of the scenario, as the user named it
    root: FilePath | None  #: that holds a `pack.yaml`, resolved; None without one
    unpacked: Unpacked | None = None  #: where the files come from, when it is a zip file

    @classmethod
    def of(cls, folder: FilePath, unpacked: Unpacked | None = None) -> "Pack":
        """Return the pack of a scenario in a folder."""
        resolved = folder.resolve()
        above = (resolved, *resolved.parents)
        root = next((place for place in above if (place / MANIFEST).is_file()), None)
        return cls(folder, root, unpacked)

    @property
    def manifest(self) -> FilePath | None:
        """The `pack.yaml`, by way of the user's own name for the scenario's folder; None without one."""
        return None if self.root is None else self._from_root(MANIFEST)

    def shown(self, path: FilePath) -> str:
        """Return what messages call a file of the pack."""
        return normpath(path) if self.unpacked is None else self.unpacked.shown(path)

    def file(self, folder: FilePath, name: str, what: str) -> FilePath:
        """Return the resolved path of a file that a text in `folder` names; `what` it should be, for hints.

        Raises:
            NoSuchFile: it does not exist, is no file, or lies outside the pack.
        """
        if not name or "\0" in name or len(name) > 1000:
            raise NoSuchFile("this is not the name of a file")
        try:
            return self._file(folder, name, what)
        except (OSError, RuntimeError) as error:  # a name that is too long, links that go round
            raise NoSuchFile(f"'{shortened(name)}' cannot be read: {reason_of(error)}") from error

    def _file(self, folder: FilePath, name: str, what: str) -> FilePath:
        path = (folder / name).resolve()
        if not self._holds(path):
            extent = (
                "a pack is the scenario's folder and the folders beside it"
                if self.root is None
                else "the pack is the folder that holds its pack.yaml"
            )
            raise NoSuchFile(f"'{name}' lies outside the pack", extent)
        if path.is_dir():
            raise NoSuchFile(f"'{name}' is a folder", f"name {what}")
        if path.exists() and not path.is_file():
            raise NoSuchFile(f"'{name}' is no file that can be read as a whole", f"name {what}")
        if not path.is_file():
            beside = (p.name for p in path.parent.iterdir()) if path.parent.is_dir() else ()
            near = did_you_mean(path.name, beside)
            raise NoSuchFile(
                f"'{name}' does not exist", near or f"it is looked for at {self._looked_for(folder / name)}"
            )
        return path

    def environments(self) -> dict[str, FilePath]:
        """Return the environment files of the pack by their names.

        Without a `pack.yaml` those beside the scenario go before those in the folder beside its own.
        """
        found: dict[str, FilePath] = {}
        for folder in self._environment_folders():
            for path in sorted(folder.glob("*.yaml")):
                if path.is_file() and self._holds(path.resolve()):
                    found.setdefault(path.stem, path)
        return found

    def _environment_folders(self) -> Iterator[FilePath]:
        if self.root is None:
            yield self.folder / ENVIRONMENTS
            yield self.folder / ".." / ENVIRONMENTS
            return
        yield self._from_root(ENVIRONMENTS)

    def _from_root(self, name: str) -> FilePath:
        """Return a path at the root by way of the user's own name for the folder, which is what messages show."""
        steps = 0 if self.root is None else len(self.folder.resolve().relative_to(self.root).parts)
        return self.folder.joinpath(*[".."] * steps, name)

    def _looked_for(self, path: FilePath) -> str:
        return str(path) if self.unpacked is None else self.unpacked.shown(path)

    def _holds(self, path: FilePath) -> bool:
        """Whether a resolved path lies in the pack."""
        if self.root is not None:
            return path.is_relative_to(self.root)
        folder = self.folder.resolve()
        if path.is_relative_to(folder):
            return True
        around = folder.parent
        # Beside a folder at the root of the file system lies the whole machine.
        is_top = around == around.parent
        return not is_top and path.is_relative_to(around) and len(path.relative_to(around).parts) > 1
