"""Puts this folder on the path, so that tests of one room can use another's examples, and settles how they run."""

import os

from hypothesis import settings

# A busy machine may take its time over an example; how long the whole may take is the business of who runs it.
settings.register_profile("stressrunner", deadline=None)
settings.load_profile("stressrunner")

# The processes that tests start are started as users start theirs: with bytecode that was compiled before.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
