"""Following every message of a run: histories are read back after the load, and while it runs if that is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import anyio
from anyio.abc import TaskGroup

from stressrunner.engine.clock import Clock
from stressrunner.engine.history import History
from stressrunner.engine.read_back import HistoryReader
from stressrunner.engine.session_reader import SessionReader, Wanted
from stressrunner.engine.token_keeper import TokenKeeper
from stressrunner.engine.tokens import MessageToken
from stressrunner.fleet.transports import keeper_of, transports_to
from stressrunner.metrics.aggregator import Summary
from stressrunner.plan.plan import Plan
from stressrunner.plan.reply import Reply
from stressrunner.plan.traffic import SessionPlan
from stressrunner.run.histories import by_session, named, quiet_s_of, to_read, too_slow
from stressrunner.run.judgement import RunOrigin, SentMessages
from stressrunner.run.listener import Listener
from stressrunner.run.sink import log_of
from stressrunner.scenario.delivery import Delivery
from stressrunner.sink import SinkLog
from stressrunner.sink.process import RunningSink
from stressrunner.units import NS_PER_S
from stressrunner.verdict.delivery.cut_short import cut_short
from stressrunner.verdict.delivery.judgement import Circumstances, judge_delivery, unknown_reasons
from stressrunner.verdict.delivery.outcome import DeliveryOutcome, ReadBackFigures

__all__ = ["Deliveries"]

_LOOKED_AT = 64  #: sessions that are read in one round while the load runs


class Deliveries:
    """The delivery check of one run."""

    def __init__(
        self, origin: RunOrigin, delivery: Delivery, base_url: str, clock: Clock, sent: SentMessages
    ) -> None:
        """`base_url` is where the target really is; `sent` is kept up to date by who hears the load."""
        plan = origin.plan
        if plan.read_back is None:
            raise ValueError("this plan checks no deliveries")
        self._origin = origin
        self._delivery = delivery
        self._spec = plan.read_back
        self._clock = clock
        self._sent = sent
        self._keeper = keeper_of(base_url, plan, clock)
        self._reader = SessionReader(plan, self._spec, base_url)
        self._read_back = HistoryReader(
            self._reader,
            transports_to(base_url, plan),
            clock,
            self._spec.timeout_s,
            renew=None if self._keeper is None else self._keeper.fetch,
        )
        self._token_requests = self._token_failures = 0
        self._taken = 0  # attempts that `watch` has looked at
        self._unseen: dict[
            int, dict[MessageToken, str]
        ] = {}  # acknowledged messages, with their session's id

    async def watch(self) -> None:
        """Read the sessions that are under way every so often, until cancelled; at once none if not asked for."""
        if self._spec.during_s is None:
            return
        async with anyio.create_task_group() as tasks:
            await self._keep_tokens(tasks)
            await self._look(self._spec.during_s)

    async def _keep_tokens(self, tasks: TaskGroup) -> None:
        """Have the access tokens that reading needs, for as long as some tasks run."""
        if self._keeper is not None:
            await self._keeper.fetch()
            self._origin.masker.learn(self._hand_over(self._keeper))
            tasks.start_soon(self._keeper.keep)

    def _hand_over(self, keeper: TokenKeeper) -> tuple[str, ...]:
        """Count what was sent for access tokens, and return those that were given."""
        traffic = keeper.hand_over()
        self._token_requests += traffic.sent
        self._token_failures += traffic.failed
        return traffic.granted

    async def _look(self, every_s: float) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + round(every_s * NS_PER_S))
            wanted = self._under_way()
            await self._read_back.look(wanted)
            for session in [each.session for each in wanted]:
                seen = self._read_back.seen(session)
                left = {token: i for token, i in self._unseen[session].items() if token not in seen}
                # The others' turn comes first next time.
                del self._unseen[session]
                if left:
                    self._unseen[session] = left

    def _under_way(self) -> list[Wanted]:
        """Return sessions with acknowledged messages that were not seen yet, those that wait longest first."""
        fresh = self._sent.attempts[self._taken :]
        self._taken += len(fresh)
        for attempt in fresh:
            if attempt.reply is Reply.ACKNOWLEDGED:
                token = MessageToken(attempt.session, attempt.message)
                self._unseen.setdefault(attempt.session, {})[token] = attempt.session_id
        sessions = list(self._unseen)[:_LOOKED_AT]
        return [Wanted(s, tuple(dict.fromkeys(filter(None, self._unseen[s].values()))), 0) for s in sessions]

    async def conclude(
        self,
        interrupted: anyio.Event,
        losses: Sequence[str],
        listener: Listener,
        sink: RunningSink | None,
    ) -> DeliveryOutcome:
        """Read all histories back and judge; an interrupt ends the reading, and then nothing is known.

        A sink is asked last: the service may work on messages for as long as histories change.
        """
        attempts = self._sent.attempts
        sessions = by_session(attempts)
        begin_ns = self._clock.now_ns()
        quiet_s = quiet_s_of(self._spec, attempts)
        histories, wanted = to_read(self._spec, sessions)
        doubts = self._doubts(losses, quiet_s)
        if wanted and not doubts and not interrupted.is_set():
            listener.note(f"reading back {len(wanted):,} sessions, until they are quiet for {quiet_s:.3g} s")
            histories += await self._settled(wanted, quiet_s, interrupted)
        if self._keeper is not None:
            self._origin.masker.learn(self._hand_over(self._keeper))
        histories = [named(self._spec, history, sessions[history.session]) for history in histories]
        known = {history.session for history in histories}
        why = "the run was interrupted" if interrupted.is_set() else "it was not read"
        histories += [History(each.session, unread=why) for each in wanted if each.session not in known]
        figures = ReadBackFigures(
            sessions=len(sessions),
            unread=sum(bool(history.unread) for history in histories),
            requests=self._reader.requests,
            failed=self._reader.failed,
            duration_s=(self._clock.now_ns() - begin_ns) / NS_PER_S,
            quiet_s=quiet_s,
            reasons=unknown_reasons(histories, self._origin.masker.text),
        )
        circumstances = self._circumstances(figures, doubts, await log_of(sink))
        short = cut_short(sessions.values(), self._planned())
        outcome = judge_delivery(attempts, histories, circumstances)
        return replace(outcome, cut_short=short.sessions, not_sent=short.messages)

    def _planned(self) -> Mapping[int, int]:
        """Return how many messages a session of each phase has that counts."""
        return {
            phase.index: phase.traffic.spec.messages
            for phase in self._origin.plan.phases
            if isinstance(phase.traffic, SessionPlan) and not phase.spec.warmup
        }

    def added_to(self, summary: Summary) -> Summary:
        """Return the figures of a load with the requests for the access tokens that reading has needed."""
        return replace(
            summary,
            token_requests=summary.token_requests + self._token_requests,
            token_failures=summary.token_failures + self._token_failures,
        )

    async def _settled(
        self, wanted: Sequence[Wanted], quiet_s: float, interrupted: anyio.Event
    ) -> list[History]:
        found: list[History] = []

        async def stop_when_interrupted() -> None:
            await interrupted.wait()
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop_when_interrupted)
            await self._keep_tokens(tasks)
            found += await self._read_back.settle(wanted, quiet_s)
            tasks.cancel_scope.cancel()
        return found

    def _doubts(self, losses: Sequence[str], quiet_s: float) -> tuple[str, ...]:
        """Return why nothing can be said, whatever the histories hold."""
        if losses:
            return ("a generator was lost, and with it what it had sent",)
        if not self._sent.attempts:
            return ("no message was sent",)
        why = too_slow(self._spec, quiet_s)
        return (why,) if why else ()

    def _circumstances(
        self, figures: ReadBackFigures, doubts: tuple[str, ...], sink: SinkLog | str | None
    ) -> Circumstances:
        plan: Plan = self._origin.plan
        return Circumstances(
            run_id=plan.run_id,
            origin_ns=self._sent.origin_ns,
            phases=[(phase.spec.name, phase.spec.warmup) for phase in plan.phases],
            require=self._delivery.require,
            read_back=figures,
            doubts=doubts,
            mask=self._origin.masker.text,
            looked=self._spec.during_s is not None,
            newest_first=self._spec.newest_first,
            sink=sink,
        )
