"""One scaling per series, fitted with scikit-learn on the rows before the first origin; applied and undone in NumPy.

    scaled = (transform(value) - centre) / spread        transform: identity, logarithm, or Yeo and Johnson's power

Yeo, Johnson, A new family of power transformations (2000). Powers are kept within 0..2: outside, the transformed value
has a ceiling that a network's output may exceed, and near which float64 loses the value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.options import Scaler
from forecast.panels.blocks import blocks
from forecast.panels.panel import Floats, Integers, Panel

LARGEST = 1e30  # what `undo` returns at most: float32 holds it, and its square is finite in float64
BELOW = 10.0  # spreads below the centre at which a value stands that the logarithm cannot take
BY_SCIKIT_LEARN = 1_000  # series: above, the same powers are found in NumPy (it takes 5 ms for each)
GOLDEN = (5**0.5 - 1) / 2
LEAST_FLAG = 0.1  # spread of a covariate of 0 and 1


@dataclass(frozen=True, eq=False)
class Scaling:
    """The scaling of every series. Guarantees: all numbers are finite, spread is above 0, power is within 0..2."""

    transform: str  # none, standard, robust, minmax, log or power
    centre: Floats  # (series,) in transformed units
    spread: Floats  # (series,) in transformed units
    power: Floats  # (series,) of the power transform; 1, the identity, for all others

    def __post_init__(self) -> None:
        """Check the guarantees."""
        if self.transform not in {str(scaler) for scaler in Scaler if scaler is not Scaler.AUTO}:
            raise ValueError(f"{self.transform!r} is no transform")
        if not np.isfinite([self.centre, self.spread, self.power]).all() or not (self.spread > 0).all():
            raise ValueError("a scaling needs finite numbers and spreads above 0")


def fit(panel: Panel, transform: str) -> Scaling:
    """Fit the scaling of each series on its visible rows.

    A constant series has spread 1; one without any observed value has centre 0 and spread 1.
    Raises DataError where the logarithm meets a value of zero or below.
    """
    if transform == Scaler.LOG:
        refuse_non_positive(panel)
    estimate = _by_scikit_learn
    if transform == Scaler.POWER and len(panel) > BY_SCIKIT_LEARN:  # scikit-learn takes milliseconds for each series
        estimate = _by_numpy
    return _fit_blocks(panel, transform, estimate)


def align(scaling: Scaling, panel: Panel, known: Integers) -> Scaling:
    """Return the scaling in the order of the panel: looked up where known >= 0, else from the series' own history.

    The same arithmetic as `fit`, without scikit-learn. A new series never stops a forecast: values that the logarithm
    cannot take are left out.
    """
    centre, spread, power = (column[np.maximum(known, 0)] for column in (scaling.centre, scaling.spread, scaling.power))
    new = np.flatnonzero(known < 0)
    if len(new):
        own = _fit_blocks(panel.select(new), scaling.transform, _by_numpy)
        centre[new], spread[new], power[new] = own.centre, own.spread, own.power
    return Scaling(scaling.transform, centre, spread, power)


def rows(scaling: Scaling, index: Integers) -> Scaling:
    """Return the scaling of the series at `index`, in that order; a series may repeat."""
    return Scaling(scaling.transform, scaling.centre[index], scaling.spread[index], scaling.power[index])


def apply(scaling: Scaling, values: Floats) -> Floats:
    """Scale values (series, ...); a missing one stays missing.

    A value of zero or below, which the logarithm cannot take, stands ten spreads below the centre.
    """
    centre, spread, power = _columns(scaling, values)
    if scaling.transform == Scaler.LOG:
        logs = np.log(np.where(values > 0, values, 1.0))
        scaled = np.where(values > 0, (logs - centre) / spread, -BELOW)
        return np.where(np.isnan(values), np.nan, scaled)
    if scaling.transform == Scaler.POWER:
        return (_yeo_johnson(values, power) - centre) / spread
    return (values - centre) / spread


def undo(scaling: Scaling, values: Floats) -> Floats:
    """Return scaled values (series, ...) in units of the target; a missing one stays missing.

    The result is clipped to -1e30..1e30 (the logarithm: 1e-30..1e30), so that no output of a network, however wild,
    becomes infinite: exp(800) would.
    """
    centre, spread, power = _columns(scaling, values)
    limit = np.finfo(np.float64).max / np.maximum(spread, 1.0) / 4
    transformed = np.clip(values, -limit, limit) * spread + centre
    if scaling.transform == Scaler.LOG:
        bound = np.log(LARGEST)
        return np.exp(np.clip(transformed, -bound, bound))
    if scaling.transform == Scaler.POWER:
        low, high = (
            _yeo_johnson(np.full_like(power, -LARGEST), power),
            _yeo_johnson(np.full_like(power, LARGEST), power),
        )
        transformed = _yeo_johnson_back(np.clip(transformed, low, high), power)
    return np.clip(transformed, -LARGEST, LARGEST)


def covariate_scale(columns: Floats) -> tuple[Floats, Floats]:
    """Return centre and spread of covariates (columns, steps): mean and standard deviation of what is observed.

    Each (columns,); a constant or empty column has spread 1, an empty one centre 0. A column of 0 and 1 has spread 0.1
    at least: the value of one row in ten thousand must not be an input of a hundred.
    """
    centre, spread = _standard(columns)
    flags = (np.isnan(columns) | (columns == 0) | (columns == 1)).all(axis=1)
    return centre, np.where(flags, np.maximum(spread, LEAST_FLAG), spread)


def _fit_blocks(
    panel: Panel, transform: str, estimate: Callable[[Floats, str], tuple[Floats, Floats, Floats]]
) -> Scaling:
    """Estimate block by block: `estimate` takes values (rows, time), gives centre, spread and power, each (rows,)."""
    numbers = np.empty((3, len(panel)))
    for rows, values in blocks(panel):
        if transform == Scaler.LOG:
            values = np.log(np.where(values > 0, values, np.nan))
        empty = np.isnan(values).all(axis=1)
        values[empty] = 0.0
        numbers[:, rows] = estimate(values, transform)
        numbers[1, rows] = np.where(empty, 1.0, numbers[1, rows])
        numbers[2, rows] = np.where(empty, 1.0, numbers[2, rows])
    return Scaling(transform, *numbers)


def _by_scikit_learn(values: Floats, transform: str) -> tuple[Floats, Floats, Floats]:
    """Estimate centre, spread and power of rows (rows, time) with scikit-learn: to it, a series is a column."""
    from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler  # slow to import

    ones = np.ones(len(values))
    if transform == Scaler.NONE:
        return ones * 0, ones, ones
    if transform == Scaler.MINMAX:
        minmax = MinMaxScaler().fit(values.T)
        return minmax.data_min_, _above_zero(minmax.data_range_), ones
    if transform == Scaler.ROBUST:
        robust = RobustScaler().fit(values.T)
        return robust.center_, robust.scale_, ones
    power = ones
    if transform == Scaler.POWER:
        power = np.clip(PowerTransformer(standardize=False).fit(values.T).lambdas_, 0.0, 2.0)
        power[_constant(values)] = 1.0
        values = _yeo_johnson(values, power[:, None])
    standard = StandardScaler().fit(values.T)
    return standard.mean_, standard.scale_, power


def _by_numpy(values: Floats, transform: str) -> tuple[Floats, Floats, Floats]:
    """Estimate the same as `_by_scikit_learn` without it."""
    ones = np.ones(len(values))
    if transform == Scaler.NONE:
        return ones * 0, ones, ones
    if transform == Scaler.MINMAX:
        low, high = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
        return low, _above_zero(high - low), ones
    if transform == Scaler.ROBUST:
        low, middle, high = np.nanpercentile(values, (25, 50, 75), axis=1)
        return middle, _above_zero(high - low), ones
    power = ones
    if transform == Scaler.POWER:
        power = _best_power(values)
        values = _yeo_johnson(values, power[:, None])
    centre, spread = _standard(values)
    return centre, spread, power


def _standard(values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of each row's observed values; a constant or empty row has spread 1.

    What counts as constant is scikit-learn's rule: a variance within the rounding error of its own computation.
    """
    seen = ~np.isnan(values)
    number = np.maximum(seen.sum(axis=1), 1)
    mean = _total(np.where(seen, values, 0.0)) / number
    variance = _total(np.where(seen, values - mean[:, None], 0.0) ** 2) / number
    epsilon = np.finfo(np.float64).eps
    constant = variance <= number * epsilon * variance + (number * mean * epsilon) ** 2
    return mean, np.sqrt(np.where(constant, 1.0, variance))


