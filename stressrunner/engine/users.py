"""What outlasts the iterations of users: captures and cookies, of everyone and of each user."""

from dataclasses import dataclass
from typing import Any

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.names import IterationScope
from stressrunner.engine.permit import Permit
from stressrunner.engine.recorder import Excluding, Recorder
from stressrunner.engine.sending import Due, Sender
from stressrunner.engine.step_context import StepContext
from stressrunner.engine.steps import Steps
from stressrunner.http.conversation import Conversation
from stressrunner.http.cookies import CookieJar
from stressrunner.http.exchange import Transport
from stressrunner.http.origin import Origin
from stressrunner.plan.plan import Plan

__all__ = ["USER_SETUP", "UserState", "Users"]

#: What attempts to set users up are measured under, and their requests reported.
USER_SETUP = "user_setup"


@dataclass(slots=True)
class UserState:
    """What a user has at the beginning of each of its iterations."""

    captures: dict[str, Any]
    jar: CookieJar | None  #: None where no cookies are kept


class Users:
    """Runs the `user_setup` of a plan for each user, and keeps what comes of it."""

    def __init__(self, plan: Plan, sender: Sender, clock: Clock, recorder: Recorder, base: Origin) -> None:
        """`base` is the origin that paths belong to."""
        self._plan = plan
        self._base = base
        excluding = Excluding(recorder, USER_SETUP)
        self._steps = Steps(sender.beside(excluding), clock, excluding)
        self._sender = sender
        self._recorder = recorder
        self._clock = clock
        jar = CookieJar.from_wire(plan.cookies) if plan.target.cookies else None
        self._of_everyone = UserState(dict(plan.captures), jar)
        self._kept: dict[int, UserState] = {}
        self._tries: dict[int, int] = {}  # of users whose user_setup has failed so far

    def of(self, user: int) -> UserState:
        """Return what a user has, who is set up."""
        return self._of_everyone if self._plan.user_setup is None else self._kept[user]

    async def set_up(self, user: int, phase: int, transport: Transport, permit: Permit) -> bool:
        """Run `user_setup` for a user once; return whether it passed.

        One that is cut off as it took too long has failed; an interrupt tells nothing.
        """
        steps = self._plan.user_setup
        if steps is None:
            return True
        began_ns = self._clock.now_ns()
        jar = None if self._of_everyone.jar is None else self._of_everyone.jar.copy()
        context = self._context(user, phase, Conversation(transport, self._base, jar), permit)
        try:
            passed = await self._steps.run(steps, context)
        except anyio.get_cancelled_exc_class():
            if self._sender.ranks_cut_off:
                self._failed(user, phase)
            raise
        if not passed:
            self._failed(user, phase)
            return False
        self._recorder.group(phase, USER_SETUP, self._clock.now_ns() - began_ns - context.paused_ns)
        if self._tries.pop(user, 0):
            self._recorder.not_set_up(-1)
        self._kept[user] = UserState(context.scope.captures, jar)
        return True

    def _failed(self, user: int, phase: int) -> None:
        self._recorder.group(phase, USER_SETUP, None)
        failures = self._tries[user] = self._tries.get(user, 0) + 1
        if failures == 1:
            self._recorder.not_set_up(1)

    @property
    def has_failed(self) -> bool:
        """Whether there are users for whom `user_setup` has failed and not passed since."""
        return bool(self._tries)

    def failures(self, user: int) -> int:
        """Return how often `user_setup` has failed for a user who is not set up."""
        return self._tries.get(user, 0)

    def _context(self, user: int, phase: int, transport: Transport, permit: Permit) -> StepContext:
        tries = self._tries.get(user, 0)
        # A user that tries again draws anew: what it made up before may be taken by now.
        stage = f"{USER_SETUP} {tries}" if tries else USER_SETUP
        scope = IterationScope(
            self._plan,
            iteration=user - self._plan.workload.first_user,  # what it draws is no other workloads' concern
            user=user,
            user_iteration=0,
            phase=phase,
            stage=stage,
        )
        due = Due(phase, self._clock.now_ns())
        return StepContext(scope, transport, due, is_measured=False, permit=permit)
