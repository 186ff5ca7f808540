"""One reading of a session's history: under every id that the session has."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from stressrunner.engine.history import Response
from stressrunner.engine.page_reader import Absent, HistoryPage, PageReader, Pages, Patience, Unreadable
from stressrunner.engine.tokens import Stored, TokenReader
from stressrunner.http.conversation import Conversation
from stressrunner.http.cookies import CookieJar
from stressrunner.http.exchange import Transport
from stressrunner.http.origin import origin_of
from stressrunner.plan.delivery import ReadBackPlan
from stressrunner.plan.plan import Plan

__all__ = ["HOW_TO_PAGE", "SessionHistory", "SessionReader", "Wanted"]

#: What to do where the first page may not be all.
HOW_TO_PAGE = "say in 'read_back' how to reach the next page ('pages', 'next', 'cursor' or 'offset'), or 'pages: 1' if this is all"


class Wanted(NamedTuple):
    """A session that is to be read."""

    session: int  #: its index
    ids: tuple[str, ...]  #: the server's own, from its replies
    last_ns: int  #: when its last reply came, or was no longer waited for; monotonic


class SessionHistory(NamedTuple):
    """What a session's history held."""

    messages: tuple[Stored, ...]
    turned: tuple[Stored, ...] | None  #: in the other order, where that is more than the same turned round
    mark: int  #: differs from that of another reading when a text, the rows of a page or what it says of all does
    absent: Response | None  #: by which the server said that it has no such session
    unread: str  #: why it is sure not to be the whole history
    partial: str  #: why it may not be the whole history
    page_rows: int  #: of the fullest page that may have no room for more


class SessionReader:
    """Reads the sessions of one run."""

    def __init__(
        self,
        plan: Plan,
        spec: ReadBackPlan,
        base_url: str,
        on_page: Callable[[HistoryPage], None] | None = None,
    ) -> None:
        """`base_url` is where the target really is; `on_page` is called with every page that was read."""
        self._spec = spec
        self._origin = origin_of(base_url)
        self._keeps_cookies = plan.target.cookies
        self._pages = PageReader(plan, spec, base_url, on_page)
        self._tokens = TokenReader(plan.run_id, spec.separator)

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._pages.requests

    @property
    def failed(self) -> int:
        """How many of them brought nothing."""
        return self._pages.failed

    async def read(self, wanted: Wanted, transport: Transport) -> SessionHistory:
        """Read a session once.

        Raises:
            Unreadable: it could not be read in full.
        """
        transport = Conversation(transport, self._origin, CookieJar() if self._keeps_cookies else None)
        ids: tuple[str | None, ...] = wanted.ids if self._spec.names_id else (None,)
        if not ids:
            raise Unreadable("no reply returned its id", patience=Patience.NONE)
        found: dict[str | None, Pages] = {}
        absent = None
        for session_id in ids:
            try:
                found[session_id] = await self._pages.read(wanted.session, session_id, transport)
            except Absent as error:
                absent = error.response
        return self._reading(found, None if found else absent)

    def _reading(self, found: Mapping[str | None, Pages], absent: Response | None) -> SessionHistory:
        listed = _by_texts(found)
        turned = None
        if any(map(self._tokens.may_split, listed)):
            turned = self._stored({texts[::-1]: ids for texts, ids in listed.items()})
        unread, partial = _doubts(found.values(), is_paged=self._spec.paging is not None)
        return SessionHistory(
            self._stored(listed),
            turned,
            hash(tuple((i, pages.texts, pages.rows, pages.claims.total) for i, pages in found.items())),
            absent,
            unread,
            partial,
            max((_fullest(p) for p in found.values()), default=0) if self._spec.paging is None else 0,
        )

    def _stored(self, listed: Mapping[tuple[str, ...], tuple[str, ...]]) -> tuple[Stored, ...]:
        return tuple(
            stored._replace(ids=ids) for texts, ids in listed.items() for stored in self._tokens.read(texts)
        )


def _by_texts(found: Mapping[str | None, Pages]) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Return the histories of a session, each with its ids: those under which the same is stored are one history."""
    ids: dict[tuple[str, ...], tuple[str, ...]] = {}
    for session_id, pages in found.items():
        own = () if session_id is None else (session_id,)
        ids[pages.texts] = (*ids.get(pages.texts, ()), *own)
    return ids


def _doubts(found: Iterable[Pages], *, is_paged: bool) -> tuple[str, str]:
    """Return why the pages that were read are sure not to be all, and why they may not be."""
    for pages in found:
        if None in pages.rows:
            continue  # nothing can be compared with what is not counted
        rows = sum(n for n in pages.rows if n is not None)
        if not is_paged and (more := pages.claims.exceed(rows)):
            return f"the history goes on behind its first page: {more}; {HOW_TO_PAGE}", ""
        if is_paged and pages.claims.total is not None and pages.claims.total > rows:
            return (
                "",
                (
                    f"the history says that it has {pages.claims.total:,} rows, and its pages have {rows:,};"
                    " 'rows' of 'read_back' can say what it counts"
                ),
            )
    return "", ""


def _fullest(pages: Pages) -> int:
    """Return the rows of a page that may have no room for more: nothing says that they are all."""
    rows = pages.rows[0] or 0
    return 0 if pages.claims.total == rows else rows
