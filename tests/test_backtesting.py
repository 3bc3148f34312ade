"""Rolling origins: what is fitted on which rows, what is scored, and that nothing after an origin is seen."""

from dataclasses import replace
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forecast import backtesting
from forecast.backtesting import backtest_model, backtest_training
from forecast.errors import DataError, TimeLimitError
from forecast.evaluation import calibration
from forecast.evaluation.backtest import REPORT, SEEN
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.forecasters.lstm.network import NetworkFit
from forecast.options import BacktestOptions, ReadOptions, TrainOptions
from forecast.panels import scaling
from forecast.panels.panel import Panel, panel_of
from forecast.panels.units import seasonal_difference
from forecast.pipeline import context_of
from forecast.plan import MEDIAN, Plan
from forecast.prediction import predict
from forecast.progress import Progress
from forecast.surroundings import Clock
from forecast.trained import Trained

PLAN = Plan(horizon=4, window=14, segment=7, seasons=(7,), base=7, lookback=120)
TINY = TrainOptions(horizon=4, units=8, members=1, window=14, segment=7, origins=4, epochs=1)
BASELINES = {Kind.RIDGE, Kind.SMOOTHING, Kind.THETA, Kind.SEASONAL_NAIVE, Kind.DRIFT, Kind.NAIVE}


def wave(seed: int, length: int) -> Any:
    rng = np.random.default_rng(seed)
    return 10 * (3 + np.sin(2 * np.pi * np.arange(length) / 7) + 0.2 * rng.standard_normal(length))


def make_panel(*lengths: int) -> Panel:
    return panel_of({f"series {n}": wave(n, length) for n, length in enumerate(lengths)})


def trained_on(panel: Panel) -> Trained:
    """Return a model that repeats the last season."""
    return Trained(
        plan=replace(PLAN, targets=panel.targets),
        read=ReadOptions(),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(Fitted(Kind.SEASONAL_NAIVE),),
        weights=(1.0,),
        units=seasonal_difference(panel, 7),
        calibration=calibration.none(PLAN),
        context=context_of(panel, PLAN),
        source={},
    )


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[Panel]:
    """Return what was trained on; training gives a model that repeats the last season."""
    seen: list[Panel] = []

    def train(panel: Panel, options: Any, read: Any, source: Any, listen: Any, around: Any) -> Any:
        seen.append(panel)
        listen(Progress("final", 1, 2))
        limit = around.clock.limit
        said = [f"{limit:.0f} seconds"] if limit < inf else []
        return SimpleNamespace(trained=trained_on(panel), remarks=lambda _: said)

    monkeypatch.setattr(backtesting.pipeline, "train", train)
    return seen


def test_origins_are_a_horizon_apart_and_the_last_leaves_a_whole_one() -> None:
    panel = make_panel(100)
    rolled = backtest_model(trained_on(panel.select([0], np.array([50]))), panel, BacktestOptions(origins=3))
    assert rolled.backtest.panel.lengths.tolist() == [88, 92, 96]
    assert np.isfinite(rolled.backtest.truth).all()


def test_every_sets_the_steps_between_two_origins() -> None:
    panel = make_panel(100)
    rolled = backtest_model(trained_on(panel), panel, BacktestOptions(origins=3, every=1))
    assert rolled.backtest.panel.lengths.tolist() == [94, 95, 96]


def test_origins_are_counted_back_from_the_end_of_each_series() -> None:
    panel = make_panel(100, 80)
    rolled = backtest_model(trained_on(panel), panel, BacktestOptions(origins=2))
    assert rolled.backtest.panel.lengths.tolist() == [92, 96, 72, 76]
    assert rolled.order == (0, 1, 0, 1)


@pytest.mark.parametrize(("new", "origins"), [(4, 1), (11, 2), (60, 10), (3, 10)])
def test_a_model_is_measured_after_the_rows_of_its_training_where_there_are_enough(new: int, origins: int) -> None:
    panel = make_panel(200)
    rolled = backtest_model(trained_on(panel.without_end(new)), panel, BacktestOptions())
    assert rolled.origins == origins