def _total(values: Floats) -> Floats:
    """Sum each row from the left: zeros in front of a short series, as many as its neighbours need, change no bit."""
    return np.add.accumulate(values, axis=1)[:, -1]


def _above_zero(spread: Floats) -> Floats:
    """Return spreads with those of (nearly) constant series, by scikit-learn's rule, replaced by 1."""
    return np.where(spread < 10 * np.finfo(np.float64).eps, 1.0, spread)


def _yeo_johnson(values: Floats, power: Floats) -> Floats:
    """Transform: ((1 + x)^p - 1) / p above zero, the same of -x with 2 - p, negated, below; the logarithm at p = 0."""
    exponent, exact = _exponent(values, power)
    logs = np.log1p(np.abs(values))
    size = np.where(exact, np.expm1(exponent * logs) / exponent, logs)
    moved: Floats = np.copysign(size, values)
    return moved


def _yeo_johnson_back(values: Floats, power: Floats) -> Floats:
    """Return what `_yeo_johnson` made of: its inverse."""
    exponent, exact = _exponent(values, power)
    size = np.abs(values)
    logs = np.where(exact, np.log1p(exponent * size) / exponent, size)
    back: Floats = np.copysign(np.expm1(logs), values)
    return back


def _exponent(values: Floats, power: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the exponent on each value's side of zero, 1 in place of (nearly) 0, and where it is not such a place."""
    exponent = np.where(values >= 0, power, 2.0 - power)
    exact = exponent > 1e-12
    return np.where(exact, exponent, 1.0), exact


def _best_power(values: Floats) -> Floats:
    """Return the most likely power of each row within 0..2, by golden section: (rows,); 1 for a constant row."""
    seen = ~np.isnan(values)
    number = np.maximum(seen.sum(axis=1), 1)
    signed_logs = _total(np.where(seen, np.copysign(np.log1p(np.abs(values)), values), 0.0))

    def likelihood(power: Floats) -> Floats:
        moved = np.where(seen, _yeo_johnson(values, power[:, None]), 0.0)
        mean = _total(moved) / number
        variance = _total(np.where(seen, moved - mean[:, None], 0.0) ** 2) / number
        fit: Floats = -number / 2 * np.log(np.maximum(variance, np.finfo(np.float64).tiny))
        fit += (power - 1) * signed_logs
        return fit

    low, high = np.zeros(len(values)), np.full(len(values), 2.0)
    for _ in range(36):  # 2 x 0.618^36 = 6e-8, where the likelihood is flat to rounding
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        up = likelihood(right) > likelihood(left)
        low, high = np.where(up, left, low), np.where(up, high, right)
    return np.where(_constant(values), 1.0, (low + high) / 2)


def _constant(values: Floats) -> NDArray[np.bool_]:
    """Return which rows hold one value alone: every power is as likely."""
    constant: NDArray[np.bool_] = np.nanmax(values, axis=1) == np.nanmin(values, axis=1)
    return constant


def refuse_non_positive(panel: Panel) -> None:
    """Raise DataError where a series holds a value that the logarithm cannot take."""
    for rows, values in blocks(panel):
        bad = np.flatnonzero((values <= 0).any(axis=1))
        if len(bad):
            row = bad.min()
            value = values[row][values[row] <= 0][0]
            raise DataError(
                f"series {panel.ids[rows[row]]!r} holds {value:g}, but the logarithm needs values above 0.\n"
                "Choose another --scaler than log, such as power."
            )


def _columns(scaling: Scaling, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return centre, spread and power, shaped to go with values (series, ...)."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    return scaling.centre.reshape(shape), scaling.spread.reshape(shape), scaling.power.reshape(shape)
