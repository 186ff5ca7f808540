"""Requests that follow upon responses: written together, soon, and never behind what the server has said before."""

import asyncio

import pytest

from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.h1_connection import Connection
from stressrunner.http.h1_deadlines import NEVER_NS, Deadlines
from stressrunner.http.h1_head import HeadWriter
from stressrunner.http.h1_outbox import Outbox
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.wire import Limits

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

    def __init__(self, outbox, log):
        self.ends = []  # of requests: when they were sent, the kind of their failure and the bytes that were not sent
        self.connection = Connection(
            ResponseReader(Limits()), Deadlines(asyncio.get_running_loop()), outbox, self
        )
        self.connection.connection_made(Wire(log))

    def begin(self):
        """Send a request."""
        self.connection.begin(POST, NEVER_NS, self)

    def ended(self, connection, done):
        """Take the end of a request."""
        assert done is self
        failure = connection.failure
        self.ends.append((connection.sent_ns, failure and failure.kind, connection.bytes_unsent))
        if len(self.ends) == 1:
            self.begin()

    def lost(self, connection):
        """Take the end of the connection."""


def users(count, log):
    """Return users of one event loop, each with a request on its way."""
    outbox = Outbox(asyncio.get_running_loop())
    made = [User(outbox, log) for _ in range(count)]
    for user in made:
        user.begin()
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
    assert log == []
    await asyncio.sleep(0)
    assert log == [POST.head] * 2
    for user in pair:
        assert user.connection.sent_ns == user.connection.acquired_ns >= max(read_ns)
        user.connection.data_received(OK)
        assert user.ends[1] == (user.connection.sent_ns, None, 0)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"])
async def test_what_is_not_written_has_not_been_sent(said):
    """A server that says more, or closes, before the next request is written has not seen that, and answers nothing."""
    log = []
    (user,) = users(1, log)
    user.connection.data_received(OK)
    if said:
        user.connection.data_received(said)
    else:
        user.connection.eof_received()
    assert user.ends[1] == (None, FailureKind.RESET, POST.size)
    assert user.connection.may_be_sent_again
    await asyncio.sleep(0)
    assert log == [POST.head]
