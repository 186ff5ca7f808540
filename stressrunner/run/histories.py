"""Which histories of a run are read back, and for how long they have to be quiet."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History
from stressrunner.engine.session_reader import Wanted
from stressrunner.plan.delivery import ReadBackPlan
from stressrunner.plan.reply import Reply
from stressrunner.units import NS_PER_S, format_duration

__all__ = ["by_session", "named", "quiet_s_of", "to_read", "too_slow"]

_NOT_TAKEN = (Reply.REFUSED, Reply.UNSENT)


def by_session(attempts: Sequence[Attempt]) -> Mapping[int, list[Attempt]]:
    """Return the messages of each session."""
    found: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.session, []).append(attempt)
    return found


def quiet_s_of(spec: ReadBackPlan, attempts: Sequence[Attempt]) -> float:
    """Return for how long a history must not change: at least twice the longest service time of an answered message."""
    longest_ns = max((a.ended_ns - a.sent_ns for a in attempts if a.is_answered), default=0)
    return max(spec.quiet_s, 2 * longest_ns / NS_PER_S)


def too_slow(spec: ReadBackPlan, quiet_s: float) -> str:
    """Return why no history can become quiet in its time; empty when it can."""
    if quiet_s < spec.timeout_s:
        return ""
    quiet, timeout = format_duration(quiet_s), format_duration(spec.timeout_s)
    why = f"a history has to be quiet for {quiet}, twice the longest service time, and may take {timeout}"
    return f"{why}: raise 'timeout' of 'read_back'"


def to_read(
    spec: ReadBackPlan, sessions: Mapping[int, Sequence[Attempt]]
) -> tuple[list[History], list[Wanted]]:
    """Return the histories of sessions that cannot be read or need not be, and the sessions that can."""
    empty, wanted = [], []
    for session, attempts in sessions.items():
        ids = tuple(dict.fromkeys(a.session_id for a in attempts if a.session_id))
        if spec.names_id and not ids:
            # Where the server took nothing on there is nothing to read; otherwise it cannot be read.
            took_nothing = all(a.reply in _NOT_TAKEN for a in attempts)
            empty.append(History(session, unread="" if took_nothing else "no reply returned its id"))
        else:
            wanted.append(Wanted(session, ids, max(a.ended_ns for a in attempts)))
    return empty, wanted


def named(spec: ReadBackPlan, history: History, attempts: Sequence[Attempt]) -> History:
    """Return a history, as partial where it was read by the session's name and its replies named several ids."""
    ids = dict.fromkeys(attempt.session_id for attempt in attempts if attempt.session_id)
    if spec.names_id or len(ids) < 2 or history.partial:
        return history
    why = "replies named several ids for one session, which was read by its name; use 'session.id' in the endpoint of 'read_back'"
    return replace(history, partial=why)
