"""Student's t distribution, without SciPy: the chance of a statistic at least this far from zero, and its quantiles."""

from functools import lru_cache
from math import exp, isinf, lgamma, log, log1p

STEPS = 10_000  # of the continued fraction; about the square root of the larger argument is needed
CLOSE = 1e-15  # relative change at which the fraction stands still
HALVINGS = 60  # of an interval that is at most as wide as its middle: to the last digit
TINY = 1e-300  # in place of a zero that would be divided by


def two_sided(statistic: float, freedom: float) -> float:
    """Return P(|T| >= |statistic|) for Student's t with `freedom` > 0 degrees of freedom: between 0 and 1.

    The incomplete beta function I_x(freedom / 2, 1 / 2) at x = freedom / (freedom + t^2) (Abramowitz, Stegun, Handbook
    of Mathematical Functions, 26.7.1 and 26.5.27).
    """
    if isinf(statistic):
        return 0.0
    square = statistic * statistic
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square))


@lru_cache(maxsize=64)
def quantile(probability: float, freedom: float) -> float:
    """Return the t that P(T <= t) = probability holds for, 0.5 <= probability < 1, by halving."""
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > 2 * (1 - probability):
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > 2 * (1 - probability) else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float, rest: float | None = None) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1.

    rest: 1 - x, where the caller knows it without rounding. By the continued fraction of DLMF 8.17.22 where it is
    quick, x < (a + 1) / (a + b + 2), and by I_x(a, b) = 1 - I_(1-x)(b, a) elsewhere.
    """
    rest = 1 - x if rest is None else rest
    if x <= 0 or rest <= 0:
        return float(rest <= 0)
    if x >= (a + 1) / (a + b + 2):
        return 1 - _beta_by_fraction(b, a, rest, x)
    return _beta_by_fraction(a, b, x, rest)


def _beta_by_fraction(a: float, b: float, x: float, rest: float) -> float:
    """Return I_x(a, b) by its continued fraction, in Lentz's way, as Thompson and Barnett made it safe (1986)."""
    log_x = log1p(-rest) if x > 0.5 else log(x)
    log_rest = log1p(-x) if rest > 0.5 else log(rest)
    front = exp(a * log_x + b * log_rest + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    upper, lower, fraction = 1.0, 0.0, 1.0
    for step in range(STEPS):
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        lower = 1 / _not_zero(1 + term * lower)
        upper = _not_zero(1 + term / upper)
        change = upper * lower
        fraction *= change
        if step and abs(change - 1) < CLOSE:
            break
    return min(1.0, max(0.0, front * (fraction - 1)))


def _not_zero(value: float) -> float:
    """Return the value, or a tiny one in place of zero."""
    return value if abs(value) > TINY else TINY
