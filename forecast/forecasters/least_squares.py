"""Ridge regression in closed form from the windows to the horizon of a panel, without ever laying all windows out.

Chunks of windows are gathered by index and added to the products Z'Z of their inputs and targets; everything, the
choice of the penalty included, follows from these products. Hoerl, Kennard, Ridge regression (1970).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from forecast.panels.panel import Floats, Integers

MOST = 100_000  # windows that are fitted on, drawn evenly
CHUNK = 2_048  # windows in one product
PENALTIES = tuple(10.0**power for power in range(-5, 2))  # in units of the mean diagonal of Z'Z
DEFAULT = 1e-1  # where there are too few windows to choose
JUDGES = 10  # windows, at least, that choose the penalty
SHARE = 0.1  # of the windows, the latest, choose it


class Products(NamedTuple):
    """Z'Z of the early windows, of those whose targets reach into the late ones, and of the late ones.

    Z = (inputs, targets), so each product is (inputs + horizon) squared.
    """

    early: Floats
    gap: Floats
    late: Floats
    counts: Integers  # (3,) windows


def drawn(total: int) -> Integers:
    """Return the numbers of the windows to fit on, out of so many: all of them, or MOST, drawn evenly."""
    if total <= MOST:
        return np.arange(total)
    # Evenly spaced, and shifted by an irrational share: a stride of whole seasons would see one phase alone.
    return ((np.arange(MOST) + (np.arange(MOST) * 0.6180339887498949) % 1) * (total / MOST)).astype(np.int64)


def products(times: Integers, horizon: int, size: int, rows: Callable[[Integers], Floats]) -> Products:
    """Return the products of windows by the times (windows,) of the last step before their origins.

    size: the columns of Z. rows: window numbers -> Z, (usable windows, size).
    """
    threshold = np.quantile(times, 1 - SHARE) if len(times) else 0
    group = (times > threshold - horizon).astype(np.int64) + (times > threshold)
    found, counts = np.zeros((3, size, size)), np.zeros(3, np.int64)
    for part in range(3):
        chosen = np.flatnonzero(group == part)
        for first in range(0, len(chosen), CHUNK):
            z = rows(chosen[first : first + CHUNK])
            found[part] += z.T @ z
            counts[part] += len(z)
    return Products(found[0], found[1], found[2], counts)


def solve(found: Products, inputs: int) -> Floats:
    """Return the weights (inputs, targets): the penalty chosen on the latest windows, then refitted on all.

    Every input is penalised alike. Without a single window the weights are zero. They are float32 values, as stored.
    """
    everything = found.early + found.gap + found.late
    if not found.counts.sum():
        return np.zeros((inputs, len(everything) - inputs))
    penalty = DEFAULT
    if min(found.counts[0], found.counts[2]) >= JUDGES:
        errors = [_squared_error(found.late, inputs, _ridge(found.early, inputs, each)) for each in PENALTIES]
        penalty = PENALTIES[int(np.argmin(errors))]
    return _ridge(everything, inputs, penalty).astype(np.float32).astype(np.float64)


def _ridge(product: Floats, size: int, penalty: float) -> Floats:
    """Return the ridge weights (size, targets)."""
    inputs, cross = product[:size, :size], product[:size, size:]
    return np.linalg.solve(inputs + np.eye(size) * (penalty * np.trace(inputs) / size), cross)


def _squared_error(product: Floats, size: int, weights: Floats) -> float:
    """Return the sum of squared errors on the windows of a product: |Y|^2 - 2 <W, X'Y> + <W, X'X W>."""
    inputs, cross = product[:size, :size], product[:size, size:]
    return float(np.trace(product[size:, size:]) - 2 * (weights * cross).sum() + (weights * (inputs @ weights)).sum())
