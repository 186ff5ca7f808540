"""Finding the process to watch: by its number, by the port that it listens at, or by its command line."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import psutil

from stressrunner.masking import Masker

__all__ = ["FoundProcess", "find"]

_LABEL_LENGTH = 80


@dataclass(frozen=True, slots=True)
class FoundProcess:
    """A process, or why there is none."""

    process: psutil.Process | None
    label: (
        str  #: for people, secrets masked: `pid 4711 (python -m stressrunner.demo)`, or what was looked for
    )
    note: str = ""  #: why there is no process, or which others would have fitted too
    families: int = 0  #: that fit: processes that are no descendants of another one


def find(
    *,
    pid: int | None = None,
    port: int | None = None,
    command: str | None = None,
    masker: Masker | None = None,
) -> FoundProcess:
    """Find one process: by `pid`, by the local TCP `port` it listens at, or by a part of its `command` line.

    Among several that fit, a process stands for its descendants; of what is left the oldest is taken, and `note`
    names the others. This process, its ancestors and its generators never fit a command: their own command lines quote it.

    Raises:
        ValueError: none of the three was given. A process that is not there is no error: see `FoundProcess.note`.
    """
    masker = masker or Masker()
    if pid is not None:
        return _choose([pid], f"pid {pid}", f"there is no process {pid}", masker)
    if port is not None:
        return _find_by_port(port, masker)
    if command is not None:
        missing = f"no command line of a process has {command!r} in it"
        return _choose(_pids_with(command), masker.text(f"command {command!r}"), masker.text(missing), masker)
    raise ValueError("a process is found by pid, port or command, and none of them was given")


def _find_by_port(port: int, masker: Masker) -> FoundProcess:
    try:
        sockets = psutil.net_connections(kind="tcp")
        owners = {s.pid for s in sockets if _listens(s.status, s.laddr, port)}
    except psutil.AccessDenied:  # macOS shows the whole table to root alone
        owners = set(_listeners_one_by_one(port))
    pids = [pid for pid in owners if pid is not None]  # None for a socket that may not be seen through
    missing = f"no process listens at port {port}"
    if owners and not pids:
        missing = f"a process listens at port {port}, but this user may not see which one"
    return _choose(pids, f"port {port}", missing, masker)


def _listens(status: str, address: tuple[str, int] | tuple[()], port: int) -> bool:
    return status == psutil.CONN_LISTEN and address[1:] == (port,)


def _listeners_one_by_one(port: int) -> Iterator[int]:
    """Yield the processes that listen at `port`, of those whose sockets this user may see."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            sockets = process.net_connections(kind="tcp")
            if any(_listens(s.status, s.laddr, port) for s in sockets):
                yield process.pid


def _pids_with(command: str) -> list[int]:
    ours = psutil.Process()
    own, words = {ours.pid, *(parent.pid for parent in ours.parents())}, ours.cmdline()
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "ppid"])
        if process.pid not in own
        and command in " ".join(process.info["cmdline"] or ())
        # Generators that were forked from this process have its command line.
        and (process.info["ppid"], process.info["cmdline"]) != (ours.pid, words)
    ]


def _choose(pids: Sequence[int], wanted: str, missing: str, masker: Masker) -> FoundProcess:
    """Take the oldest of the processes that are alive and not a descendant of another one."""
    alive = [process for pid in pids if (process := _alive(pid)) is not None]
    roots = sorted(
        (process for process in alive if not _descends_from(process, {p.pid for p in alive})),
        key=lambda process: (process.create_time(), process.pid),
    )
    if not roots:
        return FoundProcess(None, wanted, missing)
    note = ""
    if len(roots) > 1:
        others = ", ".join(str(process.pid) for process in roots[1:])
        note = f"{len(roots)} processes fit; this is the oldest, the others are {others}"
    return FoundProcess(roots[0], _label(roots[0], masker), note, len(roots))


def _alive(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess, ValueError, OverflowError):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _descends_from(process: psutil.Process, pids: set[int]) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(parent.pid in pids for parent in process.parents())
    return False


def _label(process: psutil.Process, masker: Masker) -> str:
    line = ""
    with contextlib.suppress(psutil.Error):
        words = process.cmdline() or [process.name()]
        line = " ".join([PurePath(words[0]).name, *words[1:]])
    line = masker.text(" ".join(line.split()))  # masked before it is cut, or half a secret would stay
    if len(line) > _LABEL_LENGTH:
        line = line[: _LABEL_LENGTH - 1] + "…"
    return f"pid {process.pid} ({line})" if line else f"pid {process.pid}"
