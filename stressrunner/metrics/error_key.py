"""What errors are grouped by: their kind, the check or capture that failed, and the status of the response."""

from typing import NamedTuple

from stressrunner.plan.outcome import Problem

__all__ = ["ErrorKey"]

_LONGEST_RULE = 300  #: characters that tell groups apart; keys of long checks stay small
_LONGEST_SHOWN = 60  #: characters of a rule within a title


class ErrorKey(NamedTuple):
    """Names a group of errors; equal in all processes, so that groups merge."""

    kind: str  #: as of a Problem; `setup: check` and the like beside the load
    rule: str = (
        ""  #: the check or `until` as the scenario has it, or the capture's name; empty for other kinds
    )
    status: int = 0  #: of the response; 0 without one

    @classmethod
    def of(cls, problem: Problem, status: int, stage: str = "") -> "ErrorKey":
        """Return the group of a problem; `stage` is where it occurred beside the load, such as `setup`."""
        kind = f"{stage}: {problem.kind}" if stage else problem.kind
        return cls(kind, _cut(problem.rule, _LONGEST_RULE), status)

    @property
    def label(self) -> str:
        """Kind and status, such as `check with status 404`; the status once where the kind says it."""
        return f"{self.kind}{self._with_status}"

    @property
    def title(self) -> str:
        """As `label`, with the rule: `check 'body.ok' with status 404`."""
        rule = f" '{_cut(self.rule, _LONGEST_SHOWN)}'" if self.rule else ""
        return f"{self.kind}{rule}{self._with_status}"

    @property
    def _with_status(self) -> str:
        told = not self.status or self.kind.endswith(f"http {self.status}")
        return "" if told else f" with status {self.status}"


def _cut(text: str, longest: int) -> str:
    """Shorten a text; the dots also tell a Masker that a secret may have been cut there."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