def test_what_the_model_was_trained_on_is_marked_as_seen() -> None:
    panel = make_panel(100)
    rolled = backtest_model(trained_on(panel.without_end(8)), panel, BacktestOptions(origins=3))
    assert rolled.backtest.role == (SEEN, REPORT, REPORT)


def test_a_series_that_the_model_does_not_know_was_not_seen() -> None:
    panel = make_panel(100, 100)
    rolled = backtest_model(trained_on(panel.select([0])), panel, BacktestOptions(origins=1))
    assert rolled.backtest.role == (SEEN, REPORT)


def test_without_stored_rows_everything_may_have_been_seen() -> None:
    panel = make_panel(100)
    trained = replace(trained_on(panel.without_end(50)), context=None)
    assert backtest_model(trained, panel, BacktestOptions(origins=1)).backtest.role == (SEEN,)


def test_a_trained_model_forecasts_what_predict_would_have() -> None:
    panel = make_panel(100)
    rolled = backtest_model(trained_on(panel), panel, BacktestOptions(origins=2))
    season = panel.target[85:92]
    np.testing.assert_array_equal(rolled.backtest.quantiles[0], np.repeat(season[:4, None], len(PLAN.quantiles), 1))


@pytest.mark.parametrize("horizon", [2, 4, 6])
def test_a_trained_model_stands_beside_all_baselines_at_any_horizon(horizon: int) -> None:
    panel = make_panel(100)
    backtest = backtest_model(trained_on(panel), panel, BacktestOptions(origins=2), horizon).backtest
    assert backtest.medians.keys() == BASELINES
    assert {median.shape for median in backtest.medians.values()} == {(2, horizon)}
    assert all(np.isfinite(median).all() for median in backtest.medians.values())


def test_the_baselines_of_a_trained_model_see_no_row_after_the_first_origin() -> None:
    panel = make_panel(100)
    target = panel.target.copy()
    target[92:] = -1e6
    found = [
        backtest_model(trained_on(panel), one, BacktestOptions(origins=2)).backtest
        for one in (panel, replace(panel, target=target))
    ]
    for kind in BASELINES:
        assert found[0].medians[kind][0].tobytes() == found[1].medians[kind][0].tobytes(), kind


def test_without_a_model_one_fit_sees_the_rows_before_the_first_origin(fits: list[Panel]) -> None:
    backtest_training(make_panel(100, 90), BacktestOptions(origins=3), TINY)
    assert [panel.lengths.tolist() for panel in fits] == [[88, 78]]


def test_fits_are_repeated_at_every_so_many_origins(fits: list[Panel]) -> None:
    rolled = backtest_training(make_panel(100), BacktestOptions(origins=5, refit_every=2), TINY)
    assert [panel.lengths.tolist() for panel in fits] == [[80], [88], [96]]
    assert rolled.fits == (0, 2, 4)


def test_a_sliding_fit_sees_the_newest_rows_alone(fits: list[Panel]) -> None:
    panel = make_panel(100, 60)
    backtest_training(panel, BacktestOptions(origins=3, sliding=50), TINY)
    assert fits[0].lengths.tolist() == [50, 48]
    assert fits[0].last.tolist() == [88, 48]
    np.testing.assert_array_equal(fits[0].values(0), panel.target[38:88])


@pytest.mark.parametrize(("length", "origins"), [(200, 10), (60, 7), (40, 5), (20, 1)])
def test_by_default_half_of_a_usual_series_is_left_to_learn_from(fits: list[Panel], length: int, origins: int) -> None:
    assert backtest_training(make_panel(length), BacktestOptions(), TINY).origins == origins


def test_a_stage_of_training_says_which_fit_it_belongs_to(fits: list[Panel]) -> None:
    stages: list[str] = []
    ask = BacktestOptions(origins=2, refit_every=1)
    backtest_training(make_panel(100), ask, TINY, listen=lambda progress: stages.append(progress.stage))
    assert stages == ["Fit 1 of 2, learning on all its rows", "Fit 2 of 2, learning on all its rows"]


