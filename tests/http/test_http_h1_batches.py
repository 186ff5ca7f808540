"""Batches: responses are read, then judged, then what follows is written; and what comes in between does no harm."""

import asyncio

import pytest

from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.h1_batches import Batches
from stressrunner.http.h1_connection import Connection
from stressrunner.http.h1_deadlines import NEVER_NS, Deadlines
from stressrunner.http.h1_head import HeadWriter
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.wire import ResponseLimits

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = HeadWriter("target").message(Request("POST", "/", (), b"body"), "/")


@pytest.fixture
def anyio_backend():
    """The loop is only what runs callbacks."""
    return "asyncio"


class Wire:
    """A socket that takes everything."""

    def __init__(self, log):
        self._log = log

    def write(self, octets):
        """Take a request."""
        self._log.append(octets)

    def abort(self):
        """Close."""

    def is_closing(self):
        """Return whether it is being closed."""
        return False

    def get_write_buffer_size(self):
        """Return how much is not on its way yet."""
        return 0


class User:
    """Sends a second request as soon as the first has ended; its connection tells it."""

    def __init__(self, batches, log):
        self.ends = []  # of requests: when they were sent, the kind of their failure and the bytes that were not sent
        self.connection = Connection(
            ResponseReader(ResponseLimits()), Deadlines(asyncio.get_running_loop()), batches, self
        )
        self.connection.connection_made(Wire(log))
        self.fault = None  # raised at the end of a request

    def begin(self, deadline_ns=NEVER_NS):
        """Send a request."""
        self.connection.begin(POST, deadline_ns, self)

    def ended(self, connection, done):
        """Take the end of a request."""
        assert done is self
        if self.fault is not None:
            raise self.fault
        failure = connection.failure
        self.ends.append((connection.sent_ns, failure and failure.kind, connection.bytes_unsent))
        if len(self.ends) == 1 and connection.is_open:
            self.begin()

    def lost(self, connection):
        """Take the end of the connection."""


def users(count, log, deadline_ns=NEVER_NS):
    """Return users of one event loop, each with a request on its way."""
    batches = Batches(asyncio.get_running_loop())
    made = [User(batches, log) for _ in range(count)]
    for user in made:
        user.begin(deadline_ns)
    return made


async def test_requests_that_follow_are_written_together():
    """What follows upon responses is written when all that have come are read; everything else is written at once."""
    log = []
    pair = users(2, log)
    assert log == [POST.head] * 2
    log.clear()
    for user in pair:
        user.connection.data_received(OK)
    read_ns = [user.connection.completed_ns for user in pair]
    assert (log, [user.ends for user in pair]) == ([], [[], []])
    await asyncio.sleep(0)
    assert log == [POST.head] * 2
    for user in pair:
        assert user.connection.sent_ns == user.connection.acquired_ns >= max(read_ns)
        user.connection.data_received(OK)
    await asyncio.sleep(0)
    for user in pair:
        assert user.ends[1] == (user.connection.sent_ns, None, 0)


@pytest.mark.parametrize("after", ["surplus", "end", "loss"])
async def test_what_comes_after_a_response_is_not_its_own(after):
    """A server that says more, or closes, before a response is judged ends the connection, and nothing but that."""
    log = []
    (user,) = users(1, log)
    user.connection.data_received(OK)
    completed_ns = user.connection.completed_ns
    match after:
        case "surplus":
            user.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")
        case "end":
            user.connection.eof_received()
        case "loss":
            user.connection.connection_lost(ConnectionResetError())
    await asyncio.sleep(0)
    assert user.ends == [(user.connection.sent_ns, None, 0)]
    assert (user.connection.completed_ns, user.connection.response.body) == (completed_ns, b"ok")
    assert not user.connection.is_open
    assert log == [POST.head]


async def test_a_response_that_has_come_does_not_expire():
    """A request whose response is there has no deadline any more, however long it takes to be judged."""
    (user,) = users(1, [], deadline_ns=1)
    user.connection.data_received(OK)
    assert user.connection.deadline_ns == NEVER_NS


async def test_an_error_of_ours_leaves_others_their_turn():
    """What is raised while one request is concluded goes to the event loop's handler, and all others are concluded."""
    raised, log = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context["exception"]))
    several = users(4, log)
    several[1].fault = ZeroDivisionError()
    for user in several:
        user.connection.data_received(OK)
    for _ in range(2):
        await asyncio.sleep(0)
    assert raised == [several[1].fault]
    assert [len(user.ends) for user in several] == [1, 0, 1, 1]
    assert len(log) == 4 + 3


async def test_request_that_is_lost_before_it_is_written_is_sent_again():
    """A connection that ends between a response and the next request takes nothing of it along, its times included."""
    log = []
    (user,) = users(1, log)
    begin = user.begin

    def begin_and_lose():
        begin()
        user.connection.connection_lost(ConnectionResetError())

    user.begin = begin_and_lose
    before_ns = user.connection.acquired_ns
    user.connection.data_received(OK)
    await asyncio.sleep(0)
    assert user.ends[1] == (None, FailureKind.RESET, 0)
    assert user.connection.may_be_sent_again
    assert before_ns < user.connection.acquired_ns == user.connection.completed_ns
    assert log == [POST.head]
