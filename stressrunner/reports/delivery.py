"""What became of every message, as tables and lists that every format shows in its own way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from stressrunner.reports.sections import MARKS, TONES
from stressrunner.reports.table import Column, Fact, Row, Table
from stressrunner.reports.wording import NONE, count, duration
from stressrunner.result.model import Result
from stressrunner.units import format_duration
from stressrunner.verdict.delivery.outcome import (
    DeliveryOutcome,
    Evidence,
    MessageEvidence,
    Requirement,
    SessionEvidence,
    StoredEvidence,
)

__all__ = [
    "DeliverySection",
    "EvidenceView",
    "SessionView",
    "brief",
    "deliveries",
    "id_numbers",
    "message_number",
    "session_view",
]

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "fabricated": "in a history, and never sent",
        "misrouted": "found under another session",
        "duplicated": "found more than once",
        "phantom": "found although it was not taken on",
        "elsewhere": "found under another id than its reply named",
        "merged": "found once, joined with others of its session",
        "delivered": "acknowledged, and found once, alone",
        "recovered": "no certain reply, and found once",
        "lost": "acknowledged, and not found",
        "superseded": "replaced by a later message, and not found",
        "refused": "not taken on, and not found",
        "dropped": "no certain reply, and not found",
    }
)
REPLIES: Mapping[str, str] = MappingProxyType(
    {
        "unanswered": "none before the timeout",
        "unsent": "no byte of it was written",
        "acknowledged": "the server took it on",
        "superseded": "the server says a later message replaced it",
        "refused": "the server says that it did not take it on",
        "unknown": "nothing certain: a 5xx, a lost connection",
    }
)
FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "splits": "messages cut in two",
        "order": "pairs stored in another order than sent",
        "bursts_without_answer": "bursts that nobody answered",
        "session_ids": "sessions with ids that differ",
        "processed.twice": "messages processed more than once",
        "processed.refused": "messages processed although not taken on",
        "processed.not_stored": "messages processed and not stored",
    }
)
PROCESSED: Mapping[str, str] = MappingProxyType(
    {
        "processed.twice": "the sink answered them more than once",
        "processed.refused": "it answered them, and they were not taken on",
        "processed.not_stored": "it answered them, and they are in no history",
    }
)
_BRIEF = 12  #: messages of a session where there is little room
_BEFORE = 2  #: of them, the ones before the first at fault


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session that shows a fault."""

    evidence: SessionEvidence
    title: str
    sent: Table
    stored: Table
    summary: str  #: what is wrong there, in a line
    missing: tuple[str, ...]  #: tokens of the messages at fault that were not found


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A fault with the sessions that show it."""

    title: str
    sessions: tuple[SessionView, ...]
    more: str  #: about those that are not shown; empty when all are


@dataclass(frozen=True, slots=True)
class DeliverySection:
    """The part of a report on one delivery check."""

    outcome: DeliveryOutcome
    headline: str
    tables: tuple[Table, ...]
    facts: tuple[Fact, ...]
    views: tuple[EvidenceView, ...]


def deliveries(result: Result) -> tuple[DeliverySection, ...]:
    """Return a section for each delivery check of a run."""
    return tuple(map(_section, result.invariants))


def _section(outcome: DeliveryOutcome) -> DeliverySection:
    tables = (
        _classes(outcome),
        _replies(outcome),
        _processed(outcome),
        _order(outcome),
        _phases(outcome),
    )
    return DeliverySection(
        outcome=outcome,
        headline=f"{count(outcome.messages)} messages in {count(outcome.sessions)} sessions",
        tables=tuple(table for table in tables if table.rows),
        facts=tuple(_facts(outcome)),
        views=tuple(map(_evidence_view, outcome.evidence)),
    )


# Tables


def _row(name: str, shown: str, found: int, meaning: str, limits: Mapping[str, Requirement]) -> Row:
    required = limits.get(name)
    state = "" if required is None else required.state
    limit = NONE if required is None else required.limit
    mark = MARKS.get(state, "")
    return Row((mark, shown, count(found), limit, meaning), tone=TONES.get(state, "") if found else "")


def _limited(title: str, what: str, rows: Iterator[Row], *notes: str) -> Table:
    columns = (
        Column("state", "left", titled=False),
        Column(what, "left"),
        Column("found"),
        Column("limit"),
        Column("meaning", "left", optional=True),
    )
    return Table(title, columns, tuple(rows), notes, name_column=1)


def _limits(outcome: DeliveryOutcome) -> Mapping[str, Requirement]:
    return {each.name: each for each in outcome.requirements}


def _classes(outcome: DeliveryOutcome) -> Table:
    limits = _limits(outcome)
    rows = (_row(name, name, n, CLASSES.get(name, ""), limits) for name, n in outcome.classes.items())
    notes = (
        (f"{count(outcome.unread)} messages have no class, because a history is not known as a whole.",)
        if outcome.unread
        else ()
    )
    return _limited("Messages by class", "class", rows, *notes)


def _replies(outcome: DeliveryOutcome) -> Table:
    limits = _limits(outcome)
    rows = (
        _row(f"reply.{name}", name, n, REPLIES.get(name, ""), limits) for name, n in outcome.replies.items()
    )
    return _limited("Messages by reply", "reply", rows)


def _processed(outcome: DeliveryOutcome) -> Table:
    """Return what the sink saw; nothing where there was none."""
    sink = outcome.sink
    if sink is None:
        return Table("", (), ())
    limits = _limits(outcome)
    found = (sink.twice, sink.refused, sink.not_stored)
    rows = (
        _row(name, name.partition(".")[2].replace("_", " "), n, meaning, limits)
        for (name, meaning), n in zip(PROCESSED.items(), found, strict=True)
    )
    return _limited("Messages at the model", "processed", rows)


def _order(outcome: DeliveryOutcome) -> Table:
    limits = _limits(outcome)
    found = {
        "splits": outcome.splits,
        "order": outcome.reordered,
        "bursts_without_answer": outcome.bursts_without_answer,
        "session_ids": outcome.session_ids,
    }
    rows = (_row(name, name.replace("_", " "), n, FAULTS[name], limits) for name, n in found.items())
    return _limited("Sessions as a whole", "fault", rows)


def _phases(outcome: DeliveryOutcome) -> Table:
    """Return the classes phase by phase; nothing where there is one phase."""
    if len(outcome.phases) < 2:
        return Table("", (), ())
    names = [name for name in CLASSES if any(phase.classes.get(name) for phase in outcome.phases)]
    rows = tuple(
        Row((phase.name, count(sum(phase.replies.values())), *(count(phase.classes.get(n)) for n in names)))
        for phase in outcome.phases
    )
    columns = (Column("phase", "left"), Column("sent"), *map(Column, names))
    return Table("Messages by phase", columns, rows)


def _facts(outcome: DeliveryOutcome) -> Iterator[Fact]:
    read_back = outcome.read_back
    requests = f"{count(read_back.requests)} requests, {format_duration(read_back.duration_s)}"
    failed = f", {count(read_back.failed)} of them brought nothing" if read_back.failed else ""
    quiet = format_duration(read_back.quiet_s)
    yield Fact(
        "Read back",
        f"{count(read_back.sessions - read_back.unread)} of {count(read_back.sessions)} histories",
        f"{requests}{failed}; each quiet for {quiet}",
    )
    if outcome.not_sent:
        yield Fact(
            "Not sent",
            f"{count(outcome.not_sent)} messages",
            f"{count(outcome.cut_short)} sessions ended at a message that failed, as they do at the first one",
        )
    if outcome.newest_first:
        yield Fact("Listed", "newest first", "turned round before anything was compared")
    if outcome.sink is not None:
        sink = outcome.sink
        of = f"{count(sink.messages)} of {count(outcome.messages)} messages"
        yield Fact("Model", f"was given {of}", f"{count(sink.requests)} requests to the sink")
    for reason in read_back.reasons:
        yield Fact("Not known", reason)
    for reply in (name for name in REPLIES if name in outcome.reply_times):
        times = outcome.reply_times[reply]
        of = f"median {duration(times.p50_s)}, p99 {duration(times.p99_s)}, max {duration(times.max_s)}"
        yield Fact(reply.capitalize(), of, "from the first byte sent until the reply")
    visibility = outcome.visibility
    if visibility is not None and visibility.count:
        shown = f"median {duration(visibility.p50_s)}, p99 {duration(visibility.p99_s)}"
        yield Fact("Visible", f"{shown}, max {duration(visibility.max_s)}", "at most so long after its reply")


# Evidence


def brief(view: EvidenceView) -> EvidenceView:
    """Return an view with less to read: fewer messages of each session, from the first one at fault on."""
    return replace(view, sessions=tuple(map(_brief, view.sessions)))


def _brief(session: SessionView) -> SessionView:
    bad = [i for i, row in enumerate(session.sent.rows) if row.tone]
    first = max(0, (bad[0] if bad else 0) - _BEFORE) if len(session.sent.rows) > _BRIEF else 0
    return replace(
        session,
        sent=_part(session.sent, first, "messages"),
        stored=_part(session.stored, 0, "stored messages"),
    )


def _part(table: Table, first: int, what: str) -> Table:
    rows = table.rows[first : first + _BRIEF]
    left = len(table.rows) - len(rows)
    notes = (f"and {count(left)} more {what} in the other reports",) if left else ()
    return replace(table, rows=rows, notes=(*notes, *table.notes))


def _evidence_view(evidence: Evidence) -> EvidenceView:
    name = evidence.fault
    title = FAULTS.get(name) or f"{name.removeprefix('reply.')} messages"
    more = f"and {count(evidence.more_sessions)} more sessions" if evidence.more_sessions else ""
    return EvidenceView(title, tuple(session_view(each, name) for each in evidence.sessions), more)


def session_view(session: SessionEvidence, fault: str = "") -> SessionView:
    """Return a session as tables of what was sent and what is stored; a fault is the name of a requirement."""
    at_fault = [message for message in session.messages if message.is_fault]
    ids = f", id {session.ids[0]}" if session.ids else ""
    if len(session.ids) > 1:
        # The column `id` of what was sent says which of them each reply named.
        ids = "; ids: " + ", ".join(f"{number} = {each}" for number, each in enumerate(session.ids, 1))
    return SessionView(
        evidence=session,
        title=f"{session.name}{ids}",
        sent=_sent(session),
        stored=_stored(session),
        summary=_summary(session, at_fault, fault),
        missing=tuple(message.token for message in at_fault if not message.found),
    )


def _summary(session: SessionEvidence, at_fault: list[MessageEvidence], fault: str) -> str:
    total = len(session.messages) + session.more_messages
    if at_fault:
        shown = ", ".join(message_number(message.token) for message in at_fault[:12])
        more = ", ..." if len(at_fault) > 12 else ""
        return f"{count(len(at_fault))} of {count(total)} messages: {shown}{more}"
    if fault == "session_ids":
        return f"{count(len(session.ids))} ids"
    return f"{count(total)} messages sent, {count(len(session.stored) + session.more_stored)} stored"


def message_number(token: str) -> str:
    """Return the index of a token's message in its session."""
    return token.rpartition(".")[2]


