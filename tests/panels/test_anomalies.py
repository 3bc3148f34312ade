import numpy as np
import pytest

from forecast.panels.anomalies import Outliers, Shifts, find_outliers, find_shifts
from forecast.panels.panel import Floats, panel_of

STEPS = np.arange(400)
NOISE = np.random.default_rng(7).normal(size=(40, 400))


def outliers_of(values: Floats, seasons: tuple[int, ...] = ()) -> Outliers:
    return find_outliers(panel_of({"a": values}), seasons)


def shifts_of(values: Floats, season: int = 1) -> Shifts:
    return find_shifts(panel_of({"a": values}), season)


def with_value(values: Floats, step: int, value: float) -> Floats:
    changed = values.copy()
    changed[step] = value
    return changed


@pytest.mark.parametrize("step", [0, 1, 200, 398, 399])
@pytest.mark.parametrize("size", [-15.0, 15.0])
def test_a_single_wrong_value_stands_out_wherever_it_is(step: int, size: float) -> None:
    found = outliers_of(with_value(NOISE[0], step, size))
    assert (found.series.tolist(), found.steps.tolist(), found.values.tolist()) == ([0], [step], [size])
    assert abs(found.expected[0]) < 2


def test_two_wrong_values_in_a_row_stand_out() -> None:
    found = outliers_of(with_value(with_value(NOISE[0], 100, -999.0), 101, -999.0))
    assert found.steps.tolist() == [100, 101]


def test_a_fifteenth_of_wrong_values_hides_none_of_them() -> None:
    values = NOISE[0].copy()
    values[::15] += 100
    assert np.array_equal(outliers_of(values).steps, STEPS[::15])


def test_noise_of_normal_and_of_long_tails_has_no_outliers_to_speak_of() -> None:
    assert len(find_outliers(panel_of({str(row): noise for row, noise in enumerate(NOISE)})).series) == 0
    tails = np.random.default_rng(1).standard_t(4, size=(40, 400))
    assert len(find_outliers(panel_of({str(row): noise for row, noise in enumerate(tails)})).series) < 16_000 / 2_000


@pytest.mark.parametrize(
    "values",
    [
        np.where(STEPS < 200, 0.0, 50.0) + NOISE[0],
        np.cumsum(NOISE[0]),
        2.0 * STEPS + NOISE[0],
        np.exp(STEPS / 50) * (1 + 0.05 * NOISE[0]),
    ],
    ids=["step", "random walk", "trend", "growth"],
)
def test_a_step_or_a_slope_is_no_outlier(values: Floats) -> None:
    assert len(outliers_of(values).series) == 0


def test_a_peak_that_comes_every_season_is_no_outlier() -> None:
    values = np.where(STEPS % 24 == 12, 100.0, 0.0) + NOISE[0]
    assert len(outliers_of(values, (24,)).series) == 0
    assert len(outliers_of(values).series) > 10


def test_a_holiday_is_no_outlier_though_its_season_is_another() -> None:
    week = 50.0 * np.sin(np.pi * STEPS / 24) ** 2
    values = np.where((STEPS >= 240) & (STEPS < 264), 0.2 * week, week) + NOISE[0]
    assert len(outliers_of(values, (24,)).series) == 0


def test_the_sales_of_a_series_that_is_mostly_zero_are_no_outliers() -> None:
    rare = np.where(np.random.default_rng(3).random(400) < 0.05, 7.0, 0.0)
    assert len(outliers_of(rare).series) == 0
    assert outliers_of(with_value(rare, 50, 700.0)).steps.tolist() == [50]


def test_a_value_beside_gaps_is_compared_with_what_there_is() -> None:
    values = with_value(NOISE[0], 100, 40.0)
    values[95:100] = values[101:103] = np.nan
    assert outliers_of(values).steps.tolist() == [100]
    values[103:110] = np.nan  # nothing within three steps
    assert len(outliers_of(values).series) == 0


