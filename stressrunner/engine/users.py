"""What outlasts the iterations of users: captures and cookies, of everyone and of each user."""

from dataclasses import dataclass
from typing import Any

from stressrunner.engine.clock import Clock
from stressrunner.engine.names import IterationScope
from stressrunner.engine.recorder import Apart, Recorder
from stressrunner.engine.sending import Due, Sender
from stressrunner.engine.steps import Steps
from stressrunner.engine.walk import Walk
from stressrunner.http.conversation import Conversation
from stressrunner.http.cookies import CookieJar
from stressrunner.http.exchange import Transport
from stressrunner.http.origin import Origin
from stressrunner.plan.plan import Plan

__all__ = ["Belongings", "Users"]

_STAGE = "user_setup"


@dataclass(slots=True)
class Belongings:
    """What a user has at the beginning of each of its iterations."""

    captures: dict[str, Any]
    jar: CookieJar | None  #: None where no cookies are kept


class Users:
    """Runs the `user_setup` of a plan for each user, and keeps what comes of it."""

    def __init__(self, plan: Plan, sender: Sender, clock: Clock, recorder: Recorder, base: Origin) -> None:
        """`base` is the origin that paths belong to."""
        self._plan = plan
        self._base = base
        apart = Apart(recorder, _STAGE)
        self._steps = Steps(sender.beside(apart), clock, apart)
        self._clock = clock
        jar = CookieJar.from_wire(plan.cookies) if plan.target.cookies else None
        self._of_everyone = Belongings(dict(plan.captures), jar)
        self._kept: dict[int, Belongings] = {}
        self._tries: dict[int, int] = {}  # of users whose user_setup has failed so far

    async def of(self, user: int, phase: int, transport: Transport) -> Belongings | None:
        """Return what a user has, after its `user_setup` if that is its first time; None when that fails."""
        if self._plan.user_setup is None:
            return self._of_everyone
        if user not in self._kept:
            found = await self._set_up(user, phase, transport)
            if found is None:
                self._tries[user] = self._tries.get(user, 0) + 1
                return None
            self._kept[user] = found
        return self._kept[user]

    async def _set_up(self, user: int, phase: int, transport: Transport) -> Belongings | None:
        tries = self._tries.get(user, 0)
        # A user that tries again draws anew: what it made up before may be taken by now.
        stage = f"{_STAGE} {tries}" if tries else _STAGE
        scope = IterationScope(
            self._plan,
            iteration=user - self._plan.stream.first_user,  # what it draws is no other streams' concern
            user=user,
            user_iteration=0,
            phase=phase,
            stage=stage,
        )
        jar = None if self._of_everyone.jar is None else self._of_everyone.jar.copy()
        conversation = Conversation(transport, self._base, jar)
        due = Due(phase, self._clock.now_ns())
        walk = Walk(scope, conversation, due, is_measured=False)
        steps = self._plan.user_setup
        passed = steps is None or await self._steps.run(steps, walk)
        return Belongings(scope.captures, jar) if passed else None
