"""What can be wrong with an expression: how it is written, or what it meets when it is evaluated."""

from collections.abc import Iterator
from contextlib import contextmanager

from jinja2 import TemplateError

__all__ = ["MAX_CPU_S", "CannotEvaluate", "ExpressionError", "TooSlow", "compilation_errors"]

MAX_CPU_S = 0.1  #: of the processor's time, after which what is evaluated is given up


class ExpressionError(ValueError):
    """An expression or template that cannot be understood, with the place in its text."""

    def __init__(self, message: str, *, offset: int = 0, width: int = 1, hint: str = "") -> None:
        self.message = message
        self.offset = offset  #: characters before the mistake
        self.width = width  #: characters of the mistake
        self.hint = hint  #: what to write instead, when that is known
        super().__init__(f"{message}; {hint}" if hint else message)

    def moved(self, by: int) -> "ExpressionError":
        """Return the same mistake in a text that has so many more characters before it."""
        return ExpressionError(self.message, offset=self.offset + by, width=self.width, hint=self.hint)


class CannotEvaluate(Exception):
    """An expression met values that it cannot work with, e.g. a field that the response does not have."""

    kind = "template"  #: of the failure of a request that cannot be made for this reason


class TooSlow(CannotEvaluate):
    """An evaluation was given up; what it would have found is not known."""


@contextmanager
def compilation_errors(source: str) -> Iterator[None]:
    """Turn what Jinja2 and Python may run into, when they compile a template, into ExpressionError."""
    try:
        yield
    except (TemplateError, SyntaxError, TypeError) as error:
        # A SyntaxError is of the Python that Jinja2 writes, where an argument is given twice; a TypeError of the
        # constants that it computes beforehand, such as `{[1]: 2}`.
        raise ExpressionError(str(error.args[0]), width=len(source)) from error
    except (RecursionError, MemoryError) as error:
        raise ExpressionError("this is nested too deeply", width=len(source)) from error
