"""Histories that may be cut off at the end of their first page, which shows where several end at the same number of rows.

A server that clamps the size of a page without a word answers 100 rows for 1,000 that were asked for. One session with
100 rows may have so many; of two the most rows of all are the server's limit, as far as anybody can tell.
"""

from collections.abc import Sequence
from dataclasses import replace

from stressrunner.engine.history import History
from stressrunner.engine.session_reader import HOW_TO_PAGE

__all__ = ["doubtful_extents"]


def doubtful_extents(histories: Sequence[History]) -> list[History]:
    """Return histories, those among them as partial that end where a page may have no room for more."""
    most = max((history.page_rows for history in histories), default=0)
    full = {history.session for history in histories if 0 < history.page_rows == most}
    if len(full) < 2:
        return list(histories)
    why = f"{len(full):,} histories have {most:,} rows, the most of all, so a page may have no room for more; {HOW_TO_PAGE}"
    return [
        replace(history, partial=why) if history.session in full and not history.partial else history
        for history in histories
    ]
