"""Student's t distribution, from its textbook formulas.

With the regularised incomplete beta function I (DLMF 8.17, https://dlmf.nist.gov/8.17):

    P(|T| > t) = I_x(v / 2, 1 / 2)    x = v / (v + t²)    v degrees of freedom    (Abramowitz and Stegun 26.7.1)

I_x(a, b) is the continued fraction DLMF 8.17.22, evaluated by the modified Lentz method (DLMF 3.10); where it converges
slowly, I_x(a, b) = 1 - I_(1-x)(b, a). The quantile is found by halving an interval of the distribution function.
"""

from functools import lru_cache
from math import copysign, exp, lgamma, log, log1p

__all__ = ["t_cdf", "t_quantile"]

_TINY = 1e-300
_PRECISION = 1e-14  #: rounding may keep it from coming closer
_MOST_STEPS = 10_000
_HALVINGS = 60  #: a float has 53 bits


def t_cdf(t: float, df: float) -> float:
    """Return the probability that T is at most `t` with `df` degrees of freedom, more than 0."""
    whole = df + t * t
    if t * t < df:
        # From the middle: at its edge x is 1 to the last digit, while 1 - x is still known exactly.
        return 0.5 + copysign(_beta(0.5, df / 2, t * t / whole) / 2, t)
    tail = _beta(df / 2, 0.5, df / whole) / 2
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: float) -> float:
    """Return the t that T exceeds with probability 1 - `p`; `p` lies between 0 and 1, both excluded."""
    if p < 0.5:
        return -t_quantile(1 - p, df)
    low, high = 0.0, 1.0
    while t_cdf(high, df) < p:
        low, high = high, high * 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_cdf(middle, df) < p else (low, middle)
    return high


def _beta(a: float, b: float, x: float) -> float:
    """Return I_x(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    scale = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    return exp(scale) / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction 1 + d1/(1 + d2/(1 + ...)) of DLMF 8.17.22."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, _MOST_STEPS):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / ((1 + term * d) or _TINY)
        c = (1 + term / c) or _TINY
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value
