"""The verdict of a run, with its reasons: the first that applies of these.

aborted   the user ended it
failed    a failure is certain, whatever may be in doubt; the doubt is the second reason
invalid   the run, or what became of its messages, is in doubt
failed    something that was required does not hold
invalid   a threshold has no answer, as the generator was late, and nothing has failed
passed    everything holds

Where the target was never reached, a hard limit was hit or a generator was lost, certain is only what was replied.
"""

import re
from collections.abc import Sequence

from stressrunner.units import format_quantity
from stressrunner.verdict.certain import certain_deliveries, certain_thresholds
from stressrunner.verdict.delivery.outcome import DeliveryOutcome
from stressrunner.verdict.outcome import EXIT_CODES, RunOutcome, ThresholdOutcome, Validity, Verdict

__all__ = ["is_doubt_of_generator", "judge", "sentence_of"]

_STATEMENT = re.compile(r"(?P<subject>.*?)\s*(?:<=|>=|==|!=|<|>)")
_PLURALS = ("errors", "connections", "open_files")
_SCOPE = re.compile(r"\s(?:over|in)\s+\S+")


def judge(
    thresholds: Sequence[ThresholdOutcome],
    validity: Validity,
    deliveries: Sequence[DeliveryOutcome] = (),
    *,
    interrupted: str = "",
    failure: str = "",
    strict: bool = False,
) -> Verdict:
    """Return the outcome of a run with its exit code, and a sentence for every reason.

    Args:
        thresholds: what became of each; one that stopped the load has failed and makes the run a failure.
        validity: whether the run can be judged at all.
        deliveries: what became of all messages, where that was checked; where it is not known, the run is invalid.
        interrupted: how the user ended the run, as a sentence; empty when it ended by itself.
        failure: why the load cut itself off, as a sentence; empty when it did not.
        strict: whether what is unproven has failed.
    """
    if interrupted:
        return _verdict("aborted", [interrupted])
    doubts = _doubts(validity, deliveries)
    if doubts:
        certain = [f"delivery: {reason}" for reason in certain_deliveries(deliveries)]
        certain += [sentence_of(outcome) for outcome in certain_thresholds(thresholds, validity)]
        if certain:
            return _verdict("failed", [certain[0], *doubts, *certain[1:]])
        return _verdict("invalid", doubts)
    failures = [failure] if failure else []
    failures += [
        f"delivery: {reason}" for each in deliveries if each.outcome == "failed" for reason in each.reasons
    ]
    failed = [outcome for outcome in thresholds if outcome.state == "failed"]
    failures += [sentence_of(outcome) for outcome in sorted(failed, key=_rank)]
    if strict:
        failures += [sentence_of(outcome) for outcome in thresholds if outcome.state == "unproven"]
    turned = [sentence_of(outcome) for outcome in thresholds if outcome.state == "turned"]
    if failures:
        return _verdict("failed", [*failures, *turned])
    return _verdict("invalid", turned) if turned else _verdict("passed", ())


def _rank(outcome: ThresholdOutcome) -> int:
    """Return the place of a failed threshold among others: what kept users from beginning first, what has no data last."""
    if outcome.text.startswith("user_setup."):
        return 0
    return 2 if outcome.measured is None and outcome.samples == 0 else 1


def _doubts(validity: Validity, deliveries: Sequence[DeliveryOutcome]) -> list[str]:
    if validity.state == "invalid":
        return list(validity.reasons)
    unknown = [reason for each in deliveries if each.outcome == "unknown" for reason in each.reasons]
    return [f"delivery is unknown: {reason}" for reason in unknown]


def is_doubt_of_generator(
    verdict: Verdict,
    validity: Validity,
    thresholds: Sequence[ThresholdOutcome],
    deliveries: Sequence[DeliveryOutcome] = (),
) -> bool:
    """Return whether a run is invalid because of the generator alone, so that another run may not be."""
    if verdict.outcome != "invalid" or any(each.outcome == "unknown" for each in deliveries):
        return False
    if validity.state == "invalid":
        return validity.cause == "generator"
    return any(outcome.state == "turned" for outcome in thresholds)


def _verdict(outcome: RunOutcome, reasons: Sequence[str]) -> Verdict:
    return Verdict(outcome, EXIT_CODES[outcome], tuple(reasons))


def sentence_of(outcome: ThresholdOutcome) -> str:
    """Say what is wrong: `p95 in hold is 1.2 s, limit 1 s`."""
    match = _STATEMENT.match(outcome.text)
    statement = outcome.text[match.end() :] if match else ""
    stat = match["subject"] if match else outcome.text
    subject = stat + "".join(_SCOPE.findall(statement))
    limit = format_quantity(outcome.limit, outcome.dimension)
    is_plural = stat.rpartition(".")[2] in _PLURALS
    if outcome.state == "unproven":
        return f"{subject} is not proven: {outcome.note}"
    if outcome.state == "turned":
        measured = (
            "never" if outcome.measured is None else format_quantity(outcome.measured, outcome.dimension)
        )
        return (
            f"{subject} {'have' if is_plural else 'has'} no answer, as the generator was late: {measured} as measured, {outcome.note}; limit {limit}; "
            "run it again, with less load or more CPU for the generator"
        )
    if outcome.measured is None:
        return f"{subject}: {outcome.note}; limit {limit}"
    note = f" ({outcome.note})" if outcome.note else ""
    verb = "are" if is_plural else "is"
    return f"{subject} {verb} {_measured(outcome, limit)}, limit {limit}{note}"


def _measured(outcome: ThresholdOutcome, limit: str) -> str:
    """Write what was measured, so that it does not read as the limit unless it is."""
    measured = outcome.measured or 0.0
    text = format_quantity(measured, outcome.dimension)
    if text != limit or measured == outcome.limit:
        return text
    return f"{'just over' if measured > outcome.limit else 'just under'} {text}"
