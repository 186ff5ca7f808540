"""The deliveries of a run: what became of all messages, and the evidence for each fault."""

from markupsafe import Markup

from stressrunner.reports.delivery import Exhibit, brief, deliveries
from stressrunner.reports.page.markup import facts, fill, table
from stressrunner.reports.sections import MARKS, TONES
from stressrunner.result.model import Result

__all__ = ["delivery"]


def delivery(result: Result) -> Markup:
    """Return the tables of classes and replies, then the sessions that show what went wrong."""
    return Markup("").join(
        fill(
            "delivery.html.j2",
            outcome=section.outcome,
            headline=section.headline,
            mark=MARKS[section.outcome.outcome],
            tone=TONES[section.outcome.outcome],
            tables=[table(each) for each in section.tables],
            facts=facts(section.facts),
            exhibits=[_exhibit(brief(each)) for each in section.exhibits],
        )
        for section in deliveries(result)
    )


def _exhibit(exhibit: Exhibit) -> Markup:
    drawn = [
        (session, table(session.sent, captioned=False), table(session.stored)) for session in exhibit.sessions
    ]
    return fill("exhibit.html.j2", exhibit=exhibit, sessions=drawn)
