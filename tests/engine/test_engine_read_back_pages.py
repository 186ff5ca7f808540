"""Histories that come page by page, and what a first page says of more: nothing is lost because it was not asked for."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_read_back import history, read_back, token, tokens

from stressrunner.engine.tokens import MessageToken
from stressrunner.http.fake import FakeAnswer
from stressrunner.scenario.delivery import Listing

USERS = Listing("$.messages[?@.role=='user'].content", "jsonpath")


def rows(n):
    """Return n rows of a history, of which every other one is an assistant's."""
    return [
        {"role": "assistant", "content": "yes", "at": i}
        if i % 2
        else {"role": "user", "content": token(0, i // 2), "at": i}
        for i in range(n)
    ]


def wanted(n):
    """Return the tokens of so many rows."""
    return [MessageToken(0, i // 2) for i in range(0, n, 2)]


class Paged:
    """Answers with a page of rows, which another API would answer in another way."""

    def __init__(self, stored, size, **more):
        self.stored = stored
        self.size = size
        self.more = more

    def page(self, first, **says):
        """Return a page that begins at a row."""
        return FakeAnswer(
            0.01,
            body=json.dumps(
                {"messages": self.stored[first : first + self.size], **says, **self.more}
            ).encode(),
        )


def queries(server, n):
    """Return the query parameters of the first n requests."""
    return [parse_qs(urlsplit(target).query) for target in server.targets[:n]]


def test_pages_are_counted():
    """With `pages`, `page` is 1, 2, ... up to the number of pages, also where that is a text."""
    paged = Paged(rows(7), 3)
    (found,), server = read_back(
        lambda name, at_s, page: paged.page(3 * (int(page or 1) - 1), total_pages="3", total=7),
        pages="body.total_pages", messages=USERS,
    )  # fmt: skip
    assert (tokens(found), found.partial) == (wanted(7), "")
    assert queries(server, 3) == [{}, {"page": ["2"]}, {"page": ["3"]}]
    assert server.reader.requests == 6


def test_an_empty_history_has_no_pages():
    """A history of no pages is empty."""
    (found,), server = read_back(
        lambda name, at_s, page: Paged([], 3).page(0, total_pages=0), pages="body.total_pages"
    )
    assert (found.unread, found.messages, server.reader.requests) == ("", (), 2)


def test_a_template_may_count_pages_from_0():
    """Where the request's templates use `page`, nothing is added, and they may count in their own way."""
    paged = Paged(rows(4), 2)
    (found,), server = read_back(
        lambda name, at_s, page: paged.page(2 * int(name), total_pages=2),
        pages="body.total_pages", messages=USERS, path="/s/{{ page - 1 }}",
    )  # fmt: skip
    assert tokens(found) == wanted(4)
    assert server.targets[:2] == ["/s/0", "/s/1"]


@pytest.mark.parametrize("end", [None, "", False])
def test_a_cursor_is_handed_on(end):
    """With `cursor`, what a response gives is sent with the next request, until it gives null or nothing."""
    paged = Paged(rows(5), 2)

    def answer(query):
        first = int(query.get("cursor", ["at0"])[0].removeprefix("at"))
        return paged.page(first, cursor=f"at{first + 2}" if first + 2 < 5 else end)

    (found,), server = read_back(answer, cursor="body.cursor", messages=USERS, by_query=True)
    assert tokens(found) == wanted(5)
    assert queries(server, 3) == [{}, {"cursor": ["at2"]}, {"cursor": ["at4"]}]


def test_page_0_is_a_page():
    """`next` may give 0, which is a page of some servers and no end."""
    (found,), server = read_back(
        lambda name, at_s, page: history(token(0, 0), next=0 if page is None else None), next="body.next"
    )
    assert len(tokens(found)) == 2
    assert queries(server, 2) == [{}, {"page": ["0"]}]


@pytest.mark.parametrize("behind", ["empty", 404])
def test_an_offset_counts_rows_before_the_filter(behind):
    """With `offset`, all rows that were read are counted, until there are none, or none that could be asked for."""
    paged = Paged(rows(5), 2)

    def answer(query):
        first = int(query.get("offset", ["0"])[0])
        return FakeAnswer(status=404) if first >= 5 and behind == 404 else paged.page(first)

    (found,), server = read_back(answer, offset=True, messages=USERS, by_query=True)
    assert (tokens(found), found.unread) == (wanted(5), "")
    assert queries(server, 4) == [{}, {"offset": ["2"]}, {"offset": ["4"]}, {"offset": ["5"]}]


def test_rows_are_what_the_scenario_says():
    """`rows` counts what `messages` does not show."""
    paged = Paged([token(0, 0), token(0, 1)], 1)
    (found,), server = read_back(
        lambda query: paged.page(int(query.get("offset", ["0"])[0]) // 10, took=10 if int(query.get("offset", ["0"])[0]) < 20 else 0),
        offset=True, rows="body.took", by_query=True,
    )  # fmt: skip
    assert tokens(found) == [MessageToken(0, 0), MessageToken(0, 1)]
    assert queries(server, 3) == [{}, {"offset": ["10"]}, {"offset": ["20"]}]


@pytest.mark.parametrize(
    ("spec", "messages"),
    [
        ({"offset": True}, Listing("body.messages | map(attribute='content') | list")),
        ({"pages": "9"}, USERS),
    ],
    ids=["offset", "pages"],
)
def test_a_server_that_knows_no_pages_is_found_out(spec, messages):
    """A server that answers every page alike does not know the parameter: that is said, and no message is duplicated."""
    paged = Paged(rows(4), 9)
    (found,), server = read_back(lambda name, at_s, page: paged.page(0), messages=messages, **spec)
    assert "the response is the same for every page" in found.unread
    assert found.messages == ()
    assert server.reader.requests == 2


def test_a_page_that_is_gone_is_no_end():
    """404 for a page that there has to be is a failure, and no session without messages."""
    (found,), _ = read_back(
        lambda name, at_s, page: Paged(rows(4), 2).page(0, total_pages=2) if page is None else FakeAnswer(status=404),
        pages="body.total_pages", messages=USERS, timeout_s=5.0,
    )  # fmt: skip
    assert found.unread == "status was 404"


@pytest.mark.parametrize("grows", [1, 2, 3])
def test_a_list_that_moves_between_pages_repeats_no_message(grows):
    """Newest first, a new row pushes others onto the next page, where they are read again: not what was stored twice."""
    stored = rows(10)
    reads = []

    def answer(name, at_s, page):
        # While the first two readings go on, rows are added between the pages.
        reads.append(page)
        added = min(len(reads) // 2, 3) * grows
        return Paged(rows(10 + added)[::-1], 4).page(
            4 * (int(page or 1) - 1), total_pages=-(-(10 + added) // 4)
        )

    (found,), _ = read_back(answer, pages="body.total_pages", messages=USERS)
    total = 10 + 3 * grows
    assert tokens(found) == wanted(total)[::-1]
    assert len(stored) == 10


def test_a_row_that_moves_pages_and_has_no_text_is_noticed():
    """Rows that only assistants sent move the others as well: a reading in which their number changed is no quiet one."""
    reads = []

    def answer(name, at_s, page):
        reads.append(page)
        stored = rows(8) + [{"role": "assistant", "content": "more"}] * min(len(reads) // 2, 2)
        return Paged(stored[::-1], 4).page(4 * (int(page or 1) - 1), total_pages=-(-len(stored) // 4))

    (found,), _ = read_back(answer, pages="body.total_pages", messages=USERS)
    assert tokens(found) == wanted(8)[::-1]


@pytest.mark.parametrize(
    ("says", "query", "why"),
    [
        ({"total": 9}, {}, "it says that there are 9 rows, and has 4"),
        ({"pagination": {"total_count": "9"}}, {}, "it says that there are 9 rows, and has 4"),
        ({"total_pages": 3}, {}, "its total_pages is 3"),
        ({"meta": {"hasMore": True}}, {}, "its hasMore is True"),
        ({"next_page": 2}, {}, "its next_page is 2"),
        ({}, {"page_size": "4"}, "it is full with 4 rows"),
        ({}, {"limit": "4"}, "it is full with 4 rows"),
        ({"per_page": 4}, {}, "it is full with 4 rows"),
    ],
)
def test_a_first_page_that_is_not_all_is_no_history(says, query, why):
    """Without a way to the next page, a page that is full or speaks of more leaves the history unknown, with the fix."""
    answers = Paged(rows(4), 9)
    (found,), _ = read_back(lambda name, at_s, page: answers.page(0, **says), messages=USERS, query=query)
    assert found.unread.startswith(
        f"the history goes on behind its first page: {why}; say in 'read_back' how"
    )
    assert tokens(found) == wanted(4)


@pytest.mark.parametrize(
    ("says", "query", "spec"),
    [
        ({"total": 4}, {"page_size": "9"}, {}),
        ({"total": 4}, {}, {}),
        ({"total_pages": 1, "has_more": False, "next": None}, {}, {}),
        ({"size": 4, "count": 4}, {}, {}),  # of this page
        ({"total": 9}, {"limit": "4"}, {"pages": "1"}),  # whose author knows better
        ({"total_tokens": 90, "users": {"total": 12}}, {}, {}),  # of something else
        ({"next": 0, "total": True}, {}, {}),
    ],
)
def test_a_first_page_that_may_be_all_is_a_history(says, query, spec):
    """What speaks of no more rows than there are, or of something else, makes no doubt."""
    answers = Paged(rows(4), 9)
    (found,), _ = read_back(
        lambda name, at_s, page: answers.page(0, **says), messages=USERS, query=query, **spec
    )
    assert found.unread == ""


@pytest.mark.parametrize(("says", "page_rows"), [({}, 4), ({"total": 4}, 0)])
def test_rows_of_a_first_page_are_kept_unless_they_are_all(says, page_rows):
    """How many rows an only page has tells a limit that nobody speaks of, where several sessions have as many."""
    (found,), _ = read_back(lambda name, at_s, page: Paged(rows(4), 9).page(0, **says), messages=USERS)
    assert (found.page_rows, found.partial) == (page_rows, "")


def test_pages_that_hold_less_than_they_say_are_a_part():
    """With pages that were all read, fewer rows than the history says it has leave what was not found unknown."""
    (found,), _ = read_back(
        lambda name, at_s, page: Paged(rows(4), 9).page(0, total=12, more=None),
        messages=USERS,
        next="body.more",
    )
    assert found.partial.startswith("the history says that it has 12 rows, and its pages have 4;")
    assert found.unread == ""


@pytest.mark.parametrize(
    ("order_by", "listed"),
    [
        (Listing("$.messages[?@.role=='user'].at", "jsonpath"), [6, 7, 8, 9, 2, 3, 4, 5, 0, 1]),
        (
            Listing("body.messages | selectattr('role', 'eq', 'user') | map(attribute='at') | list"),
            [9, 4, 3, 2, 0, 1, 8],
        ),
    ],
)
def test_messages_are_sorted_by_what_the_scenario_says(order_by, listed):
    """`order_by` sorts the messages of all pages, such as those of pages newest first whose rows ascend."""
    every = rows(10)
    paged = Paged([every[i] for i in listed], 4)
    (found,), _ = read_back(
        lambda name, at_s, page: paged.page(4 * (int(page or 1) - 1), n=3),
        messages=USERS,
        order_by=order_by,
        pages="body.n",
    )
    assert tokens(found) == [MessageToken(0, i // 2) for i in sorted(listed) if i % 2 == 0]


@pytest.mark.parametrize(
    ("order_by", "reason"),
    [
        ("body.nothing", "order_by: there is no field 'nothing'"),
        ("body.at", "order_by: this is no list of 2 values, one a message"),
        ("body.both", "order_by: what is found are neither numbers nor texts"),
    ],
)
def test_what_cannot_be_sorted_by_is_said(order_by, reason):
    """What gives no number or text for every message sorts nothing."""
    body = {"messages": [token(0, 0), token(0, 1)], "at": [1], "both": [1, "a"]}
    (found,), _ = read_back(
        lambda name, at_s, page: FakeAnswer(body=json.dumps(body).encode()), order_by=Listing(order_by)
    )
    assert found.unread == reason


def test_keys_of_pages_must_fit_together():
    """Numbers of one page and texts of another cannot be compared."""
    (found,), _ = read_back(
        lambda name, at_s, page: history(token(0, int(page or 1)), at=[1 if page is None else "a"]),
        order_by=Listing("body.at"), pages="2",
    )  # fmt: skip
    assert found.unread == "order_by: some pages have numbers and others texts"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 23), st.integers(1, 9), st.sampled_from(["pages", "next", "cursor", "offset", "link"]))
def test_every_way_to_page_reads_the_same(n, size, way):
    """However a server pages, all rows are read once and in their order, at the end of a page or not."""
    paged = Paged(rows(n), size)
    last = -(-n // size)

    def answer(query):
        number = int(query.get("page", query.get("cursor", ["1"]))[0])
        first = int(query.get("offset", ["0"])[0]) if way == "offset" else size * (number - 1)
        following = number + 1 if number < last else None
        return paged.page(
            first, n=last, following=following, link=following and f"http://target/s/x?page={following}"
        )

    specs = {
        "pages": {"pages": "body.n"},
        "next": {"next": "body.following"},
        "cursor": {"cursor": "body.following"},
        "offset": {"offset": True},
        "link": {"next": "body.link", "path": "{{ page or '/s/x' }}"},
    }
    (found,), _ = read_back(answer, messages=USERS, by_query=True, **specs[way])
    assert (found.unread, found.partial) == ("", "")
    assert tokens(found) == wanted(n)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 12),
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(1, 14), st.sampled_from(["user", "assistant"])), max_size=6),
)
def test_rows_that_come_while_pages_are_read_are_read_once(n, size, added):
    """Newest first, with rows stored between any two requests: what is taken for the history has each message once."""
    stored = [{"role": "user", "content": token(0, i)} for i in range(n)]
    asked = []

    def answer(query):
        asked.append(query)
        number = int(query.get("page", ["1"])[0])
        for at, role in added:
            if at == len(asked):
                stored.append({"role": role, "content": token(0, len(stored)) if role == "user" else "yes"})
        listed = stored[::-1]
        return FakeAnswer(body=json.dumps({
            "messages": listed[size * (number - 1) : size * number], "n": -(-len(stored) // size)
        }).encode())  # fmt: skip

    (found,), _ = read_back(answer, pages="body.n", messages=USERS, by_query=True)
    assert found.unread == ""
    assert (
        tokens(found) == [MessageToken(0, i) for i, row in enumerate(stored) if row["role"] == "user"][::-1]
    )


def test_two_readings_that_were_pushed_alike_are_no_quiet_ones():
    """Rows without a message push the others on in two readings so that both show one twice: their numbers differ."""
    asked = []

    def answer(query):
        asked.append(query)
        pushed = (len(asked) > 1) + 3 * (len(asked) > 3) + (len(asked) > 5)
        stored = [{"role": "assistant", "content": "yes"}] * pushed + [
            {"role": "user", "content": token(0, i)} for i in range(7, -1, -1)
        ]
        number = int(query.get("page", ["1"])[0])
        page = {"messages": stored[4 * (number - 1) : 4 * number], "n": -(-len(stored) // 4)}
        return FakeAnswer(body=json.dumps(page).encode())

    (found,), _ = read_back(answer, pages="body.n", messages=USERS, by_query=True)
    assert tokens(found) == [MessageToken(0, i) for i in range(7, -1, -1)]


def test_rows_that_are_not_counted_are_not_compared():
    """Where nobody knows how many rows a page has, how many the history has says nothing."""
    body = {"mine": [token(0, 0)], "others": [token(0, 1)], "total": 9}
    (found,), _ = read_back(
        lambda name, at_s, page: FakeAnswer(body=json.dumps(body).encode()),
        messages=Listing("body.mine + body.others"),
    )
    assert (found.unread, found.partial, len(tokens(found))) == ("", "", 2)


def test_a_cut_token_is_looked_for_either_way_round():
    """Of a history with a token that is cut in two, the other order is kept as well: newest first, the end comes first."""
    text = token(0, 12)
    (found,), _ = read_back(lambda name, at_s, page: history(text[8:], text[:8], token(0, 3)))
    assert tokens(found) == [MessageToken(0, 3)]
    assert tokens(found.reversed()) == [MessageToken(0, 3), MessageToken(0, 12)]
    assert found.reversed().reversed().messages == found.messages