def _sent(session: SessionEvidence) -> Table:
    columns: tuple[Column, ...] = (
        Column("fault", "left", titled=False),
        Column("no."),
        Column("sent at"),
        Column("took"),
        Column("reply", "left"),
        Column("class", "left"),
        Column("found", "left"),
    )
    has_ids = len(session.ids) > 1
    if has_ids:
        columns += (Column("id"),)
    has_sink = any(message.processed is not None for message in session.messages)
    if has_sink:
        columns += (Column("model", optional=True),)
    more = (f"and {count(session.more_messages)} more messages",) if session.more_messages else ()
    rows = tuple(
        _sent_row(message, session, has_ids=has_ids, has_sink=has_sink) for message in session.messages
    )
    return Table("Sent", columns, rows, more, name_column=1)


def _sent_row(message: MessageEvidence, session: SessionEvidence, *, has_ids: bool, has_sink: bool) -> Row:
    reply = message.reply if message.status is None else f"{message.reply} ({message.status})"
    places = ", ".join(_place(session, i) for i in message.found if i < len(session.stored))
    return Row(
        (
            MARKS["failed"] if message.is_fault else "",
            message_number(message.token),
            duration(message.sent_at_s),
            duration(message.ended_at_s - message.sent_at_s),
            reply,
            message.became or "not known",
            places or "nowhere",
            *([id_numbers([message.session_id], session) if message.session_id else NONE] if has_ids else []),
            *(["-" if message.processed is None else count(message.processed)] if has_sink else []),
        ),
        tone="bad" if message.is_fault else "",
    )


