"""A sample as a line of text: NDJSON or CSV, with the same columns.

Times are seconds, to the nanosecond, moments after the load began. What did not happen is null, or an empty cell:
`sent` or `first_byte` of a request that did not get so far, so the durations that need them, and a status of 0. With all
of them there, response_time = lag + queue + connecting + service_time.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from stressrunner.engine.sample import Sample
from stressrunner.spelling import spreadsheet_cell

__all__ = ["COLUMNS", "FORMS", "SampleForm", "SampleText", "form_of"]

COLUMNS = (
    "completed_s",
    "due_s",
    "worker",
    "phase",
    "endpoint",
    "outcome",
    "status",
    "problem",
    "response_time_s",
    "service_time_s",
    "ttfb_s",
    "connect_s",
    "lag_s",
    "queue_s",
    "connecting_s",
    "bytes_sent",
    "bytes_received",
    "redirects",
    "resent",
    "never",
)


@cache
def _cell(text: str) -> str:
    """Write a text as a cell of CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([spreadsheet_cell(text)])
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class SampleForm:
    """How samples are written."""

    header: str  #: first line of a file, with its end; empty for none
    line: str  #: of one sample, a `%s` for each column, with its end
    nothing: str  #: for what did not happen
    text: Callable[[str], str]


FORMS = {
    "ndjson": SampleForm(
        "", "{" + ",".join(f'"{name}":%s' for name in COLUMNS) + "}\n", "null", cache(json.dumps)
    ),
    "csv": SampleForm(",".join(COLUMNS) + "\n", ",".join(["%s"] * len(COLUMNS)) + "\n", "", _cell),
}


def form_of(path: str) -> str:
    """Return the form that a file's name asks for: CSV for `.csv`, NDJSON for every other one."""
    return "csv" if path.lower().endswith(".csv") else "ndjson"


class SampleText:
    """Writes the samples of one generator."""

    def __init__(
        self, form: SampleForm, worker: int, endpoints: Sequence[str], phases: Sequence[str]
    ) -> None:
        """`worker` counts from 0."""
        self._form = form
        self._worker = worker
        self._endpoints = [form.text(name) for name in endpoints]
        self._phases = [form.text(name) for name in phases]

    def line(self, sample: Sample, origin_ns: int) -> str:
        """Return the line of a sample, with its end; `origin_ns` is when the load began."""
        form, problem, completed_ns = self._form, sample.problem, sample.completed_ns
        return form.line % (
            self._between(origin_ns, completed_ns),
            self._between(origin_ns, sample.due_ns),
            self._worker,
            self._phases[sample.phase],
            self._endpoints[sample.endpoint],
            form.text(sample.outcome.name.lower()),
            sample.status or form.nothing,
            form.nothing if problem is None else form.text(problem.kind),
            self._between(sample.due_ns, completed_ns),
            self._between(sample.sent_ns, completed_ns),
            self._between(sample.sent_ns, sample.first_byte_ns),
            self._between(0, sample.connect_ns),
            self._between(sample.due_ns, sample.released_ns),
            self._between(sample.released_ns, sample.acquired_ns),
            self._between(sample.acquired_ns, sample.sent_ns),
            sample.bytes_sent,
            sample.bytes_received,
            sample.redirects,
            "true" if sample.resent else "false",
            "true" if sample.never else "false",
        )

    def _between(self, start_ns: int | None, end_ns: int | None) -> str:
        if start_ns is None or end_ns is None:
            return self._form.nothing
        return f"{(end_ns - start_ns) / 1e9:.9f}"