def test_errors_count_in_units_of_the_rows_before_the_first_origin(fits: list[Panel]) -> None:
    panel = make_panel(100)
    backtest = backtest_training(panel, BacktestOptions(origins=3), TINY).backtest
    assert backtest.units.tolist() == [seasonal_difference(panel.without_end(12), 7)[0]] * 3


def test_an_origin_without_truth_is_left_out(fits: list[Panel]) -> None:
    values = wave(0, 100)
    values[-4:] = np.nan
    rolled = backtest_training(panel_of({"a": values}), BacktestOptions(origins=3), TINY)
    assert rolled.order == (0, 1)


def test_on_large_panels_evenly_spread_series_are_scored(fits: list[Panel], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtesting, "LARGEST", 2 * 4 * len(PLAN.quantiles) * 2)
    rolled = backtest_training(make_panel(*[60] * 6), BacktestOptions(origins=2), TINY)
    assert rolled.stride == 3
    assert sorted(set(rolled.backtest.panel.ids)) == ["series 0", "series 3"]
    assert len(fits[0]) == 6


def test_too_many_origins_are_refused_with_how_many_there_can_be() -> None:
    panel = make_panel(40)
    with pytest.raises(DataError) as caught:
        backtest_training(panel, BacktestOptions(origins=9), TINY)
    assert str(caught.value) == (
        "the longest series has 40 rows, but 9 origins, 4 steps apart, with a horizon of 4 and 15 rows before the "
        "first need 51.\nAsk for at most 6 --origins, or give more history."
    )


def test_a_table_that_is_too_short_for_a_model_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        backtest_model(trained_on(make_panel(100)), make_panel(9), BacktestOptions())
    assert str(caught.value) == (
        "the longest series has 9 rows, but an origin with a horizon of 4 and 8 rows before it needs 12.\n"
        "Give more history."
    )


def test_a_fit_that_fails_says_that_it_was_before_an_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: Any, **__: Any) -> Any:
        raise DataError("too few rows.\nGive more history.")

    monkeypatch.setattr(backtesting.pipeline, "train", train)
    with pytest.raises(DataError) as caught:
        backtest_training(make_panel(100), BacktestOptions(origins=3), TINY)
    assert str(caught.value) == (
        "the rows before an origin: too few rows.\nGive more history. Or ask for fewer --origins."
    )


def test_origins_without_any_value_are_refused() -> None:
    panel = make_panel(100)
    empty = replace(panel, target=np.where(np.arange(100) < 50, panel.target, np.nan))
    with pytest.raises(DataError) as caught:
        backtest_model(trained_on(panel), empty, BacktestOptions(origins=2))
    assert str(caught.value) == (
        "none of the 2 origins has a value in the 14 steps before it and the 4 after it.\n"
        "Give rows with values up to the end, or say with --fill zero that a missing one is 0."
    )


def test_no_forecast_has_seen_what_comes_after_its_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    # All of `train` but the loop that moves the network's weights: tests/test_pipeline.py has the proof for that.
    def fit(panel: Panel, plan: Plan, until: Any, listen: Any, **_: Any) -> NetworkFit:
        arrays = {name: np.zeros(shape) for name, shape in network.shapes(plan, len(panel)).items()}
        scales = scaling.fit(panel, plan.transforms[0])
        arrays |= {f"series.log.{name}": getattr(scales, name) for name in ("centre", "spread", "power")}
        return NetworkFit(Fitted(Kind.NETWORK, arrays), (1,), ())

    monkeypatch.setattr(backtesting.pipeline.network, "fit", fit)
    monkeypatch.setattr(backtesting.pipeline, "network_agreement", lambda *_: 0.0)
    monkeypatch.setattr(backtesting.pipeline, "choose_device", lambda _: {})
    panel = make_panel(90, 80)
    target = panel.target.copy()
    for end in panel.ends:
        target[end - 4 : end] = 1e6
    ask = BacktestOptions(origins=2, refit_every=1)
    one, other = (backtest_training(each, ask, TINY).backtest for each in (panel, replace(panel, target=target)))
    assert one.quantiles.tobytes() == other.quantiles.tobytes()
    assert all(median.tobytes() == other.medians[kind].tobytes() for kind, median in one.medians.items())
    assert not np.array_equal(one.truth, other.truth)
    assert one.medians.keys() >= BASELINES


