"""The verdict on the delivery of all messages: passed, failed, or unknown, which is never a pass."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.history import History, Response
from stressrunner.engine.tokens import MessageToken
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.summary import Latency
from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import CountLimit
from stressrunner.sink import SinkLog
from stressrunner.verdict.delivery.classes import MessageClass
from stressrunner.verdict.delivery.classification import Classification, SessionFigures, classify
from stressrunner.verdict.delivery.evidence import EvidenceFinder
from stressrunner.verdict.delivery.outcome import (
    DeliveryOutcome,
    PhaseDelivery,
    ReadBackFigures,
    Requirement,
    SinkFigures,
)
from stressrunner.verdict.delivery.processing import PROCESSED, Processing, processing_of
from stressrunner.verdict.delivery.requirements import Counts, judge_requirements, sentence

__all__ = ["Circumstances", "judge_delivery", "unknown_reasons"]


_ORDER_DOUBTFUL = (
    "most messages stand in another order than they were sent in, and they are too few to tell whether histories are listed"
    " newest first; say 'order_by: newest_first' or 'order_by: oldest_first' in 'read_back'"
)
_MAX_TEXT = 200  #: characters of a response in a reason


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What has to be known beside attempts and histories."""

    run_id: str
    origin_ns: int  #: when the load began, monotonic
    phases: Sequence[tuple[str, bool]]  #: name of each phase, and whether it is a warm-up
    require: Mapping[str, CountLimit | None]
    read_back: ReadBackFigures
    doubts: tuple[str, ...]  #: why nothing can be said, whatever was found; usually none
    mask: Callable[[str], str]  #: hides secrets in texts
    looked: bool  #: histories were also read while the load ran
    newest_first: bool | None = None  #: whether histories are listed so; None finds out
    sink: SinkLog | str | None = None  #: what a sink saw, or why that is not known; None without one


def judge_delivery(
    attempts: Sequence[Attempt], histories: Sequence[History], known: Circumstances
) -> DeliveryOutcome:
    """Return what became of all messages, and what follows."""
    found = classify(attempts, histories, newest_first=known.newest_first)
    counted = [i for i, (_, is_warmup) in enumerate(known.phases) if not is_warmup]
    mine = [attempt for attempt in attempts if attempt.phase in counted]
    processing = None
    if isinstance(known.sink, SinkLog):
        processing = processing_of(mine, found.classes, known.sink, known.run_id)
    counts = replace(_counts(found, mine, counted), processed=_processed(processing))
    requirements = tuple(judge_requirements(known.require, counts, is_order_doubtful=found.is_order_doubtful))
    broken = [each for each in requirements if each.state == "failed"]
    doubts = (
        *known.doubts,
        *_unread(known.read_back),
        *_partly_read(found, counted),
        *(
            _ORDER_DOUBTFUL
            for each in requirements
            if each.name == "order" and each.found and each.state == "unknown"
        ),
        *_unprocessed(known.sink, processing),
    )
    is_failed = bool(broken) and not known.doubts
    finder = EvidenceFinder(found, known.run_id, known.origin_ns, known.mask, processing)
    return DeliveryOutcome(
        kind="delivery",
        outcome="failed" if is_failed else "unknown" if doubts else "passed",
        reasons=(*map(sentence, broken), *doubts),
        messages=len(mine),
        sessions=counts.sessions,
        classes={each.value: n for each, n in counts.classes.items()},
        unread=counts.unread,
        replies={each.value: n for each, n in counts.replies.items()},
        reply_times=_reply_times(mine),
        visibility=_visibility(mine, found) if known.looked else None,
        splits=counts.splits,
        reordered=counts.reordered,
        bursts=counts.bursts,
        bursts_without_answer=counts.bursts_without_answer,
        session_ids=counts.session_ids,
        requirements=requirements,
        phases=tuple(_phase(found, i, name) for i, (name, _) in enumerate(known.phases)),
        read_back=known.read_back,
        sink=_sink_figures(processing),
        newest_first=found.newest_first,
        evidence=tuple(finder.of(each.name) for each in broken),
    )


