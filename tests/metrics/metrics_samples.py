"""Samples for the tests of the metrics."""

from stressrunner.engine.sample import Sample
from stressrunner.plan.outcome import Outcome, Problem

MS = 1_000_000


def sample(at_ms: float = 0, took_ms: float = 10, outcome=Outcome.OK, **changes) -> Sample:
    """Return a request that was due `at_ms` after the beginning and took so long."""
    due_ns = round(at_ms * MS)
    completed_ns = due_ns + round(took_ms * MS)
    fields = {
        "endpoint": 0,
        "phase": 0,
        "outcome": outcome,
        "due_ns": due_ns,
        "released_ns": due_ns,
        "acquired_ns": due_ns,
        "sent_ns": due_ns,
        "first_byte_ns": completed_ns,
        "completed_ns": completed_ns,
        "status": 200,
        "problem": Problem("check", "failed") if outcome is Outcome.FAILED else None,
    }
    return Sample(**{**fields, **changes})
