"""Histories are read back until they are quiet: followed through pages, bounded in time and number, never guessed."""

import json
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
import trio
import trio.testing
from virtual_load import endpoint, scenario

from stressrunner.engine.clock import EventLoopClock
from stressrunner.engine.read_back import READERS, HistoryReader
from stressrunner.engine.session_reader import SessionReader, Wanted
from stressrunner.engine.tokens import MessageToken
from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.fake import FakeAnswer, FakeTransports
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.delivery import Delivery, Listing
from stressrunner.scenario.delivery import ReadBack as Spec
from stressrunner.scenario.model import Closed, Phase

S = 10**9


def history(*texts, **more):
    """Return the answer that lists some messages."""
    return FakeAnswer(0.01, body=json.dumps({"messages": texts, **more}).encode())


def token(session, message):
    """Return a text with a token in it."""
    return f"hello sr.r.{session}.{message}"


class Server:
    """Answers with what `stored` returns for a session's name, a moment in seconds and a page; or for a query."""

    def __init__(self, stored, *, by_query):
        self.stored = stored
        self.by_query = by_query
        self.targets = []
        self.clock = None

    def answer(self, number, request):
        """Answer a request for a page of a history."""
        self.targets.append(request.target)
        parts = urlsplit(request.target)
        if self.by_query:
            return self.stored(parse_qs(parts.query))
        page = parse_qs(parts.query).get("page", [None])[0]
        return self.stored(parts.path.rpartition("/")[2], self.clock.now_ns() / S, page)

    @property
    def reads(self):
        """How often each path was asked for."""
        return Counter(urlsplit(target).path for target in self.targets)


def read_back(stored, wanted=(0,), *, quiet_s=2.0, path="/s/{{ session.name }}", ids=None, **spec):
    """Read sessions back in virtual time; return histories, the server, the reader and how long it took."""
    server = Server(stored, by_query=spec.pop("by_query", False))
    query = spec.pop("query", {})
    look_at_s = spec.pop("look_at_s", ())
    last_s = spec.pop("last_s", {})
    renew = spec.pop("renew", None)
    delivery = Delivery(Spec("history", spec.pop("messages", Listing("body.messages")), **spec))
    endpoints = (endpoint(), endpoint("history", method="GET", path=path, query=query, body=None))
    plan = compile_plan(
        scenario(Phase("load", Closed(1, 1)), endpoints=endpoints, delivery=delivery), seed=1, run_id="r"
    )

    async def main():
        clock = server.clock = EventLoopClock()
        began_ns = clock.now_ns()
        transports = FakeTransports(clock, server.answer)
        reader = SessionReader(plan, plan.read_back, "http://target")
        back = HistoryReader(reader, transports, clock, plan.read_back.timeout_s, renew)
        sessions = [Wanted(s, (ids or {}).get(s, ()), began_ns + last_s.get(s, 0) * S) for s in wanted]
        for at_s in look_at_s:
            await clock.sleep_until(began_ns + round(at_s * S))
            await back.look(sessions)
        with anyio.fail_after(10_000):
            found = await back.settle(sessions, quiet_s)
        return (
            sorted(found, key=lambda h: h.session),
            transports,
            reader,
            (clock.now_ns() - began_ns) / S,
            began_ns,
        )

    found, transports, reader, took_s, began_ns = trio.run(
        main, clock=trio.testing.MockClock(autojump_threshold=0)
    )
    server.transports, server.reader, server.took_s, server.began_ns = transports, reader, took_s, began_ns
    return found, server


def tokens(history):
    """Return the tokens of a history."""
    return [token for stored in history.messages for token in stored.tokens]


def test_a_quiet_history_is_read_twice():
    """Two readings as far apart as the quiet time show that nothing changes any more."""
    (found,), server = read_back(lambda name, at_s, page: history(token(0, 0)))
    assert tokens(found) == [MessageToken(0, 0)]
    assert found.unread == ""
    assert server.reads == {"/s/sr-r-0": 2}
    assert 2.0 <= server.took_s < 2.1


