"""What a child process needs of the environment; secrets of scenarios are read by the command alone and stay there."""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

__all__ = ["child_environment", "keep_only_needed"]

#: Variables of the system, of the interpreter, of certificates and of measuring coverage.
_NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|TEMP|TMP|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT"
    r"|USERPROFILE|APPDATA|LOCALAPPDATA|PYTHON\w*|VIRTUAL_ENV|LD_LIBRARY_PATH|DYLD_\w+|SSL_CERT_FILE|SSL_CERT_DIR"
    r"|COVERAGE\w*|COV_CORE_\w+",
    re.IGNORECASE,
)
#: Fields of /proc/PID/stat, counted from 0 after the name of the program: proc(5), fields 50 and 51.
_ENV_START, _ENV_END = 47, 48


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that a process of ours is started with."""
    return {name: value for name, value in environ.items() if _NEEDED.fullmatch(name)}


def keep_only_needed() -> None:
    """Forget all other variables in a process that was forked, also where the system shows what it began with."""
    needed = child_environment()
    os.environ.clear()
    os.environ.update(needed)  # these are copies elsewhere in memory
    if sys.platform == "linux":
        with suppress(OSError, ValueError):  # where that is not allowed, only its own user and root can look
            fields = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
            start, end = int(fields[_ENV_START]), int(fields[_ENV_END])
            with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
                memory.seek(start)
                memory.write(bytes(end - start))
