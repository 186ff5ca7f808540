"""Files of the scenario language: their bytes and their text, or a diagnostic that says why there is none."""

import errno
import re
from codecs import BOM_UTF8
from pathlib import Path as FilePath
from stat import S_ISDIR, S_ISREG

from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.scenario.source import Source

__all__ = ["bounded", "decoded", "read_file", "reason_of"]

_LARGEST_FILE = 5_000_000
_UNDECODED = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of a byte that is not UTF-8


def read_file(path: FilePath, name: str) -> bytes:
    """Return what is in a file of YAML; `name` is what messages call it.

    Raises:
        InvalidScenario: it does not exist, cannot be read, or is larger than 5 MB.
    """
    try:
        found = path.stat()
        # A pipe that nobody writes to would be waited for; those of the shell are below /dev.
        if not (S_ISREG(found.st_mode) or S_ISDIR(found.st_mode) or path.is_relative_to("/dev")):
            raise _unreadable(name, "this is no file that can be read as a whole")
        if found.st_size > _LARGEST_FILE:
            raise _unreadable(name, f"larger than {_LARGEST_FILE // 1_000_000} MB")
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            raise _unreadable(name, f"larger than {_LARGEST_FILE // 1_000_000} MB")
    except IsADirectoryError:
        raise _unreadable(name, "this is a folder", "name a scenario file in it") from None
    except FileNotFoundError:
        raise _unreadable(name, "there is no such file") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(name, f"cannot be read: {reason_of(error)}") from None
    return content


def bounded(path: FilePath, most: int) -> bytes:
    """Return what is in a file or comes through a pipe, which may have no end, of `most` bytes at most.

    Raises:
        OSError: it cannot be read, or is larger.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most // 1_000_000} MB")
    return content


def decoded(content: bytes, name: str) -> str:
    """Return bytes as the text that they are in UTF-8, without a byte order mark.

    Raises:
        InvalidScenario: they are not UTF-8; the diagnostic shows the place.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Decoded anew, since a byte order mark is no part of what the error counts in every case.
        text = content.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")
        bad = _UNDECODED.search(text)
        line, column = Source.of(name, text).position(bad.start() if bad else 0)
        message = f"byte 0x{content[error.start]:02X} is not UTF-8"
        raise InvalidScenario([Diagnostic(name, line, column, message, "save the file as UTF-8")]) from None


def reason_of(error: Exception) -> str:
    """Return why a file cannot be had, in the words of the system; links that go round are a RuntimeError in places."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "its links go round" if "loop" in str(error) else str(error)


def _unreadable(name: str, message: str, hint: str = "") -> InvalidScenario:
    return InvalidScenario([Diagnostic(name, 1, 1, message, hint)])
