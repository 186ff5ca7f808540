"""Where reports go: `--report json=r.json`, `--report json`; and `--report samples=s.ndjson`, written during the run."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stressrunner.errors import UsageError
from stressrunner.reports import REPORTS, report_of

__all__ = ["SAMPLES", "Destination", "parse_destinations"]

SAMPLES = "samples"  #: every sample, which is no report of a result
_FORMS = ", ".join([*REPORTS, SAMPLES])


@dataclass(frozen=True, slots=True)
class Destination:
    """A report and where it is written."""

    form: str
    path: Path | None  #: None is stdout


def parse_destinations(texts: Sequence[str]) -> tuple[Destination, ...]:
    """Read the values of `--report`, and see to it that every file can be written before anything is sent.

    Raises:
        UsageError: an unknown format, two reports for stdout or one file, a file that cannot be written.
    """
    destinations = []
    for text in texts:
        form, equals, name = text.partition("=")
        if form != SAMPLES:
            report_of(form)
        if not name and (equals or form == SAMPLES):
            raise UsageError(f"--report {text}: the path is missing; formats are {_FORMS}")
        destinations.append(Destination(form, Path(name) if name else None))
    if [destination.form for destination in destinations].count(SAMPLES) > 1:
        raise UsageError("--report samples=PATH can be given once")
    paths = [destination.path for destination in destinations]
    places = [None if path is None else os.path.realpath(path) for path in paths]
    for path, place in zip(paths, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"two reports cannot go to {'stdout' if path is None else path} at once")
        if path is not None:
            _check_writable(path)
    return tuple(destinations)


def _check_writable(path: Path) -> None:
    folder = path.parent
    if path.is_dir():
        raise UsageError(f"--report: {path} is a folder; name a file in it")
    if not folder.is_dir():
        raise UsageError(f"--report: there is no folder {folder}; make it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"--report: {path} cannot be written")
