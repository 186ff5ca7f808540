"""Files in the making: a folder that is gone with whoever made it, and files that are written beside and renamed.

A process that is killed leaves its folder behind, unlocked; whoever makes the next one in the same place clears it away.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TextIO

__all__ = ["replacing", "scratch_folder"]

_PREFIX = ".stressrunner-"
_BEING_MADE = ".stressrunner+"  # until it is locked
_LOCK = "lock"
_FILES = "files"
_MADE_WITHIN_S = 60.0


@contextmanager
def scratch_folder(within: Path) -> Iterator[Path]:
    """Make a folder in another one, for this context alone.

    Raises:
        OSError: it cannot be made.
    """
    _clear(within)
    new = Path(mkdtemp(prefix=_BEING_MADE, dir=within))
    with (new / _LOCK).open("w", encoding="utf-8") as lock:
        folder = within / new.name.replace(_BEING_MADE, _PREFIX)
        try:
            _lock(lock)
            if sys.platform == "win32":
                folder = new  # which cannot be renamed while a file in it is open
            else:
                new.rename(folder)
            files = folder / _FILES
            files.mkdir()
            yield files.resolve()
        finally:
            shutil.rmtree(folder if folder.exists() else new, ignore_errors=True)
    with suppress(OSError):
        shutil.rmtree(folder)  # what could not be removed while the lock was open


def _clear(within: Path) -> None:
    """Remove the folders here whose makers have gone: nobody has a lock on them."""
    if sys.platform == "win32":
        return  # which has no such locks, so that one in use cannot be told from one that was left
    for folder in within.glob(f"{_BEING_MADE}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _MADE_WITHIN_S:
                shutil.rmtree(folder, ignore_errors=True)
    for folder in within.glob(f"{_PREFIX}*"):
        # Another's folder, or one that somebody else is clearing away.
        with suppress(OSError), (folder / _LOCK).open("r+", encoding="utf-8") as lock:
            _lock(lock)
            shutil.rmtree(folder, ignore_errors=True)


def _lock(file: TextIO) -> None:
    """Lock a file for as long as it is open; raises BlockingIOError when another process has."""
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415  there is none on Windows

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Write a text file in UTF-8 that takes its place as a whole when this is left; until then an older one stays.

    What is no file, such as a pipe or a device, is written to as it is, and so is a file in a folder that nothing can be
    added to.

    Raises:
        OSError: it cannot be written.
    """
    path = path.resolve() if path.is_symlink() else path
    if (path.exists() and not path.is_file()) or (path.is_file() and not os.access(path.parent, os.W_OK)):
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    with scratch_folder(path.parent) as folder:
        part = folder / path.name
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
