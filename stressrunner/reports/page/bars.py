"""Small distributions for rows of a table: how often each duration was, on one scale for all rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from stressrunner.metrics.spread import Spread

__all__ = ["Bars"]

_HEIGHT = 20
_WIDTH = 4  #: of a bar


@dataclass(frozen=True, slots=True)
class Bars:
    """The scale that rows share: the buckets from the lowest to the highest that any of them uses."""

    first: int
    last: int

    @classmethod
    def over(cls, spreads: Sequence[Spread]) -> "Bars":
        """Return the scale that holds some distributions."""
        used = [index for spread in spreads for index in spread.counts] or [0]
        return cls(min(used), max(used))

    def draw(self, spread: Spread) -> Markup:
        """Draw one of them; its figures stand beside it, so that nothing is read aloud."""
        most = max(spread.counts.values(), default=1)
        width = (self.last - self.first + 1) * _WIDTH
        bars = "".join(
            f"M{(index - self.first) * _WIDTH} {_HEIGHT}v-{max(1, round(n / most * _HEIGHT))}h{_WIDTH - 1}V{_HEIGHT}z"
            for index, n in spread.counts.items()
        )
        return Markup(
            '<svg class="bars" viewBox="0 0 {w} {h}" preserveAspectRatio="none" aria-hidden="true">'
            '<path class="base" d="M0 {h}H{w}"/><path d="{bars}"/></svg>'
        ).format(w=width, h=_HEIGHT, bars=bars)
