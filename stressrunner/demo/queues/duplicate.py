"""A faulty queue: it takes a worker that is busy for one that is dead, and lets another do its work again."""

from collections import deque

from anyio.abc import TaskGroup

from stressrunner.demo.queues.seam import Pending, Runner, RunReply, run

__all__ = ["DuplicateQueue"]

_WORKERS = 2  # of one session: the one that is woken up, and the one that takes over from it


class _Mailbox:
    """The messages of one session."""

    def __init__(self) -> None:
        self.workers = 0
        self.untaken: deque[Pending] = deque()
        self.unfinished: list[Pending] = []  # taken by a worker, the oldest first

    def take(self) -> Pending:
        """Hand out the next message that nobody has taken."""
        pending = self.untaken.popleft()
        self.unfinished.append(pending)
        return pending

    def finish(self, pending: Pending) -> None:
        """Cross a message out, which another worker may have done before."""
        if pending in self.unfinished:
            self.unfinished.remove(pending)


class DuplicateQueue:
    """Processes every message alone, and some of them twice.

    The fault: a new message wakes the session's worker. A worker that is in the middle of a run does not listen,
    so the wake-up is lost, and from that the queue concludes that the worker has died. Another one takes over
    and begins, as after a crash, with the oldest message that is not finished: the one whose run is in progress.
    """

    def __init__(self, tasks: TaskGroup, runner: Runner) -> None:
        self._tasks = tasks
        self._runner = runner
        self._mailboxes: dict[str, _Mailbox] = {}

    async def submit(self, session: str, content: str) -> RunReply:
        """Return the reply of the message's first run that ended; raises RunFailed when that failed."""
        pending = Pending(content)
        mailbox = self._mailboxes.setdefault(session, _Mailbox())
        mailbox.untaken.append(pending)
        if mailbox.workers < _WORKERS:
            mailbox.workers += 1
            first = mailbox.unfinished[0] if mailbox.unfinished else mailbox.take()
            self._tasks.start_soon(self._work, session, mailbox, first)
        return await pending.reply()

    async def _work(self, session: str, mailbox: _Mailbox, pending: Pending) -> None:
        while True:
            pending.settle(await run(self._runner, session, pending))
            mailbox.finish(pending)
            if not mailbox.untaken:
                break
            pending = mailbox.take()
        mailbox.workers -= 1
        if not mailbox.workers:
            del self._mailboxes[session]
