"""Messages that are brought to a session queue in virtual time, and a runner that notes what became of them."""

from dataclasses import dataclass, field

import anyio
from trio.testing import MockClock

from stressrunner.demo.queues import SEPARATOR, RunFailed, RunReply

RUN_S = 1.0
FOR_EVER = float("inf")


@dataclass
class Recorder:
    """Runs of RUN_S virtual seconds; texts in `failing` end without a reply."""

    failing: frozenset[str] = frozenset()
    kept: list[tuple[str, str]] = field(default_factory=list)  #: session and text, in order
    running: list[str] = field(default_factory=list)  #: the session of each run in progress
    most_at_once: int = 0  #: runs of one session side by side

    async def respond(self, session, content):
        """Answer a text after RUN_S seconds."""
        self.running.append(session)
        self.most_at_once = max(self.most_at_once, self.running.count(session))
        try:
            await anyio.sleep(RUN_S)
        finally:
            self.running.remove(session)
        if content in self.failing:
            raise RunFailed("no")
        return RunReply(f"re: {content}", content)

    def keep(self, session, reply):
        """Note what a session is to remember."""
        self.kept.append((session, reply.content))

    def messages(self, session):
        """Return every message that a session remembers, in order."""
        return [m for owner, content in self.kept if owner == session for m in content.split(SEPARATOR)]


def in_virtual_time(function):
    """Run an async function under a clock that jumps to the next moment at which something happens."""
    return anyio.run(function, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})


def drive(queue_factory, arrivals, runner):
    """Bring (at_s, session, patience_s) arrivals to a queue, message `m` and position; return what callers got.

    That is, by number, a reply or why there is none; callers who lost patience got nothing.
    """
    outcomes = {}

    async def caller(queue, number, at_s, session, patience_s):
        await anyio.sleep(at_s)
        with anyio.move_on_after(patience_s):
            try:
                outcomes[number] = await queue.submit(session, f"m{number}")
            except RunFailed as failure:
                outcomes[number] = str(failure)

    async def load():
        async with anyio.create_task_group() as tasks:
            queue = queue_factory(tasks, runner)
            for number, arrival in enumerate(arrivals):
                tasks.start_soon(caller, queue, number, *arrival)

    in_virtual_time(load)
    return outcomes


def sent(arrivals, session):
    """Return the messages that `drive` brings to a session, in order of position."""
    return [f"m{number}" for number, (_, owner, _) in enumerate(arrivals) if owner == session]
