"""The command `stressrunner`, also as `python -m stressrunner`: everything is imported where an interrupt is caught.

SIGTERM and the end of the terminal (SIGHUP; SIGBREAK on Windows) interrupt as a Ctrl-C does, whatever the command is
busy with, so that nothing stays behind half-written and no process is left.
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line of this process, and exit with its code."""
    code = _code()
    if code == _INTERRUPTED:
        # The interpreter would kill itself by a signal where the interrupt came while code was made from a text, as
        # dataclasses do, although it was caught.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _code() -> int | str | None:
    try:
        _end_as_interrupted()
        from stressrunner.cli import main as command  # noqa: PLC0415  an interrupt while it is imported is one too

        command()
    except KeyboardInterrupt:
        os.write(2, b"interrupted\n")
        return _INTERRUPTED
    except SystemExit as ended:
        return ended.code


def _end_as_interrupted() -> None:
    """Let what ends a process interrupt it; what is ignored, as SIGHUP by `nohup`, stays so."""
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if name in signal.Signals.__members__ and signal.getsignal(signal.Signals[name]) is signal.SIG_DFL:
            signal.signal(signal.Signals[name], _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what a Ctrl-C would do now, also where that is ignored, as in the background of a shell."""
    if number != signal.SIGTERM:
        signal.signal(number, signal.SIG_IGN)  # a terminal that is closed may say so more than once
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


if __name__ == "__main__":
    main()
