"""Sessions with planted faults: what a server did is drawn message by message, so the classes are known beforehand."""

from collections.abc import Collection
from dataclasses import dataclass, field

from hypothesis import strategies as st

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History
from stressrunner.engine.tokens import MessageToken, TokenReader, token_text
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.classes import MessageClass

RUN = "0badcafe"
SEPARATOR = "\n---\n"
ANSWERED = (Reply.ACKNOWLEDGED, Reply.SUPERSEDED, Reply.REFUSED, Reply.UNKNOWN)
#: Replies that go with each fate; the fate of a message is its class.
REPLIES = {
    MessageClass.MISROUTED: tuple(Reply),
    MessageClass.DUPLICATED: (Reply.ACKNOWLEDGED, Reply.SUPERSEDED, Reply.UNKNOWN, Reply.UNANSWERED),
    MessageClass.PHANTOM: (Reply.REFUSED, Reply.UNSENT, Reply.SUPERSEDED),
    MessageClass.ELSEWHERE: (Reply.ACKNOWLEDGED, Reply.UNKNOWN, Reply.UNANSWERED),
    MessageClass.MERGED: (Reply.ACKNOWLEDGED, Reply.SUPERSEDED, Reply.UNKNOWN, Reply.UNANSWERED),
    MessageClass.DELIVERED: (Reply.ACKNOWLEDGED,),
    MessageClass.RECOVERED: (Reply.UNKNOWN, Reply.UNANSWERED),
    MessageClass.LOST: (Reply.ACKNOWLEDGED,),
    MessageClass.SUPERSEDED: (Reply.SUPERSEDED,),
    MessageClass.REFUSED: (Reply.REFUSED, Reply.UNSENT),
    MessageClass.DROPPED: (Reply.UNKNOWN, Reply.UNANSWERED),
}
#: Text around tokens; some of it looks like a token and is none, or is one of another run.
NOISE = st.sampled_from(
    ["", "hello ", " sr.", "sr.0badcafe.x", "3 ", ".7 ", "sr.feedface.0.0 ", " \n", "SR.0BADCAFE.1.1 ", "ü"]
)


@dataclass
class Planted:
    """What was sent, what the server stored, and what follows."""

    attempts: list[Attempt] = field(default_factory=list)
    texts: dict[int, list[str]] = field(default_factory=dict)  #: of each session, in the order of its history
    strays: dict[int, list[str]] = field(default_factory=dict)  #: the same under another id of the session
    classes: dict[MessageToken, MessageClass] = field(default_factory=dict)
    splits: int = 0

    def histories(self, separator=SEPARATOR):
        """Return the histories as they are read."""
        reader = TokenReader(RUN, separator)
        return [
            History(
                session,
                tuple(
                    stored._replace(ids=(under,))
                    for under, texts in (
                        ("home", self.texts[session]),
                        ("away", self.strays.get(session, [])),
                    )
                    for stored in reader.read(texts)
                ),
            )
            for session in self.texts
        ]


def class_in_group(reply: Reply, group: Collection[Reply]) -> MessageClass:
    """Say what a member of a merged group is that may have been taken on: a group is stored for somebody."""
    if Reply.ACKNOWLEDGED in group:
        return MessageClass.MERGED
    if reply in (Reply.UNKNOWN, Reply.UNANSWERED):
        return MessageClass.RECOVERED
    is_explained = Reply.UNKNOWN in group or Reply.UNANSWERED in group
    return MessageClass.MERGED if is_explained else MessageClass.PHANTOM


def attempt(session: int, message: int, reply=Reply.ACKNOWLEDGED, *, at=0, took=1, **changes) -> Attempt:
    """Return a message that was sent at a moment; an answered one has a status."""
    status = {Reply.ACKNOWLEDGED: 200, Reply.SUPERSEDED: 500, Reply.REFUSED: 422, Reply.UNKNOWN: 503}
    fields = {"status": status.get(reply, 0), "burst": message, "phase": 0, **changes}
    return Attempt(session, message, sent_ns=at, ended_ns=at + took, reply=reply, **fields)


@st.composite
def planted(draw) -> Planted:
    """Draw sessions whose messages met every fate."""
    world = Planted(texts={session: [] for session in range(draw(st.integers(2, 4)))})
    merged: dict[int, list[MessageToken]] = {}
    for session in world.texts:
        for message in range(draw(st.integers(0, 8))):
            token = MessageToken(session, message)
            fate = draw(st.sampled_from(list(REPLIES)))
            reply = draw(st.sampled_from(REPLIES[fate]))
            if fate is MessageClass.MERGED:
                merged.setdefault(session, []).append(token)
            else:
                _store(draw, world, token, fate, reply)
            world.classes[token] = fate
            home = "home" if fate is MessageClass.ELSEWHERE else draw(st.sampled_from(["", "home"]))
            world.attempts.append(attempt(session, message, reply, session_id=home))
    replies = {MessageToken(a.session, a.message): a.reply for a in world.attempts}
    for session, tokens in merged.items():
        group = [replies[token] for token in tokens]
        world.classes |= {token: class_in_group(replies[token], group) for token in tokens}
        if len(tokens) == 1:  # one message cannot be merged: give it company that the server made up
            made_up = MessageToken(session, 900)
            tokens.append(made_up)
            world.classes[made_up] = MessageClass.FABRICATED
        texts = [_text(draw, token) for token in tokens]
        world.texts[session].append(SEPARATOR.join(texts))
    for session in world.texts:
        if draw(st.booleans()):
            token = MessageToken(draw(st.sampled_from([session, 77])), draw(st.integers(500, 600)))
            if token not in world.classes:
                world.texts[session].append(_text(draw, token))
                world.classes[token] = MessageClass.FABRICATED
        world.texts[session] = draw(st.permutations(world.texts[session]))
    return world


def _text(draw, token: MessageToken) -> str:
    after = draw(NOISE)
    # What follows a token directly must not go on with its number.
    return draw(NOISE) + token_text(RUN, *token) + (f" {after}" if after[:1].isdigit() else after)


def _store(draw, world: Planted, token: MessageToken, fate: MessageClass, reply: Reply) -> None:
    home = world.texts[token.session]
    if fate is MessageClass.MISROUTED:
        other = draw(st.sampled_from([s for s in world.texts if s != token.session]))
        world.texts[other].append(_text(draw, token))
        if draw(st.booleans()):
            home.append(_text(draw, token))
    elif fate is MessageClass.ELSEWHERE:
        world.strays.setdefault(token.session, []).append(_text(draw, token))
    elif fate is MessageClass.DUPLICATED:
        texts = [_text(draw, token) for _ in range(draw(st.integers(2, 3)))]
        home.extend([SEPARATOR.join(texts)] if draw(st.booleans()) else texts)
    elif fate is MessageClass.PHANTOM and reply is not Reply.SUPERSEDED and draw(st.booleans()):
        made_up = MessageToken(token.session, 300 + token.message)
        home.append(_text(draw, token) + SEPARATOR + _text(draw, made_up))
        world.classes[made_up] = MessageClass.FABRICATED
        if draw(st.booleans()):
            home.append(_text(draw, token))
    elif fate in (MessageClass.PHANTOM, MessageClass.DELIVERED, MessageClass.RECOVERED):
        home.append(_text(draw, token))
