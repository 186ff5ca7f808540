"""What the model was given, as a sink saw it, against what was answered and what was stored.

    processed.twice         the model was asked more than once, and answered
    processed.refused       it was asked and answered, although the message was refused or not sent
    processed.not_stored    it was asked and answered, and the history does not show the message

A history cannot tell these: it shows what was stored. Calls that the sink failed do not count, as nothing came of them.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.tokens import MessageToken
from stressrunner.plan.reply import Reply
from stressrunner.sink import SinkLog
from stressrunner.verdict.delivery.classes import MessageClass

__all__ = ["PROCESSED", "Processing", "processing_of"]

PROCESSED = "processed."  #: begins the names of what a sink is needed for

_NOT_TAKEN = (Reply.REFUSED, Reply.UNSENT)
_NOT_STORED = (MessageClass.LOST, MessageClass.SUPERSEDED, MessageClass.REFUSED, MessageClass.DROPPED)


@dataclass(frozen=True, slots=True)
class Processing:
    """What became of messages at the model."""

    times: Mapping[
        MessageToken, int
    ]  #: how often each message was answered by the model; those that never were are left out
    faults: Mapping[str, Collection[MessageToken]]  #: by the names above
    requests: int  #: all that the sink was asked
    unlogged: int  #: sightings for which it had no room


def processing_of(
    attempts: Collection[Attempt], classes: Mapping[MessageToken, MessageClass], log: SinkLog, run_id: str
) -> Processing:
    """Join what a sink saw with what is known of the messages of a run; other runs' messages are passed over."""
    ours = re.compile(rf"sr\.{re.escape(run_id)}\.([0-9]+)\.([0-9]+)")
    times = {
        MessageToken(int(found[1]), int(found[2])): seen.processed
        for text, seen in log.observations.items()
        if seen.processed > 0 and (found := ours.fullmatch(text))
    }
    replies = {MessageToken(attempt.session, attempt.message): attempt.reply for attempt in attempts}
    processed = times.keys() & replies.keys()
    faults = {
        f"{PROCESSED}twice": {token for token in processed if times[token] > 1},
        f"{PROCESSED}refused": {token for token in processed if replies[token] in _NOT_TAKEN},
        f"{PROCESSED}not_stored": {token for token in processed if classes.get(token) in _NOT_STORED},
    }
    return Processing({token: times[token] for token in processed}, faults, log.requests, log.unlogged)
