import numpy as np
import pytest

from forecast.panels.panel import panel_of
from forecast.panels.units import band_units, seasonal_difference, without_unit


@pytest.mark.parametrize("offset", [0.0, 1e9, 1e12])
def test_movement_on_a_high_level_is_movement(offset: float) -> None:
    values = np.random.default_rng(1).normal(0, 100, 300)
    found = seasonal_difference(panel_of({"a": values + offset}), 7)
    np.testing.assert_allclose(found, seasonal_difference(panel_of({"a": values}), 7), rtol=1e-3)


def test_rounding_is_no_movement() -> None:
    assert seasonal_difference(panel_of({"a": 1e12 * (1 + np.tile([0, 1e-15], 50))}), 7) == pytest.approx(1e12)


def test_bands_of_zeros_alone_are_in_the_least_unit() -> None:
    panel = panel_of({"a": [0.0, 5e-9, 0.0, 5e-9], "zeros": [0.0] * 4, "b": [1.0, 9.0, 1.0, 9.0]})
    np.testing.assert_allclose(band_units(panel, 1), [5e-9, 5e-9, 8.0])
    np.testing.assert_allclose(band_units(panel.select([1]), 1, 0.25), [0.25])
    np.testing.assert_allclose(band_units(panel.select([1]), 1), [1.0])
    assert without_unit(panel).tolist() == [False, True, False]
    assert not without_unit(panel.select([1])).any()
