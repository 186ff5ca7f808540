"""One reading of a history under one id: its pages, one after the other, and what each of them says of the rest."""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from stressrunner.engine.history import Response
from stressrunner.engine.names import IterationScope, RequestNames, ResponseNames
from stressrunner.engine.page_claims import Claims, claims_of
from stressrunner.expressions import CannotEvaluate
from stressrunner.expressions.environment import to_text
from stressrunner.http.exchange import Exchange, FailureKind, Request, Transport
from stressrunner.plan.delivery import ReadBackPlan
from stressrunner.plan.outcome import Outcome
from stressrunner.plan.paging import Paging
from stressrunner.plan.plan import Plan
from stressrunner.plan.requests import with_query
from stressrunner.plan.tokens import NoToken

__all__ = ["Absent", "HistoryPage", "PageReader", "Pages", "Patience", "Unreadable"]

_MAX_PAGES = 10_000  #: of one session
_MAX_TEXT = 2_000  #: characters of a response that are kept
_NOT_THERE = (404, 410)  #: how a server says that it has no such session
#: What asking again does not change: the request is wrong, or not allowed.
_FINAL = (400, 403, 405, 406, 414, 415, 422, 501)


class Patience(Enum):
    """How long it is of use to try again."""

    NONE = "it will not change"
    RENEWAL = "another access token may change it"
    QUIET = "it may change until the session is quiet"
    TIMEOUT = "it may change at any time"


class Unreadable(Exception):
    """A history could not be read in full; its text says why, in one sentence."""

    def __init__(
        self, reason: str, response: Response | None = None, patience: Patience = Patience.TIMEOUT
    ) -> None:
        self.response = response
        self.patience = patience
        super().__init__(reason)


class Absent(Exception):
    """The server has no such session."""

    def __init__(self, response: Response) -> None:
        self.response = response


class HistoryPage(NamedTuple):
    """A page that was read, for those who want to see how."""

    exchange: Exchange
    names: ResponseNames  #: that the keys of `read_back` are found in
    texts: tuple[str, ...]  #: the messages that `messages` found
    rows: int | None  #: None where they cannot be counted
    following: Mapping[
        str, Any
    ]  #: `next`, `pages`, `cursor` or `offset`, with what the next request says; None ends it


class Pages(NamedTuple):
    """What stands under one id of a session, or under its name."""

    texts: tuple[str, ...]
    rows: tuple[int | None, ...]  #: of each page
    claims: Claims  #: of the last page


