"""When a load ends because nobody can be set up: `user_setup` has failed, and passed for no user in 30 s.

It is fed with what was counted, once a second, of all generators together; it has no clock.
"""

from stressrunner.fleet.snapshot import Snapshot
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.summary import SetupStats
from stressrunner.verdict.overall import culprit

__all__ = ["NOBODY", "PATIENCE_S", "SetupPatience", "nobody_set_up"]

PATIENCE_S = 30.0
NOBODY = f"no user could be set up for {PATIENCE_S:.0f} s"
_GROUP = "user_setup"


class SetupPatience:
    """Waits for the first user to be set up."""

    def __init__(self) -> None:
        self._since_s: float | None = None  # when users began to be set up, after the load began

    def is_over(self, snapshot: Snapshot, total: Delta) -> bool:
        """Take the next second and all so far; return whether the load is to end."""
        failed = sum(count for (_, name), count in total.groups_failed.items() if name == _GROUP)
        passed = sum(lengths.count for (_, name), lengths in total.groups.items() if name == _GROUP)
        if passed or not failed:
            return False
        if self._since_s is None:
            self._since_s = snapshot.at_s - snapshot.duration_s
        return snapshot.at_s - self._since_s >= PATIENCE_S


def nobody_set_up(setup: SetupStats) -> str:
    """Say why the load ended, the request that failed first: that is what has to be mended."""
    return f"{culprit(setup)}; {NOBODY}"
