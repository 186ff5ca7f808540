"""The planned load in one line for people, and what progress is measured against."""

from fractions import Fraction

from stressrunner.scenario.model import Closed, Open, Phase, Scenario, Session, Workload
from stressrunner.scenario.steps import Flow
from stressrunner.units import format_duration, format_rate

__all__ = ["load_in_words", "planned_s"]


def load_in_words(scenario: Scenario) -> str:
    """Return the planned load, e.g. `10 sessions of 20 messages, 10 at once`."""
    return "; ".join(_workload_in_words(workload, scenario) for workload in scenario.workloads)


def _workload_in_words(workload: Workload, scenario: Scenario) -> str:
    words = ", then ".join(_phase_in_words(phase, workload, scenario) for phase in workload.load)
    return f"{workload.name}: {words}" if workload.name else words


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _phase_in_words(phase: Phase, workload: Workload, scenario: Scenario) -> str:
    traffic, shape = phase.mix or workload.traffic, phase.shape
    unit, content = "request", ""
    if isinstance(traffic, Session):
        unit, content = "session", f" of {_counted(traffic.messages, 'message')}"
    elif isinstance(traffic, Flow) or not scenario.flows.keys().isdisjoint(traffic.weights):
        unit = "iteration"
    match shape:
        case Closed(iterations=int(work)):
            words = f"{_counted(work, unit)}{content}, {shape.concurrency:,} at once"
        case Closed(duration_s=duration_s):
            ramp = "" if shape.concurrency_from is None else f"{shape.concurrency_from:,} to "
            words = f"{ramp}{_counted(shape.concurrency, 'user')} {_for(duration_s)}"
            words += f", sessions{content}" if content else ""
        case Open():
            ramp = "" if shape.rate_from is None else f"{format_rate(float(shape.rate_from))} to "
            words = f"{ramp}{format_rate(float(shape.rate))} {unit}s{content} {_for(shape.duration_s)}"
            words += ", Poisson arrivals" if shape.arrivals == "poisson" else ""
    return f"{words} (warm-up)" if phase.warmup else words


def _for(duration_s: Fraction | None) -> str:
    return "until the rows end" if duration_s is None else f"for {format_duration(float(duration_s))}"


def planned_s(scenario: Scenario) -> float | None:
    """Return how long all phases take, of the longest workload; None when work alone ends one of them."""
    workloads = [[phase.shape.duration_s for phase in workload.load] for workload in scenario.workloads]
    if any(None in lengths for lengths in workloads):
        return None
    return float(max(sum(length for length in lengths if length is not None) for lengths in workloads))
