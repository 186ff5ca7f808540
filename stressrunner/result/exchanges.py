"""What a result keeps of single requests: whole exchanges to be looked at and replayed, and which checks failed."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CheckRecord", "ExchangeRecord", "HeaderRecord", "RequestRecord", "ResponseRecord"]

Kept = Literal["all", "start", "none"]


@dataclass(frozen=True, slots=True)
class HeaderRecord:
    """A header line."""

    name: str
    value: str  #: `***` in place of credentials


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What was sent."""

    method: str
    url: str  #: of an embedded target: where `stressrunner demo` serves it
    headers: tuple[HeaderRecord, ...]  #: without those that the transport adds
    body: str  #: at most its first 1,000 characters; empty when it is not text
    body_bytes: int  #: size of all of the body
    kept: Kept  #: how much of the body


@dataclass(frozen=True, slots=True)
class ResponseRecord:
    """What came back."""

    status: int
    headers: tuple[HeaderRecord, ...]
    body: str  #: at most its first 1,000 characters; empty when it is not text
    body_bytes: int  #: size of all of the body, its encoding undone
    kept: Kept  #: how much of the body


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """One request with all that came of it, secrets masked."""

    kind: str  #: of the error that it shows; empty for one of the slowest of its endpoint
    message: str  #: what was wrong
    endpoint: str
    at_s: float  #: when it was complete, after the load began
    response_time_s: float
    service_time_s: float | None  #: None when no byte was written
    request: RequestRecord
    response: ResponseRecord | None  #: None when there was none
    curl: str  #: a command for a POSIX shell that sends the request again, secrets as variables; or ""
    rule: str = ""  #: that it failed, as in the group of errors that it belongs to


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """A check of an endpoint's responses."""

    endpoint: str
    text: str
    state: Literal["passed", "failed", "skipped"]  #: skipped when no response was held against it
    failed: int  #: responses that failed it
