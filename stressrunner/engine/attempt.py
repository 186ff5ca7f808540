"""One message of a session as it was sent, and what was answered: a row of the generator's log."""

from typing import NamedTuple

from stressrunner.plan.reply import Reply

__all__ = ["Attempt"]


class Attempt(NamedTuple):
    """A message that was sent, or tried to be; times are monotonic nanoseconds."""

    session: int  #: its index
    message: int  #: its index in the session
    burst: int  #: index of the first message of its burst
    phase: int  #: index of the phase in which it was due
    sent_ns: int  #: its first byte written; of one that was not sent, when it was given up
    ended_ns: int  #: the reply complete, or no longer waited for
    reply: Reply
    status: int = 0  #: 0 without a response
    session_id: str = ""  #: that an acknowledged reply returned; empty without one

    @property
    def is_answered(self) -> bool:
        """Whether there was a response, whatever it said."""
        return self.status != 0
