"""What an iteration does: one request of a mix, or the messages of a chat session."""

from typing import NamedTuple

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.names import IterationScope, RequestNames
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sending import Due, Sender
from stressrunner.expressions.functions import random_stream
from stressrunner.http.conversation import Conversation
from stressrunner.http.cookies import CookieJar
from stressrunner.http.exchange import Transport
from stressrunner.http.origin import origin_of
from stressrunner.plan.plan import MixPlan, Plan, SessionPlan
from stressrunner.units import NS_PER_S

__all__ = ["Arrival", "Iterations", "think_ns"]


class Arrival(NamedTuple):
    """An iteration that is to be run."""

    phase: int
    number: int  #: in its phase, of the whole plan
    iteration: int  #: in the run, of the whole plan
    due_ns: int
    waiting_since_ns: int | None = None  #: when it began to wait for a user, if there was none


def think_ns(low_s: float, high_s: float, *parts: object) -> int:
    """Return a pause in nanoseconds between two bounds, drawn for the parts given."""
    if low_s == high_s:
        return round(low_s * NS_PER_S)
    return round(random_stream(*parts).uniform(low_s, high_s) * NS_PER_S)


class Iterations:
    """Runs the iterations of a plan."""

    def __init__(self, plan: Plan, sender: Sender, clock: Clock, recorder: Recorder, base_url: str) -> None:
        """`base_url` is where the target really is."""
        self._plan = plan
        self._base = origin_of(base_url)
        self._is_plain = not plan.target.cookies and not any(
            e.request.follows_redirects for e in plan.endpoints
        )
        self._sender = sender
        self._clock = clock
        self._recorder = recorder

    async def run(self, arrival: Arrival, *, user: int, user_iteration: int, transport: Transport) -> None:
        """Run one iteration to its end, or to its first failure."""
        scope = IterationScope(
            self._plan, iteration=arrival.iteration, user=user, user_iteration=user_iteration
        )
        if not self._is_plain:
            jar = CookieJar() if self._plan.target.cookies else None
            transport = Conversation(transport, self._base, jar)
        traffic = self._plan.phases[arrival.phase].traffic
        if isinstance(traffic, MixPlan):
            endpoint = self._plan.endpoints[traffic.pick(arrival.number)]
            due = Due(arrival.phase, arrival.due_ns, arrival.waiting_since_ns)
            await self._sender.send(endpoint, RequestNames(scope, 0), due, transport)
        else:
            await self._session(traffic, scope, arrival, transport)

    async def _session(
        self, traffic: SessionPlan, scope: IterationScope, arrival: Arrival, transport: Transport
    ) -> bool:
        """Send the messages of a session in bursts; the first burst with a failure is the last."""
        spec = traffic.spec
        first_due = Due(arrival.phase, arrival.due_ns, arrival.waiting_since_ns)
        paused_ns = 0
        for first in range(0, spec.messages, spec.burst):
            size = min(spec.burst, spec.messages - first)
            if first:
                use = (self._plan.seed, "session think", scope.iteration, first)
                now_ns = self._clock.now_ns()
                due_ns = now_ns + think_ns(spec.think_min_s, spec.think_max_s, *use)
                paused_ns += due_ns - now_ns
                await self._clock.sleep_until(due_ns)
                first_due = Due(arrival.phase, due_ns)
            burst = _Burst(traffic, scope, first_due, transport)
            if not await self._send_burst(burst, first, size):
                self._recorder.skipped(arrival.phase, traffic.endpoint, spec.messages - first - size)
                return False
        if not self._plan.phases[arrival.phase].spec.warmup:
            self._recorder.whole("session", self._clock.now_ns() - arrival.due_ns - paused_ns)
        return True

    async def _send_burst(self, burst: "_Burst", first: int, size: int) -> bool:
        """Send messages at their distances without waiting for replies, then wait for all of them."""
        traffic, scope, first_due, transport = burst
        endpoint = self._plan.endpoints[traffic.endpoint]
        if size == 1:
            return await self._sender.send(endpoint, RequestNames(scope, first), first_due, transport)
        gap_ns = round(traffic.spec.gap_s * NS_PER_S)
        passed: list[bool] = []

        async def send(message: int, due: Due) -> None:
            names = RequestNames(scope, message)
            passed.append(await self._sender.send(endpoint, names, due, transport))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, first, first_due)
            for k in range(1, size):
                due_ns = first_due.due_ns + k * gap_ns
                await self._clock.sleep_until(due_ns)
                tasks.start_soon(send, first + k, Due(first_due.phase, due_ns))
        return all(passed)


class _Burst(NamedTuple):
    traffic: SessionPlan
    scope: IterationScope
    first_due: Due
    transport: Transport
