"""Scores from sums: the same as those of whole arrays, in however many pieces they come."""

import numpy as np
import pytest

from forecast.evaluation import metrics
from forecast.evaluation.tally import Tally, bands, measures, scores, tally
from forecast.panels.panel import Floats

GRID = (0.1, 0.4, 0.5, 0.6, 0.9)


def some(rows: int = 60) -> tuple[Floats, ...]:
    rng = np.random.default_rng(5)
    truth = rng.normal(10, 2, rows)
    truth[::7] = np.nan
    quantiles = np.sort(rng.normal(10, 2, (rows, len(GRID))), axis=1)
    units = np.where(np.arange(rows) % 5, rng.uniform(1, 2, rows), np.nan)
    return truth, quantiles, rng.normal(10, 2, rows), units, 1.5 * units


def sums_of(rows: slice = slice(None)) -> Tally:
    truth, quantiles, *others = some()
    found = measures(truth[rows], quantiles[rows], GRID, *(other[rows] for other in others))
    return tally((np.arange(60) % 3 + 1)[rows], found)


def test_the_scores_are_those_of_the_metrics() -> None:
    truth, quantiles, naive, units, squares = some()
    cells = metrics.Groups(np.zeros((60, 1), dtype=np.int64), 1, steps=True)
    column, point = truth[:, None], quantiles[:, 2:3]
    expected = {
        "mae": metrics.mae(column, point, cells),
        "rmse": metrics.rmse(column, point, cells),
        "wape": metrics.wape(column, point, cells),
        "smape": metrics.smape(column, point, cells),
        "mase": metrics.mase(column, point, units, cells),
        "rmsse": metrics.rmsse(column, point, squares, cells),
        "bias": metrics.bias(column, point, cells),
        "pinball": metrics.pinball(column, quantiles[:, None], GRID, units, cells),
        "coverage_80": metrics.coverage(column, quantiles[:, None, 0], quantiles[:, None, 4], cells),
        "mae_seasonal_naive": metrics.mae(column, naive[:, None], cells),
        "mase_seasonal_naive": metrics.mase(column, naive[:, None], units, cells),
    }
    found = scores(sums_of())
    assert {name: found[name][0] for name in expected} == pytest.approx(
        {name: value[0] for name, value in expected.items()}
    )
    assert found["skill"][0] == pytest.approx(1 - found["mase"][0] / found["mase_seasonal_naive"][0])


def test_pieces_add_up_to_the_whole() -> None:
    whole, parts = scores(sums_of(), by_step=True), sums_of(slice(0, 4)).plus(sums_of(slice(4, 60)))
    for name, values in scores(parts, by_step=True).items():
        assert values == pytest.approx(whole[name])


def test_a_further_step_lengthens_the_sums() -> None:
    one, two = (tally(np.array([step]), {"absolute": np.array([1.0])}) for step in (1, 3))
    assert one.plus(two).totals["absolute"].tolist() == [1, 0, 1]


def test_a_step_without_truth_has_no_score() -> None:
    found = measures(np.array([np.nan]), np.ones((1, 5)), GRID, np.ones(1), np.ones(1), np.ones(1))
    assert all(np.isnan(values).all() for values in scores(tally(np.array([1]), found)).values())


def test_bands_are_the_pairs_of_the_grid() -> None:
    assert bands(GRID) == {"20": (1, 3), "80": (0, 4)}
    assert list(bands((0.025, 0.1, 0.5, 0.7, 0.9, 0.975))) == ["80", "95"]
