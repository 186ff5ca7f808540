"""The deliveries of an imagined run, judged by the real verdict: three sessions in which most things went wrong."""

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History
from stressrunner.engine.tokens import TokenReader, token_text
from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import DEFAULT_LIMITS
from stressrunner.sink import SinkLog, TokenObservation
from stressrunner.verdict.delivery.judgement import Circumstances, judge_delivery
from stressrunner.verdict.delivery.outcome import ReadBackFigures

RUN = "1f0c9a2b"
MS = 1_000_000
STATUS = {Reply.ACKNOWLEDGED: 200, Reply.SUPERSEDED: 500, Reply.REFUSED: 422, Reply.UNKNOWN: 502}
A, S, R, U, N = Reply.ACKNOWLEDGED, Reply.SUPERSEDED, Reply.REFUSED, Reply.UNKNOWN, Reply.UNANSWERED
#: The replies to the messages of each session, and what its history shows: indices, with `session/` before strangers.
SESSIONS = [
    ([A, A, A, A, A, A], ["0", "1+2+3", "5"]),  # message 4 was lost
    ([S, A, S, A, R, A], ["0", "1", "3", "3", "5", "2/1"]),  # a phantom, a duplicate
    (
        [A, A, U, N, A, A],
        ["0", "5", "2", "4"],
    ),  # one in another session, one recovered, one dropped, and out of order
    ([S, S], []),  # a burst that nobody answered
    ([A, A, A], ["0", "b:1", "b:2"]),  # two ids, and a message under the one that its reply did not name
]
#: The message of the last session whose reply named its second id.
_NAMES_B = 2


def attempts():
    """Return what was sent, in bursts of three, a message every 10 ms and a burst every 200 ms."""
    for session, (replies, _) in enumerate(SESSIONS):
        for message, reply in enumerate(replies):
            at_ms = 5 * session + 200 * (message // 3) + 10 * (message % 3)
            took_ms = 30_000 if reply is N else 40 + 35 * (message % 3)
            yield Attempt(
                session,
                message,
                message - message % 3,
                0,
                at_ms * MS,
                (at_ms + took_ms) * MS,
                reply,
                STATUS.get(reply, 0),
                _id(session, message) if reply is A else "",
            )


def _id(session, message):
    return f"id-{session}b" if session == len(SESSIONS) - 1 and message == _NAMES_B else f"id-{session}"


def histories():
    """Return what the histories hold."""
    reader = TokenReader(RUN, "\n---\n")
    for session, (_, stored) in enumerate(SESSIONS):
        listed = reader.read([_text(session, entry.removeprefix("b:")) for entry in stored])
        ids = [(f"id-{session}b",) if entry.startswith("b:") else (f"id-{session}",) for entry in stored]
        yield History(session, tuple(s._replace(ids=under) for s, under in zip(listed, ids, strict=True)))


def _text(session, entry):
    owner, _, numbers = entry.rpartition("/")
    tokens = [token_text(RUN, int(owner or session), int(number)) for number in numbers.split("+")]
    return "\n---\n".join(f"Tell me about <{token[-1]}>. {token}" for token in tokens)


def sink():
    """Return what a sink saw: two calls for a message, one for what was refused or lost, and one that failed."""
    calls = {(session, message): 1 for session in range(3) for message in range(6)}
    calls |= {(1, 3): 2, (1, 2): 0}
    seen = {token_text(RUN, *token): TokenObservation(n, 0, MS, 2 * MS) for token, n in calls.items() if n}
    seen[token_text(RUN, 2, 3)] = TokenObservation(1, 1, MS, MS)
    return SinkLog(seen, sum(calls.values()), 0)


def deliveries(**changes):
    """Return the outcome of the check; with `read=False`, of one that could read no history."""
    read = list(histories()) if changes.pop("read", True) else []
    figures = ReadBackFigures(4, changes.pop("unread", 0), 8, 0, 2.1, 2.0, changes.pop("reasons", ()))
    circumstances = {
        "run_id": RUN,
        "origin_ns": 0,
        "phases": [("load", False)],
        "require": DEFAULT_LIMITS,
        "read_back": figures,
        "doubts": (),
        "mask": lambda text: text,
        "looked": False,
        "sink": sink(),
    }
    return judge_delivery(list(attempts()), read, Circumstances(**{**circumstances, **changes}))
