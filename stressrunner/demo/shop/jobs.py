"""Work that is not done at once: callers ask again until it is."""

from typing import Any

import anyio

from stressrunner.hosting.simulation import ModelDelay

__all__ = ["Jobs"]


class Jobs:
    """Jobs by id, each done when its time is up; each takes as long as the simulated model does."""

    def __init__(self, latency: ModelDelay) -> None:
        self._latency = latency
        self._done_at_s: dict[int, float] = {}

    def begin(self) -> dict[str, Any]:
        """Begin a job, and return what is told of it."""
        job_id = len(self._done_at_s) + 1
        self._done_at_s[job_id] = anyio.current_time() + self._latency.draw_s()
        return {"id": job_id, "status": "running"}

    def look_at(self, job_id: int) -> dict[str, Any] | None:
        """Return what is told of a job now, None when there is none of this id."""
        done_at_s = self._done_at_s.get(job_id)
        if done_at_s is None:
            return None
        if anyio.current_time() < done_at_s:
            return {"id": job_id, "status": "running"}
        return {"id": job_id, "status": "done", "result": job_id * 2}
