"""The timeline of a session: when its messages were under way, how they were answered, and where they are stored.

A row for each message, in the order of sending: a bar from the first byte to the reply, its class, and a line to each
stored message that holds it. The stored messages stand in the order of the history, so that lines which cross are
messages out of order, lines which meet are merged, and a line that ends at a cross is a message that is nowhere.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from stressrunner.reports.delivery import id_numbers, message_number
from stressrunner.reports.page.course import Course, course
from stressrunner.reports.page.frame import drawing
from stressrunner.reports.page.timeline_marks import END, MISSING, NODES, bar
from stressrunner.reports.sections import MARKS
from stressrunner.reports.wording import count
from stressrunner.units import format_duration
from stressrunner.verdict.delivery.outcome import MessageEvidence, SessionEvidence

__all__ = ["SessionDrawing", "timeline"]

_PITCH = 14  #: from one row to the next
_TOP = 42  #: middle of the first row
_FIRST, _LAST = 36, 186  #: edges of the time axis
_CLASS = 193  #: where classes are written
_FROM, _TO = 274, 303  #: ends of the lines to what is stored
_STORED = 310  #: where places in a history are written
_NOWHERE = frozenset({"lost", "dropped", "superseded", "refused"})  #: classes of what is not stored
#: What the legend says of stored messages, and what is said of them aloud.
_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "single": "stored alone",
        "joined": "messages joined into one",
        "elsewhere": "in another session",
        "others": "holds none of these messages",
    }
)
_SPOKEN: Mapping[str, str] = MappingProxyType(
    {
        "single": "alone",
        "joined": "joined from several",
        "elsewhere": "in histories of other sessions",
        "others": "that hold none of these",
    }
)


@dataclass(frozen=True, slots=True)
class SessionDrawing:
    """A finished drawing of a session, and what its legend has to explain."""

    svg: Markup
    replies: tuple[str, ...]  #: that its bars show
    marks: tuple[tuple[str, str], ...]  #: of what is stored: names and meanings
    caption: str


def timeline(name: str, session: SessionEvidence) -> SessionDrawing:
    """Draw a session; `name` is the drawing's own among the identifiers of the page."""
    messages, stored = session.messages, session.stored
    rows = max(len(messages), len(stored), 1)
    places = _places(session, rows)
    start_s = min((message.sent_at_s for message in messages), default=0.0)
    drawn = _course(messages, start_s)
    parts = (
        _grid(drawn, rows, is_cut=any(m.ended_at_s - start_s > drawn.end_s * 1.01 for m in messages)),
        *_bars(messages, drawn, start_s),
        *_links(session, places),
        *_nodes(session, places),
        *(_words(message, _row(i)) for i, message in enumerate(messages)),
    )
    height = _TOP + rows * _PITCH + 8
    title = f"Timeline of {session.name}"
    return SessionDrawing(
        svg=drawing(name, title, _description(session), Markup("").join(parts), height=height),
        replies=tuple(dict.fromkeys(message.reply for message in messages)),
        marks=(*_marks(session), *((("pause", "a pause, cut short"),) if drawn.cut else ())),
        caption=f"A row for each message, in the order of sending; time from the first one, {format_duration(start_s)} after the load began",
    )


def _row(i: int) -> int:
    return _TOP + i * _PITCH


def _course(messages: Sequence[MessageEvidence], start_s: float) -> Course:
    """Return the time that holds what was answered: one wait in vain would make all else too short to see."""
    ends = [message.ended_at_s for message in messages if message.reply != "unanswered"]
    sent = [message.sent_at_s for message in messages]
    last_s = max(ends + sent, default=start_s)
    if not ends:
        last_s = max((message.ended_at_s for message in messages), default=start_s)
    spans = [(m.sent_at_s - start_s, min(m.ended_at_s, last_s) - start_s) for m in messages]
    return course(spans, last_s - start_s)


def _at_x(drawn: Course, at_s: float) -> float:
    return _x(drawn.place(at_s))


def _x(share: float) -> float:
    return round(_FIRST + share * (_LAST - _FIRST), 1)


def _grid(drawn: Course, rows: int, *, is_cut: bool) -> Markup:
    """Draw the time axis above the rows, and what the columns are called."""
    low = _row(rows - 1) + _PITCH / 2
    lines = Markup("").join(
        Markup('<path class="grid" d="M{:g} 30V{:g}"/><text class="x" x="{:g}" y="26">{}</text>').format(
            x := _x(drawn.axis.place(value)), low, x, words
        )
        for value, words in drawn.axis.ticks
    )
    breaks = Markup("").join(
        Markup('<path class="pause" d="M{:g} 30V{:g}"/>').format(
            (_at_x(drawn, pause.start_s) + _at_x(drawn, pause.end_s)) / 2, low
        )
        for pause in drawn.cut
    )
    cut = Markup('<text class="cut" x="{}" y="{:g}">waited longer ▸</text>').format(_LAST, low + 10)
    heads = Markup("").join(
        Markup('<text class="head" x="{}" y="11">{}</text>').format(x, words)
        for x, words in (
            (12, "no."),
            (_FIRST, "sent until answered"),
            (_CLASS, "class"),
            (_STORED - 10, "stored at"),
        )
    )
    return lines + breaks + heads + (cut if is_cut else Markup(""))


