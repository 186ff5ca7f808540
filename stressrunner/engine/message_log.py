"""The rows of the log of messages: what a message was, and which reply it got."""

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.names import RequestNames, ResponseNames
from stressrunner.http.exchange import Exchange
from stressrunner.plan.messages import Messages
from stressrunner.plan.reply import Reply

__all__ = ["attempt_of", "unanswered"]


def attempt_of(
    messages: Messages, seen: ResponseNames, names: RequestNames, phase: int, exchange: Exchange
) -> Attempt:
    """Return the row of a message whose exchange has ended."""
    reply = messages.reply(exchange, seen)
    return Attempt(
        names.scope.session,
        names.number,
        _burst(messages, names),
        phase,
        exchange.acquired_ns if exchange.sent_ns is None else exchange.sent_ns,
        exchange.completed_ns,
        reply,
        exchange.status,
        messages.session_id(seen) if reply is Reply.ACKNOWLEDGED else "",
    )


def unanswered(messages: Messages, names: RequestNames, phase: int, between_ns: tuple[int, int]) -> Attempt:
    """Return the row of a message that was no longer waited for, released and cut off at two moments."""
    burst = _burst(messages, names)
    return Attempt(names.scope.session, names.number, burst, phase, *between_ns, reply=Reply.UNANSWERED)


def _burst(messages: Messages, names: RequestNames) -> int:
    return names.number - names.number % messages.burst
