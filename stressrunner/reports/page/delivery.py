"""The deliveries of a run: what became of all messages, and the evidence for each fault."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from stressrunner.reports.delivery import DeliverySection, EvidenceView, SessionView, brief, deliveries
from stressrunner.reports.page.markup import facts, fill, table
from stressrunner.reports.page.timeline import timeline
from stressrunner.reports.page.timeline_marks import END, MISSING, NODES
from stressrunner.reports.sections import MARKS, TONES
from stressrunner.result.model import Result

__all__ = ["delivery"]

MAX_ROOM = 120_000  #: characters that the sessions of a page take
#: Sessions that were drawn, by check, fault and number.
_Drawn = Mapping[tuple[int, int, int], Markup]


def delivery(result: Result) -> Markup:
    """Return the tables of classes and replies, then the sessions that show what went wrong."""
    sections = [replace(section, views=tuple(map(brief, section.views))) for section in deliveries(result)]
    drawn = _drawn(sections)
    return Markup("").join(
        fill(
            "delivery.html.j2",
            outcome=section.outcome,
            headline=section.headline,
            mark=MARKS[section.outcome.outcome],
            tone=TONES[section.outcome.outcome],
            tables=[table(each) for each in section.tables],
            facts=facts(section.facts),
            views=[_evidence_view(each, drawn, i, j) for j, each in enumerate(section.views)],
        )
        for i, section in enumerate(sections)
    )


def _drawn(sections: Sequence[DeliverySection]) -> _Drawn:
    """Draw as many sessions as there is room for: the first one of every fault, then the second ones, and so on."""
    sessions = [
        ((i, j, k), session)
        for i, section in enumerate(sections)
        for j, view in enumerate(section.views)
        for k, session in enumerate(view.sessions)
    ]
    drawn: dict[tuple[int, int, int], Markup] = {}
    room = MAX_ROOM
    for place, session in sorted(sessions, key=lambda each: each[0][2]):
        markup = _session(session, "timeline-{}-{}-{}".format(*place))
        if len(markup) <= room:
            room -= len(markup)
            drawn[place] = markup
    return drawn


def _session(session: SessionView, name: str) -> Markup:
    return fill(
        "session.html.j2",
        drawn=timeline(name, session.evidence),
        sent=table(session.sent, captioned=False),
        stored=table(session.stored),
        ends=END,
        nodes=NODES,
        missing=MISSING,
    )


def _evidence_view(view: EvidenceView, drawn: _Drawn, i: int, j: int) -> Markup:
    sessions = [(session, drawn.get((i, j, k))) for k, session in enumerate(view.sessions)]
    return fill("evidence.html.j2", view=view, sessions=sessions)
