"""The story of a training, and the proofs that no number has seen a row that it must not have seen."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from forecast import choosing, pipeline
from forecast.errors import DataError, ForecastError, ResourceError
from forecast.evaluation import metrics
from forecast.evaluation.backtest import CALIBRATION, REPORT, split
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.forecasters.lstm import network
from forecast.forecasters.lstm.network import NetworkFit, Origins
from forecast.golden import golden_forecast
from forecast.options import Device, Forecaster, ReadOptions, Scaler, TrainOptions
from forecast.pacing import Pace
from forecast.panels.panel import Panel, panel_of
from forecast.panels.windows import origins_for_training
from forecast.plan import MEDIAN
from forecast.planning import settle
from forecast.prediction import predict
from forecast.store.records import parse
from forecast.surroundings import Clock

LENGTH = 90
STATUS = {"constant": "ok", "missing": "skipped", "short": "short", "half": "fallback", "plain_0": "ok"}


def wave(seed: int, length: int = LENGTH) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 10.0 ** (seed % 3 + 1) * (3 + np.sin(2 * np.pi * np.arange(length) / 7) + 0.2 * rng.standard_normal(length))


def make_panel() -> Panel:
    """Four plain series, a constant one, one without any value, a short one, one that is mostly missing at its end."""
    half = wave(5)
    half[-5:] = np.nan
    odd = {"constant": np.full(LENGTH, 7.0), "missing": np.full(LENGTH, np.nan), "short": wave(4, 12), "half": half}
    return panel_of({f"plain_{n}": wave(n) for n in range(4)} | odd)


def with_target(panel: Panel, first: int, last: int, change: Any) -> Panel:
    """Return the panel with the steps first..last - 1 of every long series changed, counted from its end."""
    target = panel.target.copy()
    for end in panel.ends[panel.lengths == LENGTH]:
        target[end + first : end + last] = change(target[end + first : end + last])
    return replace(panel, target=target)


def changed_rows(before: Any, after: Any) -> Any:
    """Return the rows of two backtests whose truth differs."""
    return np.flatnonzero(~((before.truth == after.truth) | np.isnan(before.truth)).all(axis=1))


def wildly(values: np.ndarray) -> np.ndarray:
    return -1e3 * np.arange(1, len(values) + 1) ** 2.0


@dataclass
class Training:
    """One training, and what its network was fitted on."""

    outcome: pipeline.Outcome
    panels: list[Panel]
    until: list[Any]
    fits: list[NetworkFit]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return make_panel()


@pytest.fixture(scope="module")
def plan(panel: Panel) -> Any:
    options = TrainOptions(horizon=4, units=8, members=1, window=14, segment=7, origins=6, scaler=Scaler.STANDARD)
    return replace(settle(panel, options, (7,)), steps=40, epoch=10)


def training_on(panel: Panel, plan: Any) -> Training:
    """Train, and write down every fit of the network."""
    seen = Training(None, [], [], [])  # type: ignore[arg-type]
    original = choosing.network.fit

    def fit(panel: Panel, plan: Any, until: Any, listen: Any, **_: Any) -> NetworkFit:
        seen.panels.append(panel)
        seen.until.append(until)
        seen.fits.append(original(panel, plan, until, listen))
        return seen.fits[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing.network, "fit", fit)
        seen.outcome = pipeline.train(panel, plan=plan)
    return seen


@pytest.fixture(scope="module")
def training(panel: Panel, plan: Any) -> Training:
    return training_on(panel, replace(plan, forecaster=Forecaster.NETWORK))


@pytest.fixture(scope="module")
def first(panel: Panel, plan: Any, training: Training) -> Any:
    """Every forecaster as the first training leaves it."""
    parts = split(panel, plan)
    return [training.fits[0].fitted, *(fit(parts.fit, plan) for fit in registry.FIT.values())]


@pytest.fixture
def without_training(monkeypatch: pytest.MonkeyPatch, training: Training) -> Any:
    """Let the network be fitted by looking up what came out before."""
    results = iter(training.fits)
    monkeypatch.setattr(choosing.network, "fit", lambda *_, **__: next(results))
    return monkeypatch


def mix_of(weights: dict[Kind, float]) -> Any:
    """Return what stands in for choosing: these weights between forecasters, all for the only member of a network."""
    chosen = tuple(weights.get(kind, 0.0) for kind in (Kind.NETWORK, *registry.FIT) if kind is not Kind.INTERMITTENT)
    return lambda truth, forecasts, units, *_: (1.0,) if len(forecasts) == 1 else chosen


def same(one: Any, other: Any) -> bool:
    """Tell whether two fitted forecasters hold the same bytes."""
    return one.arrays.keys() == other.arrays.keys() and all(
        one.arrays[name].tobytes() == other.arrays[name].tobytes() for name in one.arrays
    )


def test_there_are_two_trainings_in_all(training: Training) -> None:
    assert [type(until) for until in training.until] == [Origins, tuple]


def test_the_first_training_sees_the_rows_before_both_tails(training: Training, panel: Panel, plan: Any) -> None:
    tails = plan.validated + plan.held_back
    assert training.panels[0].ids == tuple(name for name in panel.ids if name != "short")
    assert set(training.panels[0].lengths) == {LENGTH - tails}


def test_the_second_training_sees_all_rows_of_all_series(training: Training, panel: Panel) -> None:
    assert training.panels[1].ids == panel.ids
    assert training.panels[1].lengths.tolist() == panel.lengths.tolist()


def test_the_second_training_makes_as_many_passes_as_validation_found(
    training: Training, panel: Panel, plan: Any
) -> None:
    looks = [row for row in training.fits[0].history if row["validation"] is not None]
    best = min(looks, key=lambda row: row["validation"])
    first, whole = (int(origins_for_training(rows, plan)[1].sum()) for rows in (training.panels[0], panel))
    assert whole > first
    epochs = math.ceil(best["step"] * whole / first / plan.epoch)
    assert training.until[1] == (min(epochs * plan.epoch, plan.steps),)
    assert training.fits[1].history[-1]["step"] == training.until[1][0]


def test_validation_looks_at_no_held_back_row(training: Training, plan: Any) -> None:
    assert training.until[0].lengths.max() + plan.horizon == LENGTH - plan.held_back


def test_the_history_tells_both_trainings_apart(training: Training) -> None:
    assert list(dict.fromkeys(row["phase"] for row in training.outcome.history)) == ["choosing", "final"]


@pytest.fixture(scope="module")
def other_truth(panel: Panel, plan: Any) -> Training:
    """A training whose held-back rows hold something else altogether."""
    changed = with_target(panel, -plan.held_back, 0, wildly)
    return training_on(changed, replace(plan, forecaster=Forecaster.NETWORK))


def test_held_back_rows_do_not_touch_the_first_weights(training: Training, other_truth: Training) -> None:
    assert same(training.fits[0].fitted, other_truth.fits[0].fitted)


def test_held_back_rows_do_not_choose_the_number_of_steps(training: Training, other_truth: Training) -> None:
    assert other_truth.until[1] == training.until[1]
    assert other_truth.fits[0].history == training.fits[0].history


def test_the_last_training_learns_from_the_held_back_rows(training: Training, other_truth: Training) -> None:
    assert not same(training.fits[1].fitted, other_truth.fits[1].fitted)


def test_held_back_rows_do_not_choose_the_mix(panel: Panel, plan: Any, first: Any) -> None:
    changed = split(with_target(panel, -plan.held_back, 0, wildly), plan)
    weights = choosing.choose_weights(first, split(panel, plan), plan)
    assert choosing.choose_weights(first, changed, plan) == weights
    assert sum(ordinary for ordinary, _ in weights.values()) == pytest.approx(1)


def test_validation_rows_do_choose_the_mix(panel: Panel, plan: Any, first: Any) -> None:
    changed = split(with_target(panel, -plan.held_back - 2, -plan.held_back, wildly), plan)
    assert choosing.choose_weights(first, changed, plan) != choosing.choose_weights(first, split(panel, plan), plan)


@pytest.mark.parametrize("kind", list(registry.FIT))
def test_no_forecaster_is_fitted_on_validation_or_held_back_rows(
    panel: Panel, plan: Any, first: Any, kind: Kind
) -> None:
    changed = split(with_target(panel, -plan.held_back - plan.validated, 0, wildly), plan)
    before = next(one for one in first if one.kind is kind)
    assert same(registry.FIT[kind](changed.fit, plan), before)


def test_validation_rows_stop_the_network_but_teach_it_nothing(panel: Panel, plan: Any, training: Training) -> None:
    changed = split(with_target(panel, -plan.held_back - plan.validated, 0, wildly), plan)
    origins = Origins(changed.validation.series, changed.validation.panel.lengths)
    before, after = training.fits[0], choosing.network.fit(changed.fit, plan, origins, lambda *_: None)
    shared = min(len(before.history), len(after.history))
    assert [row["loss"] for row in before.history[:shared]] == [row["loss"] for row in after.history[:shared]]
    assert before.history[0]["validation"] != after.history[0]["validation"]
    scales = [name for name in before.fitted.arrays if name.startswith("series.")]
    assert scales
    assert all(before.fitted.arrays[name].tobytes() == after.fitted.arrays[name].tobytes() for name in scales)


def test_each_series_is_scaled_by_its_rows_before_the_first_origin(training: Training, panel: Panel, plan: Any) -> None:
    shown = panel.values(0)[: LENGTH - plan.held_back - plan.validated]
    arrays = training.fits[0].fitted.arrays
    assert arrays["series.standard.centre"][0] == pytest.approx(shown.mean(), rel=1e-12)
    assert arrays["series.standard.spread"][0] == pytest.approx(shown.std(), rel=1e-12)


def test_the_bundle_is_scaled_by_all_rows(training: Training, panel: Panel) -> None:
    (network,) = training.outcome.trained.fitted
    assert network.arrays["series.standard.centre"][0] == pytest.approx(panel.values(0).mean(), rel=1e-12)


def bands_of(panel: Panel, plan: Any, first: Any) -> Any:
    weights = {one.kind: (1 / len(first),) * 2 for one in first}
    return pipeline.check(
        choosing.Choice(plan, split(panel, plan), first, (), weights, (), Pace(Clock(), split(panel, plan), plan))
    )


def test_truth_that_is_only_reported_does_not_move_the_bands(panel: Panel, plan: Any, first: Any) -> None:
    # With an even number of origins the last row is truth for the last origin alone, which is reported.
    before, calibration = bands_of(panel, plan, first)
    after, other = bands_of(with_target(panel, -1, 0, lambda values: values * 3), plan, first)
    assert plan.origins % 2 == 0
    assert other.shift.tobytes() == calibration.shift.tobytes()
    changed = changed_rows(before, after)
    assert {before.role[row] for row in changed} == {REPORT}


def test_truth_of_a_calibration_origin_moves_the_bands(panel: Panel, plan: Any, first: Any) -> None:
    before, calibration = bands_of(panel, plan, first)
    after, other = bands_of(with_target(panel, -plan.held_back, 1 - plan.held_back, lambda v: v * 3), plan, first)
    assert (other.shift != calibration.shift).any()
    changed = changed_rows(before, after)
    assert {before.role[row] for row in changed} == {CALIBRATION}


def test_where_the_last_season_is_mostly_missing_the_backtest_repeats_it_as_predict_does(
    panel: Panel, plan: Any, first: Any
) -> None:
    gap = with_target(panel, -plan.held_back - 5, -plan.held_back, lambda values: values * np.nan)
    whole, _ = bands_of(panel, plan, first)
    backtest, bands = bands_of(gap, plan, first)
    row = int(np.flatnonzero(backtest.panel.begins == panel.begins[0])[0])
    assert backtest.quantiles[row, :, MEDIAN].tobytes() == backtest.medians[Kind.SEASONAL_NAIVE][row].tobytes()
    assert whole.quantiles[row, :, MEDIAN].tobytes() != whole.medians[Kind.SEASONAL_NAIVE][row].tobytes()
    assert bands.promised


def test_even_origins_calibrate_and_odd_ones_are_reported(panel: Panel, plan: Any, first: Any) -> None:
    backtest, _ = bands_of(panel, plan, first)
    first_series = np.flatnonzero(backtest.panel.begins == panel.begins[0])
    assert [backtest.role[row] for row in first_series] == [CALIBRATION, REPORT] * 3
    assert set(backtest.panel.lengths[backtest.report()] % 2) == {(LENGTH - plan.held_back + 1) % 2}


def test_coverage_is_measured_on_what_calibration_has_not_used(panel: Panel, plan: Any, first: Any) -> None:
    backtest, _ = bands_of(panel, plan, first)
    scores = metrics.overall(backtest, plan)
    report = np.array(backtest.role) == REPORT
    low, high = backtest.quantiles[report][:, :, 2], backtest.quantiles[report][:, :, -3]
    truth = backtest.truth[report]
    inside = ((low <= truth) & (truth <= high))[np.isfinite(truth)]
    assert scores["scores"]["model"]["coverage_80"] == pytest.approx(inside.mean())


def test_the_backtest_obeys_the_bounds_of_the_plan(panel: Panel, plan: Any, first: Any) -> None:
    free, free_bands = bands_of(panel, plan, first)
    bounded, bands = bands_of(panel, replace(plan, minimum=25.0, maximum=300.0, decimals=0), first)
    assert bands.shift.tobytes() == free_bands.shift.tobytes()  # what is clipped afterwards needs no other bands
    expected = np.clip(np.round(free.quantiles), 25, 300)
    assert bounded.quantiles.tobytes() == expected.tobytes()


def test_single_forecasters_obey_the_bounds_in_the_comparison(panel: Panel, plan: Any, first: Any) -> None:
    free, _ = bands_of(panel, plan, first)
    bounded, _ = bands_of(panel, replace(plan, maximum=300.0), first)
    assert all(free.medians[kind].max() > 300 for kind in bounded.medians)
    assert all(median.max() == 300 for median in bounded.medians.values())


def test_with_fewer_than_four_origins_all_calibrate_and_coverage_is_not_measured(
    panel: Panel, plan: Any, first: Any
) -> None:
    few = replace(plan, origins=3)
    backtest, _ = bands_of(panel, few, first)
    scores = metrics.overall(backtest, few)
    assert set(backtest.role) == {CALIBRATION}
    assert (scores["coverage_measured"], scores["scores"]["model"]["coverage_80"]) == (False, None)


def test_the_network_alone_is_published_where_that_was_asked_for(training: Training) -> None:
    trained = training.outcome.trained
    assert [(one.kind, weight) for one, weight in zip(trained.fitted, trained.weights, strict=True)] == [
        (Kind.NETWORK, 1.0)
    ]


def test_the_mix_of_the_validation_origins_is_published(without_training: Any, panel: Panel, plan: Any) -> None:
    without_training.setattr(choosing.mixing, "choose_weights", mix_of({Kind.NETWORK: 0.25, Kind.THETA: 0.75}))
    trained = pipeline.train(panel, plan=plan).trained
    assert [one.kind for one in trained.fitted] == [Kind.NETWORK, Kind.THETA]
    assert trained.weights == (0.25, 0.75)


def test_a_baseline_alone_needs_no_second_training(without_training: Any, panel: Panel, plan: Any) -> None:
    without_training.setattr(choosing.mixing, "choose_weights", mix_of({Kind.SEASONAL_NAIVE: 1.0}))
    outcome = pipeline.train(panel, plan=plan)
    assert [one.kind for one in outcome.trained.fitted] == [Kind.SEASONAL_NAIVE]
    assert {row["phase"] for row in outcome.history} == {"choosing"}


def test_a_member_without_a_share_is_not_trained_again(panel: Panel, plan: Any) -> None:
    kinds = {"windows": (14, 7, 14), "bases": (7, 1, 7), "smoothings": (True, False, True)}
    three = replace(plan, transforms=("standard", "robust", "none"), **kinds, steps=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "choose_shares", lambda *_: (0.0, 0.25, 0.75))
        seen = training_on(panel, replace(three, forecaster=Forecaster.NETWORK))
    trained = seen.outcome.trained
    assert (trained.plan.transforms, trained.plan.windows, trained.plan.shares) == (
        *(("robust", "none"), (7, 14), (0.25, 0.75)),
    )
    assert len(seen.until[1]) == 2
    assert trained.fitted[0].arrays.keys() == network.shapes(trained.plan, len(panel)).keys()


def test_members_share_the_weight_by_what_the_validation_origins_show(panel: Panel, plan: Any) -> None:
    parts, two = split(panel, plan), replace(plan, transforms=("standard",) * 2, windows=(), bases=(), smoothings=())
    truth = parts.validation.panel.truth(plan.horizon)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing.network, "medians", lambda *_: [truth + 1, truth])
        assert choosing.choose_shares(None, parts, two) == (0.0, 1.0)  # type: ignore[arg-type]


def test_every_series_is_in_the_bundle_also_those_that_joined_no_origin(training: Training, panel: Panel) -> None:
    trained = training.outcome.trained
    assert trained.ids == panel.ids
    assert len(trained.units) == len(trained.context) == len(panel)  # type: ignore[arg-type]
    assert np.isfinite(trained.units).all()


@pytest.mark.parametrize(("name", "status"), list(STATUS.items()))
def test_an_odd_series_spoils_nothing_and_has_its_status(
    training: Training, panel: Panel, name: str, status: str
) -> None:
    forecasts, row = training.outcome.forecasts, panel.ids.index(name)
    assert forecasts.status[row] == status
    assert np.isfinite(forecasts.quantiles[row]).all() == (status != "skipped")


def test_an_unknown_series_is_forecast_too(training: Training) -> None:
    forecasts = predict(training.outcome.trained, panel_of({"stranger": wave(9)}))
    assert forecasts.status == ("new",)
    assert np.isfinite(forecasts.quantiles).all()


def test_bands_are_nested_around_the_point(training: Training) -> None:
    quantiles = training.outcome.forecasts.quantiles
    seen = np.isfinite(quantiles).all(axis=(1, 2))
    assert seen.sum() == 7
    assert (np.diff(quantiles[seen], axis=2) >= 0).all()


def test_a_constant_series_is_forecast_as_what_it_is(training: Training, panel: Panel) -> None:
    point = training.outcome.forecasts.at((0.5,))[panel.ids.index("constant"), :, 0]
    assert point == pytest.approx(7.0, rel=1e-2)


def test_the_loss_stays_finite_beside_a_series_without_any_value(training: Training) -> None:
    assert all(np.isfinite(row["loss"]) for row in training.outcome.history)


def test_keras_and_the_runtime_agree_on_what_was_trained(training: Training) -> None:
    assert 0 < training.outcome.agreement < pipeline.TOLERANCE


def test_a_forecast_from_the_stored_context_is_that_of_training(training: Training) -> None:
    outcome = training.outcome
    assert predict(outcome.trained).quantiles.tobytes() == outcome.forecasts.quantiles.tobytes()


def test_the_golden_forecast_is_strict_json_of_series_that_have_one(training: Training) -> None:
    trained = training.outcome.trained
    context = trained.context
    assert context is not None
    order = [trained.ids.index(name) for name in ("missing", "plain_1", "half", "constant", "plain_0")]
    golden = parse(golden_forecast(replace(trained, context=context.select(order), ids=trained.ids[:5])))
    assert golden["ids"] == ["plain_1", "half", "constant"]
    assert golden["probabilities"] == list(trained.plan.quantiles)


def test_progress_is_told_stage_by_stage(without_training: Any, panel: Panel, plan: Any) -> None:
    told: list[Any] = []
    results = iter([choosing.network.fit() for _ in range(2)])  # type: ignore[call-arg]

    def fit(panel: Panel, plan: Any, until: Any, listen: Any, **_: Any) -> Any:
        listen(10, 40, 0.5, 0.1)
        return next(results)

    without_training.setattr(choosing.network, "fit", fit)
    pipeline.train(panel, plan=replace(plan, forecaster=Forecaster.NETWORK), listen=told.append)
    assert [(one.stage, one.done, one.total, one.loss, one.gain) for one in told] == [
        ("choosing", 10, 40, 0.5, 0.1),
        ("final", 10, 40, 0.5, 0.1),
    ]


def test_a_runtime_that_differs_from_keras_publishes_nothing(without_training: Any, panel: Panel, plan: Any) -> None:
    without_training.setattr(pipeline, "network_agreement", lambda *_: 0.02)
    with pytest.raises(ForecastError) as refused:
        pipeline.train(panel, plan=plan)
    assert str(refused.value) == (
        "the NumPy runtime differs from Keras by 2.0e-02 of a series' scale, more than 0.0001.\n"
        "This is a bug of this installation: report it, with the versions of numpy, keras and tensorflow."
    )


def test_a_difference_that_is_no_number_publishes_nothing(without_training: Any, panel: Panel, plan: Any) -> None:
    without_training.setattr(pipeline, "network_agreement", lambda *_: np.nan)
    with pytest.raises(ForecastError, match="differs from Keras by nan of a series' scale"):
        pipeline.train(panel, plan=plan)


def test_rounding_of_a_series_that_grows_steadily_is_no_difference() -> None:
    steps = np.arange(1500.0)
    growth = panel_of({"a": np.exp(steps / 150) + 0.01 * np.random.default_rng(0).standard_normal(1500)})
    options = TrainOptions(horizon=4, units=4, members=1, scaler=Scaler.STANDARD)
    plan = replace(settle(growth, options), steps=20, epoch=20)
    assert 0 < pipeline.train(growth, plan=plan).agreement < pipeline.TOLERANCE


def test_rounding_of_a_forecast_far_above_its_history_is_no_difference() -> None:
    walks = np.cumsum(np.random.default_rng(0).normal(0, 1.2, (8, 160)), axis=1)
    wild = panel_of({str(row): np.exp(walk) for row, walk in enumerate(walks)})
    plan = replace(settle(wild, TrainOptions(horizon=6, units=4, members=1, scaler=Scaler.LOG)), steps=60, epoch=20)
    assert 0 < pipeline.train(wild, plan=plan).agreement < pipeline.TOLERANCE


def test_a_last_training_that_diverges_publishes_nothing(
    without_training: Any, training: Training, panel: Panel, plan: Any
) -> None:
    good, bad = training.fits
    arrays = bad.fitted.arrays | {"member_0.head.bias": np.full_like(bad.fitted.arrays["member_0.head.bias"], np.nan)}
    results = iter([good, replace(bad, fitted=replace(bad.fitted, arrays=arrays))])
    without_training.setattr(choosing.network, "fit", lambda *_, **__: next(results))
    with pytest.raises(ForecastError) as refused:
        pipeline.train(panel, plan=replace(plan, forecaster=Forecaster.NETWORK))
    assert str(refused.value) == (
        "training on all rows did not converge: a weight is not finite; nothing was published.\n"
        "Look for values of extreme size in the newest rows, or choose another --scaler."
    )


def test_values_that_are_all_missing_are_refused_before_tensorflow_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pipeline, "choose_device")
    with pytest.raises(DataError) as refused:
        pipeline.train(panel_of({"a": np.full(50, np.nan)}))
    assert str(refused.value) == (
        "every value of every series is missing.\nCheck the target column, or name it with --target."
    )


def test_values_that_lie_ahead_of_the_panel_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pipeline, "choose_device")
    values = np.append(np.full(50, np.nan), np.ones(50))
    with pytest.raises(DataError, match="every value of every series is missing"):
        pipeline.train(panel_of({"a": values}).without_end(50))


def test_an_end_without_any_value_is_refused_before_tensorflow_starts(
    monkeypatch: pytest.MonkeyPatch, plan: Any
) -> None:
    monkeypatch.delattr(pipeline, "choose_device")
    values = wave(1)
    values[-plan.held_back :] = np.nan
    with pytest.raises(DataError) as refused:
        pipeline.train(panel_of({"a": values}), plan=plan)
    assert str(refused.value) == (
        f"the last {plan.validated + plan.held_back} steps hold too few observed values to choose and to check a "
        "forecast on.\nGive rows with values up to the end, or say with --fill zero that a missing one is 0."
    )


def test_a_plan_that_is_too_large_for_the_data_is_refused(monkeypatch: pytest.MonkeyPatch, plan: Any) -> None:
    monkeypatch.delattr(pipeline, "choose_device")
    with pytest.raises(DataError, match="hold too few observed values to choose and to check"):
        pipeline.train(panel_of({"a": wave(1, 20)}), plan=plan)


def test_a_gpu_that_is_not_there_is_an_error_never_a_silent_processor(panel: Panel, plan: Any) -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(ResourceError, match="--device gpu: TensorFlow sees no GPU on this machine"):
        pipeline.train(panel, TrainOptions(device=Device.GPU), plan=plan)


def test_the_context_holds_as_much_as_a_forecaster_looks_back(training: Training, panel: Panel, plan: Any) -> None:
    context = training.outcome.trained.context
    assert context is not None
    assert context.lengths.tolist() == np.minimum(panel.lengths, plan.lookback).tolist()
    assert context.last.tolist() == panel.last.tolist()


def test_the_context_holds_what_is_known_of_the_horizon_ahead(panel: Panel, plan: Any) -> None:
    known = replace(panel, future=np.arange(len(panel.target), dtype=float)[None])
    cut = known.select([0, 1], known.lengths[:2] - 10)
    context = pipeline.context_of(cut, plan)
    assert context.future[0, context.ahead(plan.horizon)].tolist() == known.future[0, cut.ahead(plan.horizon)].tolist()
    assert (context.limits - context.ends).tolist() == [plan.horizon] * 2


def test_covariates_reach_the_plan_by_their_names(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    known = replace(panel, past=np.ones((1, len(panel.target))), static=np.ones((len(panel), 1)))
    read = ReadOptions(past=("price",), static=("area",), season=(7,))
    names: list[Any] = []

    def no_fit(parts: Any, plan: Any, *_: Any) -> None:
        names.append((plan.past, plan.future, plan.static))
        raise KeyboardInterrupt

    monkeypatch.setattr(choosing, "fit_all", no_fit)
    with pytest.raises(KeyboardInterrupt):
        pipeline.train(known, TrainOptions(horizon=4), read)
    assert names == [(("price",), (), ("area",))]


def test_a_series_shorter_than_a_season_with_its_horizon_can_still_be_trained_on() -> None:
    few = panel_of({"a": wave(1, 39)})
    plan = replace(settle(few, TrainOptions(horizon=12, units=4, members=1)), steps=2, epoch=2)
    outcome = pipeline.train(few, plan=plan)
    assert (plan.origins, len(outcome.backtest.role)) == (1, 1)
    assert np.isfinite(outcome.forecasts.quantiles).all()


def odd_panel() -> Panel:
    """Plain series of different size beside every kind of zeros: never sold, sold once, no longer sold, just begun."""
    rng = np.random.default_rng(8)
    once, begun = np.zeros(LENGTH), np.zeros(LENGTH)
    once[20], begun[-12:] = 7.0, 5e6
    dead = np.where(np.arange(LENGTH) < LENGTH - 14, (rng.random(LENGTH) < 0.4) * 3.0, 0.0)
    sparse = {f"sparse_{n}": (rng.random(LENGTH) < 0.2) * (1.0 + rng.poisson(2, LENGTH)) for n in range(4)}
    odd = {"never": np.zeros(LENGTH), "once": once, "dead": dead, "begun": begun} | sparse
    return panel_of({f"plain_{n}": wave(n) for n in range(4)} | odd)


@pytest.fixture(scope="module")
def odd(plan: Any) -> Training:
    return training_on(odd_panel(), replace(plan, steps=20, minimum=0.0))


def test_training_beside_all_kinds_of_zeros_stays_finite(odd: Training) -> None:
    history = odd.outcome.history
    assert all(np.isfinite(row["loss"]) for row in history)
    assert all(row["validation"] is None or row["validation"] < 10 * row["reference"] for row in history)
    assert all(np.isfinite(array).all() for fit in odd.fits for array in fit.fitted.arrays.values())


def test_metrics_beside_all_kinds_of_zeros_are_finite_and_of_usual_size(odd: Training) -> None:
    scores = metrics.overall(odd.outcome.backtest, odd.outcome.trained.plan)["scores"]
    assert all(0 < score["mase"] < 10 and 0 < score["rmsse"] < 10 for score in scores.values())
    assert 0 < scores["model"]["pinball"] < 5
    assert Kind.INTERMITTENT in scores


def test_bands_of_plain_series_are_not_those_of_zeros_that_turn_into_millions(odd: Training) -> None:
    forecasts, units = odd.outcome.forecasts, odd.outcome.trained.units
    width = (forecasts.quantiles[:, :, -1] - forecasts.quantiles[:, :, 0]).max(axis=1) / units
    assert width[:4].max() < 20


def test_no_forecast_of_zeros_is_below_the_bound_or_far_from_what_was_ever_seen(odd: Training) -> None:
    forecasts = odd.outcome.forecasts
    assert set(forecasts.status) == {"ok"}
    highest = forecasts.quantiles.max(axis=(1, 2))
    assert forecasts.quantiles.min() == 0
    assert highest[forecasts.ids.index("never")] < 1
    assert highest[forecasts.ids.index("once")] < 7
    assert highest[forecasts.ids.index("dead")] < 10


def test_validation_looks_at_no_series_of_zeros_alone(odd: Training) -> None:
    parts = split(odd_panel(), odd.outcome.trained.plan)
    seen = {parts.fit.ids[series] for series in odd.until[0].series}
    assert {"never", "begun"} & seen == set()
    assert {"once", "dead", "plain_0"} <= seen


def test_the_report_has_a_row_for_every_series_of_zeros(odd: Training) -> None:
    found = metrics.by_series(odd.outcome.backtest, odd.outcome.trained.plan)
    assert set(found["series"]) == set(odd.outcome.trained.ids)
    defined = dict(zip(found["series"], np.isfinite(found["mase"]), strict=True))
    assert [name for name, known in defined.items() if not known] == ["never", "begun"]
    assert np.isfinite(found["mae"]).all()


def test_a_panel_of_zeros_is_forecast_as_zero(plan: Any) -> None:
    zeros = panel_of({"a": np.zeros(LENGTH), "b": np.zeros(LENGTH)})
    outcome = training_on(zeros, replace(plan, steps=10)).outcome
    assert np.abs(outcome.forecasts.quantiles).max() < 1e-6
    score = metrics.overall(outcome.backtest, outcome.trained.plan)["scores"]["model"]
    assert (score["coverage_80"], score["coverage_95"]) == (1, 1)


def test_panels_without_mostly_zero_series_are_not_compared_with_their_forecaster(
    without_training: Any, panel: Panel, plan: Any
) -> None:
    assert Kind.INTERMITTENT not in pipeline.train(panel, plan=plan).backtest.medians
