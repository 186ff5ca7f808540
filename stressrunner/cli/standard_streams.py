"""The command's own streams, made so that writing to them never ends it: whatever they are, the exit code is that of what happened.

A stream that was closed before the command began (`2>&-`) is one that nobody reads. One that cannot be written to any
more (a full disk, a reader that has gone) takes the rest in silence, and `problem` says afterwards what was wrong. A
character that its encoding does not have is written in ASCII.
"""

import codecs
import errno
import io
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["open_streams", "problem"]

_ERRORS = "stressrunner.ascii"
#: What stands for the marks and lines of reports where an encoding has none of them.
_IN_ASCII: Mapping[str, str] = MappingProxyType(
    {"✓": "+", "✗": "x", "µ": "u", "²": "2", "…": "...", "━": "=", "─": "-", "▸": ">", "·": "-"}
    | dict.fromkeys("▁▂▃▄▅▆▇█", "#")
)


def _in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what is written for characters that an encoding does not have; see `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(each) or _escaped(each) for each in missing), error.end


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


class _Lenient(io.RawIOBase):
    """A file descriptor that takes everything; what it could not write is remembered once."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.problem: OSError | None = None

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: "io.ReadableBuffer") -> int:  # type: ignore[name-defined]
        octets = memoryview(data).cast("B")
        if self.problem is None:
            try:
                return os.write(self._descriptor, octets)
            except OSError as error:
                self.problem = error
        return len(octets)


_files: dict[int, _Lenient] = {}


def open_streams() -> None:
    """Put lenient streams in the place of stdout and stderr, unless somebody else did already, as tests do."""
    codecs.register_error(_ERRORS, _in_ascii)
    _open_closed()
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0))
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None or stream is getattr(sys, f"__{name}__"):
            setattr(sys, name, _lenient(stream, descriptor))


def _open_closed() -> None:
    """Open descriptors that were closed, so that no file or socket of the run takes the place of a standard stream."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one


def _lenient(stream: io.TextIOWrapper | None, descriptor: int) -> io.TextIOWrapper:
    if sys.platform == "win32" and stream is not None and stream.isatty():
        stream.reconfigure(errors=_ERRORS)
        return stream  # a console is written to by other means than its descriptor
    file = _files[descriptor] = _Lenient(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding="utf-8" if stream is None else stream.encoding,
        errors=_ERRORS,
        line_buffering=descriptor == 2 or file.isatty(),
        write_through=False,
    )


def problem() -> str:
    """Return why not all of stdout was written, as a sentence; empty when all was, or its reader had enough of it."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        return ""  # closed by whoever put it there
    file = _files.get(1)
    if file is None or file.problem is None or file.problem.errno in (errno.EPIPE, errno.EINVAL):
        return ""
    return f"stdout could not be written: {file.problem.strerror}"
