"""Every reply with every observation has the one right class: all of them walked through, against a truth of its own."""

from itertools import combinations_with_replacement, product

import pytest
from planted import RUN, SEPARATOR, attempt

from stressrunner.engine.history import History
from stressrunner.engine.tokens import MessageToken, TokenReader, token_text
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.classes import MessageClass
from stressrunner.verdict.delivery.classification import classify

HOME, AWAY = "id-a", "id-b"
READER = TokenReader(RUN, SEPARATOR)
MINE = MessageToken(0, 0)
#: Copies at home, under another id of the session, and in another session: three at the most, two in one place.
COPIES = [each for each in product(range(3), repeat=3) if sum(each) <= 3]
OBSERVED = [
    *((copies, None) for copies in COPIES),
    *((copies, other) for copies in COPIES if sum(copies) == 1 for other in Reply),
]


def faults(reply, copies, other):
    """Return what a reader must not overlook: each is a promise that was not kept, the worst first."""
    at_home, away, strange = copies
    times = at_home + away + strange
    group = [reply] if other is None else [reply, other]
    if strange:
        yield "misrouted"
    if times and reply in ("refused", "unsent"):
        yield "phantom"
    if times > 1:
        yield "duplicated"
    if times == 1 and not {"acknowledged", "unanswered", "unknown"} & set(group):
        yield "phantom"
    if away:
        yield "elsewhere"
    if not times and reply == "acknowledged":
        yield "lost"
    if not times and reply == "superseded":
        yield "superseded"
    if not times and reply in ("unknown", "unanswered"):
        yield "dropped"


def harmless(reply, copies, other):
    """Return what a message is with which nothing is wrong."""
    if not sum(copies):
        return "refused"
    if reply in ("unknown", "unanswered") and other != "acknowledged":
        return "recovered"
    return "delivered" if other is None else "merged"


def found_class(reply, copies, other):
    """Return the class of message 0 of session 0, with copies in as many places, perhaps joined with message 1."""
    text = token_text(RUN, *MINE) if other is None else SEPARATOR.join(token_text(RUN, 0, i) for i in (0, 1))
    places = [READER.read([text] * n) for n in copies]
    at_home, away, strange = (
        [s._replace(ids=(under,)) for s in p] for p, under in zip(places, (HOME, AWAY, "id-c"), strict=True)
    )
    attempts = [attempt(0, 0, reply, session_id=HOME), attempt(1, 0, session_id="id-c")]
    attempts += [] if other is None else [attempt(0, 1, other, session_id=HOME)]
    return classify(attempts, [History(0, (*at_home, *away)), History(1, tuple(strange))]).classes[MINE]


def test_they_are_all():
    """There are 210 combinations of a reply and what can be observed of a message."""
    assert len(list(product(Reply, OBSERVED))) == 210


@pytest.mark.parametrize("reply", Reply)
@pytest.mark.parametrize(("copies", "other"), OBSERVED)
def test_every_combination_has_one_class(reply, copies, other):
    """A message is of the class that names the worst of its faults, or else of the one that says how it came through."""
    worst = next(faults(reply, copies, other), None)
    assert found_class(reply, copies, other) == (worst or harmless(reply, copies, other))


GROUPS = [group for n in (2, 3) for group in combinations_with_replacement(Reply, n)]


@pytest.mark.parametrize("group", GROUPS, ids="+".join)
def test_every_member_of_a_group_has_its_class(group):
    """Of messages that were stored together each has the class that its own reply and those of the others ask for."""
    text = SEPARATOR.join(token_text(RUN, 0, i) for i in range(len(group)))
    attempts = [attempt(0, i, reply) for i, reply in enumerate(group)]
    found = classify(attempts, [History(0, READER.read([text]))]).classes
    for i, reply in enumerate(group):
        if reply in ("refused", "unsent"):
            wanted = "phantom"  # what it was promised not to be, whoever else is in the group
        elif "acknowledged" in group:
            wanted = "merged"
        elif reply in ("unanswered", "unknown"):
            wanted = "recovered"
        elif "unanswered" in group or "unknown" in group:
            wanted = "merged"  # superseded, and taken along for one of whom nobody was told anything
        else:
            wanted = "phantom"  # all of them were superseded, by nobody
        assert found[MessageToken(0, i)] == wanted


