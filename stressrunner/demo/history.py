"""What the API shows of sessions and their messages: as the real one does, in either of its versions, or more kindly.

    strict         at most 100 entries a page, the newest first unless `sort_desc=false`; messages and where they are
    current_page   likewise, with the session beside its messages, and the page called `current_page`
    kind           at most 1,000 entries a page, the oldest first, and the number of the next page or null

What the real one makes harder to read back is in the first two: a page that is too long is refused, the order is the
other one, nothing names the next page, a user that is not known is null in lists and missing elsewhere, and of
sessions that share a name the name leads to one alone.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from starlette.datastructures import QueryParams

from stressrunner.demo.bodies import PageQuery, read_page, read_sorted_page
from stressrunner.demo.store import AgentSession, Store

__all__ = ["HISTORIES", "Histories"]

_LONGEST_PAGE = 100
_Entry = TypeVar("_Entry")


class Histories(Protocol):
    """The seam: how sessions are looked up, listed and shown."""

    refuses_unknown_fields: bool  #: in the bodies of requests

    def find(self, store: Store, key: str) -> AgentSession | None:
        """Return the session that an id or a name in a path leads to."""

    def list_sessions(self, store: Store, query: QueryParams) -> dict[str, Any]:
        """Return a page of all sessions; raises Rejected."""

    def show_session(self, session: AgentSession, key: str, query: QueryParams) -> dict[str, Any]:
        """Return a page of a session's messages, for which `key` was asked; raises Rejected."""


class KindHistories:
    """Everything can be had in few requests, in the order in which it was said."""

    refuses_unknown_fields = False

    def find(self, store: Store, key: str) -> AgentSession | None:
        """Return the session that has this id, or else this name."""
        return store.find_session(key)

    def list_sessions(self, store: Store, query: QueryParams) -> dict[str, Any]:
        """Return a page of all sessions, oldest first."""
        page = read_page(query)
        sessions = [
            {
                "session_id": session.id,
                "session_name": session.name,
                "message_count": len(session.messages),
                "created_at": session.created_at,
            }
            for session in page.of(store.sessions)
        ]
        return {"sessions": sessions, **page.figures(len(store.sessions))}

    def show_session(self, session: AgentSession, _key: str, query: QueryParams) -> dict[str, Any]:
        """Return a page of a session's messages, oldest first."""
        page = read_page(query)
        return {
            "session_id": session.id,
            "session_name": session.name,
            "messages": [message._asdict() for message in page.of(session.messages)],
            **page.figures(len(session.messages)),
        }


class StrictHistories:
    """As the real API: short pages, the newest first."""

    refuses_unknown_fields = True

    def find(self, store: Store, key: str) -> AgentSession | None:
        """Return the session that has this name, or else this id."""
        return store.find_by_name(key) or store.find_session(key)

    def list_sessions(self, store: Store, query: QueryParams) -> dict[str, Any]:
        """Return a page of all sessions."""
        page, shown = _sorted_page(store.sessions, query)
        total = len(store.sessions)
        return {
            "sessions": [_described(session) for session in shown],
            "total": total,
            "total_count": total,
            **_place(page),
            "total_pages": page.pages(total),
        }

    def show_session(self, session: AgentSession, _key: str, query: QueryParams) -> dict[str, Any]:
        """Return a page of a session's messages and nothing else of it."""
        page, shown = _sorted_page(session.messages, query)
        total = len(session.messages)
        return {
            "messages": [message._asdict() for message in shown],
            "total": total,
            **_place(page),
            "total_pages": page.pages(total),
        }


class CurrentPageHistories(StrictHistories):
    """As the real API in other versions of it."""

    def show_session(self, session: AgentSession, key: str, query: QueryParams) -> dict[str, Any]:
        """Return a session without what is not known of it, and a page of its messages."""
        page, shown = _sorted_page(session.messages, query)
        known = {name: value for name, value in _described(session).items() if value is not None}
        return {
            **known,
            "session_id": key if key == session.name else session.id,
            "messages": [message._asdict() for message in shown],
            "exists": True,
            "total_messages": len(session.messages),
            "current_page": page.number,
            "total_pages": page.pages(len(session.messages)),
            "system_prompt": None,
        }


def _sorted_page(entries: Sequence[_Entry], query: QueryParams) -> tuple[PageQuery, Sequence[_Entry]]:
    """Return the page that is asked for, and what is on it."""
    page, newest_first = read_sorted_page(query, _LONGEST_PAGE)
    return page, page.of(entries[::-1] if newest_first else entries)


def _place(page: PageQuery) -> dict[str, int]:
    return {"page": page.number, "page_size": page.size}


def _described(session: AgentSession) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "user_id": session.user_id,
        "agent_id": session.agent_id,
        "session_name": session.name,
        "created_at": session.created_at,
        "last_updated": session.messages[-1].created_at if session.messages else session.created_at,
        "message_count": len(session.messages),
        "agent_name": session.agent_name,
        "session_origin": session.origin,
    }


#: By the value of the option `history`.
HISTORIES: Mapping[str, Callable[[], Histories]] = MappingProxyType(
    {"strict": StrictHistories, "current_page": CurrentPageHistories, "kind": KindHistories}
)