def test_a_history_that_grows_is_read_until_it_does_not():
    """Each change begins the quiet time anew."""

    def stored(name, at_s, page):
        return history(*(token(0, i) for i in range(min(4, int(at_s)))))

    (found,), server = read_back(stored)
    assert tokens(found) == [MessageToken(0, i) for i in range(4)]
    assert server.took_s >= 4 + 2


def test_a_restless_history_is_not_known():
    """A history that still changes when its time is over is not known, and its messages are not guessed at."""
    (found,), server = read_back(lambda name, at_s, page: history(str(at_s)), timeout_s=10.0)
    assert found.unread == "it did not become quiet within 10 s"
    assert found.messages == ()
    assert server.took_s <= 10.1


def test_pages_are_followed():
    """The next page is asked for as query parameter `page`, beside the request's own, until there is none."""

    def stored(name, at_s, page):
        number = int(page or 1)
        return history(token(0, number), next=number + 1 if number < 3 else None)

    (found,), server = read_back(stored, next="body.next", query={"size": "1"})
    assert tokens(found) == [MessageToken(0, 1), MessageToken(0, 2), MessageToken(0, 3)]
    assert server.targets[:3] == ["/s/sr-r-0?size=1", "/s/sr-r-0?size=1&page=2", "/s/sr-r-0?size=1&page=3"]


def test_a_request_may_place_the_page_itself():
    """Where the templates name `page`, nothing is added; on the first request it is null."""

    def stored(name, at_s, page):
        return history(token(0, 0), next=None if name == "b" else "b")

    (found,), server = read_back(stored, next="body.next", path="/s/{{ page or 'a' }}")
    assert server.targets[:2] == ["/s/a", "/s/b"]
    assert len(tokens(found)) == 2


@pytest.mark.parametrize(
    ("answer", "reason", "requests", "took_s"),
    [
        # What will not change is not asked for again.
        (history(next=1), "page 1 of the history leads back to itself", 2, 0.1),
        (history(), "next: there is no field 'next'", 1, 0.1),
        (FakeAnswer(status=403), "status was 403", 1, 0.1),
        *((FakeAnswer(status=no), f"status was {no}", 1, 0.1) for no in (400, 405, 406, 414, 415, 422, 501)),
        (FakeAnswer(status=401), "status was 401", 1, 0.1),
        # What may be so before the history is complete is given one quiet time,
        (FakeAnswer(body=b"oops"), "messages: the body is not JSON", 5, 2.1),
        (FakeAnswer(body=b'{"messages": "a"}'), "messages: what is found is no list", 5, 2.1),
        # and what may change at any moment all the time that a session has.
        (FakeAnswer(status=503), "status was 503", 10, 5.5),
        (
            FakeAnswer(failure=Failure(FailureKind.RESET, "the connection was lost")),
            "the connection was lost",
            10,
            5.5,
        ),
    ],
)
def test_what_cannot_be_read_is_not_known(answer, reason, requests, took_s):
    """A history is not known when a page of it cannot be read; how long that is tried depends on whether it may change."""
    (found,), server = read_back(lambda name, at_s, page: answer, next="body.next", timeout_s=5.0)
    assert found.unread == reason
    assert server.reader.requests == pytest.approx(requests, abs=1)
    assert server.took_s <= took_s + 0.5


def test_a_request_that_cannot_be_filled_in_is_given_up():
    """What a template lacks it will lack: nothing is sent, and nobody waits."""
    (found,), server = read_back(
        lambda name, at_s, page: history(), path="/s/{{ page - 1 }}", next="body.next"
    )
    assert found.unread.startswith("the request cannot be filled in: ")
    assert (server.targets, server.took_s) == ([], 0.0)
    assert (server.reader.requests, server.reader.failed) == (0, 0)


