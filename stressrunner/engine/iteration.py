"""What an iteration does: one request of a mix, the steps of a flow, or the messages of a chat session."""

from typing import NamedTuple

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.loop_watch import Late
from stressrunner.engine.names import IterationScope, RequestNames
from stressrunner.engine.pauses import think_ns
from stressrunner.engine.permit import Permit
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sending import Due, Sender
from stressrunner.engine.step_context import Cursor, StepContext
from stressrunner.engine.steps import Steps
from stressrunner.engine.users import Users
from stressrunner.http.conversation import Conversation
from stressrunner.http.exchange import Transport
from stressrunner.http.origin import origin_of
from stressrunner.plan.plan import Plan
from stressrunner.plan.traffic import FlowsPlan, MixPlan, SessionPlan
from stressrunner.units import NS_PER_S

__all__ = ["Arrival", "Iterations"]


class Arrival(NamedTuple):
    """An iteration that is to be run."""

    phase: int
    number: int  #: in its phase, of the whole plan
    iteration: int  #: in the run, of the whole plan
    due_ns: int
    waiting_since_ns: int | None = None  #: when it began to wait for a user, if there was none

    def later(self, by_ns: int) -> "Arrival":
        """Return when it is due that had to wait for what is no part of the load."""
        since_ns = self.waiting_since_ns
        return self._replace(
            due_ns=self.due_ns + by_ns, waiting_since_ns=None if since_ns is None else since_ns + by_ns
        )


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
        self._steps = Steps(sender, clock, recorder)
        self._users = Users(plan, sender, clock, recorder, self._base)
        self.clock = clock
        self._recorder = recorder

    @property
    def needs_users_set_up(self) -> bool:
        """Whether a user has to be set up before its first iteration."""
        return self._plan.user_setup is not None

    @property
    def seed(self) -> int:
        """What random draws depend on."""
        return self._plan.seed

    @property
    def users(self) -> Users:
        """What users have; who is not set up is set up here."""
        return self._users

    async def run(
        self, arrival: Arrival, *, user: int, user_iteration: int, transport: Transport, permit: Permit
    ) -> None:
        """Run one iteration of a user who is set up to its end, to its first failure, or until its permit is taken back."""
        state = self._users.of(user)
        due = Due(arrival.phase, arrival.due_ns, arrival.waiting_since_ns)
        scope = IterationScope(
            self._plan,
            iteration=arrival.iteration,
            user=user,
            user_iteration=user_iteration,
            phase=arrival.phase,
        )
        scope.number = arrival.number
        scope.captures.update(state.captures)
        if not self._is_plain:
            jar = None if state.jar is None else state.jar.copy()
            transport = Conversation(transport, self._base, jar)
        context = StepContext(
            scope, transport, due, is_measured=not self._plan.phases[arrival.phase].spec.warmup, permit=permit
        )
        await self._traffic(arrival, context)

    async def _traffic(self, arrival: Arrival, context: StepContext) -> None:
        passed = False
        traffic = self._plan.phases[arrival.phase].traffic
        if isinstance(traffic, MixPlan):
            endpoint = self._plan.endpoints[traffic.pick(arrival.number)]
            passed = await self._steps.send(endpoint, RequestNames(context.scope, 0), context, context.due)
            if not (passed or context.failed):
                self._recorder.iteration(arrival.phase, in_error=True)
            return
        context.owed = dict(traffic.requests_of(arrival.number))
        try:
            match traffic:
                case FlowsPlan() as flows:
                    passed = await self._steps.step(flows.pick(arrival.number), context)
                case SessionPlan() as session:
                    context.number = session.spec.messages  # the messages have the numbers from 0
                    passed = await self._session(session, context)
            self._recorder.iteration(arrival.phase, in_error=not passed and not context.failed)
        finally:
            # Whether a failure prevented them, or the end of the load.
            for index, count in context.owed.items():
                if count:
                    self._recorder.skipped(arrival.phase, index, count)

    def prevented(self, arrival: Arrival) -> None:
        """Count an iteration that its user could not begin, as `user_setup` has failed."""
        phase = self._plan.phases[arrival.phase]
        self._recorder.iteration(arrival.phase, in_error=True)
        for endpoint, count in phase.traffic.requests_of(arrival.number).items():
            self._recorder.skipped(arrival.phase, endpoint, count)
        if phase.spec.warmup:
            return
        match phase.traffic:
            case FlowsPlan() as flows:
                for name in flows.pick(arrival.number).groups:
                    self._recorder.group(arrival.phase, name, None)
            case SessionPlan():
                self._recorder.group(arrival.phase, "session", None)

    async def _session(self, session: SessionPlan, context: StepContext) -> bool:
        """Run a session, and record how long it took, pauses subtracted; return whether it passed."""
        began_ns = context.due.due_ns
        try:
            passed = await self._conversation(session, context)
        except anyio.get_cancelled_exc_class():
            if context.is_measured and self._sender.ranks_cut_off:
                self._recorder.group_cut_off(context.due.phase, "session")
            raise
        if context.is_measured:
            length_ns = self.clock.now_ns() - began_ns - context.paused_ns
            self._recorder.group(
                context.due.phase, "session", length_ns if passed else None, context.late_since(0)
            )
        return passed

    async def _conversation(self, session: SessionPlan, context: StepContext) -> bool:
        """Send the messages of a session, with the steps before and after them; return whether all passed."""
        slot = session.spec.messages
        passed = await self._steps.run(session.open, context, Cursor(slot))
        if passed:
            passed = await self._messages(session, context)
        cursor = Cursor(slot + session.open.sent.slots)
        return await self._steps.run(session.close, context, cursor, after_failure=not passed)

    async def _messages(self, session: SessionPlan, context: StepContext) -> bool:
        """Send messages in bursts; the first burst with a failure is the last. Return whether all passed."""
        spec, scope = session.spec, context.scope
        for first in range(0, spec.messages, spec.burst):
            size = min(spec.burst, spec.messages - first)
            if first:
                use = (self._plan.seed, "session think", scope.iteration, first)
                now_ns = self.clock.now_ns()
                due_ns = now_ns + think_ns(spec.think_min_s, spec.think_max_s, *use)
                context.paused_ns += due_ns - now_ns
                with context.permit.waiting():
                    await self.clock.sleep_until(due_ns)
                context.went_on(due_ns)
            passed = await self._burst(session, context, first, size)
            context.went_on(self.clock.now_ns())
            if not passed:
                return False
        return True

    async def _burst(self, session: SessionPlan, context: StepContext, first: int, size: int) -> bool:
        """Send messages at their distances without waiting for replies, then wait for all of them."""
        endpoint = self._plan.endpoints[session.endpoint]
        first_due = context.due
        if size == 1:
            names = RequestNames(context.scope, first, step=context.seen)
            answered = await self._steps.send(endpoint, names, context, first_due)
            context.was_late(names.late)
            return answered
        gap_ns = round(session.spec.gap_s * NS_PER_S)
        passed: list[bool] = []
        lates: list[Late] = []

        async def send(message: int, due: Due) -> None:
            names = RequestNames(context.scope, message, step=context.seen)
            passed.append(await self._steps.send(endpoint, names, context, due))
            if names.late is not None:
                lates.append(names.late)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, first, first_due)
            for k in range(1, size):
                due_ns = first_due.due_ns + k * gap_ns
                with context.permit.waiting():
                    await self.clock.sleep_until(due_ns)
                tasks.start_soon(send, first + k, Due(first_due.phase, due_ns))
        context.was_late(max(lates, default=None))  # of what goes on at once, the longest
        return all(passed)
