"""Puts this folder on the path, so that tests of one room can use another's examples, and settles how they run."""

import os
from importlib.util import find_spec

import pytest
from hypothesis import settings

if find_spec("stressrunner") is None or find_spec("stressrunner.schemas") is None:
    # `python -m pytest` puts the tree before what is installed, and the tree alone is no package.
    pytest.exit(
        "stressrunner is not installed from this tree; first run: pip install -e '.[dev]'", returncode=4
    )

# A busy machine may take its time over an example; how long the whole may take is the business of who runs it.
settings.register_profile("stressrunner", deadline=None)
settings.load_profile("stressrunner")

# The processes that tests start are started as users start theirs: with bytecode that was compiled before.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