def test_what_is_refused_to_all_stops_at_once():
    """Where one session after the other is forbidden, the rest is not asked for, and the response is kept once for all."""
    found, server = read_back(
        lambda name, at_s, page: FakeAnswer(status=403, body=b'{"detail": "no such key"}'), range(500)
    )
    assert len(found) == 500
    assert {each.unread for each in found} == {"status was 403"}
    assert found[0].response == ("http://target/s/sr-r-0", 403, '{"detail": "no such key"}')
    assert server.reader.requests <= 2 * READERS
    assert server.took_s < 0.5


def test_sessions_that_do_not_exist_are_no_sign_of_hope():
    """Where some sessions are unknown to the server and all others are forbidden, the rest is not asked for either."""
    found, server = read_back(
        lambda name, at_s, page: FakeAnswer(status=404 if name.endswith("0") else 403), range(300)
    )
    assert len(found) == 300
    assert server.reader.requests < 60


def test_what_was_refused_during_the_load_is_asked_again():
    """What was forbidden to looks while the load ran may be allowed after it."""
    found, _ = read_back(
        lambda name, at_s, page: FakeAnswer(status=403) if at_s < 1 else history(token(0, 0)),
        range(20), look_at_s=(0.5, 1.5),
    )  # fmt: skip
    assert {each.unread for each in found} == {""}


def test_what_is_refused_to_some_does_not_stop_the_others():
    """A session that is forbidden is not known; those that can be read are."""
    found, _ = read_back(
        lambda name, at_s, page: FakeAnswer(
            status=200 if name.endswith("7") else 403, body=history(token(0, 0)).body
        ),
        range(30),
    )
    assert [each.session for each in found if not each.unread] == [7, 17, 27]


def test_a_token_that_is_no_longer_valid_is_renewed_once():
    """401 is answered by fetching access tokens once for all sessions; what is refused after that stays so."""
    valid_from = []

    async def renew():
        valid_from.append(True)

    def answer(name, at_s, page):
        return history(token(0, 0)) if valid_from and name.endswith("0") else FakeAnswer(status=401)

    found, _ = read_back(answer, (0, 1), renew=renew)
    assert [each.unread for each in found] == ["", "status was 401"]
    assert valid_from == [True]


def test_a_server_may_fail_for_a_while():
    """A reading that failed is tried again."""
    (found,), server = read_back(
        lambda name, at_s, page: FakeAnswer(status=503) if at_s < 3 else history(token(0, 0))
    )
    assert tokens(found) == [MessageToken(0, 0)]
    assert server.reader.failed >= 6


@pytest.mark.parametrize("status", [404, 410])
def test_an_unknown_session_is_empty_when_others_are_known(status):
    """404 says that there is no such session: it has no messages, if the address is right for another one."""
    found, _ = read_back(
        lambda name, at_s, page: FakeAnswer(status=status) if name.endswith("1") else history(token(0, 0)),
        (0, 1),
    )
    assert [(each.unread, len(each.messages)) for each in found] == [("", 1), ("", 0)]


def test_no_session_known_is_a_wrong_address():
    """Where every session is unknown to the server, nothing is said of their messages."""
    found, server = read_back(lambda name, at_s, page: FakeAnswer(status=404, body=b"nothing here"), (0, 1))
    assert all(each.unread.startswith("the target knows none of the sessions") for each in found)
    assert found[0].response[1:] == (404, "nothing here")
    assert 2.0 <= server.took_s < 2.1  # one quiet time: they might have come


def test_a_dead_target_is_given_up():
    """When nothing at all can be read for as long as a session may take, the other sessions are not waited for."""
    found, server = read_back(
        lambda name, at_s, page: FakeAnswer(30.0, failure=Failure(FailureKind.RESET, "it is gone")),
        range(1000),
        timeout_s=20.0,
    )
    assert len(found) == 1000
    assert all(each.unread for each in found)
    assert server.took_s < 60


