"""A daily pattern of the local clock is forecast at the right local hours, across both changes of the clock."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from forecast import pipeline, store
from forecast.backtesting import backtest_model
from forecast.errors import MismatchError
from forecast.evaluation.calibration import Calibration
from forecast.forecasters import registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.golden import golden_forecast
from forecast.options import BacktestOptions, ReadOptions, TrainOptions
from forecast.panels import scaling
from forecast.panels.calendar import Calendar
from forecast.panels.clock import on_clock
from forecast.panels.panel import panel_of
from forecast.panels.windows import columns_of
from forecast.plan import MEDIAN, Plan
from forecast.prediction import evaluate, predict
from forecast.trained import Trained

HOURS = Calendar("h", 0, "%Y-%m-%dT%H:%M", "%:z", "Australia/Melbourne", elapsed=True)
PLAN = Plan(
    horizon=48,
    window=168,
    segment=24,
    seasons=(24, 168),
    base=168,
    lookback=336,
    calendar=("day_sin", "day_cos", *(f"weekday_{day}" for day in range(7))),
    units=4,
)
SPRING, AUTUMN = "2024-10-06T03:00+11:00", "2025-04-06T02:00+10:00"  # the first hour after each change
WEEKS = 26


def instant(text: str) -> int:
    """Return the UTC hour of a time such as 2024-10-06T03:00+11:00."""
    offset = np.timedelta64(int(text[17:19]), "h")
    return int((np.datetime64(text[:16], "h") - offset).astype(np.int64))


def daily(calendar: Calendar, hours: np.ndarray) -> np.ndarray:
    """Return a value that depends on the local hour and the local weekday alone."""
    times = calendar.times(hours)
    hour = (times - times.astype("M8[D]")) / np.timedelta64(1, "h")
    weekend = (times.astype("M8[D]").astype(np.int64) + 3) % 7 > 4
    return 100 + np.where(weekend, 5, 10) * hour + 20 * (hour == 8)


def made_panel(last: int, ahead: int = 0):
    """Return the true hours of some weeks up to an hour; `ahead` more are stored after it."""
    hours = np.arange(last + 1 - 24 * 7 * WEEKS, last + 1 + ahead)
    panel = panel_of({"a": daily(HOURS, hours)}, HOURS, [int(hours[0])])
    return panel.select([0], panel.lengths - ahead)


def silent_network(panel, plan=PLAN):
    """Weights of zero: the network then forecasts what it starts from, its base."""
    shapes = network.shapes(plan, len(panel))
    arrays = {name: np.full(shape, float(name.endswith(".spread"))) for name, shape in shapes.items()}
    own = scaling.fit(panel, "standard")
    arrays |= {f"series.standard.{part}": getattr(own, part) for part in ("centre", "spread", "power")}
    return Fitted(Kind.NETWORK, arrays)


def model(panel, fitted, plan=PLAN):
    """Return a model of one forecaster, without calibration."""
    return Trained(
        plan=plan,
        read=ReadOptions(tz=panel.calendar.tz),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(fitted,),
        weights=(1.0,),
        units=np.ones(1),
        calibration=Calibration(
            np.zeros((plan.horizon, len(plan.quantiles))), np.full(plan.horizon, 100), promised=True
        ),
        context=pipeline.context_of(panel, plan),
        source={},
    )


FORECASTERS = {
    "seasonal naive": lambda panel: Fitted(Kind.SEASONAL_NAIVE),
    "base of the network": silent_network,
}


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
@pytest.mark.parametrize("hours", [-40, -3, -2, -1, 0, 1, 5, 30])
@pytest.mark.parametrize("name", ["seasonal naive", "base of the network"])
def test_a_pattern_of_the_local_clock_is_forecast_exactly(change: str, hours: int, name: str) -> None:
    last = instant(change) + hours - 1
    panel = made_panel(last)
    forecasts = predict(model(panel, FORECASTERS[name](on_clock(panel))), panel)
    ahead = last + np.arange(1, PLAN.horizon + 1)
    assert forecasts.cutoffs.tolist() == [last]
    np.testing.assert_allclose(forecasts.quantiles[0, :, MEDIAN], daily(HOURS, ahead), atol=1e-9)


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_what_is_learned_follows_the_local_clock_too(change: str) -> None:
    panel = made_panel(instant(change) - 10)
    fitted = registry.FIT[Kind.RIDGE](on_clock(panel), PLAN)
    found = predict(model(panel, fitted), panel).quantiles[0, :, MEDIAN]
    expected = daily(HOURS, instant(change) - 10 + np.arange(1, PLAN.horizon + 1))
    assert np.abs(found - expected).max() < 1


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_without_the_zone_the_same_pattern_is_an_hour_off_after_the_change(change: str) -> None:
    panel = made_panel(instant(change) + 10)
    panel = replace(panel, calendar=Calendar("h", 0, "%Y-%m-%dT%H:%M", "Z"))
    found = predict(model(panel, Fitted(Kind.SEASONAL_NAIVE)), panel).quantiles[0, :, MEDIAN]
    expected = daily(HOURS, instant(change) + 10 + np.arange(1, PLAN.horizon + 1))
    assert np.abs(found - expected).max() >= 5


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_the_hours_that_the_network_is_shown_are_those_of_the_local_clock(change: str) -> None:
    panel = on_clock(made_panel(instant(change) - 10))
    columns = columns_of(panel, PLAN, panel.target, (panel.past, panel.future), "float64")
    ordinals = columns.first + np.arange(len(columns.calendar))
    hour = panel.calendar.times(ordinals).astype("M8[h]").astype(np.int64) % 24
    np.testing.assert_allclose(columns.calendar[:, 0], np.sin(2 * np.pi * hour / 24), atol=1e-9)
    values = panel.values(0)
    for clock_hour in range(24):  # one value for each hour and kind of day: what is shown and what is learned agree
        here = values[hour[: len(values)] == clock_hour]
        assert len(set(here[np.isfinite(here)])) <= 2


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_the_stored_rows_give_the_same_forecast_as_the_whole_table(change: str) -> None:
    panel = made_panel(instant(change) + 100)
    trained = model(panel, silent_network(on_clock(panel)))
    np.testing.assert_array_equal(predict(trained).quantiles, predict(trained, panel).quantiles)
    assert predict(trained).cutoffs.tolist() == panel.last.tolist()


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_forecasts_are_of_true_hours_and_written_with_the_offset_of_each(change: str) -> None:
    panel = made_panel(instant(change) - 3)
    forecasts = predict(model(panel, Fitted(Kind.SEASONAL_NAIVE)), panel)
    texts = forecasts.calendar.render(forecasts.cutoffs[:, None] + np.arange(1, 6))
    assert [instant(text) for text in texts] == [instant(change) - 3 + step for step in range(1, 6)]
    assert texts[2] == change
    frame = forecasts.to_frame()
    assert str(frame["ds"].dtype) == "datetime64[ns, Australia/Melbourne]"
    assert frame["ds"][2].isoformat() == change[:16] + ":00" + change[16:]


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_beyond_the_trained_horizon_hours_stay_local(change: str) -> None:
    panel = made_panel(instant(change) - 60)
    forecasts = predict(model(panel, Fitted(Kind.SEASONAL_NAIVE)), panel, horizon=130)
    expected = daily(HOURS, instant(change) - 60 + np.arange(1, 131))
    np.testing.assert_allclose(forecasts.quantiles[0, :, MEDIAN], expected, atol=1e-9)


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_a_backtest_across_a_change_finds_no_error(change: str) -> None:
    panel = made_panel(instant(change) + 60)
    trained = model(panel, Fitted(Kind.SEASONAL_NAIVE))
    rolled = backtest_model(trained, panel, BacktestOptions(origins=10, every=5)).backtest
    errors = rolled.quantiles[:, :, MEDIAN] - rolled.truth
    assert np.isfinite(errors).sum() > 400
    assert np.nanmax(np.abs(errors)) < 1e-9


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_an_evaluation_across_a_change_finds_no_error(change: str) -> None:
    panel = made_panel(instant(change) + 60)
    forecasts, truth = evaluate(model(panel, Fitted(Kind.SEASONAL_NAIVE)), panel, origins=30)
    np.testing.assert_allclose(forecasts.quantiles[:, :, MEDIAN], truth, atol=1e-9)


def test_a_future_known_covariate_is_asked_for_as_many_true_hours_as_are_forecast() -> None:
    plan = replace(PLAN, future=("f",))
    panel = made_panel(instant(SPRING) - 3, ahead=PLAN.horizon)
    panel = replace(panel, future=np.ones((1, len(panel.target))))
    fitted = silent_network(on_clock(panel), plan)
    forecasts = predict(model(panel, fitted, plan), panel)
    assert forecasts.quantiles.shape[1] == PLAN.horizon


def test_a_table_of_another_zone_is_refused() -> None:
    panel = made_panel(instant(SPRING) - 3)
    trained = model(panel, Fitted(Kind.SEASONAL_NAIVE))
    for calendar, found in (
        (replace(HOURS, tz="Europe/Berlin"), "in the zone Europe/Berlin"),
        (Calendar("h"), "without a zone"),
    ):
        with pytest.raises(MismatchError) as caught:
            predict(trained, replace(panel, calendar=calendar))
        assert str(caught.value) == (
            f"the model was trained in the zone Australia/Melbourne, the table was read {found}.\n"
            "Leave --tz out, or train again."
        )


@pytest.fixture(scope="module")
def outcome():
    """Return a short training on hours up to the evening before the clock is put forward."""
    panel = made_panel(instant(SPRING) - 8)
    panel = panel.select([0], panel.lengths)
    options = TrainOptions(horizon=24, epochs=1, units=4, members=1, origins=4)
    return pipeline.train(panel, options, ReadOptions(tz="Australia/Melbourne", holidays="AU-VIC"))


def test_a_training_in_a_zone_forecasts_local_hours(outcome) -> None:
    assert outcome.trained.calendar == HOURS
    assert outcome.backtest.panel.calendar == HOURS.on_clock
    found = outcome.forecasts.quantiles[0, :, MEDIAN]
    np.testing.assert_allclose(found, daily(HOURS, instant(SPRING) - 8 + np.arange(1, 25)), atol=1)


def test_a_model_of_a_zone_knows_its_holidays_when_it_comes_back(outcome, tmp_path, monkeypatch) -> None:
    store.publish(tmp_path, "hours", outcome.trained, lambda _: {"golden.json": golden_forecast(outcome.trained)})
    monkeypatch.setitem(sys.modules, "holidays", None)  # is not needed any more
    loaded = store.load(tmp_path, "hours").trained
    assert loaded.plan.calendar[-1] == "holiday"
    assert "2024-11-05" in loaded.plan.holidays
    np.testing.assert_array_equal(predict(loaded).quantiles, outcome.forecasts.quantiles)
