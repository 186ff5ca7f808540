"""Failures that no doubt about the generator explains away.

Certain is what still fails counting only complete replies that are wrong by their status or content (but not by statuses
of a target that has too much to do, nor by checks on times), and failures of any kind of requests in whose times the
generator had no part, over all that completed. Of messages certain is what histories show: a late generator neither
loses, doubles nor misplaces any. A process's memory and open files are its own, unless the generator stood still.

Where the target was never reached, a hard limit was hit or a generator was lost, replies alone count.
"""

from collections.abc import Sequence

from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.outcome import DeliveryOutcome, Requirement
from stressrunner.verdict.delivery.requirements import sentence
from stressrunner.verdict.outcome import ThresholdOutcome, Validity

__all__ = ["certain_deliveries", "certain_thresholds"]

_SHOWN = frozenset(
    (
        "duplicated",
        "elsewhere",
        "fabricated",
        "lost",
        "misrouted",
        "order",
        "phantom",
        "session_ids",
        "splits",
        "superseded",
    )
)


def certain_thresholds(thresholds: Sequence[ThresholdOutcome], validity: Validity) -> list[ThresholdOutcome]:
    """Return the thresholds that have certainly failed."""
    enough = ("replies",) if validity.cause == "else" else ("replies", "punctual")
    return [each for each in thresholds if each.state == "failed" and each.certain in enough]


def certain_deliveries(deliveries: Sequence[DeliveryOutcome]) -> list[str]:
    """Return a sentence for each requirement on messages that is certainly not met."""
    return [
        sentence(requirement)
        for each in deliveries
        for requirement in each.requirements
        if requirement.state == "failed" and _is_certain(requirement, each)
    ]


def _is_certain(requirement: Requirement, delivery: DeliveryOutcome) -> bool:
    if requirement.name == "dropped":
        # Those without a reply may owe that to the generator; more than these had an answer.
        return requirement.limit == "0" and requirement.found > delivery.replies.get(
            Reply.UNANSWERED.value, 0
        )
    return requirement.name in _SHOWN