def test_what_cannot_be_read_for_less_than_a_quiet_time_is_read_again():
    """However long the history was read before: the time counts from the first reading that failed."""

    def stored(name, at_s, page):
        return FakeAnswer(body=b"oops") if 3 <= at_s < 5 else history(*range(min(int(at_s), 5)))

    (found,), server = read_back(stored, quiet_s=2.0)
    assert (found.unread, len(found.messages)) == ("", 5)
    assert server.took_s > 7


def test_sessions_that_ended_first_are_read_first():
    """Whatever their numbers are, each is read when its last reply has come, and waits for no other one."""
    first_read_s = {}

    def stored(name, at_s, page):
        first_read_s.setdefault(int(name.rpartition("-")[2]), at_s)
        return history()

    ended_s = {number: 3 * READERS - number for number in range(3 * READERS)}
    _, server = read_back(stored, tuple(ended_s), last_s=ended_s, quiet_s=0.1, timeout_s=60.0)
    began_s = server.began_ns / S
    assert {number: at_s - began_s for number, at_s in first_read_s.items()} == {
        number: pytest.approx(at_s, abs=1) for number, at_s in ended_s.items()
    }


def test_a_server_that_fails_for_a_while_is_looked_at_again_while_the_load_runs():
    """What it shows then is seen, however many sessions could not be read before."""

    def stored(name, at_s, page):
        return FakeAnswer(status=503) if at_s < 3 else history(token(int(name.rpartition("-")[2]), 0))

    found, server = read_back(stored, range(2 * READERS), look_at_s=(1, 5))
    seen_s = [{round((ns - server.began_ns) / S) for ns in each.first_seen_ns.values()} for each in found]
    assert seen_s == [{5}] * 2 * READERS


def test_few_sessions_are_read_at_once():
    """Reading back is no load: no more than a few requests are on their way together, however many sessions there are."""
    found, server = read_back(lambda name, at_s, page: history(), range(500))
    assert len(found) == 500
    assert server.transports.max_in_flight == READERS
    assert server.reads == {f"/s/sr-r-{i}": 2 for i in range(500)}
    assert server.took_s < 4


def test_sessions_are_read_by_every_id_that_they_have():
    """Where the request asks for `session.id`, a session with two ids has the messages of both, each under its id."""
    found, _ = read_back(
        lambda name, at_s, page: history(token(0, 0) if name == "x" else token(0, 1)),
        (0, 1),
        path="/s/{{ session.id }}",
        ids={0: ("x", "y")},
    )
    assert tokens(found[0]) == [MessageToken(0, 0), MessageToken(0, 1)]
    assert [stored.ids for stored in found[0].messages] == [("x",), ("y",)]
    assert found[1].unread == "no reply returned its id"


def test_ids_of_one_history_are_read_as_one():
    """Two ids under which the same is stored lead to one history, and its messages are not found twice."""
    (found,), _ = read_back(
        lambda name, at_s, page: history(token(0, 0)) if name != "z" else FakeAnswer(status=404),
        path="/s/{{ session.id }}",
        ids={0: ("x", "y", "z")},
    )
    assert tokens(found) == [MessageToken(0, 0)]
    assert found.messages[0].ids == ("x", "y")


def test_what_was_seen_while_the_load_ran_is_remembered():
    """A look during the load notes when a token was first seen; one that fails says nothing."""

    def stored(name, at_s, page):
        return FakeAnswer(status=500) if at_s < 1 else history(*(token(0, i) for i in range(int(at_s))))

    (found,), server = read_back(stored, look_at_s=(0.5, 1.5, 2.5, 3.5), timeout_s=100.0, quiet_s=0.4)
    seen_s = {token.message: (ns - server.began_ns) / S for token, ns in found.first_seen_ns.items()}
    assert seen_s == pytest.approx({0: 1.51, 1: 2.51, 2: 3.51})
