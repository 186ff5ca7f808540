"""The page about the embedded target says what it accepts, and what it is without being told."""

from documents import table

from stressrunner.demo import DemoOptions
from stressrunner.demo.history import HISTORIES
from stressrunner.demo.options import OPTION_NAMES
from stressrunner.demo.queues import QUEUES

PAGE = "docs/embedded-target.md"


def test_every_option_is_explained():
    """The table of options has each of them, in order, with the default that holds."""
    rows = table(PAGE, "Options")
    assert [name.strip("`") for name, *_ in rows] == list(OPTION_NAMES)
    given = [
        f"{name.strip('`')}={default.strip('`')}" for name, default, _ in rows if default.startswith("`")
    ]
    assert DemoOptions.parse("demo://agents?" + "&".join(given)) == DemoOptions()
    assert len(given) == len(rows) - 3  # capacity, backend and api_key have no default to write down


def test_every_queue_is_explained():
    """The table of queues has each of them, in order."""
    assert [row[0].strip("`") for row in table(PAGE, "Queues")] == list(QUEUES)


def test_every_history_is_explained():
    """The table of histories has each of them, in order."""
    assert [row[0].strip("`") for row in table(PAGE, "Histories")] == list(HISTORIES)
