"""A disk that is full when reports are written: what was there before stays, and the exit code is the run's."""

import subprocess
import sys

import pytest
from cli.command import ROOT, environment

resource = pytest.importorskip("resource", reason="limits of files are POSIX's")

FORMATS = ["text", "html", "json", "junit", "markdown", "csv", "hlog", "samples"]
_SPACE = 600  #: bytes that a file may have


def limited():
    """Let no file grow beyond the space, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (_SPACE, _SPACE))


def test_older_reports_stay(tmp_path):
    """None of the reports has room: each is named with the reason, the older ones stay whole, and nothing else is left."""
    older = {form: tmp_path / f"older.{form}" for form in FORMATS}
    for form, path in older.items():
        path.write_text(f"the older {form}", "utf-8")
    reports = [part for form, path in older.items() for part in ("--report", f"{form}={path}")]
    ended = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "stressrunner",
                "run",
                "scenarios/full_api.yaml",
                "--quiet",
                "--repeat",
                "3",
            ),
            *("--set", "load.duration=500ms", *reports),
        ],
        cwd=ROOT,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),  # Python keeps bytecode that was cut short
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=limited,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    lines = ended.stderr.splitlines()
    for form, path in older.items():
        reason = "is incomplete" if form == "samples" else "File too large"
        assert any(str(path) in line and reason in line for line in lines), (form, lines)
        if form != "samples":  # which are written while the load runs, and not beside
            assert path.read_text("utf-8") == f"the older {form}"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in older.values())
