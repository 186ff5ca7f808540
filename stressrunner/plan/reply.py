"""What a message was answered: one of six replies, told from the exchange and the scenario's expressions."""

from enum import StrEnum

__all__ = ["Reply"]


class Reply(StrEnum):
    """The answer to a message of a session."""

    UNANSWERED = "unanswered"  #: none before the timeout
    UNSENT = "unsent"  #: no byte of the message was written
    ACKNOWLEDGED = "acknowledged"  #: the server took it on
    SUPERSEDED = "superseded"  #: the server says that a later message replaced it
    REFUSED = "refused"  #: the server says that it did not take it on
    UNKNOWN = "unknown"  #: anything else: a 5xx, a connection lost after bytes were sent
