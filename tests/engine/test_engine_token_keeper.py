"""Access tokens in virtual time: fetched before the load, renewed before they expire, and told when there is none."""

import json
from base64 import b64decode
from fractions import Fraction
from urllib.parse import parse_qsl

import anyio
import pytest
import trio
import trio.testing
from virtual_load import endpoint, scenario, virtual_run

from stressrunner.engine.clock import EventLoopClock
from stressrunner.engine.token_keeper import TokenKeeper
from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.fake import FakeAnswer, FakeTransports
from stressrunner.plan.tokens import AccessToken, NoToken
from stressrunner.scenario.model import Closed, OAuth2, Open, Phase

CLIENT = OAuth2("/token", "me", "s:e+c ret", "read write", "https://api")


def grant(number, expires_in=100):
    """Return the answer that grants a token named by its number."""
    granted = {"access_token": f"t{number}", "token_type": "Bearer", "expires_in": expires_in}
    return FakeAnswer(body=json.dumps(granted).encode())


def refusal(status=401, **words):
    """Return the answer that grants none."""
    return FakeAnswer(status=status, body=json.dumps(words).encode())


def kept(answer, *, for_s=0, client=CLIENT, look_at=()):
    """Keep a token for so long; return what requests saw at some moments, the requests, and the traffic."""
    sent, seen = [], []

    async def main():
        clock = EventLoopClock()

        def asked(number, request):
            sent.append((round(clock.now_ns() / 1e9 - started, 3), request))
            return answer(number, request)

        token = AccessToken(client)
        started = clock.now_ns() / 1e9
        keeper = TokenKeeper([token], FakeTransports(clock, asked), "/prefix", 5.0, clock)
        await keeper.fetch()
        seen.append(header_of(token))
        with anyio.move_on_after(for_s):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keeper.keep)
                for moment in look_at:
                    await clock.sleep_until(round((started + moment) * 1e9))
                    seen.append(header_of(token))
        seen.append(header_of(token))
        return keeper.hand_over()

    traffic = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return seen, sent, traffic


def header_of(token):
    """Return the header that a request would carry, or why it cannot."""
    try:
        return token.header({})
    except NoToken as error:
        return str(error)


def test_a_client_asks_for_a_token():
    """A token is asked for at the target's path with the client's words, its secret in a header, and then used."""
    seen, sent, traffic = kept(lambda number, _: grant(number))
    ((at_s, request),) = sent
    assert (at_s, request.method, request.target) == (0, "POST", "/prefix/token")
    headers = dict(request.headers)
    assert b64decode(headers["Authorization"].removeprefix("Basic ")) == b"me:s%3Ae%2Bc+ret"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.body.decode())) == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "audience": "https://api",
    }
    assert seen == ["Bearer t0", "Bearer t0"]
    assert traffic == (1, 0, ("t0",))


def test_a_whole_url_is_asked_as_it_is():
    """A token URL may lead to another host than the target, and scope and audience may be left out."""
    _, sent, _ = kept(lambda number, _: grant(number), client=OAuth2("https://login/token", "a", "b"))
    assert sent[0][1].target == "https://login/token"
    assert sent[0][1].body == b"grant_type=client_credentials"


@pytest.mark.parametrize("status", [400, 401])
def test_a_secret_that_is_not_taken_in_a_header_goes_into_the_body(status):
    """Where the header is refused the body is tried, and from then on at once."""

    def answer(number, request):
        in_body = b"client_secret=s%3Ae%2Bc+ret" in request.body
        return grant(number, 40) if in_body else refusal(status, error="invalid_client")

    seen, sent, traffic = kept(answer, for_s=50)
    assert ["Authorization" in dict(request.headers) for _, request in sent] == [True, False, False]
    assert seen == ["Bearer t1", "Bearer t2"]
    assert traffic[:2] == (3, 1)


@pytest.mark.parametrize(
    ("expires_in", "renewals"),
    [(100, [75, 150]), (400, []), ("40", [30, 60, 90, 120, 150]), (None, []), (3600, [])],
)
def test_tokens_are_renewed_before_they_expire(expires_in, renewals):
    """A token is renewed after three quarters of its life, or 30 s before its end; without an end it is kept."""
    _, sent, _ = kept(lambda number, _: grant(number, expires_in), for_s=170)
    assert [round(at_s) for at_s, _ in sent[1:]] == renewals


