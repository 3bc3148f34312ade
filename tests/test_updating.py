"""An update: what the candidate and what is published are fitted on, where they are compared, and what stays."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecast import pipeline, updating
from forecast.adapting import LARGEST
from forecast.errors import DataError, MismatchError
from forecast.evaluation import calibration
from forecast.evaluation.backtest import REPORT, SEEN
from forecast.forecasters import registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.matching import value_ranges
from forecast.options import BacktestOptions, Forecaster, ReadOptions, Scaler, TrainOptions
from forecast.panels.panel import Panel, panel_of
from forecast.panels.units import seasonal_difference
from forecast.pipeline import context_of
from forecast.plan import Plan
from forecast.planning import settle
from forecast.prediction import band_scale, predict
from forecast.trained import Trained

PLAN = Plan(horizon=4, window=14, segment=7, seasons=(7,), base=7, lookback=120)


def wave(seed: int, length: int) -> Any:
    rng = np.random.default_rng(seed)
    return 10 * (3 + np.sin(2 * np.pi * np.arange(length) / 7) + 0.2 * rng.standard_normal(length))


def make_panel(*lengths: int) -> Panel:
    return panel_of({f"series {n}": wave(n, length) for n, length in enumerate(lengths)})


def trained_on(panel: Panel, *kinds: Kind) -> Trained:
    """Return a model without a network."""
    kinds = kinds or (Kind.RIDGE, Kind.SEASONAL_NAIVE)
    return Trained(
        plan=PLAN,
        read=ReadOptions(),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=tuple(registry.FIT[kind](panel, PLAN) for kind in kinds),
        weights=(1 / len(kinds),) * len(kinds),
        units=seasonal_difference(panel, 7),
        calibration=calibration.none(PLAN),
        context=context_of(panel, PLAN),
        source={},
        ranges=value_ranges(panel),
    )


def cut(panel: Panel, new: int) -> Panel:
    return panel.without_end(new)


def with_changed_end(panel: Panel, steps: int) -> Panel:
    """Return the panel with the last steps of every series replaced by something wild."""
    target = panel.target.copy()
    for end in panel.ends:
        target[end - steps : end] = -1e3 * np.arange(1, steps + 1) ** 2.0
    return replace(panel, target=target)


@pytest.mark.parametrize(
    ("new", "origins", "every"), [(4, 1, 1), (5, 2, 1), (23, 20, 1), (40, 20, 1), (200, 20, 5), (210, 20, 5)]
)
def test_origins_are_spread_over_the_newer_half_of_the_new_rows(new: int, origins: int, every: int) -> None:
    panel = make_panel(300, 300)
    fair = updating.fair_origins(trained_on(cut(panel, new)), panel)
    assert fair == updating.Fair(new, BacktestOptions(origins=origins, every=every))


def test_origins_a_season_apart_would_all_be_of_the_same_weekday() -> None:
    panel = make_panel(900)
    fair = updating.fair_origins(trained_on(cut(panel, 274)), panel)  # (274 // 2 - 4) // 19 = 7
    assert fair.ask == BacktestOptions(origins=20, every=6)


@pytest.mark.parametrize("new", [0, 3])
def test_fewer_new_rows_than_a_forecast_has_steps_allow_no_comparison(new: int) -> None:
    panel = make_panel(100)
    assert updating.fair_origins(trained_on(cut(panel, new) if new else panel), panel) == updating.Fair(new, None)


def test_a_table_that_ends_before_the_rows_of_training_has_less_than_no_new_rows() -> None:
    panel = make_panel(100)
    assert updating.fair_origins(trained_on(panel), cut(panel, 2)).new == -2


def test_new_rows_without_any_value_allow_no_comparison() -> None:
    panel = make_panel(100)
    panel.target[-8:] = np.nan
    assert updating.fair_origins(trained_on(cut(panel, 8)), panel) == updating.Fair(8, None)


def test_a_table_that_has_lost_most_series_is_refused() -> None:
    panel = make_panel(100, 100, 100)
    with pytest.raises(MismatchError) as refused:
        updating.fair_origins(trained_on(cut(panel, 8)), panel.select([1]))
    assert str(refused.value) == (
        "2 of the 3 series of the model are not in the table: 'series 0', 'series 2'; an update would forget them.\n"
        "Give a table with all series, or train anew."
    )


def test_a_model_without_stored_rows_cannot_tell_what_is_new() -> None:
    panel = make_panel(100)
    with pytest.raises(MismatchError, match="nobody can tell which rows are new"):
        updating.fair_origins(replace(trained_on(cut(panel, 8)), context=None), panel)


def test_the_candidate_and_the_current_model_are_compared_on_rows_that_neither_has_seen() -> None:
    panel = make_panel(100, 80)
    trained = trained_on(cut(panel, 8))
    longer = panel.select([0, 1], np.array([100, 72]))  # the second series has no new rows
    candidate = updating.try_update(trained, longer, BacktestOptions(origins=5, every=1))
    rows = candidate.backtest.panel
    assert candidate.backtest.role == (REPORT,) * 5 + (SEEN,) * 5
    assert rows.lengths[:5].tolist() == [92, 93, 94, 95, 96]
    assert candidate.trained.context is not None
    assert candidate.trained.context.last.max() == 92
    assert (candidate.series, candidate.origins) == (1, ("92", "96", 5))


def test_the_candidate_does_not_depend_on_the_truth_that_it_is_compared_on() -> None:
    panel, ask = make_panel(100, 100), BacktestOptions(origins=5, every=1)
    trained = trained_on(cut(panel, 20))
    one = updating.try_update(trained, panel, ask)
    other = updating.try_update(trained, with_changed_end(panel, 8), ask)
    for fitted, again in zip(one.trained.fitted, other.trained.fitted, strict=True):
        assert all(fitted.arrays[name].tobytes() == again.arrays[name].tobytes() for name in fitted.arrays)
    assert one.error != other.error


def test_what_is_published_is_fitted_on_all_rows() -> None:
    panel, ask = make_panel(100, 100), BacktestOptions(origins=5, every=1)
    trained = trained_on(cut(panel, 20))
    outcome = updating.finish(trained, panel, updating.try_update(trained, panel, ask), ReadOptions(), {"path": "a"})
    whole = trained_on(panel)
    for fitted, expected in zip(outcome.trained.fitted, whole.fitted, strict=True):
        assert all(fitted.arrays[name].tobytes() == expected.arrays[name].tobytes() for name in expected.arrays)
    assert outcome.trained.units.tolist() == whole.units.tolist()
    assert outcome.trained.source == {"path": "a"}
    assert outcome.forecasts.cutoffs.tolist() == [100, 100]


def test_plan_mix_and_calibration_stay() -> None:
    panel = make_panel(100)
    trained = replace(trained_on(cut(panel, 10)), weights=(0.25, 0.75))
    candidate = updating.try_update(trained, panel, BacktestOptions(origins=2, every=1))
    updated = updating.finish(trained, panel, candidate, ReadOptions(), {}).trained
    assert (updated.plan, updated.weights) == (PLAN, (0.25, 0.75))
    assert replace(updated.calibration, scale=1.0).shift is trained.calibration.shift


def test_a_series_that_is_gone_is_forgotten_and_a_new_one_is_known() -> None:
    panel = make_panel(100, 100, 100, 100)
    trained = trained_on(cut(panel, 10).select([0, 1, 2]))
    table = panel.select([1, 2, 3])
    candidate = updating.try_update(trained, table, BacktestOptions(origins=2, every=1))
    outcome = updating.finish(trained, table, candidate, ReadOptions(), {})
    assert outcome.trained.ids == ("series 1", "series 2", "series 3")
    assert outcome.forecasts.status == ("ok",) * 3
    assert predict(trained, table).status == ("ok", "ok", "new")


def test_a_candidate_that_is_as_good_is_promoted_and_a_worse_one_is_not() -> None:
    panel = make_panel(100)
    same = trained_on(cut(panel, 10), Kind.SEASONAL_NAIVE)
    candidate = updating.try_update(same, panel, BacktestOptions(origins=2, every=1))
    assert candidate.error == candidate.before
    assert candidate.promoted
    assert not replace(candidate, error=candidate.before * 1.001).promoted


def test_series_of_zeros_alone_are_compared_by_their_mean_absolute_error() -> None:
    panel = panel_of({"a": np.zeros(100), "b": wave(1, 100)})
    trained = trained_on(cut(panel, 10), Kind.NAIVE)
    longer = panel.select([0, 1], np.array([100, 90]))
    candidate = updating.try_update(trained, longer, BacktestOptions(origins=2, every=1))
    assert (candidate.measure, candidate.error, candidate.before, candidate.promoted) == ("MAE", 0.0, 0.0, True)


def test_a_model_without_a_network_needs_no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(updating, "choose_device")
    panel = make_panel(100)
    candidate = updating.try_update(trained_on(cut(panel, 10)), panel, BacktestOptions(origins=2, every=1))
    assert candidate.device["why_not"] == "the model has no network"
    assert candidate.history == ()


# --- with a network ---

LENGTH, NEW = 90, 12


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of({f"series {n}": wave(n, LENGTH + NEW) for n in range(3)})


@pytest.fixture(scope="module")
def trained(panel: Panel) -> Trained:
    options = TrainOptions(horizon=4, units=8, members=2, window=14, segment=7, origins=6, scaler=Scaler.STANDARD)
    before = cut(panel, NEW)
    plan = replace(settle(before, options, (7,)), steps=1000, epoch=10, patience=2, forecaster=Forecaster.NETWORK)
    return pipeline.train(before, plan=plan).trained


@pytest.fixture(scope="module")
def candidate(trained: Trained, panel: Panel) -> updating.Candidate:
    return updating.try_update(trained, panel, BacktestOptions(origins=5, every=1))


def weights_of(trained: Trained) -> dict[str, Any]:
    (fitted,) = (one for one in trained.fitted if one.kind is Kind.NETWORK)
    return {name: array for name, array in fitted.arrays.items() if name.startswith("member_")}


def test_networks_go_on_from_their_weights(trained: Trained, candidate: updating.Candidate) -> None:
    before, after = weights_of(trained), weights_of(candidate.trained)
    assert before.keys() == after.keys()
    changes = [float(np.abs(after[name] - before[name]).max()) for name in before]
    assert 0 < max(changes) < 0.05  # twenty steps at a fifth of the rate


def test_networks_take_a_tenth_of_the_steps_or_of_the_shorter_epochs_of_a_small_table(
    trained: Trained, candidate: updating.Candidate
) -> None:
    assert [(row["phase"], row["member"], row["step"]) for row in candidate.history] == [
        ("candidate", member, step) for member in range(trained.plan.members) for step in (10, 20)
    ]


def test_keras_and_the_runtime_agree_on_the_candidate(candidate: updating.Candidate) -> None:
    assert 0 < candidate.agreement < pipeline.TOLERANCE


def test_an_updated_network_is_published_with_the_plan_of_training(
    trained: Trained, candidate: updating.Candidate, panel: Panel
) -> None:
    outcome = updating.finish(trained, panel, candidate, ReadOptions(), {})
    assert outcome.trained.plan == trained.plan
    assert {row["phase"] for row in outcome.history} == {"candidate", "final"}
    assert np.isfinite(outcome.forecasts.quantiles).all()
    fitted = outcome.trained.fitted[0]
    assert fitted.arrays.keys() == network.shapes(trained.plan, len(panel)).keys()


def test_the_same_update_gives_the_same_bytes(trained: Trained, candidate: updating.Candidate, panel: Panel) -> None:
    again = updating.try_update(trained, panel, BacktestOptions(origins=5, every=1))
    before, after = weights_of(candidate.trained), weights_of(again.trained)
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)


def test_the_scale_of_covariates_stays_that_of_the_weights(panel: Panel) -> None:
    start = Fitted(
        Kind.NETWORK, {"past.centre": np.array([5.0]), "past.spread": np.array([2.0]), "member_0.x": np.ones(1)}
    )
    assert network.covariate_scales(panel, start) == {
        "past.centre": start.arrays["past.centre"],
        "past.spread": start.arrays["past.spread"],
    }


def test_values_that_the_logarithm_cannot_take_are_refused_before_tensorflow_starts(
    trained: Trained, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(updating, "choose_device")
    logs = replace(trained, plan=replace(trained.plan, transforms=("log",) * trained.plan.members))
    target = panel.target.copy()
    target[5] = 0.0
    with pytest.raises(MismatchError) as refused:
        updating.try_update(logs, replace(panel, target=target), BacktestOptions(origins=2, every=1))
    assert str(refused.value) == (
        "series 'series 0' holds 0, but the logarithm needs values above 0.\n"
        "The model was trained on values above 0 alone: train it anew."
    )


def test_new_rows_alone_are_too_few_to_learn_from(
    trained: Trained, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(updating, "choose_device")
    newest = replace(panel, starts=panel.starts + LENGTH, begins=panel.begins + LENGTH, lengths=panel.lengths - LENGTH)
    with pytest.raises(DataError, match="Give a table that also has the rows that the model was trained on"):
        updating.try_update(trained, newest, BacktestOptions(origins=5, every=1))


def test_a_table_of_new_rows_alone_is_refused_without_a_network_too() -> None:
    panel = make_panel(260, 260)
    trained = trained_on(cut(panel, 60))
    recent = panel.last_steps(20)
    ask = updating.fair_origins(trained, recent).ask
    assert ask is not None
    with pytest.raises(DataError, match="Give a table that also has the rows that the model was trained on"):
        updating.try_update(trained, recent, ask)


def test_an_update_keeps_the_width_that_the_newer_rows_have_shown() -> None:
    rng = np.random.default_rng(4)
    noise = rng.standard_normal(700) * np.where(np.arange(700) < 300, 0.3, 1.5)
    panel = panel_of({"a": 20 + 5 * np.sin(2 * np.pi * np.arange(700) / 7) + noise})
    shift = np.linspace(-2, 2, len(PLAN.quantiles)) * np.ones((PLAN.horizon, 1))
    bands = calibration.Calibration(shift, np.full(PLAN.horizon, 100), promised=True)
    trained = replace(trained_on(cut(panel, 400), Kind.SEASONAL_NAIVE), calibration=bands)
    trained = replace(trained, units=np.ones(1), last=cut(panel, 400).last)
    ask = updating.fair_origins(trained, panel).ask
    assert ask is not None
    candidate = updating.try_update(trained, panel, ask)
    final = updating.finish(trained, panel, candidate, ReadOptions(), {}).trained
    calm = updating.finish(trained, cut(panel, 400), candidate, ReadOptions(), {}).trained
    assert final.calibration.scale == pytest.approx(band_scale(candidate.trained, panel))
    assert final.calibration.scale != 1
    assert calm.calibration.scale == 1
    again = replace(trained, calibration=replace(bands, scale=LARGEST))
    assert updating.finish(again, panel, candidate, ReadOptions(), {}).trained.calibration.scale <= LARGEST