def _place(session: SessionEvidence, i: int) -> str:
    stored = session.stored[i]
    if stored.session != session.name:
        return f"#{stored.position} in {_session_of(stored)}"
    under = f" of id {id_numbers(stored.ids, session)}" if len(session.ids) > 1 and stored.ids else ""
    return f"#{stored.position}{under}"


def id_numbers(ids: Sequence[str], session: SessionEvidence) -> str:
    """Return which of a session's ids some are, by the numbers that its title gives them, as ids are long."""
    known = {each: str(number) for number, each in enumerate(session.ids, 1)}
    return " = ".join(known.get(each, each) for each in ids)


def _session_of(stored: StoredEvidence) -> str:
    return f"session {stored.session.rpartition('-')[2]}"


def _stored(session: SessionEvidence) -> Table:
    columns = (Column("stored", "left"), Column("messages", "left"), Column("text", "left", optional=True))
    more = (f"and {count(session.more_stored)} more stored messages",) if session.more_stored else ()
    notes = (f"Not known: {session.unread}",) if session.unread else more
    rows = tuple(
        Row((_place(session, i), _messages_in(stored, session) or NONE, stored.excerpt))
        for i, stored in enumerate(session.stored)
    )
    return Table("Stored", columns, rows, notes)


def _messages_in(stored: StoredEvidence, session: SessionEvidence) -> str:
    return ", ".join(_in_short(token, session.name) for token in stored.tokens)


def _in_short(token: str, session: str) -> str:
    """Return the index of a token's message, with that of its session unless it is this one."""
    owner, _, message = token.rpartition(".")
    index = owner.rpartition(".")[2]
    return message if index == session.rpartition("-")[2] else f"{message} of session {index}"
