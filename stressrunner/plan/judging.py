"""Checks and captures of an endpoint, compiled: what a response must satisfy and what is taken from it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stressrunner.expressions import CannotEvaluate, compile_expression
from stressrunner.expressions.environment import to_json
from stressrunner.expressions.expression import Expression, values_met, why_not
from stressrunner.expressions.fusing import fuse_judgement
from stressrunner.plan.captures import Captures, NothingCaptured
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.model import Endpoint, GraphQL

__all__ = ["OF_BODY", "Finding", "Judge", "names_of"]

Names = Mapping[str, Any]
_PASSED = (Outcome.OK, None)
OF_BODY = frozenset({"body", "text", "size"})  #: the names that need a response's body
_OF_TIME = frozenset({"response_time", "service_time"})


class Finding(NamedTuple):
    """What came of one check of one response."""

    text: str
    passed: bool
    values: str  #: that it looked at, or why it could not be evaluated


class Judge:
    """Judges the responses of one endpoint; raises ExpressionError when an expression makes no sense."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._checks = [compile_expression(source) for source in endpoint.checks]
        self._captures = Captures(endpoint.capture)
        expressions = self._captures.expressions
        #: returns what is captured where all checks hold; whatever else it does, the slow way tells what and why
        self._judgement = fuse_judgement(self._checks, expressions or {})
        self._captures_apart = expressions is None
        self._refused = None if endpoint.refused is None else compile_expression(endpoint.refused)
        named = names_of(self._checks)
        self._wants_no_errors = isinstance(endpoint.body, GraphQL) and not _asks_errors(self._checks)
        self._status_decides = "status" not in named
        asked = named | self._captures.asked | names_of([self._refused] if self._refused else [])
        #: whether the status alone decides what becomes of a request, and nothing is taken from the response
        self.is_of_status = asked <= {"status"} and not self._captures and not self._wants_no_errors
        self._of_status: dict[int, tuple[Outcome, Problem | None]] = {}
        #: whether anything is asked about a response's body
        self.needs_body = self._wants_no_errors or not asked.isdisjoint(OF_BODY)

    def judge(self, status: int, names: Names, captures: dict[str, Any]) -> tuple[Outcome, Problem | None]:
        """Return what became of a request that was answered; captures are added when it passed."""
        if self._refused is not None and self._refused.is_true(names):
            return Outcome.REFUSED, None
        if self._status_decides and status >= 400:
            return Outcome.FAILED, Problem(f"http {status}", f"status was {status}")
        errors = _graphql_errors(names) if self._wants_no_errors else ""
        if errors:
            return Outcome.FAILED, Problem("graphql", errors)
        try:
            taken = None if self._judgement is None else self._judgement(names)
        except Exception:  # noqa: BLE001  whatever failed is told below
            taken = None
        if taken is None:
            for check in self._checks:
                reason = why_not(check, names)
                if reason is not None:
                    of_time = not names_of([check]).isdisjoint(_OF_TIME)
                    problem = Problem("check", reason, rule=check.source, is_of_time=of_time)
                    return Outcome.FAILED, problem
        if taken is None or self._captures_apart:
            return self._capture(names, captures)
        captures.update(taken)
        return _PASSED

    def judge_status(self, status: int) -> tuple[Outcome, Problem | None]:
        """Return what became of a request by the status of its response, where `is_of_status`."""
        known = self._of_status.get(status)
        if known is None:
            known = self._of_status[status] = self.judge(status, {"status": status}, {})
        return known

    @property
    def captured(self) -> tuple[str, ...]:
        """The names of the captures."""
        return self._captures.names

    def findings(self, status: int, names: Names) -> list[Finding]:
        """Return what comes of every check, also of those after one that failed; for people, not for the load."""
        if self._refused is not None and self._refused.is_true(names):
            return [
                Finding(
                    f"refused: {self._refused.source}", passed=True, values=values_met(self._refused, names)
                )
            ]
        found = []
        if self._status_decides:
            found.append(Finding("status < 400", passed=status < 400, values=f"status was {status}"))
        if self._wants_no_errors:
            errors = _graphql_errors(names)
            found.append(Finding("not body.errors", passed=not errors, values=errors))
        for check in self._checks:
            reason = why_not(check, names)
            values = values_met(check, names) if reason is None else reason.removeprefix(f"{check.source}: ")
            found.append(Finding(check.source, passed=reason is None, values=values))
        return found

    def _capture(self, names: Names, captures: dict[str, Any]) -> tuple[Outcome, Problem | None]:
        try:
            captures.update(self._captures.take(names))
        except NothingCaptured as error:
            of_time = not self._captures.asked.isdisjoint(_OF_TIME)
            return Outcome.FAILED, Problem("capture", str(error), rule=error.name, is_of_time=of_time)
        return _PASSED


def _asks_errors(checks: Iterable[Expression]) -> bool:
    return any(reference.path[:2] == ("body", "errors") for check in checks for reference in check.references)


def _graphql_errors(names: Names) -> str:
    """Return the first of the errors in the reply to a GraphQL operation; nothing when there is none."""
    try:
        body = names["body"]
    except CannotEvaluate as error:
        return str(error)
    errors = body.get("errors") if isinstance(body, Mapping) else None
    if not errors:
        return ""
    first = errors[0] if isinstance(errors, list) else errors
    message = first.get("message") if isinstance(first, Mapping) else first
    return f"body.errors: {message if isinstance(message, str) else to_json(first)}"


def names_of(expressions: Iterable[Expression]) -> set[str]:
    """Return the names that some expressions begin with."""
    return {reference.path[0] for expression in expressions for reference in expression.references}