def _counts(found: Classification, mine: Sequence[Attempt], counted: Collection[int]) -> Counts:
    sessions: list[SessionFigures] = [
        found.sessions[session] for session in {attempt.session for attempt in mine}
    ]
    classes = {**found.counts(counted), MessageClass.FABRICATED: found.fabricated}
    return Counts(
        messages=len(mine),
        sessions=len(sessions),
        classes={each: classes[each] for each in MessageClass},
        replies=found.replies(counted),
        splits=sum(each.splits for each in sessions),
        reordered=sum(each.reordered for each in sessions),
        bursts=sum(each.bursts for each in sessions),
        bursts_without_answer=sum(each.bursts_without_answer for each in sessions),
        session_ids=sum(each.session_ids > 1 for each in sessions),
        unread=sum(MessageToken(a.session, a.message) not in found.classes for a in mine),
    )


def _unread(figures: ReadBackFigures) -> tuple[str, ...]:
    if not figures.unread:
        return ()
    why = f": {figures.reasons[0]}" if figures.reasons else ""
    return (f"the history of {figures.unread:,} of {figures.sessions:,} sessions is not known{why}",)


def _partly_read(found: Classification, counted: Collection[int]) -> Iterator[str]:
    for why, messages in found.partly_read(counted).items():
        which = "1 message that was" if messages == 1 else f"{messages:,} messages that were"
        yield f"{which} not found may stand where nothing was read: {why}"


def _processed(processing: Processing | None) -> Mapping[str, int] | None:
    return None if processing is None else {name: len(tokens) for name, tokens in processing.faults.items()}


def _sink_figures(processing: Processing | None) -> SinkFigures | None:
    if processing is None:
        return None
    found = {name.removeprefix(PROCESSED): len(tokens) for name, tokens in processing.faults.items()}
    return SinkFigures(processing.requests, len(processing.times), **found)


def _unprocessed(sink: SinkLog | str | None, processing: Processing | None) -> tuple[str, ...]:
    """Return why what the sink saw says nothing, or too little."""
    if isinstance(sink, str):
        return (f"what the sink saw is not known: {sink}",)
    if processing is None:
        return ()
    if not processing.times:
        return (
            "the sink answered none of the messages: give its address to the service as its model backend",
        )
    if processing.unlogged:
        return (
            f"the sink had no room to follow all messages: {processing.unlogged:,} times it took no note",
        )
    return ()


def unknown_reasons(
    histories: Sequence[History], mask: Callable[[str], str] = lambda text: text
) -> tuple[str, ...]:
    """Return why histories are not known, the most frequent reason first, five at the most, with a response for each.

    `mask` hides secrets, before anything is cut off.
    """
    found = Counter(history.unread for history in histories if history.unread)
    # That of the session with the lowest number, whichever was read first.
    in_order = sorted(histories, key=lambda history: history.session, reverse=True)
    responses = {history.unread: history.response for history in in_order if history.response is not None}
    return tuple(_with_response(mask, each, responses.get(each)) for each, _ in found.most_common(5))


def _with_response(mask: Callable[[str], str], reason: str, response: Response | None) -> str:
    if response is None:
        return mask(reason)
    text = " ".join(mask(response.text).split())[:_MAX_TEXT] or "nothing"
    return f"{mask(reason)}; {mask(response.url)} answered {response.status}: {text}"


def _reply_times(attempts: Sequence[Attempt]) -> Mapping[str, Latency]:
    times: dict[Reply, list[int]] = {}
    for attempt in attempts:
        if attempt.is_answered:
            times.setdefault(attempt.reply, []).append(attempt.ended_ns - attempt.sent_ns)
    return {reply.value: _latency(times[reply]) for reply in Reply if reply in times}


def _visibility(attempts: Sequence[Attempt], found: Classification) -> Latency:
    """Return how long acknowledged messages took to be seen, at most: from the reply to the reading that had them."""
    times = []
    for attempt in attempts:
        history = found.histories.get(attempt.session)
        token = MessageToken(attempt.session, attempt.message)
        if attempt.reply is Reply.ACKNOWLEDGED and history is not None and token in history.first_seen_ns:
            times.append(max(0, history.first_seen_ns[token] - attempt.ended_ns))
    return _latency(times)


def _latency(times_ns: list[int]) -> Latency:
    histogram = Histogram()
    histogram.extend(times_ns)
    return Latency.of(histogram)


def _phase(found: Classification, index: int, name: str) -> PhaseDelivery:
    classes, replies = found.counts([index]), found.replies([index])
    return PhaseDelivery(
        name,
        {each.value: n for each, n in classes.items() if each is not MessageClass.FABRICATED},
        {each.value: n for each, n in replies.items()},
    )


def broken_of(outcome: DeliveryOutcome) -> tuple[Requirement, ...]:
    """Return the requirements that do not hold."""
    return tuple(each for each in outcome.requirements if each.state == "failed")
