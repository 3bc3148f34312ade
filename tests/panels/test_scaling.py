import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecast.errors import DataError
from forecast.options import Scaler
from forecast.panels import scaling
from forecast.panels.panel import panel_of
from forecast.panels.scaling import Scaling

TRANSFORMS = [str(scaler) for scaler in Scaler if scaler is not Scaler.AUTO]
NAN = float("nan")


def some_series(positive: bool = True) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    skewed = np.exp(random.normal(2, 1, 200)) if positive else random.normal(0, 30, 200)
    gaps = 50 + random.normal(0, 2, 120)
    gaps[[3, 4, 77]] = np.nan
    return {
        "skewed": skewed,
        "gaps": gaps,
        "constant": np.full(9, 7.1),
        "single": np.array([3.0]),
        "large": skewed * 1e7,
    }


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_new_series_are_scaled_in_numpy_as_scikit_learn_scales_them(transform: str) -> None:
    panel = panel_of(some_series(positive=transform == "log"))
    fitted = scaling.fit(panel, transform)

    found = scaling.align(fitted, panel, np.full(len(panel), -1))

    values = np.stack([np.quantile(panel.values(row)[~np.isnan(panel.values(row))], [0, 0.5, 1]) for row in range(5)])
    tolerance = 1e-4 if transform == "power" else 1e-12  # where the likelihood is flat, two searches differ
    np.testing.assert_allclose(scaling.apply(found, values), scaling.apply(fitted, values), atol=tolerance)


def test_known_series_keep_their_scaling_in_the_order_of_the_panel() -> None:
    fitted = scaling.fit(panel_of({"a": [1.0, 3.0], "b": [10.0, 30.0]}), "standard")

    found = scaling.align(fitted, panel_of({"b": [0.0], "new": [5.0, 9.0], "a": [0.0]}), np.array([1, -1, 0]))

    np.testing.assert_allclose(found.centre, [20.0, 7.0, 2.0])
    np.testing.assert_allclose(found.spread, [10.0, 2.0, 1.0])


def test_standard_scaling_gives_mean_zero_and_deviation_one() -> None:
    panel = panel_of(some_series())
    fitted = scaling.fit(panel, "standard")
    scaled = scaling.apply(scaling.rows(fitted, np.array([0])), panel.values(0)[None])
    assert scaled.mean() == pytest.approx(0, abs=1e-12)
    assert scaled.std() == pytest.approx(1)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_rows_out_of_sight_do_not_change_the_scaling(transform: str) -> None:
    whole = panel_of({"a": [1.0, 2.0, 4.0, 900.0, 1000.0]})
    cut = scaling.fit(whole.select([0], np.array([3])), transform)
    alone = scaling.fit(panel_of({"a": [1.0, 2.0, 4.0]}), transform)
    assert (cut.centre, cut.spread, cut.power) == (alone.centre, alone.spread, alone.power)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_constant_or_empty_series_has_spread_one(transform: str) -> None:
    fitted = scaling.fit(panel_of({"constant": [5.0] * 7, "empty": [NAN, NAN]}), transform)
    np.testing.assert_array_equal(fitted.spread, [1.0, 1.0])
    assert fitted.centre[1] == 0


@pytest.mark.parametrize("transform", TRANSFORMS)
@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(
        np.float64, st.integers(1, 20), elements=st.floats(-1e6, 1e6).map(lambda x: 0.0 if abs(x) < 1e-6 else x)
    )
)
def test_undo_gives_back_what_apply_was_given(transform: str, values: np.ndarray) -> None:
    if transform == "log":
        values = np.abs(values) + 1e-6
    panel = panel_of({"a": values})
    fitted = scaling.fit(panel, transform)
    found = scaling.undo(fitted, scaling.apply(fitted, values[None]))[0]
    np.testing.assert_allclose(found, values, rtol=1e-8, atol=1e-8 * np.abs(values).max())


