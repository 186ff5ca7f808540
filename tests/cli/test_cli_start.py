"""Starting up: what a run does not use until its first request, it does not import before."""

import subprocess
import sys

import pytest

#: Packages, and rooms of our own, whose import takes milliseconds.
LATER = {
    "httpx",
    "mimesis",
    "opentelemetry",
    "prometheus_client",
    "rich",
    "starlette",
    "stressrunner.reports.html",
    "stressrunner.reports.text",
    "uvicorn",
}


def imported_with(module):
    """Return what is imported along with a module, in an interpreter of its own."""
    code = f"import {module}, sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(ran.stdout.split())


@pytest.mark.parametrize("module", ["stressrunner.cli.run_report", "stressrunner.fleet.worker"])
def test_nothing_is_imported_before_its_use(module):
    """Neither the command nor a generator imports, on the way to the first request, what only later or other runs use."""
    assert not imported_with(module) & LATER


def test_a_generator_imports_no_reader_of_files():
    """A generator gets its scenario as values: it reads no YAML, checks no schema, watches no process."""
    assert not imported_with("stressrunner.fleet.worker") & {"yaml", "jsonschema", "psutil", "click"}
