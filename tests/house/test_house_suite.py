"""The tests need what they say, and no more: without a package of an extra they are skipped, and told."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: Runs pytest, settled as here, where a package cannot be imported.
WITHOUT_HDRH = """
import sys
sys.modules["hdrh"] = None
import pytest
sys.exit(pytest.main(["-q", "-rs", "-p", "conftest", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


def collected(folder, *names):
    """Return the exit code and the words of a run of test modules in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_HDRH, *names],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_modules_that_need_an_extra_are_skipped(tmp_path):
    """Also where another module imports the package; the reason names it, and all other tests are run."""
    (tmp_path / "reading.py").write_text("from hdrh.histogram import HdrHistogram\n")
    (tmp_path / "test_by_another.py").write_text("import reading\ndef test_it(): pass\n")
    (tmp_path / "test_itself.py").write_text("import hdrh\ndef test_it(): pass\n")
    (tmp_path / "test_without.py").write_text("def test_it(): pass\n")
    code, said = collected(tmp_path)
    assert code == 0, said
    assert "1 passed, 2 skipped" in said
    assert "hdrh.histogram is not installed; it comes with pip install -e '.[dev]'" in said


def test_tests_that_need_an_extra_are_skipped(tmp_path):
    """Where a test or a fixture imports the package only when it runs, the tests beside it are run."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.fixture\ndef read(): import hdrh.log\n"
        "def test_by_fixture(read): pass\n"
        "def test_itself(): import hdrh\n"
        "def test_without(): pass\n"
        "def test_nobody(): import hdrh_of_nobody\n"
    )
    code, said = collected(tmp_path)
    assert code == 1, said
    assert "1 failed, 1 passed, 2 skipped" in said
    assert "hdrh.log is not installed" in said


def test_modules_that_cannot_be_imported_are_errors(tmp_path):
    """A name that nobody provides, and an error of another kind, are not taken for a package that is missing."""
    (tmp_path / "test_nobody.py").write_text("import hdrh_of_nobody\n")
    (tmp_path / "test_broken.py").write_text("raise RuntimeError('broken')\n")
    code, said = collected(tmp_path)
    assert code == 2, said
    assert "2 errors" in said
    assert "No module named 'hdrh_of_nobody'" in said
    assert "RuntimeError: broken" in said


def test_modules_may_skip_themselves(tmp_path):
    """A module that says on its own why it is skipped is skipped for that reason."""
    (tmp_path / "test_itself.py").write_text(
        "import pytest\npytest.importorskip('nobody', reason='of its own')\n"
    )
    code, said = collected(tmp_path)
    assert code == 5, said
    assert "of its own" in said