@pytest.mark.parametrize("transform", TRANSFORMS)
@settings(max_examples=60, deadline=None)
@given(
    outputs=hnp.arrays(np.float64, (3, 4), elements=st.floats(allow_nan=False, allow_infinity=False)),
    spread=st.floats(1e-12, 1e20),
    power=st.floats(0, 2),
)
def test_undo_is_finite_for_any_finite_output(transform: str, outputs: np.ndarray, spread: float, power: float) -> None:
    scales = Scaling(transform, np.array([-50.0, 0.0, 50.0]), np.full(3, spread), np.full(3, power))
    assert np.isfinite(scaling.undo(scales, outputs)).all()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_scaling_keeps_the_order_of_values(transform: str) -> None:
    values = np.array([[0.5, 1.0, 2.0, 30.0, 400.0]])
    scaled = scaling.apply(scaling.fit(panel_of({"a": values[0]}), transform), values)
    assert (np.diff(scaled) > 0).all()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_missing_value_stays_missing(transform: str) -> None:
    fitted = scaling.fit(panel_of({"a": [1.0, NAN, 3.0]}), transform)
    values = np.array([[[1.0, NAN], [2.0, 3.0]]])
    for move in (scaling.apply, scaling.undo):
        np.testing.assert_array_equal(np.isnan(move(fitted, values)), np.isnan(values))


def test_the_logarithm_refuses_a_series_with_a_zero() -> None:
    with pytest.raises(DataError) as caught:
        scaling.fit(panel_of({"fine": [1.0, 2.0, 3.0], "shop 7": [4.0, 0.0]}), "log")
    assert str(caught.value) == (
        "series 'shop 7' holds 0, but the logarithm needs values above 0.\n"
        "Choose another --scaler than log, such as power."
    )


def test_a_new_series_with_zeros_is_scaled_by_its_positive_values() -> None:
    fitted = scaling.fit(panel_of({"a": [1.0, 2.0]}), "log")
    new = panel_of({"new": [0.0, 10.0, 1000.0]})
    found = scaling.align(fitted, new, np.array([-1]))
    np.testing.assert_allclose(scaling.apply(found, new.values(0)[None]), [[-10.0, -1.0, 1.0]])


def test_many_series_are_scaled_as_each_would_be_alone() -> None:
    series = some_series()
    together = scaling.fit(panel_of(series), "robust")
    for place, (name, values) in enumerate(series.items()):
        alone = scaling.fit(panel_of({name: values}), "robust")
        assert (together.centre[place], together.spread[place]) == (alone.centre[0], alone.spread[0])


@pytest.mark.parametrize("transform", [name for name in TRANSFORMS if name != "log"])
def test_a_new_series_is_scaled_the_same_bytes_among_any_others(transform: str) -> None:
    panel = panel_of(some_series(positive=False))
    fitted = scaling.fit(panel, transform)
    together = scaling.align(fitted, panel, np.full(5, -1))
    for row in range(5):
        alone = scaling.align(fitted, panel.select([row]), np.array([-1]))
        assert (together.centre[row], together.spread[row], together.power[row]) == (
            alone.centre[0],
            alone.spread[0],
            alone.power[0],
        )


def test_the_power_of_very_many_series_is_found_as_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of(some_series())
    few = scaling.fit(panel, "power")
    monkeypatch.setattr(scaling, "BY_SCIKIT_LEARN", 2)
    np.testing.assert_allclose(scaling.fit(panel, "power").power, few.power, atol=1e-5)


def test_covariates_are_scaled_by_their_observed_values() -> None:
    columns = np.array([[1.0, NAN, 3.0], [4.0, 4.0, 4.0], [NAN, NAN, NAN]])
    centre, spread = scaling.covariate_scale(columns)
    np.testing.assert_array_equal(centre, [2.0, 4.0, 0.0])
    np.testing.assert_array_equal(spread, [1.0, 1.0, 1.0])


def test_a_rare_one_among_zeros_does_not_become_an_input_of_a_hundred() -> None:
    columns = np.zeros((2, 10_000))
    columns[:, 7] = [1.0, 2.0]
    _, spread = scaling.covariate_scale(columns)
    np.testing.assert_allclose(spread, [0.1, 0.02], rtol=1e-3)


def test_a_scaling_with_spread_zero_cannot_be_made() -> None:
    with pytest.raises(ValueError, match=r"^a scaling needs finite numbers and spreads above 0$"):
        Scaling("standard", np.zeros(1), np.zeros(1), np.ones(1))
