"""The queue that keeps its promise: messages that come during a run wait, and are joined into the next one."""

from anyio.abc import TaskGroup

from stressrunner.demo.queues.seam import Pending, Runner, RunReply, run

__all__ = ["MergeQueue"]


class MergeQueue:
    """Joins the messages that wait into one run: each is processed exactly once, in order of arrival.

    Runs of a session never overlap, and one that finds its session idle starts at once. A caller that goes away
    takes no message with it (test_cancelled_callers_lose_nothing).
    """

    def __init__(self, tasks: TaskGroup, runner: Runner) -> None:
        self._tasks = tasks
        self._runner = runner
        self._waiting: dict[str, Pending] = {}  # a session is in here exactly while it has a run in progress

    async def submit(self, session: str, content: str) -> RunReply:
        """Return the reply of the run that took the message in; raises RunFailed when it failed."""
        pending = self._waiting.get(session)
        if pending is not None:
            pending.contents.append(content)
        else:
            pending = Pending(content)
            self._waiting[session] = Pending()
            self._tasks.start_soon(self._work, session, pending)
        return await pending.reply()

    async def _work(self, session: str, pending: Pending) -> None:
        """Run what is pending and then whatever came meanwhile, until nothing did."""
        while pending.contents:
            pending.settle(await run(self._runner, session, pending))
            pending, self._waiting[session] = self._waiting[session], Pending()
        del self._waiting[session]
