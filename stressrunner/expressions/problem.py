"""What can be wrong with an expression: how it is written, or what it meets when it is evaluated."""

__all__ = ["CannotEvaluate", "ExpressionError"]


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
