"""A run's progress in a line: what is written now and then where there is no terminal to draw on."""

from stressrunner.run.listener import Progress
from stressrunner.spelling import printable
from stressrunner.units import format_duration, format_rate

__all__ = ["done_share", "left_s", "of_offered", "progress_line", "time_or_dash"]

_BAR = 16


def done_share(progress: Progress) -> float | None:
    """Return how much of the load is done, 0 to 1, where that can be said."""
    shares = []
    if progress.planned_s:
        shares.append(progress.at_s / progress.planned_s)
    if progress.planned:
        shares.append(progress.completed / progress.planned)
    return min(1.0, max(shares)) if shares else None


def left_s(progress: Progress) -> float | None:
    """Return how long the load will still take; an estimate where work ends it, None where nothing can be said."""
    if progress.planned_s is not None:
        return max(0.0, progress.planned_s - progress.at_s)
    if progress.planned is None or not progress.completed or not progress.at_s:
        return None
    # The rate so far, because that of a second jumps about.
    return max(0, progress.planned - progress.completed) * progress.at_s / progress.completed


def progress_line(progress: Progress, width: int) -> str:
    """Return a run's progress in one line of at most `width` columns; what matters least is left out first."""
    share = done_share(progress)
    bar = ""
    if share is not None:
        full = int(share * _BAR)
        bar = f"[{'#' * full}{'.' * (_BAR - full)}] {share:4.0%}"
    sent = f"{progress.completed:,}" + (
        f"/{progress.planned:,}" if progress.planned and not progress.planned_s else ""
    )
    broken = sum(threshold.state == "broken" for threshold in progress.thresholds)
    parts: list[tuple[int, str]] = [
        (0, f"{progress.at_s:.0f} s"),
        (2, " + ".join(phase.name for phase in progress.phases)),
        (1, bar),
        (0, f"{sent} done"),
        (0, f"{progress.failed:,} failed"),
        (1, of_offered(progress)),
        (2, f"{progress.in_flight:,} in flight"),
        (3, f"p50 {time_or_dash(progress.recent_p50_s)}"),
        (3, f"p95 {time_or_dash(progress.recent_p95_s)}"),
        (3, f"p99 {time_or_dash(progress.recent_p99_s)}"),
        (1, f"{broken} broken" if broken else ""),
        (1, _set_up(progress)),
    ]
    for least in (4, 3, 2, 1):
        line = "  ".join(text for rank, text in parts if rank < least and text)
        if len(line) <= width:
            return line
    return line[:width]


def _set_up(progress: Progress) -> str:
    """Return how users fail to be set up, which no count of requests shows; nothing where they do not."""
    failures = [error for error in progress.errors if error.kind.startswith("user_setup: ")]
    return f"{failures[0].count:,} x {printable(failures[0].key.label)}" if failures else ""


def of_offered(progress: Progress) -> str:
    """Return the rate of the last second, and what was offered where a rate asks for something."""
    rate = format_rate(progress.recent_per_s)
    offered = [phase.offered_per_s for phase in progress.phases]
    # Beside users, who send as fast as they are answered, a rate says nothing of all that is sent.
    known = [per_s for per_s in offered if per_s is not None]
    return f"{rate} of {format_rate(sum(known))}" if len(known) == len(offered) else rate


def time_or_dash(seconds: float | None) -> str:
    """Return a duration, or `-` where there is none."""
    return "-" if seconds is None else format_duration(seconds)
