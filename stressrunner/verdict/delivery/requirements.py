"""Whether what is required of the delivery holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import CountLimit
from stressrunner.verdict.delivery.classes import MessageClass
from stressrunner.verdict.delivery.outcome import DeliveryState, Requirement
from stressrunner.verdict.delivery.processing import PROCESSED

__all__ = ["Counts", "judge_requirements", "sentence"]

_SENTENCES: Mapping[str, str] = {
    "fabricated": "{found} in the histories {was} never sent",
    "misrouted": "{found} {was} found under another session",
    "duplicated": "{found} {was} found more than once",
    "phantom": "{found} {was} found although not taken on",
    "elsewhere": "{found} {was} found under another id of the session",
    "lost": "{found} {was} acknowledged and lost",
    "superseded": "{found} {was} superseded",
    "dropped": "{found} got no certain reply and {was} not found",
    "splits": "{found} {was} cut in two",
    "order": "the order of {found} was not kept",
    "bursts_without_answer": "{found} got no answer",
    "session_ids": "{found} got ids that differ",
    "processed.twice": "{found} {was} processed more than once",
    "processed.refused": "{found} {was} processed although not taken on",
    "processed.not_stored": "{found} {was} processed and not stored",
    "reply.unanswered": "{found} got no reply in time",
    "reply.superseded": "{found} got word of a later one instead of a reply",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of all messages."""

    messages: int
    sessions: int
    classes: Mapping[MessageClass, int]
    replies: Mapping[Reply, int]
    splits: int
    reordered: int  #: pairs
    bursts: int
    bursts_without_answer: int
    session_ids: int  #: sessions with more than one
    unread: int = 0  #: messages without a class
    processed: Mapping[str, int] | None = (
        None  #: by the names of `Processing.faults`; None where nothing is known
    )

    def of(self, name: str) -> tuple[int, int]:
        """Return how many there are of something, and of how many."""
        if name.startswith("reply."):
            return self.replies[Reply(name.removeprefix("reply."))], self.messages
        if name.startswith(PROCESSED):
            return (self.processed or {})[name], self.messages
        others = {
            "splits": (self.splits, self.messages),
            "order": (self.reordered, self.messages),
            "bursts_without_answer": (self.bursts_without_answer, self.bursts),
            "session_ids": (self.session_ids, self.sessions),
        }
        return others[name] if name in others else (self.classes[MessageClass(name)], self.messages)


def judge_requirements(
    require: Mapping[str, CountLimit | None], counts: Counts, *, is_order_doubtful: bool = False
) -> Iterator[Requirement]:
    """Yield every requirement that sets a limit, with what was found.

    One that holds is unknown where the messages without a class could break it, and so is an order that was not kept
    where it is doubtful which way round histories are listed.
    """
    for name, limit in require.items():
        if limit is None or (name.startswith(PROCESSED) and counts.processed is None):
            continue
        found, of = counts.of(name)
        unread = counts.unread if _is_of_histories(name) else 0
        state: DeliveryState = "passed"
        if not _holds(name, limit, found, of):
            state = "unknown" if name == "order" and is_order_doubtful else "failed"
        elif not _holds(name, limit, found + unread, of):
            state = "unknown"
        yield Requirement(name, limit.text, state, found, of)


def _is_of_histories(name: str) -> bool:
    """Whether what histories show decides about it."""
    return name in (*MessageClass, "splits", "order", f"{PROCESSED}not_stored")


def _holds(name: str, limit: CountLimit, found: int, of: int) -> bool:
    if name == "session_ids":
        return found == 0  # `one` is the only limit that there is
    return found <= limit.most * of if limit.is_ratio else found <= limit.most


def sentence(requirement: Requirement) -> str:
    """Say what is wrong: `3 of 200 messages were acknowledged and lost`."""
    name, found = requirement.name, requirement.found
    was = "was" if found == 1 else "were"
    if name in _SENTENCES:
        text = _SENTENCES[name].format(found=_counted(requirement), was=was)
    else:
        text = f"{_counted(requirement)} {was} {name.removeprefix('reply.')}"
    return text if requirement.limit in ("0", "kept", "one") else f"{text}, limit {requirement.limit}"


def _counted(requirement: Requirement) -> str:
    found, of = requirement.found, requirement.of
    if requirement.name == "fabricated":
        return f"{found:,} {'token' if found == 1 else 'tokens'}"
    if requirement.name == "order":
        return f"{found:,} {'pair' if found == 1 else 'pairs'} of messages"
    noun = {"bursts_without_answer": "burst", "session_ids": "session"}.get(requirement.name, "message")
    return f"{found:,} of {of:,} {noun if of == 1 else f'{noun}s'}"
