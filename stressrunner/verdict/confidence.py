"""How many samples a claim about a percentile needs: order statistics, without any assumption about the shape.

"The p-quantile is below the limit" is wrong exactly when more than a part 1 - p of all requests exceed it. Had that
been so, k or fewer of n samples would have exceeded it with a probability of at most

    P(Binomial(n, 1 - p) <= k)

and the claim is proven when that is at most 5 %. With k = 0 this asks for n >= ln(0.05) / ln(p): 59 samples for p95,
299 for p99, 2,995 for p99.9.
"""

from math import ceil, exp, lgamma, log, log1p

__all__ = ["is_proven", "samples_needed"]

_DOUBT = 0.05
_ROUNDING = 1e-9


def samples_needed(share: float) -> int:
    """Return how many samples prove a claim about a part `share` of all requests when none contradicts it.

    `share` lies between 0 and 1, both excluded: 0.95 for the claim that p95 is below a limit.
    """
    return ceil(
        log(_DOUBT) / log(share) - 1e-9
    )  # 5 % doubt with a share of 5 % needs one, not two by rounding


def is_proven(share: float, samples: int, against: int) -> bool:
    """Return whether `samples` prove, at 95 % confidence, what all but `against` of them agree with."""
    odds = 1 - share
    if samples == 0 or against >= samples * odds:
        return False  # what was seen contradicts the claim, and the tail below is at least a half
    # The terms fall from i = against downwards, so that the sum is done when they stop to matter.
    term = exp(_log_term(samples, against, odds))
    tail, i = 0.0, against
    while i >= 0 and term > tail * 1e-12:
        tail += term
        term *= i / (samples - i + 1) * share / odds
        i -= 1
    return tail <= _DOUBT * (1 + _ROUNDING)


def _log_term(n: int, k: int, odds: float) -> float:
    """Return the logarithm of the probability that exactly k of n happen."""
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return ways + k * log(odds) + (n - k) * log1p(-odds)
