"""What is said of the delivery of all messages: frozen, and written into the result as it stands here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stressrunner.metrics.summary import Latency

__all__ = [
    "DeliveryOutcome",
    "DeliveryState",
    "Evidence",
    "MessageEvidence",
    "PhaseDelivery",
    "ReadBackFigures",
    "Requirement",
    "SessionEvidence",
    "SinkFigures",
    "StoredEvidence",
]

DeliveryState = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of the things that are required, beside what was found."""

    name: str  #: a class, `reply.NAME`, `processed.NAME`, `splits`, `order`, `bursts_without_answer` or `session_ids`
    limit: str  #: as it was written: `0`, `1%`, `kept`, `one`
    #: unknown where messages without a class could break it, and of an order where it is doubtful which way round
    #: histories are listed
    state: DeliveryState
    found: int
    of: int  #: messages, bursts or sessions that there are


@dataclass(frozen=True, slots=True)
class PhaseDelivery:
    """What became of the messages that were due in a phase."""

    name: str
    classes: Mapping[str, int]
    replies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReadBackFigures:
    """What reading the histories took; none of it is in the figures of the load."""

    sessions: int  #: to be read
    unread: int  #: of these, the ones whose history is not known
    requests: int
    failed: int  #: requests that brought nothing
    duration_s: float  #: after the load
    quiet_s: float  #: for how long a history had not to change
    reasons: tuple[str, ...]  #: why histories are not known, the most frequent first


@dataclass(frozen=True, slots=True)
class SinkFigures:
    """What a stand-in for the model backend saw."""

    requests: int  #: that it was sent, of any kind
    messages: int  #: of this run, that it answered at least once
    twice: int  #: of these, those that it answered more than once
    refused: int  #: those that were refused or not sent
    not_stored: int  #: those that are in no history


@dataclass(frozen=True, slots=True)
class MessageEvidence:
    """A message as it was sent, and what became of it."""

    token: str
    sent_at_s: float  #: after the load began
    ended_at_s: float  #: the reply complete, or no longer waited for
    reply: str
    status: int | None
    became: str | None  #: its class; None when the history is not known
    processed: int | None  #: how often the sink answered it; None without a sink
    is_fault: bool  #: it is what this evidence is about
    found: tuple[int, ...]  #: where it stands among the stored messages listed here; empty: nowhere
    session_id: str = ""  #: that its reply named; empty without one


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """A message as a history shows it."""

    session: str  #: the name of the session whose history it is
    position: int  #: in that history, from 0; under each id of the session anew
    tokens: tuple[str, ...]
    excerpt: str  #: its beginning
    ids: tuple[str, ...] = ()  #: of the session, under which it is listed; none where it was read by its name


@dataclass(frozen=True, slots=True)
class SessionEvidence:
    """A session in which something went wrong; long ones are shown in part."""

    name: str
    ids: tuple[str, ...]  #: that replies returned for it
    messages: tuple[MessageEvidence, ...]  #: in the order in which they were sent
    more_messages: int  #: that are not listed
    stored: tuple[StoredEvidence, ...]  #: its history, and what of it stands in others
    more_stored: int  #: messages of its history that are not listed
    unread: str  #: why its history is not known; empty when it is


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that a requirement does not hold."""

    fault: str  #: the name of the requirement
    sessions: tuple[SessionEvidence, ...]  #: the first few
    more_sessions: int  #: with the same fault, that are not listed


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The verdict on the delivery of all messages; warm-up is in its phases and in nothing else."""

    kind: Literal["delivery"]
    outcome: DeliveryState
    reasons: tuple[str, ...]
    messages: int  #: that were sent, or tried to be
    sessions: int
    classes: Mapping[str, int]  #: with `unread` they add up to the messages and what was fabricated
    #: messages without a class, because the history of their session is not known, or may have more than was read
    unread: int
    replies: Mapping[str, int]  #: add up to the messages
    reply_times: Mapping[str, Latency]  #: from the first byte sent until the reply was there, for each reply
    visibility: (
        Latency | None
    )  #: from the reply of an acknowledged message until it was seen; None when not looked for
    splits: int
    reordered: int  #: pairs of messages
    bursts: int
    bursts_without_answer: int
    session_ids: int  #: sessions whose replies returned different ids
    requirements: tuple[Requirement, ...]
    phases: tuple[PhaseDelivery, ...]
    read_back: ReadBackFigures
    sink: SinkFigures | None  #: None without a sink, or when what it saw is not known
    evidence: tuple[Evidence, ...]
    newest_first: bool = False  #: the histories were listed so, and were turned
    cut_short: int = 0  #: sessions that a failed message ended before all of theirs were sent
    not_sent: int = 0  #: messages that they did not send
