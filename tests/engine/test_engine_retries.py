"""Users whose `user_setup` fails: they try again and take nothing meanwhile, all in virtual time."""

import json
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_load import scenario_of, virtual_run

from stressrunner.engine.retries import Retries, retry_pause_s
from stressrunner.http.fake import FakeAnswer
from stressrunner.verdict.setup_patience import SetupPatience

SCENARIO = """
endpoints:
  login: {{post: "/login/{{{{ user.id }}}}", capture: {{token: body.token}}}}
  a: {{get: "/a/{{{{ user.id }}}}/{{{{ iteration }}}}", headers: {{token: "{{{{ token }}}}"}}}}
user_setup: [login]
{traffic}
{load}
"""


def load(text, traffic="mix: {a: 1}"):
    """Return a scenario of users who log in, with a load."""
    return scenario_of(SCENARIO.format(traffic=traffic, load=f"load: {text}"))


def logins(*locked, until=float("inf")):
    """Answer requests; logins of some users fail, of each as often as `until` says."""
    tries = Counter()

    def answer(number, request):
        kind, user = request.target.split("/")[1:3]
        if kind == "login":
            tries[int(user)] += 1
            if int(user) in locked and tries[int(user)] <= until:
                return FakeAnswer(0.01, status=401)
            return FakeAnswer(0.01, body=json.dumps({"token": user}).encode())
        return FakeAnswer(0.1)

    answer.tries = tries
    return answer


def attempts(ran):
    """Return how many attempts passed, how many failed, and how many users never were set up."""
    return (
        lengths.count if (lengths := ran.summary.groups.get("user_setup")) else 0,
        ran.summary.groups_failed.get("user_setup", 0),
        ran.summary.user_setup.users_failed,
    )


def test_pauses_double_up_to_ten_seconds():
    """0.1 s, then twice as long each time, 10 s at the most, up to a fifth more or less; a seed repeats them."""
    pauses = [retry_pause_s(1, 7, failures) for failures in range(1, 200)]
    wanted = [min(10.0, 0.1 * 2**n) for n in range(199)]
    assert all(0.8 * w <= p <= 1.2 * w for p, w in zip(pauses, wanted, strict=True))
    assert pauses == [retry_pause_s(1, 7, failures) for failures in range(1, 200)]
    assert len({retry_pause_s(1, user, 1) for user in range(50)}) == 50


@pytest.mark.parametrize(
    ("waiting", "users", "held"),
    [(9, 9, False), (10, 10, True), (10, 20, True), (10, 21, False), (30, 60, True)],
)
def test_half_of_all_users_hold_the_others_up(waiting, users, held):
    """While half of the users wait to be set up, and ten at least, none is added."""
    retries = Retries()
    entered = [retries.retrying(user) for user in range(waiting)]
    for one in entered:
        one.__enter__()
    assert retries.hold_up(users) is held
    for one in entered:
        one.__exit__(None, None, None)
    assert not retries.hold_up(users)


@pytest.mark.parametrize(
    "shape", ["concurrency: 4, iterations: 40", "concurrency: 4, iterations: 40, think: 1s"]
)
def test_users_who_can_log_in_do_the_work_of_those_who_cannot(shape):
    """A user that is not set up takes no iteration, and consumes none: all of them are sent, each once."""
    ran = virtual_run(load(f"{{{shape}}}"), logins(0, 2))
    assert (ran.totals.planned, ran.totals.ok, ran.totals.skipped, ran.totals.not_reached) == (40, 40, 0, 0)
    sent = [target.split("/") for target in ran.sent]
    assert {user for _, _, user, _ in sent} == {"1", "3"}
    assert sorted(int(iteration) for *_, iteration in sent) == list(range(40))
    passed, failed, never = attempts(ran)
    assert (passed, never) == (2, 2)
    assert failed >= 4


def test_a_user_who_logs_in_at_last_is_no_failed_one():
    """Attempts that failed stay failed; the user is set up, takes iterations, and is not among those that never were."""
    ran = virtual_run(load("{concurrency: 2, duration: 5s}"), logins(1, until=3))
    assert attempts(ran) == (2, 3, 0)
    assert {target.split("/")[2] for target in ran.sent} == {"0", "1"}
    assert [(f.endpoint, f.kind, f.count) for f in ran.summary.user_setup.failures] == [
        ("login", "http 401", 3)
    ]


def test_the_pauses_between_attempts_are_kept():
    """Attempts of a user come after 0.1, 0.2, 0.4 s and so on, and hold the end of the load up by nothing."""
    times = []

    def answer(number, request):
        times.append(number)
        return FakeAnswer(0.0, status=401)

    ran = virtual_run(load("{concurrency: 1, duration: 60s}"), answer)
    assert 10 <= attempts(ran)[1] <= 13  # 0.1 + 0.2 + ... + 6.4 s are seven, and one more every ten seconds
    assert ran.totals.sent == 0
    assert ran.summary.duration_s == pytest.approx(60, abs=0.01)


