"""Messages whose delivery is checked: which reply each of them got, told by the scenario's expressions.

    unanswered    no reply before the timeout
    unsent        the connection failed before the first byte was written
    acknowledged  the scenario's `acknowledged`
    superseded    the scenario's `superseded`
    refused       the scenario's or the endpoint's `refused`; by default 4xx, or 2xx that is not acknowledged
    unknown       everything else

Tried in this order, with one exception: a message of which no byte was written is unsent also when it was the time
for connecting that ran out.
"""

from collections.abc import Mapping
from typing import Any

from stressrunner.expressions import CannotEvaluate, compile_expression
from stressrunner.expressions.environment import to_text
from stressrunner.expressions.expression import Expression
from stressrunner.http.exchange import Exchange, FailureKind
from stressrunner.plan.judging import OF_BODY, names_of
from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import Delivery

__all__ = ["MAX_SESSION_ID", "Messages"]

MAX_SESSION_ID = 200  #: characters of a session's id that are kept

Names = Mapping[str, Any]


class Messages:
    """The messages of one endpoint; raises ExpressionError when an expression makes no sense."""

    def __init__(self, delivery: Delivery, *, refused: str | None, burst: int) -> None:
        """Compile the expressions.

        Args:
            delivery: the scenario's.
            refused: the endpoint's own expression.
            burst: how many messages are sent together.
        """
        self.burst = burst
        self._acknowledged = compile_expression(delivery.acknowledged)
        self._superseded = _compiled(delivery.superseded)
        self._refused = [e for e in (_compiled(delivery.refused), _compiled(refused)) if e is not None]
        self._by_status = delivery.refused is None
        self._session_id = _compiled(delivery.session_id)
        asked = [self._acknowledged, self._superseded, *self._refused, self._session_id]
        #: whether anything is asked about a reply's body
        self.needs_body = not names_of(filter(None, asked)).isdisjoint(OF_BODY)

    def reply(self, exchange: Exchange, names: Names) -> Reply:
        """Return which reply an exchange is; `names` are those of its response."""
        if exchange.failure is not None:
            if exchange.sent_ns is None:
                return Reply.UNSENT
            return Reply.UNANSWERED if exchange.failure.kind is FailureKind.TIMEOUT else Reply.UNKNOWN
        if self._acknowledged.is_true(names):
            return Reply.ACKNOWLEDGED
        if self._superseded is not None and self._superseded.is_true(names):
            return Reply.SUPERSEDED
        if any(expression.is_true(names) for expression in self._refused):
            return Reply.REFUSED
        says_no = 400 <= exchange.status < 500 or 200 <= exchange.status < 300
        return Reply.REFUSED if self._by_status and says_no else Reply.UNKNOWN

    def session_id(self, names: Names) -> str:
        """Return the session's id from an acknowledged reply; empty where there is none."""
        if self._session_id is None:
            return ""
        try:
            value = self._session_id.evaluate(names)
        except CannotEvaluate:
            return ""
        return "" if value is None else to_text(value)[:MAX_SESSION_ID]


def _compiled(source: str | None) -> Expression | None:
    return None if source is None else compile_expression(source)
