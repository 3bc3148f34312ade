import numpy as np
import pytest

from forecast.forecasters import least_squares
from forecast.panels.panel import Integers

INPUTS, HORIZON, USEFUL = 12, 3, 4


def table(windows: int = 400, seed: int = 1, noise: float = 0.3) -> np.ndarray:
    """Return inputs and targets that follow from the newest inputs alone, the constant among them."""
    random = np.random.default_rng(seed)
    inputs = np.hstack([random.normal(size=(windows, INPUTS - 1)), np.ones((windows, 1))])
    weights = np.vstack([np.zeros((INPUTS - USEFUL, HORIZON)), random.normal(size=(USEFUL, HORIZON))])
    return np.hstack([inputs, inputs @ weights + random.normal(0, noise, (windows, HORIZON))])


def products(z: np.ndarray, times: np.ndarray | None = None) -> least_squares.Products:
    times = np.arange(len(z)) if times is None else times
    return least_squares.products(times, INPUTS, HORIZON, lambda chosen: z[chosen])


def ridge(z: np.ndarray, chosen: Integers, penalty: float) -> np.ndarray:
    """Return the weights by another way: least squares with a row more for each input."""
    x, y = z[:, chosen], z[:, INPUTS:]
    size = np.sqrt(penalty * np.square(x).sum() / len(chosen))
    x, y = np.vstack([x, size * np.eye(len(chosen))]), np.vstack([y, np.zeros((len(chosen), HORIZON))])
    weights = np.zeros((INPUTS, HORIZON))
    weights[chosen] = np.linalg.lstsq(x, y)[0]
    return weights


def test_every_window_is_in_one_group() -> None:
    z = table()
    found = products(z)
    np.testing.assert_allclose(found.products.sum(axis=0), z[:, :INPUTS].T @ z)
    np.testing.assert_allclose(found.squares.sum(), np.square(z[:, INPUTS:]).sum())
    assert found.counts.tolist() == [77, 3, 77, 3, 77, 3, 77, 3, 80]


@pytest.mark.parametrize("noise", [0.01, 1.0, 30.0])
def test_penalty_and_inputs_are_those_of_the_least_error_over_blocks_of_time(noise: float) -> None:
    z, times = table(90, seed=3, noise=noise), np.arange(90)
    everything, newer = np.arange(INPUTS), np.arange(INPUTS - USEFUL, INPUTS)
    errors = {}
    for chosen in (everything, newer):
        for penalty in least_squares.PENALTIES:
            errors[len(chosen), penalty] = 0.0
            for block in range(5):
                # Within the block, and with all targets within it, but in the last block.
                first, last = 18 * block, 18 * block + 18
                judges = (times >= first) & (times + (HORIZON if block < 4 else 0) < last)
                apart = (times + HORIZON < first) | (times >= last)
                error = z[judges, INPUTS:] - z[judges, :INPUTS] @ ridge(z[apart], chosen, penalty)
                errors[len(chosen), penalty] += np.square(error).sum()
    size, penalty = min(errors, key=lambda one: errors[one])
    expected = ridge(z, everything if size == INPUTS else newer, penalty)
    np.testing.assert_allclose(least_squares.solve(products(z), [everything, newer]), expected, rtol=1e-5, atol=1e-6)


def test_inputs_that_are_of_no_use_get_zeros_where_they_may_be_left_out() -> None:
    found = products(table(noise=1.0))
    everything = np.arange(INPUTS)
    assert least_squares.solve(found, [everything]).all()
    weights = least_squares.solve(found, [everything, everything[-USEFUL:]])
    assert not weights[:-USEFUL].any()
    assert weights[-USEFUL:].all()
    needed = least_squares.solve(found, [everything, everything[-1:]])
    assert needed.all()


def test_few_windows_choose_nothing() -> None:
    z = table(14)
    everything = np.arange(INPUTS)
    found = least_squares.solve(products(z), [everything, everything[-USEFUL:]])
    np.testing.assert_allclose(found, ridge(z, everything, least_squares.DEFAULT), rtol=1e-5)


def test_without_any_window_the_weights_are_zero() -> None:
    found = least_squares.solve(products(np.zeros((0, INPUTS + HORIZON))), [np.arange(INPUTS)])
    np.testing.assert_array_equal(found, np.zeros((INPUTS, HORIZON)))