def test_warm_ups_count_too():
    """How users are set up is of all phases, also of those that are left out of everything else."""
    ran = virtual_run(
        load("[{warmup: true, concurrency: 2, duration: 1s}, {concurrency: 2, duration: 1s}]"), logins(1)
    )
    passed, failed, never = attempts(ran)
    assert (passed, never) == (1, 1)
    assert failed >= 4


def test_arrivals_are_given_to_users_who_are_set_up():
    """At a rate an arrival whose user cannot log in goes to another; nothing is dropped, and none is sent twice."""
    ran = virtual_run(load("{rate: 50/s, duration: 1s}"), logins(0, 3))
    assert (ran.totals.planned, ran.totals.ok, ran.totals.dropped) == (50, 50, 0)
    assert sorted(int(target.split("/")[3]) for target in ran.sent) == list(range(50))
    assert ran.summary.lag.max_s == 0
    assert attempts(ran)[2] == 2


def test_users_are_not_added_for_ever():
    """At a rate, no more users are made when ten of ten cannot log in; the arrivals wait, and are dropped at the end."""
    answer = logins(*range(1000))
    ran = virtual_run(load("{rate: 20/s, duration: 20s, graceful_stop: 1s}"), answer)
    assert set(answer.tries) == set(range(11))  # two of them at the same time
    assert (ran.totals.sent, ran.totals.dropped) == (0, 400)
    assert (ran.summary.iterations.ended, ran.summary.iterations.in_error) == (400, 400)
    assert attempts(ran)[2] == 11


def test_a_ramp_goes_on_when_users_log_in_again():
    """Closed users that were held up join as soon as those before them are set up."""
    answer = logins(*range(10), until=3)
    ran = virtual_run(load("{concurrency: {from: 10, to: 30}, duration: 20s}"), answer)
    assert set(answer.tries) == set(range(30))
    assert attempts(ran)[2] == 0
    assert max(answer.tries.values()) == 4


def test_users_who_cannot_log_in_end_with_the_load():
    """Nobody waits for them when nothing is left; the next phase has them try on."""
    ran = virtual_run(
        load("[{name: a, concurrency: 2, iterations: 4}, {name: b, concurrency: 2, iterations: 4}]"),
        logins(1),
    )
    assert (ran.totals.ok, ran.totals.planned) == (8, 8)
    assert ran.summary.duration_s < 2


def test_shards_try_on_their_own():
    """Every generator has its own users that wait; their sums are those of the load."""
    ran = [
        virtual_run(load("{concurrency: 6, iterations: 60}"), logins(1, 4), shard=(n, 2)) for n in range(2)
    ]
    assert sum(one.totals.ok for one in ran) == 60
    assert sum(attempts(one)[2] for one in ran) == 2
    assert sum(attempts(one)[0] for one in ran) == 4


def test_a_login_that_is_cut_off_has_failed():
    """A user whose login hangs until the load is over could never be set up."""
    ran = virtual_run(load("{concurrency: 1, duration: 2s, graceful_stop: 1s}"), lambda n, r: FakeAnswer(25))
    assert attempts(ran) == (0, 1, 1)


def test_an_interrupted_login_tells_nothing():
    """An interrupt says nothing about whether a login would have passed."""
    ran = virtual_run(load("{concurrency: 1, duration: 9s}"), lambda n, r: FakeAnswer(25), stop_at_s=3)
    assert ran.summary.user_setup.users_failed == 0
    assert "user_setup" not in ran.summary.groups_failed


def test_flows_and_sessions_of_users_who_cannot_log_in_do_not_fail():
    """What could not begin has not failed: it is not reached, and setting users up is a figure of its own."""
    ran = virtual_run(load("{concurrency: 2, iterations: 2}", "flow: [a]"), logins(0, 1), stop_at_s=10)
    assert (ran.totals.sent, ran.totals.not_reached, ran.summary.groups_failed.get("flow")) == (0, 2, None)
    assert attempts(ran)[2] == 2


POLL = "flow: [{send: a, repeat: {until: body.ready, times: 3}}]"


@pytest.mark.parametrize(
    ("ready", "status", "in_error"),
    [(False, 200, 4), (True, 200, 0), (False, 500, 0)],
)
def test_an_iteration_is_in_error_when_no_request_says_so(ready, status, in_error):
    """An `until` that reaches its bound is an error of the iteration, unless a request of it failed as well."""
    passing = logins()

    def answer(number, request):
        if "login" in request.target:
            return passing(number, request)
        return FakeAnswer(0.01, status=status, body=json.dumps({"ready": ready}).encode())

    ran = virtual_run(load("{concurrency: 2, iterations: 4}", POLL), answer)
    assert (ran.summary.iterations.ended, ran.summary.iterations.in_error) == (4, in_error)


def test_single_requests_are_iterations():
    """Where an iteration is one request, those that ended are counted, warm-up left out; none is in error."""
    ran = virtual_run(
        load(
            "[{name: w, warmup: true, concurrency: 1, iterations: 3}, {name: h, concurrency: 1, iterations: 5}]"
        ),
        logins(),
    )
    assert (ran.summary.iterations.ended, ran.summary.iterations.in_error) == (5, 0)
    assert ran.summary.phase_iterations["w"].ended == 3


