"""The measurement as JSON, and as the tables of docs/performance.md."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.row import Finding, Row
from stressrunner import __version__

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"
_MARKS = {"yes": "✓", "least": "(✓) the weaker limit", "no": "✗", "unknown": "not measured"}
_NAMES = {"locust": "Locust FastHttpUser", "artillery": "Artillery"}


def measurement(
    found: Mapping[Row, Finding], versions: Mapping[str, str], other_work: float, *, quick: bool
) -> dict[str, Any]:
    """Return everything that was measured, ready for JSON; `other_work` is the part of the machine others used."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release().split('-')[0]}",
            "python": platform.python_version(),
            "other_work": round(other_work, 3),
        },
        "versions": {"stressrunner": __version__, **versions},
        "rows": [
            {
                "row": row.name,
                "what": row.what,
                "reach": row.reach,
                "measured": finding.measured,
                "met": finding.met,
                "figures": finding.figures,
            }
            for row, finding in found.items()
        ],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def markdown(measured: Mapping[str, Any]) -> str:
    """Return a measurement as Markdown: where and when, the table of the rows, and what a request costs each client."""
    machine, versions = measured["machine"], measured["versions"]
    programs = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [
        (
            f"Measured at {measured['measured_at']} on {machine['cores']} cores of {machine['processor']}, "
            f"{machine['system']}, Python {machine['python']}, with {programs}."
        )
    ]
    if "other_work" in machine:  # older measurements did not note it
        parts.append(f"Other work took {machine['other_work']:.0%} of the machine meanwhile.")
    if measured["quick"]:
        parts.append("A quick run: it shows that everything works, and its figures mean little.")
    lines = ["| what | reach | measured | reached |", "|---|---|---|---|"]
    lines += [
        f"| {row['what']} | {row['reach']} | {_cell(row['measured'])} | {_MARKS[row['met']]} |"
        for row in measured["rows"]
    ]
    parts.append("\n".join(lines))
    costs = {row["row"]: row["figures"]["cpu_us"] for row in measured["rows"] if "cpu_us" in row["figures"]}
    if costs:
        parts.append(_cost_table(costs))
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """Return a text that may hold an error's message as it can stand in a cell."""
    return text.replace("|", "\\|")


def _cost_table(costs: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Return the median processor time of a request, and the least and the most of the rounds."""
    clients = list(dict.fromkeys(name for slopes in costs.values() for name in slopes))
    heads = {"cpu_static": "static body", "cpu_templated": "templated body, JSON check, capture"}
    lines = [
        "| CPU per request | " + " | ".join(heads[row] for row in costs) + " |",
        "|---|" + "---|" * len(costs),
    ]
    for name in clients:
        cells = [_spread(slopes.get(name, [])) for slopes in costs.values()]
        lines.append(f"| {_NAMES.get(name, name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    if not values:
        return "missing"
    return f"{median(values):.1f} µs ({min(values):.1f} to {max(values):.1f})"


def placed(document: str, table: str) -> str:
    """Return a document with the text between its two marks replaced.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"
