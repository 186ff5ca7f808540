"""Rows on processor time: what one more request costs each client, measured in turn so that a busy machine is fair."""

from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.peers import STATIC, TEMPLATED, Client, programs
from benchmarks.row import Bench, Finding, Met, Row, tell, within, worst
from benchmarks.theory import slope_s

_ROUNDS = 5
#: stressrunner's time over a peer's: at most the first, or at the least the second.
_STATIC_LIMITS: Mapping[str, tuple[float, float | None]] = {
    "wrk": (1.6, 2.2),
    "k6": (1 / 6, None),
    "locust": (1 / 7, None),
    "artillery": (1 / 12, None),
}
_TEMPLATED_LIMITS: Mapping[str, tuple[float, float | None]] = {"wrk": (2.8, None)}


def _slopes_us(bench: Bench, clients: tuple[Client, ...]) -> dict[str, list[float]]:
    """Return microseconds a request of every client that is there, one for each round."""
    found = programs(clients, bench.tools)
    slopes: dict[str, list[float]] = {name: [] for name in found}
    rounds = bench.rounds(_ROUNDS)
    with bench.nginx() as server:
        for number in range(rounds):
            for client in clients if number % 2 == 0 else reversed(clients):
                if client.name not in found:
                    continue
                lengths = (client.short, 2 * client.short if bench.quick else client.long)
                short, long = (client.load(found[client.name], server.url, n) for n in lengths)
                slopes[client.name].append(slope_s(short, long) * 1e6)
            tell(f"  round {number + 1} of {rounds}: {_texts(slopes)}")
    return slopes


def _texts(slopes: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {values[-1]:.1f} µs" for name, values in slopes.items())


def ratios(slopes: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return stressrunner's time over each peer's, round by round."""
    ours = slopes["stressrunner"]
    return {
        name: [mine / theirs for mine, theirs in zip(ours, values, strict=True)]
        for name, values in slopes.items()
        if name != "stressrunner"
    }


def ratio_text(peer: str, ratio: float) -> str:
    """Return a ratio as it is read best: a multiple of a faster peer, a fraction of a slower one."""
    return f"{ratio:.2f} x {peer}" if ratio >= 1 else f"1/{1 / ratio:.1f} of {peer}"


def judged(
    slopes: Mapping[str, Sequence[float]], limits: Mapping[str, tuple[float, float | None]]
) -> Finding:
    """Return the finding: the median of the rounds' ratios decides; a peer that is missing leaves it open."""
    per_round = ratios(slopes)
    middle = {name: median(values) for name, values in per_round.items()}
    met: list[Met] = [
        within(middle[peer], *limit) if peer in middle else "unknown" for peer, limit in limits.items()
    ]
    texts = [f"{median(slopes['stressrunner']):.1f} µs", *(ratio_text(*item) for item in middle.items())]
    figures = {
        "cpu_us": {name: [round(value, 2) for value in values] for name, values in slopes.items()},
        "ratios": {name: [round(value, 4) for value in values] for name, values in per_round.items()},
    }
    return Finding("; ".join(texts), worst(met), figures)


def _static(bench: Bench) -> Finding:
    return judged(_slopes_us(bench, STATIC), _STATIC_LIMITS)


def _templated(bench: Bench) -> Finding:
    return judged(_slopes_us(bench, TEMPLATED), _TEMPLATED_LIMITS)


ROWS = (
    Row(
        "cpu_static",
        "CPU per request (slope between a short and a long run, user + system of all its processes), "
        "POST of a static body, check on the status",
        "at most 1.6 x wrk (2.2 at the least); at most 1/6 of k6, 1/7 of Locust FastHttpUser, 1/12 of Artillery",
        _static,
    ),
    Row(
        "cpu_templated",
        "the same with a templated body, a JSON check and a capture",
        "at most 2.8 x wrk",
        _templated,
    ),
)
