"""Starting up: a run imports what it uses, when it uses it, and from where it is installed."""

import subprocess
import sys

import pytest
from cli.command import environment

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


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_folder_of_like_named_modules_takes_no_place(workers, tmp_path):
    """A file such as `anyio.py` beside a scenario is not what the embedded target and generators import."""
    for name in ("anyio", "json", "stressrunner", "uvicorn"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('of the folder')\n")
    scenario = (
        "stressrunner: 1\nname: here\ntarget: {base_url: 'demo://agents'}\nendpoints: {h: {get: /health}}\n"
    )
    (tmp_path / "here.yaml").write_text(f"{scenario}load: {{concurrency: 2, requests: 20}}\n", "utf-8")
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "stressrunner", "here.yaml", "-q", "--workers", workers],
        cwd=tmp_path,
        env=environment(PYTHONSAFEPATH=""),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "of the folder" not in ran.stderr
    assert ran.returncode == 0, ran.stderr