def test_bounds_and_rounding_are_those_of_the_baselines_too() -> None:
    panel = make_panel(100)
    small = replace(panel, target=panel.target / 50)
    model = trained_on(small)
    whole = replace(model, plan=replace(PLAN, decimals=0, maximum=1.0))
    backtest = backtest_model(whole, small, BacktestOptions(origins=3)).backtest
    np.testing.assert_array_equal(backtest.medians[Kind.SEASONAL_NAIVE], backtest.quantiles[:, :, MEDIAN])
    assert set(np.unique(backtest.medians[Kind.DRIFT])) <= {0.0, 1.0}


def two_targets(*lengths: int) -> Panel:
    """Return a panel in which every id has the targets y and z."""
    panel = make_panel(*np.repeat(lengths, 2).tolist())
    ids = tuple(f"shop {row // 2}" for row in range(len(panel)))
    return replace(panel, ids=ids, targets=("y", "z"), channel=np.arange(len(panel)) % 2)


def test_every_target_is_scored_where_series_are_left_out(fits: list[Panel], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtesting, "LARGEST", 2 * 4 * len(PLAN.quantiles) * 4)
    rolled = backtest_training(two_targets(60, 60, 60, 60), BacktestOptions(origins=2), TINY)
    assert rolled.stride == 2
    assert sorted(set(zip(rolled.backtest.panel.ids, rolled.backtest.panel.target_names, strict=True))) == [
        ("shop 0", "y"),
        ("shop 0", "z"),
        ("shop 2", "y"),
        ("shop 2", "z"),
    ]


@pytest.mark.parametrize("mixed", [False, True])
def test_a_model_that_mixes_targets_sees_those_too_that_are_not_scored(
    mixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Panel] = []

    def seen(trained: Trained, panel: Panel, *rest: Any, **named: Any) -> Any:
        shown.append(panel)
        return predict(
            replace(trained, plan=replace(trained.plan, mixed_targets=False, past=())), panel, *rest, **named
        )

    panel = two_targets(60, 60)
    trained = trained_on(panel)
    monkeypatch.setattr(backtesting, "predict", seen)
    plan = replace(trained.plan, mixed_targets=mixed, past=("target:y", "target:z") if mixed else ())
    found, status = backtesting.forecast_at(
        replace(trained, plan=plan), panel, np.array([3, 0]), np.array([50, 40]), PLAN.horizon
    )
    rows = [(3, 50), (0, 40)]
    beside = [(2, 50), (3, 50), (0, 40), (1, 40)] if mixed else rows
    pairs = list(zip(shown[0].begins.tolist(), shown[0].lengths.tolist(), strict=True))
    assert pairs == [(60 * series, length) for series, length in beside]
    alone = [predict(trained, panel.select([series], np.array([length]))) for series, length in rows]
    np.testing.assert_array_equal(found, np.concatenate([one.quantiles for one in alone]))
    assert status == ("ok", "ok")


def test_a_time_limit_is_shared_out_over_the_fits(fits: list[Panel]) -> None:
    ask, times = BacktestOptions(origins=3, refit_every=1), iter([0.0, 30.0])
    clock = Clock(90.0, begin=0.0, now=lambda: next(times))  # the last fit has what is left of it
    rolled = backtest_training(make_panel(100), ask, replace(TINY, time_limit="90s"), clock=clock)
    assert rolled.remarks == ("Fit 1 of 3: 30 seconds", "Fit 2 of 3: 30 seconds", "Fit 3 of 3: 90 seconds")


def test_a_fit_without_time_says_whose_limit_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: Any, **__: Any) -> Any:
        raise TimeLimitError("no time to train.\nGive it more.")

    monkeypatch.setattr(backtesting.pipeline, "train", train)
    with pytest.raises(TimeLimitError) as caught:
        backtest_training(make_panel(100), BacktestOptions(origins=3, refit_every=1), replace(TINY, time_limit="9s"))
    assert str(caught.value) == (
        "Fit 1 of 3: no time to train.\n--time-limit 9s is for all 3 fits: give it more, or fit less often."
    )
