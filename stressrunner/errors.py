"""Every error that stressrunner raises on purpose, and the exit code each one means.

StressrunnerError
  x UsageError                 2   the command line makes no sense
  x InvalidScenario            2   .diagnostics: every mistake, each with file, line, column, message, hint
  x UnreadableResult           2   .path, .reason: a result file that cannot be read
  x BadPack                    2   .path, .reason: a zip file that is no pack, or not as it was packed
  x TargetUnreachable          4   .target, .reason
  x SetupFailed                4   .reason: no load was sent
  x NothingToWatch             4   .monitor, .reason: no load was sent
  x GeneratorFault             4   .reason, .remedy
  x NotComparable              4   .reason, .remedy: runs that say nothing about a difference

An error of another kind that reaches the command line is a defect of stressrunner and exits with 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from stressrunner.spelling import printable, visible

__all__ = [
    "BadPack",
    "Diagnostic",
    "GeneratorFault",
    "InvalidScenario",
    "NotComparable",
    "NothingToWatch",
    "SetupFailed",
    "StressrunnerError",
    "TargetUnreachable",
    "UnreadableResult",
    "UsageError",
]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake in a scenario: where it is, what is wrong and what to do about it."""

    file: str  #: as the user would name it; "--set" for a value given on the command line
    line: int  #: from 1
    column: int  #: from 1, in characters
    message: str
    hint: str = ""  #: what to write instead, when that is known
    source_line: str = ""  #: the text of the line, for the caret
    width: int = 1  #: characters that the caret underlines
    is_warning: bool = False  #: the scenario can be run as it is

    def render(self) -> str:
        """Return the mistake as text: `file:line:column: message; hint`, the line and a caret below it.

        The message of a warning begins with that word.

        What a terminal would not show as it is, such as control characters, is shown as escapes.
        """
        kind = "warning: " if self.is_warning else ""
        head = f"{printable(self.file)}:{self.line}:{self.column}: {kind}{printable(self.message)}"
        if self.hint:
            head += f"; {printable(self.hint)}"
        if not self.source_line:
            return head
        number = f"{self.line:>5}"
        start = self.column - 1
        end = start + max(1, self.width)
        line = self.source_line
        before, marked, after = (_shown(part) for part in (line[:start], line[start:end], line[end:]))
        pad = "".join("\t" if c == "\t" else " " for c in before)
        carets = "^" * max(1, len(marked))
        return f"{head}\n{number} | {before}{marked}{after}\n{' ' * len(number)} | {pad}{carets}"


def _shown(text: str) -> str:
    return "\t".join(map(printable, text.split("\t")))


class StressrunnerError(Exception):
    """Base of the tree above; its text is one sentence for the person at the terminal."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        """Return the sentence, with what a terminal would not show as it is as escapes: it quotes names of files."""
        return visible(super().__str__())


class UsageError(StressrunnerError):
    """The command line makes no sense."""

    exit_code = 2


class InvalidScenario(StressrunnerError):
    """A scenario has mistakes; all of them are in `diagnostics`, in source order."""

    exit_code = 2

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(d.render() for d in self.diagnostics))


class UnreadableResult(StressrunnerError):
    """A result file is missing, is not one, or was written in a version that cannot be read."""

    exit_code = 2

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class BadPack(StressrunnerError):
    """A zip file is no pack, or is not as it was packed."""

    exit_code = 2

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class TargetUnreachable(StressrunnerError):
    """No request can be sent because nothing answers at the target."""

    exit_code = 4

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"cannot reach {target}: {reason}")


class SetupFailed(StressrunnerError):
    """A step of `setup` has failed, so that no load was sent."""

    exit_code = 4

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"setup failed, so no load was sent: {reason}")


class NothingToWatch(StressrunnerError):
    """A process that a threshold is about cannot be watched, so that no load was sent."""

    exit_code = 4

    def __init__(self, monitor: str, reason: str) -> None:
        self.monitor = monitor
        self.reason = reason
        super().__init__(
            f"the monitor '{monitor}' of a threshold has nothing to watch, so no load was sent: {reason}"
        )


class GeneratorFault(StressrunnerError):
    """The generator itself cannot do what the plan asks, e.g. too few file descriptors."""

    exit_code = 4

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")


class NotComparable(StressrunnerError):
    """Two runs, or two series of them, say nothing about a difference of what they measured."""

    exit_code = 4

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")
