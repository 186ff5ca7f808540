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
# ... and import what is installed, also where they are run in this tree, which alone is no package.
os.environ["PYTHONSAFEPATH"] = "1"

#: Packages that come with extras alone. A test module that needs one of them is skipped where it is missing.
OF_EXTRAS = (
    *("brotli", "h2", "hdrh", "hpack", "hypercorn", "junitparser", "mimesis"),
    *("opentelemetry", "prometheus_client", "trio", "zstandard"),
)


def missing_extra(error):
    """Return why a test is skipped if it fails for lack of a package of an extra; nothing if it does not."""
    name = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    is_missing = name.partition(".")[0] in OF_EXTRAS
    return f"{name} is not installed; it comes with pip install -e '.[dev]'" if is_missing else ""


@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector):
    """Skip a module that cannot be imported without a package of an extra, whichever module imports that."""
    if not isinstance(collector, pytest.Module):
        return None
    try:
        _ = collector.obj  # imports the module, which is kept
    except pytest.Collector.CollectError as error:
        if reason := missing_extra(error.__cause__):
            return pytest.CollectReport(collector.nodeid, "skipped", (str(collector.path), 1, reason), [])
    except (Exception, pytest.skip.Exception):  # noqa: BLE001  pytest meets it again, and tells it in its own way
        return None
    return None


def skipped_without_extra():
    """Skip a test that needs a package of an extra only when it runs."""
    try:
        return (yield)
    except ModuleNotFoundError as error:
        if reason := missing_extra(error):
            pytest.skip(reason)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    """Skip a test of which a fixture needs a package of an extra, such as another event loop."""
    return (yield from skipped_without_extra())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """Skip a test that itself needs a package of an extra."""
    return (yield from skipped_without_extra())