class Patient:
    """Listens to a load, and ends it as a run would."""

    def __init__(self, stop_at_s=None):
        self.patience = SetupPatience()
        self.stop_at_s = stop_at_s
        self.ended_s = None

    def observe(self, snapshot, total):
        """Return whether to end it."""
        over = self.patience.is_over(snapshot, total)
        if over and self.ended_s is None:
            self.ended_s = snapshot.at_s
        return over or (self.stop_at_s is not None and snapshot.at_s >= self.stop_at_s)


@pytest.mark.parametrize(
    ("answer", "ended_s"),
    [
        (logins(*range(9)), 30),
        (logins(0), None),
        (logins(*range(9), until=5), None),
        (lambda n, r: FakeAnswer(0.01, status=401) if n < 20 else FakeAnswer(50), 30),
    ],
)
def test_a_load_ends_when_nobody_can_be_set_up(answer, ended_s):
    """After 30 s in which no user at all was set up; one user is enough to go on."""
    observer = Patient()
    virtual_run(load("{concurrency: 3, duration: 60s}"), answer, observer=observer)
    assert observer.ended_s == (None if ended_s is None else pytest.approx(ended_s, abs=1e-9))


SHAPES = (
    "concurrency: 3, iterations: 12",
    "concurrency: 12, iterations: 12",
    "concurrency: 3, iterations: 12, think: 1s",
    "concurrency: {from: 2, to: 14}, duration: 4s",
    "rate: 5/s, duration: 4s, max_in_flight: 4",
    "rate: 5/s, duration: 4s, max_in_flight: 4, overflow: drop",
)
TRAFFIC = (
    "mix: {a: 1}",
    "flow: [a, {send: a, if: iteration % 2 == 0}, a]",
    "flow: [{parallel: [a, a]}, a]",
)


@settings(max_examples=30, deadline=None)
@given(
    load=st.tuples(st.sampled_from(SHAPES), st.sampled_from(["0s", "500ms", "5s"]), st.booleans()),
    traffic=st.sampled_from(TRAFFIC),
    fails=st.dictionaries(st.integers(0, 15), st.integers(1, 9) | st.just(10**6), max_size=16),
    times=st.tuples(st.sampled_from([0.01, 0.4, 3.0]), st.none() | st.integers(1, 8)),
    rows=st.sampled_from([None, 5]),
    others_fail=st.integers(0, 2**16),
)
def test_whoever_cannot_log_in_everything_planned_is_accounted_for(
    load, traffic, fails, times, rows, others_fail
):
    """Sent, skipped, dropped and never begun make what was planned; users and attempts are told as they were."""
    (shape, graceful_stop, two_phases), (login_s, stop_at_s) = load, times
    made = SCENARIO.replace('iteration }}}}"', 'iteration }}}}?{{{{ rows }}}}"') if rows else SCENARIO
    feeding = f"feeders: {{rows: {{values: {list(range(rows))}, on_end: stop}}}}\n" if rows else ""
    phase = f"{{{shape}, graceful_stop: {graceful_stop}}}"
    phases = f"[{phase}, {phase}]" if two_phases else phase
    tries = Counter()

    def answer(number, request):
        kind, user = request.target.split("/")[1:3]
        if kind != "login":
            return FakeAnswer(0.1, status=500 if others_fail >> number % 17 & 1 else 200)
        tries[user] += 1
        if tries[user] <= fails.get(int(user), 0):
            return FakeAnswer(login_s, status=401)
        return FakeAnswer(login_s, body=json.dumps({"token": user}).encode())

    observer = Patient(stop_at_s)  # without its patience, work that nobody can begin would never be over
    described = scenario_of(feeding + made.format(traffic=traffic, load=f"load: {phases}"))
    ran = virtual_run(described, answer, observer=observer)
    totals = ran.totals
    assert totals.planned == totals.sent + totals.skipped + totals.dropped + totals.not_reached
    assert totals.sent == totals.completed + totals.unfinished
    assert totals.completed == totals.ok + totals.failed
    assert (totals.sent > 0) <= (attempts(ran)[0] > 0)
    sent = [target.partition("?")[0].split("/")[2:] for target in ran.sent]
    can = {user for user, count in tries.items() if count > fails.get(int(user), 0)}
    assert {user for user, _ in sent} <= can
    iterations = defaultdict(set)
    for user, iteration in sent:
        iterations[iteration].add(user)
    assert all(len(users) == 1 for users in iterations.values())
    passed, failed, never = attempts(ran)
    assert passed <= len(can)
    assert passed + failed <= tries.total()
    assert never <= len(tries) - passed
    assert sum(one.count for one in ran.summary.user_setup.failures) <= failed  # the others were cut off
    if (
        stop_at_s is None and observer.ended_s is None
    ):  # what came back was waited for, or cut off by the load's end
        assert passed + failed == tries.total()
        assert never == len(tries) - passed
        assert totals.not_reached == 0 or rows
