"""Cookies and redirects of iterations, in virtual time: what belongs to an iteration ends with it."""

from collections import Counter

import pytest
from virtual_load import endpoint, scenario, virtual_run

from stressrunner.http.fake import FakeAnswer
from stressrunner.scenario.model import Closed, Phase, Session, Target, Timeout

TWO_SESSIONS = Phase("p", Closed(1, iterations=2))


def cookie_of(request):
    """Return the Cookie header of a request."""
    return dict(request.headers).get("Cookie", "")


def numbered(number, request):
    """Set a cookie that tells which request set it."""
    return FakeAnswer(0.01, headers=(("Set-Cookie", f"n={number}"),))


@pytest.mark.parametrize(
    ("burst", "sent"),
    [(1, ["", "n=0", "n=1", "", "n=3", "n=4"]), (3, [""] * 6)],
)
def test_cookies_last_for_an_iteration(burst, sent):
    """Messages of a session share its cookies, those of a burst the ones there were before; no other session does."""
    ran = virtual_run(scenario(TWO_SESSIONS, traffic=Session("one", 3, burst=burst)), numbered)
    assert [cookie_of(e.request) for e in ran.exchanges] == sent


def test_a_burst_sends_what_the_burst_before_was_given():
    """After a burst, its cookies are everybody's in the session."""
    ran = virtual_run(scenario(TWO_SESSIONS, traffic=Session("one", 4, burst=2)), numbered)
    seen = Counter(cookie_of(e.request) for e in ran.exchanges)
    first, second = sorted(seen.keys() - {""})
    assert seen == {"": 4, first: 2, second: 2}
    assert first in ("n=0", "n=1")  # whichever reply of the burst came last
    assert second in ("n=4", "n=5")


def test_cookies_can_be_left_alone():
    """With `cookies: false` what responses set is not sent, and what endpoints say still is."""
    target = Target("http://target", {}, Timeout(), cookies=False)
    one = endpoint(cookies={"mine": "{{ message.index }}"})
    ran = virtual_run(
        scenario(TWO_SESSIONS, traffic=Session("one", 2), endpoints=(one,), target=target), numbered
    )
    assert [cookie_of(e.request) for e in ran.exchanges] == ["mine=0", "mine=1"] * 2


def test_hops_are_counted_apart():
    """A request that is redirected twice is one request of thrice the time, with two redirects beside it."""

    def answer(number, request):
        location = (("Location", "/next"),)
        return FakeAnswer(0.1) if number % 3 == 2 else FakeAnswer(0.1, status=302, headers=location)

    one = endpoint(follow_redirects=True, checks=("status == 200",))
    ran = virtual_run(scenario(Phase("p", Closed(1, iterations=10)), endpoints=(one,)), answer)
    totals = ran.totals
    assert totals.planned == totals.sent == totals.ok == 10
    assert totals.redirects == ran.transports.requests - 10 == 20
    assert totals.service_time.mean_s == pytest.approx(0.3)


def test_redirects_are_not_followed_unasked():
    """Without `follow_redirects` a redirect is a response below 400, and passes."""
    ran = virtual_run(
        scenario(Phase("p", Closed(1, iterations=3))),
        lambda number, request: FakeAnswer(0.1, status=302, headers=(("Location", "/x"),)),
    )
    assert (ran.totals.ok, ran.totals.redirects, ran.totals.status) == (3, 0, {"302": 3})