def _bars(messages: Sequence[MessageEvidence], drawn: Course, start_s: float) -> Iterator[Markup]:
    """Yield the bars and their ends, those of one reply as one shape."""
    shapes: dict[str, tuple[list[str], list[str]]] = {}
    for i, message in enumerate(messages):
        left = _at_x(drawn, message.sent_at_s - start_s)
        right = _at_x(drawn, message.ended_at_s - start_s)
        bars, ends = shapes.setdefault(message.reply, ([], []))
        bars.append(bar(left, right, _row(i)))
        ends.append(f"M{right:g} {_row(i)}{END.get(message.reply, '')}")
    for reply, (bars, ends) in shapes.items():
        yield Markup('<path class="bar {0}" d="{1}"/><path class="end {0}" d="{2}"/>').format(
            reply, "".join(bars), "".join(ends)
        )


def _found(message: MessageEvidence, session: SessionEvidence) -> list[int]:
    """Return where a message is stored; files of others may name places that they do not list."""
    return [place for place in message.found if 0 <= place < len(session.stored)]


def _places(session: SessionEvidence, rows: int) -> list[int]:
    """Return the row of every stored message, beside the messages that it holds if it can be.

    The session's own keep the order of its history; those of others have none here and take the rows that are left.
    """
    holds: dict[int, list[int]] = {}
    for i, message in enumerate(session.messages):
        for place in _found(message, session):
            holds.setdefault(place, []).append(i)
    beside = {place: sum(held) // len(held) for place, held in holds.items()}
    own = [place for place, stored in enumerate(session.stored) if stored.session == session.name]
    taken: dict[int, int] = {}
    least = 0
    for n, place in enumerate(own):
        taken[place] = min(max(least, beside.get(place, least)), rows - (len(own) - n))
        least = taken[place] + 1
    free = set(range(rows)) - set(taken.values())
    for place in sorted(set(range(len(session.stored))) - set(own), key=lambda place: beside.get(place, 0)):
        taken[place] = min(free, key=lambda row: (abs(row - beside.get(place, 0)), row))
        free.remove(taken[place])
    return [taken[place] for place in range(len(session.stored))]


def _links(session: SessionEvidence, places: Sequence[int]) -> Iterator[Markup]:
    """Yield the lines from messages to what is stored, those that look alike as one shape."""
    links: dict[str, list[str]] = {}
    for i, message in enumerate(session.messages):
        kind = f"link {message.became or ''}{' fault' if message.is_fault else ''}"
        y, middle = _row(i), (_FROM + _TO) / 2
        shapes = links.setdefault(kind, [])
        for place in _found(message, session):
            to = _row(places[place])
            shapes.append(f"M{_FROM} {y}C{middle:g} {y} {middle:g} {to:g} {_TO} {to:g}")
        if message.became in _NOWHERE:
            shapes.append(f"M{_FROM} {y}h10{MISSING}")
    for kind, shapes in links.items():
        if shapes:
            yield Markup('<path class="{}" d="{}"/>').format(kind, "".join(shapes))


def _node(session: SessionEvidence, place: int) -> str:
    """Return what kind of stored message it is."""
    stored = session.stored[place]
    if stored.session != session.name:
        return "elsewhere"
    held = sum(place in message.found for message in session.messages)
    if not held:
        return "others"
    # Of a long session, messages that it was joined with may not be listed.
    return "joined" if held > 1 or len(stored.tokens) > 1 else "single"


def _nodes(session: SessionEvidence, places: Sequence[int]) -> Iterator[Markup]:
    if session.unread:
        yield Markup('<text class="head" x="{}" y="{}">not known</text>').format(_STORED - 6, _row(0) + 3)
    for place, stored in enumerate(session.stored):
        y = _row(places[place])
        where: str = f"#{stored.position}"
        kind = _node(session, place)
        if kind == "elsewhere":
            # On a telephone there is room for the place alone.
            owner = stored.session.rpartition("-")[2]
            where += Markup('<tspan class="wide"> in {}</tspan>').format(owner)
        elif len(session.ids) > 1 and stored.ids:
            where += Markup('<tspan class="wide"> of id {}</tspan>').format(id_numbers(stored.ids, session))
        yield Markup(
            '<path class="node {}" d="M{} {:g}{}"/><text class="place" x="{}" y="{:g}">{}</text>'
        ).format(kind, _TO, y, NODES[kind], _STORED, y + 3, where)


def _words(message: MessageEvidence, y: int) -> Markup:
    """Write the number of a message before its row and its class behind it."""
    tone = " fault" if message.is_fault else ""
    mark = f"{MARKS['failed']} " if message.is_fault else ""
    return Markup(
        '<text class="y{0}" x="31" y="{1}">{2}{3}</text><text class="class{0}" x="{4}" y="{1}">{5}</text>'
    ).format(tone, y + 3, mark, message_number(message.token), _CLASS, message.became or "not known")


# Words


def _marks(session: SessionEvidence) -> Iterator[tuple[str, str]]:
    """Yield what else the legend explains, with its meaning."""
    if any(message.is_fault for message in session.messages):
        yield "fault", "at fault"
    if any(message.became in _NOWHERE for message in session.messages):
        yield "missing", "not stored"
    kinds = {_node(session, place) for place in range(len(session.stored))}
    yield from ((kind, words) for kind, words in _MEANINGS.items() if kind in kinds)


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{count(n)} {name}" for name, n in Counter(names).items()) or "nothing"


def _description(session: SessionEvidence) -> str:
    """Say what the drawing shows, for those who do not see it."""
    replies = _counted(message.reply for message in session.messages)
    classes = _counted(message.became or "not known" for message in session.messages)
    stored = session.unread or _counted(_SPOKEN[_node(session, i)] for i in range(len(session.stored)))
    return (
        f"{count(len(session.messages))} messages. Replies: {replies}. Classes: {classes}. Stored: {stored}."
    )
