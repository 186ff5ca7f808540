"""The page on responses names every kind of failure, and the limits that hold."""

import re

from documents import read, table

from stressrunner.http.conversation import MAX_REDIRECTS
from stressrunner.http.exchange import FailureKind
from stressrunner.http.resends import AT_ONCE_NS
from stressrunner.http.wire import DEFAULT_LIMITS

PAGE = "docs/responses.md"


def test_every_kind_of_failure_is_explained():
    """The table has the kinds of failure, each once and no others."""
    assert [row[0].strip("`") for row in table(PAGE, "Kinds of failure")] == [
        kind.value for kind in FailureKind
    ]


def test_limits_are_those_that_hold():
    """The figures of the page are those of the code."""
    text = " ".join(read(PAGE).split())
    assert f"at most {AT_ONCE_NS // 1_000_000} ms after" in text
    assert f"more than {DEFAULT_LIMITS.head_bytes >> 10} KiB" in text
    assert f"more than {DEFAULT_LIMITS.body_bytes >> 20} MiB" in text
    assert f"more than {MAX_REDIRECTS} redirects" in text


def test_odd_responses_end_in_kinds_that_exist():
    """What becomes of an odd response is told in the kinds of the table above."""
    named = {word for row in table(PAGE, "Odd responses") for word in re.findall(r"^`(\w+)`", row[1])}
    assert named == {"protocol", "reset"}
    assert named <= {kind.value for kind in FailureKind}
