"""Iterations of one request each, run by callbacks: nothing is resumed between a response and the next request.

A user whose iterations are single requests of a mix needs no coroutine for them. What becomes of a request is
decided by the same `Sender` as everywhere else (test_callbacks_and_coroutines_agree); only the way there is shorter.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.iteration import Arrival
from stressrunner.engine.names import IterationScope, RequestNames
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sending import Sender
from stressrunner.engine.user_pool import IterationSource, Pause, UserPool
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.exchange import DirectTransport, DirectTransports, Exchange
from stressrunner.plan.endpoints import EndpointPlan
from stressrunner.plan.plan import Plan
from stressrunner.plan.traffic import MixPlan

__all__ = ["CallbackUsers", "QuickRequests", "is_quick"]


def is_quick(plan: Plan) -> bool:
    """Return whether all iterations of a plan are single requests that need nothing but their response."""
    if plan.user_setup is not None or plan.cookies:
        return False
    return all(isinstance(phase.traffic, MixPlan) for phase in plan.workload.phases) and not any(
        endpoint.request.follows_redirects for endpoint in plan.endpoints
    )


class QuickRequests:
    """What the requests of all users of a load have in common."""

    def __init__(self, plan: Plan, sender: Sender, clock: Clock, recorder: Recorder) -> None:
        """`plan` is one that `is_quick` accepts."""
        self.plan = plan
        self.sender = sender
        self.clock = clock
        self.recorder = recorder
        self._mixes = {p.index: p.traffic for p in plan.workload.phases if isinstance(p.traffic, MixPlan)}
        #: what every iteration of a phase sends, where it is the same
        self.only = {index: _only(plan, mix) for index, mix in self._mixes.items()}

    def endpoint(self, arrival: Arrival) -> EndpointPlan:
        """Return what an iteration sends."""
        return self.plan.endpoints[self._mixes[arrival.phase].pick(arrival.number)]


def _only(plan: Plan, mix: MixPlan) -> EndpointPlan | None:
    only = mix.blocks.only
    return None if only is None else plan.endpoints[mix.endpoints[only]]


class _QuickUser:
    """One user: sends a request, and when it has ended the next one that is there for it."""

    __slots__ = (
        "_arrival",
        "_begun_ns",
        "_done",
        "_endpoint",
        "_names",
        "_own",
        "_pool",
        "_requests",
        "iterations",
        "number",
        "pause",
        "transport",
        "user",
    )

    def __init__(self, pool: "CallbackUsers", number: int, user: int, transport: DirectTransport) -> None:
        self._pool = pool
        self._requests = pool.requests
        self._done = self._ended  # bound once
        self._arrival: Arrival | None = None  # whose request is in flight
        self._begun_ns = 0
        self._endpoint: EndpointPlan
        self._names: RequestNames | None = None  # of that request, if it needs any
        self._own: RequestNames | None = None  # to be begun anew
        self.pause: Pause | None = None  #: that it is in, or has just come from
        self.transport = transport
        self.number = number
        self.user = user  #: its number in the whole plan
        self.iterations = 0

    @property
    def is_set_up(self) -> bool:
        """Whether it can begin an iteration at once: there is nothing to set up."""
        return True

    def wake(self, arrival: Arrival | None = None) -> None:
        """Have it run an arrival, or without one look for work again."""
        if arrival is None:
            arrival = self._pool.following(self)
        if arrival is not None:
            self._begin(arrival)

    def _begin(self, arrival: Arrival) -> None:
        """Send the request of an iteration."""
        requests = self._requests
        endpoint = requests.only[arrival.phase] or requests.endpoint(arrival)
        request, names = endpoint.request.standing, None
        if request is None or not endpoint.judge.is_of_status:
            names = self._names_of(arrival)
        self.iterations += 1
        if not requests.sender.may_send():
            return  # the load is being cut off
        if request is None and names is not None:
            try:
                request = endpoint.request.render(names)
            except CannotEvaluate as error:
                requests.sender.unfilled(endpoint, names, arrival, error)
                requests.recorder.iteration(arrival.phase, in_error=True)
                self._pool.wake_later(self)
                return
        assert request is not None  # noqa: S101  # either there was one, or it has just been made
        self._arrival, self._endpoint, self._names = arrival, endpoint, names
        self._begun_ns = requests.clock.now_ns()
        requests.recorder.in_flight += 1
        self.transport.begin(request, self._done)

    def _names_of(self, arrival: Arrival) -> RequestNames:
        """Return the names of an iteration: those of the one before, begun anew, as only one is under way."""
        own = self._own
        if own is None or own.scope.phase != arrival.phase:
            scope = IterationScope(
                self._requests.plan, iteration=0, user=self.user, user_iteration=0, phase=arrival.phase
            )
            own = self._own = RequestNames(scope, 0)
        own.scope.begin(arrival.iteration, self.iterations, arrival.number)
        own.begin()
        return own

    def _ended(self, exchange: Exchange) -> None:
        """Take what came of the request, and go on."""
        requests, arrival = self._requests, self._arrival
        assert arrival is not None  # noqa: S101  # a request was in flight
        try:
            self._arrival = None
            requests.recorder.in_flight -= 1
            since_ns = arrival.waiting_since_ns
            # A connection was at hand: all that came before it was the generator's time.
            released_ns = exchange.acquired_ns if since_ns is None else since_ns
            requests.sender.conclude(self._endpoint, self._names, exchange, arrival, released_ns)
            following = self._pool.following(self)
            if following is not None:
                self._begin(following)
        except BaseException as error:  # noqa: BLE001  an event loop logs what a callback raises, and the user would hang
            self._pool.fail(error)

    def cut_off(self) -> None:
        """Count the request that is in flight, if there is one, as unfinished."""
        arrival = self._arrival
        if arrival is not None:
            self._arrival = None
            self._requests.recorder.in_flight -= 1
            since_ns = arrival.waiting_since_ns
            released_ns = self._begun_ns if since_ns is None else since_ns
            self._requests.sender.cut_off(self._endpoint, self._names, arrival, released_ns)


class CallbackUsers(UserPool[_QuickUser]):
    """Users that have no tasks: of ten thousand, each takes a third less memory for it."""

    def __init__(self, work: IterationSource, requests: QuickRequests, transports: DirectTransports) -> None:
        """`work` offers iterations to them, which send `requests`; each has one of the transports."""
        super().__init__(work, requests.clock)
        self.requests = requests
        self._transports = transports
        self._failed = anyio.Event()
        self._error: BaseException | None = None

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let users join while this is entered; those who are busy when it is left are cut off."""
        try:
            async with super().at_work():
                self._background.start_soon(self._raise)
                yield
        finally:
            for user in self._users:
                user.cut_off()
            await self._transports.leave([user.transport for user in self._users])

    def add(self, arrival: Arrival | None = None) -> None:
        """Add a user, who is busy from the beginning."""
        self._join(self._user).wake(arrival)

    def _user(self, number: int) -> _QuickUser:
        return _QuickUser(self, number, self._work.number(number), self._transports.enter())

    def wake_later(self, user: _QuickUser) -> None:
        """Let a user look for work after all others had their turn."""

        async def wake() -> None:
            user.wake()

        self._background.start_soon(wake)

    def fail(self, error: BaseException) -> None:
        """End the workload by an error that a callback has come upon."""
        self._error = self._error or error
        self._failed.set()

    async def _raise(self) -> None:
        await self._failed.wait()
        if self._error is not None:
            raise self._error