def test_long_lived_tokens_are_renewed_30_s_before_their_end():
    """A quarter of a long life would be too early."""
    _, sent, _ = kept(lambda number, _: grant(number, 1000), for_s=1000)
    assert [round(at_s) for at_s, _ in sent] == [0, 970]


def test_requests_never_see_a_token_that_has_expired():
    """While renewals fail the old token is used until its end, then there is none, and the next grant heals it."""

    def answer(number, _):
        return grant(number) if number in (0, 12) else refusal(503, error="down")

    seen, sent, traffic = kept(answer, for_s=200, look_at=(74, 99, 101, 160))
    assert seen[:3] == ["Bearer t0", "Bearer t0", "Bearer t0"]
    assert seen[3] == "no access token: the token endpoint replied with 503 down"
    assert [round(at_s) for at_s, _ in sent[1:7]] == [75, 76, 78, 82, 90, 100]
    assert traffic.failed == len(sent) - sum(1 for i in range(len(sent)) if i in (0, 12))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            refusal(401, error="invalid_client", error_description="Client not found"),
            "the token endpoint replied with 401 invalid_client: Client not found",
        ),
        (refusal(500), "the token endpoint replied with 500"),
        (FakeAnswer(status=502, body=b"<html>"), "the token endpoint replied with 502"),
        (FakeAnswer(body=b"<html>"), "the reply of the token endpoint has no access_token"),
        (
            FakeAnswer(body=b'{"access_token": "a\\nb"}'),
            "the reply of the token endpoint has no access_token",
        ),
        (
            FakeAnswer(body=b'{"access_token": "a", "token_type": "mac"}'),
            "the token is of the type 'mac', and only Bearer is known",
        ),
        (FakeAnswer(failure=Failure(FailureKind.REFUSED, "nothing listens there")), "nothing listens there"),
    ],
)
def test_what_is_no_token_is_told(answer, reason):
    """Whatever comes instead of a token, requests fail with the reason."""
    seen, _, traffic = kept(lambda _number, _request: answer)
    assert seen == [f"no access token: {reason}"] * 2
    assert traffic.failed == traffic.sent > 0


@pytest.mark.parametrize("expires_in", [0, -5, 0.001])
def test_tokens_without_a_life_are_not_asked_for_without_a_pause(expires_in):
    """A server whose tokens are over at once is not flooded."""
    _, sent, _ = kept(lambda number, _: grant(number, expires_in), for_s=2)
    assert len(sent) <= 22


def answering(number, request, *, lives_s=4):
    """Answer as an identity provider and the service behind it, which takes tokens for as long as they live."""
    if request.target == "/token":
        return grant(number, lives_s)
    authorized = dict(request.headers)["Authorization"].startswith("Bearer t")
    return FakeAnswer(status=200 if authorized else 401)


def test_token_traffic_is_reported_and_not_counted():
    """A load of ten seconds renews its token twice or thrice, and none of that is among its requests."""
    ran = virtual_run(
        scenario(Phase("p", Open(Fraction(10), Fraction(10))), endpoints=(endpoint(auth=CLIENT),)), answering
    )
    assert (ran.totals.planned, ran.totals.ok) == (100, 100)
    assert (ran.summary.token_requests, ran.summary.token_failures) == (4, 0)
    assert set(ran.sent) == {"POST /one"}


def test_requests_without_a_token_fail_as_auth():
    """Without a token nothing is sent to the target, and every iteration is in error under the kind `auth`."""
    ran = virtual_run(
        scenario(Phase("p", Closed(2, iterations=5)), endpoints=(endpoint(auth=CLIENT),)),
        lambda number, request: refusal(401, error="invalid_client"),
    )
    assert (ran.totals.sent, ran.totals.skipped, ran.summary.iterations.in_error) == (0, 5, 5)
    (group,) = ran.summary.errors
    assert (group.kind, group.count) == ("auth", 5)
    assert group.samples[0].message == "no access token: the token endpoint replied with 401 invalid_client"
    assert ran.summary.token_failures == ran.summary.token_requests == 2
    assert ran.transports.requests == 2