def test_a_short_series_is_not_told_about() -> None:
    found = outliers_of(with_value(NOISE[0, :19], 5, 99.0))
    assert (found.told.tolist(), len(found.series)) == ([False], 0)
    assert outliers_of(NOISE[0, :20]).told.tolist() == [True]


@pytest.mark.parametrize("step", [60, 203, 340])
def test_a_lasting_shift_is_found_where_it_happens(step: int) -> None:
    found = shifts_of(np.repeat([10.0, 14.0], [step, 400 - step]) + NOISE[0])
    assert found.series.tolist() == [0]
    assert abs(found.steps[0] - step) <= 2
    assert (found.before[0], found.after[0]) == pytest.approx((10, 14), abs=1)


def test_a_shift_of_a_seasonal_series_is_found_beside_its_season() -> None:
    season = 5.0 * np.sin(2 * np.pi * STEPS / 12)
    found = shifts_of(np.where(STEPS < 200, 0.0, 15.0) + season + 0.5 * NOISE[0], 12)
    assert len(found.series) == 1
    assert abs(found.steps[0] - 200) <= 3


def test_a_constant_that_becomes_another_one_is_a_shift() -> None:
    found = shifts_of(np.where(STEPS < 100, 0.1, 0.3))
    assert (found.steps.tolist(), found.before[0], found.after[0]) == ([100], pytest.approx(0.1), pytest.approx(0.3))


@pytest.mark.parametrize(
    "values",
    [
        NOISE[0],
        np.full(400, 0.1),
        2.0 * STEPS,
        np.exp(STEPS / 100),
        50 * np.sin(2 * np.pi * STEPS / 200),
        np.where((STEPS >= 97) & (STEPS < 103), 50.0, 0.0) + NOISE[0],
        np.where(np.random.default_rng(3).random(400) < 0.05, 7.0, 0.0),
    ],
    ids=["noise", "constant", "trend", "growth", "cycle", "event", "mostly zero"],
)
def test_what_does_not_last_or_always_goes_on_is_no_shift(values: Floats) -> None:
    assert len(shifts_of(values).series) == 0


def test_random_walks_have_few_shifts() -> None:
    walks = {str(row): np.cumsum(noise) for row, noise in enumerate(NOISE)}
    assert len(find_shifts(panel_of(walks)).series) <= 2


def test_gaps_and_single_values_move_no_level() -> None:
    values = with_value(NOISE[0], 77, 1e6)
    values[200:260] = np.nan
    assert len(shifts_of(values).series) == 0


def test_a_series_of_too_few_blocks_is_not_told_about() -> None:
    assert shifts_of(NOISE[0, :84]).told.tolist() == [False]
    assert shifts_of(NOISE[0, :91]).told.tolist() == [True]  # 13 blocks of 7 have 8 boundaries with three on each side
    assert shifts_of(NOISE[0, :91], 12).told.tolist() == [False]


def test_what_is_found_in_a_series_does_not_depend_on_the_others() -> None:
    changed = {
        str(row): (np.repeat([0.0, 9.0], [150 + row, 250 - row]) + with_value(noise, 30 + row, 99.0))[: 250 + 3 * row]
        for row, noise in enumerate(NOISE)
    }
    panel = panel_of(changed)
    outliers, shifts = find_outliers(panel, (7,)), find_shifts(panel, 7)
    for row in (0, 17, 39):
        alone = panel_of({"a": changed[str(row)]})
        assert find_outliers(alone, (7,)).steps.tolist() == outliers.steps[outliers.series == row].tolist() != []
        assert find_shifts(alone, 7).steps.tolist() == shifts.steps[shifts.series == row].tolist() != []


def test_nothing_is_found_where_nothing_is_observed() -> None:
    empty = np.full(100, np.nan)
    assert len(outliers_of(empty).series) == len(shifts_of(empty).series) == 0


def test_numbers_of_the_largest_size_are_no_trouble() -> None:
    values = 1e38 * (1 + 0.01 * NOISE[0])
    assert len(outliers_of(values).series) == len(shifts_of(values).series) == 0
