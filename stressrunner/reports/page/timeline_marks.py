"""The shapes of a timeline, as commands of paths that go on from where they are drawn; the legend shows the same ones.

Every reply has a shape of its own, because not everybody can tell the colours apart, and paper may have none.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["END", "MISSING", "NODES", "bar"]

_HALF = 3  #: of a bar's height
_SHORTEST = 1.5  #: what lasted next to nothing is still to be seen

#: What stands at the end of a bar, from its middle there.
END: Mapping[str, str] = MappingProxyType(
    {
        "acknowledged": "h0",  # a dot: the style sheet gives it round ends
        "superseded": "m-1 -4l4 4l-4 4",
        "refused": "m0 -4.5v9",
        "unanswered": "m-3 -3l4 3l-4 3z",
        "unknown": "l3.5 -3.5l3.5 3.5l-3.5 3.5z",
        "unsent": "m-3 -3l6 6m0 -6l-6 6",
    }
)
#: A line that leads nowhere ends in this.
MISSING = "m0 -3l6 6m0 -6l-6 6"
#: Stored messages, from the end of the lines that lead to them.
NODES: Mapping[str, str] = MappingProxyType(
    {
        "single": "h0",
        "joined": "m-1.5 -5.5h4v11h-4z",
        "elsewhere": "l3 -4l3 4l-3 4z",
        "others": "m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0z",
    }
)


def bar(left: float, right: float, y: float) -> str:
    """Return the bar of a message that was under way from `left` to `right`."""
    width = max(_SHORTEST, right - left)
    return f"M{left:g} {y - _HALF:g}h{width:.4g}v{2 * _HALF}h-{width:.4g}z"
