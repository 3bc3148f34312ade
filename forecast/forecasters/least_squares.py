"""Ridge regression in closed form from the windows to the horizon of a panel, without ever laying all windows out.

Chunks of windows are gathered by index and added to the products of their inputs with inputs and targets; everything
follows from these products, the choice of the penalty and of the inputs included: cross-validation over blocks of time,
without the windows that share targets with the block (Racine, Consistent cross-validatory model-selection for dependent
data, 2000). Hoerl, Kennard, Ridge regression (1970).
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from forecast.panels.panel import Floats, Integers

MOST = 100_000  # windows that are fitted on, drawn evenly
CHUNK = 2_048  # windows in one product
PENALTIES = tuple(10.0**power for power in range(-4, 2))  # in units of the mean diagonal of X'X
DEFAULT = 1e-1  # where there are too few windows to choose
JUDGES = 10  # windows, at least, that choose penalty and inputs, and that are fitted on for that
BLOCKS = 5  # of time, with about as many windows each


class Products(NamedTuple):
    """Sums over groups of windows: block, those that reach from it into the next, the next block, and so on.

    X the inputs of a group (windows, inputs), Y its targets (windows, horizon).
    """

    products: Floats  # (groups, inputs, inputs + horizon) X'X and X'Y
    squares: Floats  # (groups,) the sum of squares of Y
    counts: Integers  # (groups,) windows


def products(times: Integers, inputs: int, horizon: int, rows: Callable[[Integers], Floats]) -> Products:
    """Return the products of windows by the times (windows,) of the last step before their origins.

    rows: window numbers -> inputs and targets, (usable windows, inputs + horizon).
    """
    edges = np.quantile(times, np.arange(1, BLOCKS) / BLOCKS) if len(times) else np.zeros(BLOCKS - 1)
    block = np.searchsorted(edges, times)
    group = block + np.minimum(np.searchsorted(edges, times + horizon), block + 1)
    groups = 2 * BLOCKS - 1
    found = Products(np.zeros((groups, inputs, inputs + horizon)), np.zeros(groups), np.zeros(groups, np.int64))
    for part in range(groups):
        chosen = np.flatnonzero(group == part)
        for first in range(0, len(chosen), CHUNK):
            z = rows(chosen[first : first + CHUNK])
            found.products[part] += z[:, :inputs].T @ z
            found.squares[part] += np.square(z[:, inputs:]).sum()
            found.counts[part] += len(z)
    return found


def solve(found: Products, choices: Sequence[Integers]) -> Floats:
    """Return the weights (inputs, horizon): penalty and inputs chosen by cross-validation, then fitted to all windows.

    choices: the inputs that may be looked at, all of them first; the others get zeros. Every input is penalised alike.
    Without a single window the weights are zero. They are float32 values, as stored.
    """
    everything, pairs = found.products.sum(axis=0), list(product(choices, PENALTIES))
    if not found.counts.sum():
        return np.zeros((len(everything), everything.shape[1] - len(everything)))
    errors, judges = np.zeros(len(pairs)), 0
    for block in range(0, len(found.counts), 2):
        near = slice(max(block - 1, 0), block + 2)
        if found.counts[block] and found.counts.sum() - found.counts[near].sum() >= JUDGES:
            others = everything - found.products[near].sum(axis=0)
            errors += [_squared_error(found, block, _ridge(others, *pair)) for pair in pairs]
            judges += found.counts[block]
    best = pairs[int(np.argmin(errors))] if judges >= JUDGES else (choices[0], DEFAULT)
    return _ridge(everything, *best).astype(np.float32).astype(np.float64)


def _ridge(products: Floats, chosen: Integers, penalty: float) -> Floats:
    """Return the ridge weights (inputs, horizon), zero where an input is not among the chosen ones."""
    size = len(products)
    weights = np.zeros((size, products.shape[1] - size))
    inputs, cross = products[np.ix_(chosen, chosen)], products[chosen, size:]
    weights[chosen] = np.linalg.solve(inputs + np.eye(len(chosen)) * (penalty * np.trace(inputs) / len(chosen)), cross)
    return weights


def _squared_error(found: Products, group: int, weights: Floats) -> float:
    """Return the sum of squared errors on a group of windows: |Y|^2 - 2 <W, X'Y> + <W, X'X W>."""
    inputs, cross = np.split(found.products[group], [len(weights)], axis=1)
    return float(found.squares[group] - 2 * (weights * cross).sum() + (weights * (inputs @ weights)).sum())