def test_a_made_up_token_explains_nothing():
    """A message that was superseded and stands beside a token that nobody sent was stored for nobody."""
    text = SEPARATOR.join(token_text(RUN, 0, i) for i in (0, 9))
    for reply, wanted in (("superseded", "phantom"), ("acknowledged", "merged"), ("unknown", "recovered")):
        found = classify([attempt(0, 0, Reply(reply))], [History(0, READER.read([text]))]).classes
        assert found == {MINE: wanted, MessageToken(0, 9): MessageClass.FABRICATED}


@pytest.mark.parametrize(
    ("reply_names", "stands_under", "wanted"),
    [
        ("x", ("x",), "delivered"),
        ("x", ("y",), "elsewhere"),
        ("x", ("y", "x"), "delivered"),  # two ids of one history
        ("", ("y",), "delivered"),  # a reply without an id has no other home
        ("x", (), "delivered"),  # read by its name, so nobody knows under which id
    ],
)
def test_home_is_the_id_that_the_reply_named(reply_names, stands_under, wanted):
    """A message is elsewhere when it stands under an id that other replies of its session named, and not under its own."""
    stored = [s._replace(ids=stands_under) for s in READER.read([token_text(RUN, *MINE)])]
    attempts = [attempt(0, 0, session_id=reply_names), attempt(0, 1, Reply.REFUSED, session_id="y")]
    assert classify(attempts, [History(0, tuple(stored))]).classes[MINE] == wanted


def test_faults_that_were_seen_outlive_what_was_not_read():
    """In a history that is not known, what reading more cannot undo has its class, and nothing else has."""
    replies = [Reply.ACKNOWLEDGED, Reply.ACKNOWLEDGED, Reply.REFUSED, Reply.ACKNOWLEDGED, Reply.ACKNOWLEDGED]
    stored = READER.read([token_text(RUN, 0, i) for i in (0, 1, 1, 2)])
    stored += tuple(s._replace(ids=("y",)) for s in READER.read([token_text(RUN, 0, 3)]))
    attempts = [attempt(0, i, reply, session_id="x") for i, reply in enumerate(replies)]
    found = classify(attempts, [History(0, stored, unread="its first page is full")])
    named = {token.message: of for token, of in found.classes.items()}
    assert named == {1: "duplicated", 2: "phantom", 3: "elsewhere"}
    assert found.unread == 2


def test_what_was_not_found_in_a_part_is_not_known():
    """Where a history may have more than was read, what was found has its class and what was not has none."""
    attempts = [attempt(0, 0), attempt(0, 1), attempt(0, 2, Reply.SUPERSEDED), attempt(0, 3, Reply.REFUSED)]
    history = History(0, READER.read([token_text(RUN, *MINE)]), partial="it has two ids")
    found = classify(attempts, [history])
    assert found.classes == {MINE: "delivered"}
    assert (found.unread, found.partly_read([0])) == (3, {"it has two ids": 3})


@pytest.mark.parametrize(
    ("rows", "partial"),
    [
        ([100, 100, 30], [True, True, False]),
        ([100, 30, 30], [False, False, False]),  # one may have so many
        ([0, 0], [False, False]),  # paged, or told to be all
    ],
)
def test_the_same_most_rows_are_a_limit(rows, partial):
    """Two histories with the most rows of all end where a page ends, as far as anybody can tell; others are whole."""
    attempts = [attempt(session, 0) for session in range(len(rows))]
    histories = [History(session, page_rows=n) for session, n in enumerate(rows)]
    found = classify(attempts, histories)
    assert [bool(found.histories[session].partial) for session in range(len(rows))] == partial
    assert [MessageToken(session, 0) in found.classes for session in range(len(rows))] == [
        not each for each in partial
    ]
