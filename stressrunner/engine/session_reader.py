"""One reading of a session's history: all of its pages, for every id that the session has."""

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from stressrunner.engine.names import IterationScope, RequestNames, ResponseNames
from stressrunner.engine.tokens import Stored, TokenReader
from stressrunner.expressions import CannotEvaluate
from stressrunner.expressions.environment import to_text
from stressrunner.http.conversation import Conversation
from stressrunner.http.cookies import CookieJar
from stressrunner.http.exchange import Transport
from stressrunner.http.origin import origin_of
from stressrunner.plan.delivery import ReadBackPlan
from stressrunner.plan.outcome import Outcome
from stressrunner.plan.plan import Plan
from stressrunner.plan.requests import with_query

__all__ = ["Reading", "SessionReader", "Unreadable", "Wanted"]

_MAX_PAGES = 10_000  #: of one session
_ABSENT = (404, 410)  #: how a server says that it has no such session


class Wanted(NamedTuple):
    """A session that is to be read."""

    session: int  #: its index
    ids: tuple[str, ...]  #: the server's own, from its replies
    last_ns: int  #: when its last reply came, or was no longer waited for; monotonic


class Reading(NamedTuple):
    """What a session's history held."""

    messages: tuple[Stored, ...]
    mark: int  #: differs from that of another reading when a text does
    is_absent: bool  #: the server has no such session


class Unreadable(Exception):
    """A history could not be read in full; its text says why, in one sentence."""


class _Absent(Exception):
    """The server has no such session."""


class SessionReader:
    """Reads the sessions of one run, and counts the requests that this takes."""

    def __init__(self, plan: Plan, spec: ReadBackPlan, base_url: str) -> None:
        """`base_url` is where the target really is."""
        self.requests = 0  #: sent so far
        self.failed = 0  #: of these, the ones that brought nothing
        self._plan = plan
        self._spec = spec
        self._base_url = base_url
        self._tokens = TokenReader(plan.run_id, spec.separator)

    async def read(self, wanted: Wanted, transport: Transport) -> Reading:
        """Read a session once.

        Raises:
            Unreadable: it could not be read in full.
        """
        jar = CookieJar() if self._plan.target.cookies else None
        transport = Conversation(transport, origin_of(self._base_url), jar)
        ids: tuple[str | None, ...] = wanted.ids if self._spec.names_id else (None,)
        if not ids:
            raise Unreadable("no reply returned its id")
        texts: list[str] = []
        absent = 0
        for session_id in ids:
            try:
                texts += await self._texts(wanted.session, session_id, transport)
            except _Absent:
                absent += 1
        return Reading(self._tokens.read(texts), hash(tuple(texts)), absent == len(ids))

    async def _texts(self, session: int, session_id: str | None, transport: Transport) -> list[str]:
        """Return the messages under one id, from all pages."""
        page: Any = None
        texts: list[str] = []
        seen: set[str] = set()
        while len(seen) < _MAX_PAGES:
            names = await self._page(self._names(session, session_id, page), page, transport)
            texts += map(to_text, self._messages(names))
            seen.add(to_text(page))
            page = None if self._spec.next is None else _found("next", self._spec.next.evaluate, names)
            if page is None:
                return texts
            if to_text(page) in seen:
                raise Unreadable(f"page {to_text(page)} of the history leads back to itself")
        raise Unreadable(f"the history has more than {_MAX_PAGES:,} pages")

    def _names(self, session: int, session_id: str | None, page: Any) -> Mapping[str, Any]:
        """Return what the templates of the request see."""
        plan, iteration = self._plan.of_session(session)
        scope = IterationScope(plan, iteration=iteration, user=0, user_iteration=0)
        outer = RequestNames(scope, 0, use=f"read back {page}")
        own = {"page": page, "session": {**outer["session"], "id": session_id}}
        return ChainMap(own, outer)  # type: ignore[arg-type]  # it only reads, as all mappings here

    async def _page(self, names: Mapping[str, Any], page: Any, transport: Transport) -> ResponseNames:
        """Return the names of a page's response."""
        self.requests += 1
        try:
            return await self._response(names, page, transport)
        except Unreadable:
            self.failed += 1
            raise

    async def _response(self, names: Mapping[str, Any], page: Any, transport: Transport) -> ResponseNames:
        try:
            request = self._spec.request.render(names)
        except CannotEvaluate as error:
            raise Unreadable(f"the request cannot be filled in: {error}") from error
        if page is not None and not self._spec.names_page:
            request = request._replace(target=with_query(request.target, {"page": page}))
        exchange = await transport.exchange(request)
        if exchange.failure is not None:
            raise Unreadable(exchange.failure.message)
        if exchange.status in _ABSENT:
            raise _Absent
        seen = ResponseNames(names, exchange, self._base_url, exchange.acquired_ns)
        outcome, problem = self._spec.judge.judge(exchange.status, seen, {})
        if outcome is not Outcome.OK:
            raise Unreadable("the reply was refused" if problem is None else problem.message)
        return seen

    def _messages(self, names: ResponseNames) -> list[Any]:
        found = _found("messages", self._spec.messages, names)
        if not isinstance(found, list | tuple):
            raise Unreadable("messages: what is found is no list")
        return list(found)


def _found(key: str, find: Callable[[Mapping[str, Any]], Any], names: Mapping[str, Any]) -> Any:
    try:
        return find(names)
    except CannotEvaluate as error:
        raise Unreadable(f"{key}: {error}") from error
