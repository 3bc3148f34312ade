import numpy as np
import pytest

from forecast.forecasters.states import (
    States,
    Weights,
    ahead,
    has_season,
    line,
    seasonal_profile,
    smooth,
    tile,
)

NAN = float("nan")


def states(level: float, trend: float = 0.0, season: tuple[float, ...] = (0.0,)) -> States:
    return States(np.array([[level]]), np.array([[trend]]), np.array(season)[:, None, None])


def weights(alpha: float, beta: float = 0.0, phi: float = 0.0, gamma: float = 0.0) -> Weights:
    return Weights(*(np.array([[weight]]) for weight in (alpha, beta, phi, gamma)))


def test_simple_smoothing_moves_the_level_by_a_share_of_each_error() -> None:
    squares, end = smooth(np.array([[3.0, 5.0]]), np.array([2]), states(1.0), weights(0.5))
    assert end.level[0, 0] == 3.5  # 1, then 2, then 3.5
    assert squares[0, 0] == 2**2 + 3**2


def test_all_states_take_in_their_share_of_the_error() -> None:
    start = states(10.0, 2.0, (1.0, -1.0))
    _, end = smooth(np.array([[13.0]]), np.array([1]), start, weights(0.5, 0.1, 0.5, 0.25))
    # Expected: 10 + 0.5 x 2 + 1 = 12, so the error is 1.
    assert (end.level[0, 0], end.trend[0, 0]) == (10 + 1 + 0.5, 1 + 0.1)
    np.testing.assert_array_equal(end.season[:, 0, 0], [1.25, -1.0])


def test_a_missing_value_counts_as_one_without_an_error() -> None:
    squares, end = smooth(np.array([[NAN, NAN]]), np.array([2]), states(10.0, 4.0), weights(0.5, 0.1, 0.5))
    assert (end.level[0, 0], end.trend[0, 0], squares[0, 0]) == (10 + 2 + 1, 1.0, 0.0)


def test_the_states_of_a_series_stay_when_it_has_ended() -> None:
    values = np.array([[3.0, NAN, NAN], [3.0, 4.0, 5.0]])
    start = States(np.full((2, 1), 1.0), np.full((2, 1), 2.0), np.zeros((1, 2, 1)))
    _, end = smooth(values, np.array([1, 3]), start, weights(0.5, 0.1, 0.9))
    _, alone = smooth(values[:1, :1], np.array([1]), states(1.0, 2.0), weights(0.5, 0.1, 0.9))
    assert (end.level[0], end.trend[0]) == (alone.level[0], alone.trend[0])


def test_the_forecast_sums_the_damped_trend_and_finds_the_phase() -> None:
    found = ahead(states(10.0, 8.0, (1.0, 2.0, 3.0)), np.array([[0.5]]), np.array([4]), 4)
    np.testing.assert_allclose(found, [[10 + 4 + 2, 10 + 6 + 3, 10 + 7 + 1, 10 + 7.5 + 2]])


def test_a_line_goes_through_the_observed_values() -> None:
    level, slope = line(np.array([[1.0, NAN, 5.0, 7.0, NAN], [4.0, NAN, NAN, NAN, NAN]]))
    np.testing.assert_allclose(level, [1.0, 4.0])
    np.testing.assert_allclose(slope, [2.0, 0.0])


@pytest.mark.parametrize("season", [4, 5])
def test_the_profile_of_a_season_on_a_line_is_found_exactly(season: int) -> None:
    waves = np.arange(season) - (season - 1) / 2
    values = 100 + 3.0 * np.arange(6 * season) + np.tile(waves, 6)
    found = seasonal_profile(values[None], np.array([6 * season]), season)
    np.testing.assert_allclose(found, [waves], atol=1e-9)


def test_a_series_shorter_than_two_seasons_has_no_profile() -> None:
    values = np.array([[1.0, 2.0, 3.0, 1.0, 2.0, NAN], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]])
    found = seasonal_profile(values, np.array([5, 6]), 3)
    assert not found[0].any()
    assert found[1].any()


def test_the_test_for_a_season_tells_waves_from_noise() -> None:
    noise = np.random.default_rng(3).normal(size=(1, 72))
    waves = np.sin(np.arange(72) * 2 * np.pi / 12)[None] * 3
    found = has_season(np.vstack([noise, waves + noise]), np.array([72, 72]), 12)
    np.testing.assert_array_equal(found, [False, True])


def test_fewer_than_three_seasons_show_none() -> None:
    peaks = np.tile(np.arange(12) == 5, (2, 3)).astype(float)
    peaks[0, 35] = NAN
    np.testing.assert_array_equal(has_season(peaks, np.array([35, 36]), 12), [False, True])


def test_a_profile_is_repeated_from_any_phase() -> None:
    profile = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    np.testing.assert_array_equal(tile(profile, 4, np.array([2, 1])), [[3.0, 1.0, 2.0, 3.0], [5.0, 6.0, 4.0, 5.0]])
