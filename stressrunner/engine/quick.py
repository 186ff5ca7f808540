"""Iterations of one request each, run by callbacks: nothing is resumed between a response and the next request.

A user whose iterations are single requests of a mix needs no coroutine for them. What becomes of a request is
decided by the same `Sender` as everywhere else (test_callbacks_and_coroutines_agree); only the way there is shorter.
"""

from collections.abc import Callable

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.iteration import Arrival
from stressrunner.engine.names import IterationScope, RequestNames
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sending import Sender
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.exchange import DirectTransport, Exchange
from stressrunner.plan.endpoints import EndpointPlan
from stressrunner.plan.plan import Plan
from stressrunner.plan.traffic import MixPlan

__all__ = ["QuickRequests", "QuickUser", "is_quick"]


def is_quick(plan: Plan) -> bool:
    """Return whether all iterations of a plan are single requests that need nothing but their response."""
    if plan.user_setup is not None or plan.cookies:
        return False
    return all(isinstance(phase.traffic, MixPlan) for phase in plan.stream.phases) and not any(
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
        self._mixes = {p.index: p.traffic for p in plan.stream.phases if isinstance(p.traffic, MixPlan)}
        #: what every iteration of a phase sends, where it is the same
        self.only = {index: _only(plan, mix) for index, mix in self._mixes.items()}

    def endpoint(self, arrival: Arrival) -> EndpointPlan:
        """Return what an iteration sends."""
        return self.plan.endpoints[self._mixes[arrival.phase].pick(arrival.number)]


def _only(plan: Plan, mix: MixPlan) -> EndpointPlan | None:
    only = mix.blocks.only
    return None if only is None else plan.endpoints[mix.endpoints[only]]


class QuickUser:
    """One user: sends a request, and when it has ended the next one that is there for it."""

    __slots__ = (
        "_arrival",
        "_begun_ns",
        "_done",
        "_endpoint",
        "_error",
        "_following",
        "_left",
        "_names",
        "_requests",
        "_transport",
        "iterations",
        "number",
    )

    def __init__(
        self,
        requests: QuickRequests,
        number: int,
        transport: DirectTransport,
        following: Callable[[], Arrival | None],
    ) -> None:
        """`following` returns what the user is to run next; None when it has to wait, or to `leave`."""
        self._requests = requests
        self._transport = transport
        self._following = following
        self._done = self._ended  # bound once
        self._arrival: Arrival | None = None  # whose request is in flight
        self._begun_ns = 0
        self._endpoint: EndpointPlan
        self._names: RequestNames | None = None
        self._left: anyio.Event  # a new one in every `run`
        self._error: BaseException | None = None
        self.number = number  #: in the whole plan
        self.iterations = 0  #: that have begun

    async def run(self, arrival: Arrival) -> None:
        """Run an iteration and all that follow it; return when the user has left."""
        self._left = anyio.Event()
        self.begin(arrival)
        try:
            await self._left.wait()
        except anyio.get_cancelled_exc_class():
            self._cut_off()
            raise
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """Let `run` return; only while no request is in flight."""
        self._left.set()

    def begin(self, arrival: Arrival) -> None:
        """Send the request of an iteration."""
        requests = self._requests
        endpoint = requests.only[arrival.phase] or requests.endpoint(arrival)
        request, names = endpoint.request.standing, None
        if request is None or not endpoint.judge.is_of_status:
            scope = IterationScope(
                requests.plan,
                iteration=arrival.iteration,
                user=self.number,
                user_iteration=self.iterations,
                phase=arrival.phase,
            )
            scope.number = arrival.number
            names = RequestNames(scope, 0)
        self.iterations += 1
        if not requests.sender.may_send():
            return  # the load is being cut off
        if request is None and names is not None:
            try:
                request = endpoint.request.render(names)
            except CannotEvaluate as error:
                requests.sender.unfilled(endpoint, names, arrival, error)
                # Through the event loop: if all requests fail this way, nobody else would run until the end.
                self.leave()
                return
        assert request is not None  # noqa: S101  # either there was one, or it has just been made
        self._arrival, self._endpoint, self._names = arrival, endpoint, names
        self._begun_ns = requests.clock.now_ns()
        requests.recorder.in_flight += 1
        self._transport.begin(request, self._done)

    def _ended(self, exchange: Exchange) -> None:
        """Take what came of the request, and go on."""
        try:
            self._conclude(exchange)
            following = self._following()
            if following is not None:
                self.begin(following)
        except BaseException as error:  # noqa: BLE001  an event loop logs what a callback raises, and the user would hang
            self._error = error
            self._left.set()

    def _conclude(self, exchange: Exchange) -> None:
        requests, arrival, endpoint, names = self._requests, self._arrival, self._endpoint, self._names
        assert arrival is not None  # noqa: S101  # a request was in flight
        self._arrival = None
        requests.recorder.in_flight -= 1
        since_ns = arrival.waiting_since_ns
        # A connection was at hand: all that came before it was the generator's time.
        released_ns = exchange.acquired_ns if since_ns is None else since_ns
        requests.sender.conclude(endpoint, names, exchange, arrival, released_ns)

    def _cut_off(self) -> None:
        """Count the request that is in flight as unfinished."""
        arrival = self._arrival
        if arrival is not None:
            self._arrival = None
            self._requests.recorder.in_flight -= 1
            since_ns = arrival.waiting_since_ns
            released_ns = self._begun_ns if since_ns is None else since_ns
            self._requests.sender.cut_off(self._endpoint, self._names, arrival, released_ns)