class PageReader:
    """Reads the histories of sessions page by page, and counts the requests that this takes."""

    def __init__(
        self,
        plan: Plan,
        spec: ReadBackPlan,
        base_url: str,
        on_page: Callable[[HistoryPage], None] | None = None,
    ) -> None:
        """`base_url` is where the target really is; `on_page` is called with every page that was read."""
        self.requests = 0  #: sent so far
        self.failed = 0  #: of these, the ones that brought nothing
        self._plan = plan
        self._spec = spec
        self._base_url = base_url
        self._on_page = on_page

    async def read(self, session: int, session_id: str | None, transport: Transport) -> Pages:
        """Return what stands under one id of a session, from all pages.

        Raises:
            Absent: the server knows no such session.
            Unreadable: it could not be read in full.
        """
        paging = self._spec.paging
        at: Any = None if paging is None else paging.first
        walked = _Walk()
        while len(walked.seen) < _MAX_PAGES:
            try:
                names, exchange = await self._page(self._names(session, session_id, at), at, transport)
            except Absent as error:
                if not walked.rows:
                    raise
                if paging is not None and paging.kind == "offset":
                    break  # some have nothing behind the last row, not even an empty page
                raise Unreadable(f"status was {error.response.status}", error.response) from error
            texts = self._texts(names, exchange)
            on_page = _found("rows", self._spec.rows, names, exchange)
            walked.take(texts, on_page, at, exchange, names)
            at = None if paging is None else self._next(paging, names, at, walked)
            self._show(HistoryPage(exchange, names, tuple(text for _, text in texts), on_page, {}), at)
            if at is None:
                break
            if to_text(at) in walked.seen:
                why = f"{self._place} {to_text(at)} of the history leads back to itself"
                raise Unreadable(why, _response(exchange, names), Patience.NONE)
        else:
            raise Unreadable(f"the history has more than {_MAX_PAGES:,} pages", patience=Patience.NONE)
        return Pages(_sorted(walked.texts), tuple(walked.rows), walked.claims)

    @property
    def _place(self) -> str:
        """The name by which a request says which page it asks for."""
        return "page" if self._spec.paging is None else self._spec.paging.name

    def _names(self, session: int, session_id: str | None, at: Any) -> Mapping[str, Any]:
        """Return what the templates of the request see."""
        plan, iteration = self._plan.of_session(session)
        scope = IterationScope(plan, iteration=iteration, user=0, user_iteration=0)
        outer = RequestNames(scope, 0, use=f"read back {at}")
        own = {self._place: at, "session": {**outer["session"], "id": session_id}}
        return ChainMap(own, outer)  # type: ignore[arg-type]  # it only reads, as all mappings here

    async def _page(
        self, names: Mapping[str, Any], at: Any, transport: Transport
    ) -> tuple[ResponseNames, Exchange]:
        """Return a page's response, with its names."""
        request = self._request(names, at)
        self.requests += 1
        try:
            return await self._asked(request, names, transport)
        except Unreadable:
            self.failed += 1
            raise

    def _request(self, names: Mapping[str, Any], at: Any) -> Request:
        try:
            request = self._spec.request.render(names)
        except CannotEvaluate as error:
            # An access token may be fetched yet; what templates lack, they will lack.
            patience = Patience.TIMEOUT if isinstance(error, NoToken) else Patience.NONE
            raise Unreadable(f"the request cannot be filled in: {error}", patience=patience) from error
        if self._spec.paging is not None and at != self._spec.paging.first and not self._spec.places_page:
            request = request._replace(target=with_query(request.target, {self._place: at}))
        return request

    async def _asked(
        self, request: Request, names: Mapping[str, Any], transport: Transport
    ) -> tuple[ResponseNames, Exchange]:
        exchange = await transport.exchange(request)
        if exchange.failure is not None:
            is_final = exchange.failure.kind is FailureKind.NOT_ALLOWED
            raise Unreadable(
                exchange.failure.message, patience=Patience.NONE if is_final else Patience.TIMEOUT
            )
        seen = ResponseNames(names, exchange, self._base_url, exchange.acquired_ns)
        if exchange.status in _NOT_THERE:
            raise Absent(_response(exchange, seen))
        outcome, problem = self._spec.judge.judge(exchange.status, seen, {})
        if outcome is not Outcome.OK:
            why = "the reply was refused" if problem is None else problem.message
            raise Unreadable(why, _response(exchange, seen), _patience(exchange.status))
        return seen, exchange

    def _texts(self, names: ResponseNames, exchange: Exchange) -> list[tuple[Any, str]]:
        """Return the messages of a page, each with what it is sorted by."""
        found = _found("messages", self._spec.messages, names, exchange)
        if not isinstance(found, list | tuple):
            raise _wrong("messages: what is found is no list", exchange, names)
        keys: Any = [0] * len(found)
        if self._spec.sort_by is not None:
            keys = _found("order_by", self._spec.sort_by, names, exchange)
            if not isinstance(keys, list | tuple) or len(keys) != len(found):
                raise _wrong(
                    f"order_by: this is no list of {len(found):,} values, one a message", exchange, names
                )
            if not (all(map(_is_number, keys)) or all(isinstance(key, str) for key in keys)):
                raise _wrong("order_by: what is found are neither numbers nor texts", exchange, names)
        return list(zip(keys, map(to_text, found), strict=True))

    def _next(self, paging: Paging, names: ResponseNames, at: Any, walked: "_Walk") -> Any:
        """Return what the request for the next page says; None after the last one."""
        counted = [rows for rows in walked.rows if rows is not None]
        rows = sum(counted) if len(counted) == len(walked.rows) else None
        try:
            return paging.after(names, at, rows, on_page=walked.rows[-1])
        except CannotEvaluate as error:
            raise Unreadable(f"{paging.kind}: {error}", walked.response, Patience.NONE) from error

    def _show(self, page: HistoryPage, at: Any) -> None:
        if self._on_page is not None:
            paging = self._spec.paging
            self._on_page(page if paging is None else page._replace(following={paging.kind: at}))


class _Walk:
    """The pages under one id, as far as they were read."""

    def __init__(self) -> None:
        self.texts: list[tuple[Any, str]] = []  #: with what each is sorted by
        self.rows: list[int | None] = []  #: of each page
        self.seen: set[str] = set()  #: what the requests said of their place
        self.claims = Claims()  #: of the latest page
        self.response: Response | None = None  #: of the latest page
        self._body: bytes | None = None

    def take(
        self,
        texts: Sequence[tuple[Any, str]],
        rows: int | None,
        at: Any,
        exchange: Exchange,
        names: ResponseNames,
    ) -> None:
        """Add a page; raises Unreadable when it is the one before once more."""
        self.response = _response(exchange, names)
        if texts and exchange.body == self._body:
            why = "the response is the same for every page: does the endpoint know the parameter that asks for one?"
            raise Unreadable(why, self.response, Patience.NONE)
        self._body = exchange.body
        self.texts += texts
        self.rows.append(rows)
        self.seen.add(to_text(at))
        try:
            body = names["body"]
        except CannotEvaluate:
            body = None
        self.claims = claims_of(exchange.request.target, body, names["headers"])


def _found(
    key: str, find: Callable[[Mapping[str, Any]], Any], names: ResponseNames, exchange: Exchange
) -> Any:
    try:
        return find(names)
    except CannotEvaluate as error:
        raise _wrong(f"{key}: {error}", exchange, names) from error


def _wrong(reason: str, exchange: Exchange, names: ResponseNames) -> Unreadable:
    """Return what to raise when a response is not as an expression wants it, which may be so before it is complete."""
    return Unreadable(reason, _response(exchange, names), Patience.QUIET)


def _response(exchange: Exchange, names: ResponseNames) -> Response:
    return Response(names["url"], exchange.status, exchange.body[:_MAX_TEXT].decode("utf-8", "replace"))


def _patience(status: int) -> Patience:
    if status == 401:
        return Patience.RENEWAL
    return Patience.NONE if status in _FINAL else Patience.TIMEOUT


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sorted(texts: list[tuple[Any, str]]) -> tuple[str, ...]:
    """Return texts in the order of what each is sorted by; equal ones stay as they are listed."""
    try:
        return tuple(text for _, text in sorted(texts, key=lambda each: each[0]))
    except TypeError:
        why = "order_by: some pages have numbers and others texts"
        raise Unreadable(why, patience=Patience.QUIET) from None
