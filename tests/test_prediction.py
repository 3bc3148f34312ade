from dataclasses import replace

import numpy as np
import pytest

from forecast import pipeline, prediction
from forecast.errors import DataError, MismatchError
from forecast.evaluation.calibration import Calibration
from forecast.forecasters import registry
from forecast.forecasters.baselines import seasonal_naive
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.matching import known_rows
from forecast.options import ReadOptions
from forecast.panels import channels, scaling
from forecast.panels.calendar import Calendar
from forecast.panels.panel import panel_of
from forecast.panels.units import seasonal_difference
from forecast.plan import MEDIAN, Plan
from forecast.prediction import evaluate, predict
from forecast.trained import Trained

AHEAD = 20  # stored steps after the end, of which the future-known covariate may be read
LENGTHS = {"plain": 100, "gaps": 100, "constant": 100, "missing": 100, "short": 12, "half": 100, "phase": 140}
STATUS = ("ok", "ok", "ok", "skipped", "short", "fallback", "fallback")
PLAN = Plan(
    horizon=5,
    window=21,
    segment=7,
    seasons=(7,),
    base=7,
    lookback=60,
    past=("price",),
    future=("promotion",),
    static=("area",),
    calendar=("weekday_0", "year_sin"),
    transforms=("standard", "log"),
    units=8,
    origins=4,
)
FAR = 13  # steps, more than twice the trained horizon


def wave(length, seed):
    rng = np.random.default_rng(seed)
    return 30 * (1 + seed) + 9 * np.sin(2 * np.pi * np.arange(length) / 7) + rng.standard_normal(length)


def make_panel(names=tuple(LENGTHS)):
    values = {name: wave(LENGTHS.get(name, 100) + AHEAD, seed) for seed, name in enumerate(names)}
    shapes = {
        "gaps": lambda v: np.where(np.arange(len(v)) % 9 == 4, np.nan, v),
        "constant": lambda v: np.full(len(v), 7.0),
        "missing": lambda v: np.full(len(v), np.nan),
        "half": lambda v: np.where(np.abs(np.arange(len(v)) - 97) <= 2, np.nan, v),
        # Mostly missing for longer than any forecaster looks back, whole before.
        "phase": lambda v: np.where((np.arange(len(v)) >= 70) & (np.arange(len(v)) % 7 > 1), np.nan, v),
    }
    panel = panel_of(
        {name: shapes.get(name, lambda v: v)(values[name]) for name in names}, Calendar("D", 0, "%Y-%m-%d")
    )
    rng = np.random.default_rng(5)
    steps = len(panel.target)
    panel = replace(
        panel,
        past=rng.normal(3, 2, (1, steps)),
        future=rng.normal(-1, 5, (1, steps)),
        static=rng.normal(0, 2, (len(names), 1)),
    )
    return panel.select(np.arange(len(names)), panel.lengths - AHEAD)


def random_network(panel, plan):
    """Weights that nobody trained, on the scalings of the panel."""
    rng = np.random.default_rng(1)
    arrays = {}
    for name, shape in network.shapes(plan, len(panel)).items():
        arrays[name] = rng.normal(0, 0.4 * max(shape[-1], 1) ** -0.5, shape)
        if name.endswith(".spread"):
            arrays[name] = np.full(shape, 2.0)
    for transform in plan.transforms:
        own = scaling.fit(panel, transform)
        arrays |= {f"series.{transform}.{part}": getattr(own, part) for part in ("centre", "spread", "power")}
    return Fitted(Kind.NETWORK, arrays)


def make_trained(panel, plan=PLAN):
    """A model that mixes every forecaster there is."""
    fitted = (random_network(panel, plan), *(fit(panel, plan) for fit in registry.FIT.values()))
    shift = np.linspace(-1, 1, len(plan.quantiles)) * np.linspace(0.5, 1.5, plan.horizon)[:, None]
    return Trained(
        plan=plan,
        read=ReadOptions(),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=fitted,
        weights=(1 / len(fitted),) * len(fitted),
        units=seasonal_difference(panel, plan.season),
        calibration=Calibration(shift, np.full(plan.horizon, 100), promised=True),
        context=pipeline.context_of(panel, plan),
        source={},
    )


@pytest.fixture(scope="module")
def panel():
    return make_panel()


@pytest.fixture(scope="module")
def trained(panel):
    return make_trained(panel)


def distances(forecasts):
    """Return how far each quantile is from the point forecast."""
    return np.abs(forecasts.quantiles - forecasts.quantiles[:, :, MEDIAN, None])


def test_a_forecast_from_the_stored_context_is_that_from_the_table_byte_for_byte(trained, panel):
    stored, read = predict(trained), predict(trained, panel)
    assert stored.quantiles.tobytes() == read.quantiles.tobytes()
    assert (stored.ids, stored.status, stored.cutoffs.tolist()) == (read.ids, read.status, read.cutoffs.tolist())


def test_a_longer_forecast_from_the_context_too_is_that_from_the_table(panel):
    plan = replace(PLAN, future=())
    only_past = replace(panel, future=np.empty((0, 0)))
    trained = make_trained(only_past, plan)
    assert predict(trained, None, FAR).quantiles.tobytes() == predict(trained, only_past, FAR).quantiles.tobytes()


def test_a_series_gets_the_status_that_it_deserves(trained, panel):
    assert predict(trained, panel).status == STATUS


@pytest.mark.parametrize("ids", [None, ("stranger",)])
def test_a_short_series_whose_last_season_is_missing_is_a_fallback_too(trained, panel, ids):
    short = panel.select([0], np.array([PLAN.window - 1]))
    target = panel.target.copy()
    target[short.ends[0] - PLAN.season : short.ends[0]] = np.nan
    forecasts = predict(trained, replace(short, target=target, ids=ids or short.ids))
    assert forecasts.status == ("fallback",)


def test_every_series_with_a_value_gets_a_finite_forecast_and_no_other(trained, panel):
    finite = np.isfinite(predict(trained, panel).quantiles)
    assert finite.all(axis=(1, 2)).tolist() == [status != "skipped" for status in STATUS]
    assert finite.any(axis=(1, 2)).tolist() == finite.all(axis=(1, 2)).tolist()


@pytest.mark.parametrize("horizon", [None, FAR])
def test_no_quantile_crosses_another(trained, panel, horizon):
    quantiles = predict(trained, panel, horizon).quantiles
    assert (np.diff(quantiles[np.array(STATUS) != "skipped"], axis=2) >= 0).all()


def test_bands_of_any_level_are_nested_around_the_point(trained, panel):
    bands = predict(trained, panel).at((0.001, 0.025, 0.1, 0.33, 0.5, 0.67, 0.9, 0.975, 0.999))
    assert (np.diff(bands[np.array(STATUS) != "skipped"], axis=2) >= 0).all()


def test_a_forecast_starts_one_step_after_the_last_observation(trained, panel):
    forecasts = predict(trained, panel)
    assert forecasts.calendar.render(forecasts.cutoffs[:1] + 1) == panel.calendar.render(np.array([101]))


def test_a_shorter_horizon_is_the_beginning_of_the_trained_one(trained, panel):
    assert predict(trained, panel, 3).quantiles.tobytes() == predict(trained, panel).quantiles[:, :3].tobytes()


def test_a_longer_horizon_begins_with_the_trained_one(trained, panel):
    far = predict(trained, panel, FAR).quantiles
    assert far.shape[1] == FAR
    assert far[:, : PLAN.horizon].tobytes() == predict(trained, panel).quantiles.tobytes()


def test_beyond_the_trained_horizon_the_bands_widen_like_a_random_walk(trained, panel):
    rows = np.flatnonzero(np.array(STATUS) != "skipped")
    width = distances(predict(trained, panel, FAR))[rows]
    growth = np.sqrt(np.arange(PLAN.horizon + 1, FAR + 1) / PLAN.horizon)[:, None]
    mixed = np.array(STATUS)[rows] != "fallback"
    assert (width[mixed, PLAN.horizon :] >= width[mixed, PLAN.horizon - 1, None] * growth - 1e-9).all()


def test_the_bands_of_a_fallback_widen_with_every_season(trained, panel):
    width = distances(predict(trained, panel, 14))[STATUS.index("fallback")]
    others = np.arange(len(PLAN.quantiles)) != MEDIAN
    assert (width[7:, others] > width[:7, others]).all()


def test_beyond_the_trained_horizon_the_point_is_what_the_model_says_to_its_own_forecast(trained, panel):
    far = predict(trained, panel, 2 * PLAN.horizon).quantiles[0, :, MEDIAN]
    fed = panel.select([0], panel.lengths[:1] + PLAN.horizon)
    target = panel.target.copy()
    target[panel.ends[0] : panel.ends[0] + PLAN.horizon] = far[: PLAN.horizon]
    past = panel.past.copy()
    past[:, panel.ends[0] :] = np.nan
    again = predict(trained, replace(fed, target=target, past=past)).quantiles[0, :, MEDIAN]
    assert again.tolist() == far[PLAN.horizon :].tolist()


def test_future_known_covariates_are_read_beyond_the_trained_horizon(trained, panel):
    changed = panel.future.copy()
    changed[:, panel.ends[0] + 8] += 10
    before, after = (predict(trained, one, FAR).quantiles[0] for one in (panel, replace(panel, future=changed)))
    assert before[: PLAN.horizon].tolist() == after[: PLAN.horizon].tolist()
    assert before[8].tolist() != after[8].tolist()


@pytest.mark.parametrize("horizon", [None, FAR])
def test_what_happens_after_the_origin_is_not_read(trained, panel, horizon):
    target, past = panel.target.copy(), panel.past.copy()
    for end in panel.ends:
        target[end : end + AHEAD], past[:, end : end + AHEAD] = 1e6, -1e6
    changed = replace(panel, target=target, past=past)
    assert (
        predict(trained, changed, horizon).quantiles.tobytes() == predict(trained, panel, horizon).quantiles.tobytes()
    )


@pytest.mark.parametrize("horizon", [None, FAR])
def test_repeated_origins_are_forecast_as_each_alone(trained, panel, horizon):
    series, lengths = np.array([0, 0, 5, 1, 0, 4, 6]), np.array([100, 60, 90, 99, 33, 9, 120])
    together = predict(trained, panel.select(series, lengths), horizon)
    for row in range(len(series)):
        alone = predict(trained, panel.select(series[row : row + 1], lengths[row : row + 1]), horizon)
        assert together.quantiles[row].tobytes() == alone.quantiles[0].tobytes()
        assert together.status[row] == alone.status[0]


def test_a_series_forecast_does_not_depend_on_the_others_or_on_the_order(trained, panel):
    order = np.arange(len(panel))[::-1]
    backwards = predict(trained, panel.select(order)).quantiles
    assert backwards[order].tobytes() == predict(trained, panel).quantiles.tobytes()


def test_a_new_series_is_forecast_with_a_scale_of_its_own(trained):
    forecasts = predict(trained, make_panel(("stranger", "plain")))
    assert forecasts.status == ("new", "ok")
    assert np.isfinite(forecasts.quantiles).all()
    assert 15 < forecasts.quantiles[0, :, MEDIAN].min() < forecasts.quantiles[0, :, MEDIAN].max() < 60


def test_the_point_of_a_fallback_is_seasonal_naive_within_reach(trained, panel):
    bad = [row for row, status in enumerate(STATUS) if status == "fallback"]
    expected = seasonal_naive(panel.select(bad), 7, PLAN.horizon, PLAN.lookback)
    assert predict(trained, panel).quantiles[bad][:, :, MEDIAN].tolist() == expected.tolist()


def test_the_bands_of_a_fallback_are_those_of_what_seasonal_naive_errs(trained, panel):
    row = STATUS.index("fallback")
    quantiles = predict(trained, panel).quantiles[row, 0]
    deviation = trained.units[row] * np.sqrt(np.pi / 2)
    assert quantiles[-1] - quantiles[MEDIAN] == pytest.approx(1.959964 * deviation)
    assert quantiles[MEDIAN] - quantiles[0] == pytest.approx(1.959964 * deviation)


def test_a_window_without_any_value_is_a_fallback_as_long_as_there_was_one_before(trained, panel):
    target = panel.target.copy()
    target[panel.ends[0] - 30 : panel.ends[0]] = np.nan
    forecasts = predict(trained, replace(panel, target=target).select([0]))
    assert forecasts.status == ("fallback",)
    assert np.isfinite(forecasts.quantiles).all()


def test_half_a_season_missing_is_still_forecast(trained, panel):
    target = panel.target.copy()
    target[panel.ends[0] - 3 : panel.ends[0]] = np.nan  # of seven
    assert predict(trained, replace(panel, target=target).select([0])).status == ("ok",)


@pytest.mark.parametrize("horizon", [None, FAR])
def test_every_way_of_forecasting_obeys_the_bounds(trained, panel, horizon):
    free = predict(trained, panel, horizon).quantiles
    low, high = (float(np.floor(np.nanquantile(free, q))) for q in (0.3, 0.7))
    plan = replace(PLAN, minimum=low, maximum=high, decimals=0)
    bounded = predict(replace(trained, plan=plan), replace(panel, ids=("stranger", *panel.ids[1:])), horizon)
    found = bounded.quantiles[np.array(STATUS) != "skipped"]
    assert set(bounded.status) == {"new", "ok", "skipped", "short", "fallback"}
    assert (found.min(), found.max()) == (low, high)
    assert (found == np.round(found)).all()
    assert (np.diff(found, axis=2) >= 0).all()


def test_levels_beyond_the_grid_and_between_its_points_obey_the_bounds(trained, panel):
    bounded = predict(replace(trained, plan=replace(PLAN, minimum=30.0, decimals=1)), panel.select([0]))
    bands = bounded.at((0.0001, 0.15, 0.9999))
    assert bands.min() == 30
    assert (np.round(bands, 1) == bands).all()


def test_a_bound_does_not_move_a_level_that_it_does_not_reach(trained, panel):
    free = predict(trained, panel.select([0]))
    bounded = predict(replace(trained, plan=replace(PLAN, minimum=float(free.at((0.11,)).max()))), panel.select([0]))
    wanted = (0.11, 0.14, 0.2)
    np.testing.assert_array_equal(bounded.at(wanted), bounded.bounds.apply(free.at(wanted)))


def test_bounds_that_nothing_reaches_change_no_byte(trained, panel):
    far = predict(replace(trained, plan=replace(PLAN, minimum=-1e12, maximum=1e12)), panel, FAR)
    assert far.quantiles.tobytes() == predict(trained, panel, FAR).quantiles.tobytes()


def test_beyond_the_trained_horizon_the_bounded_forecast_is_fed_back(trained, panel):
    plan = replace(PLAN, minimum=60.0)  # above every forecast of the first series
    assert predict(trained, panel.select([0]), FAR).quantiles.max() < 60
    assert (predict(replace(trained, plan=plan), panel.select([0]), FAR).quantiles[:, : PLAN.horizon] == 60).all()
    fed = prediction._raw_quantiles(replace(trained, plan=plan), panel.select([0]), np.array([0]), FAR)
    free = prediction._raw_quantiles(trained, panel.select([0]), np.array([0]), FAR)
    assert fed[:, PLAN.horizon :].mean() > free[:, PLAN.horizon :].mean() + 5


def test_evaluate_forecasts_the_last_origins_whose_truth_is_known(trained, panel):
    forecasts, truth = evaluate(trained, panel.select([0, 4]), origins=3)
    assert forecasts.ids == ("plain",) * 3 + ("short",) * 3
    assert (forecasts.cutoffs - panel.last[[0] * 3 + [4] * 3]).tolist() == [-7, -6, -5] * 2
    assert truth[2].tolist() == panel.values(0)[-5:].tolist()
    assert truth[0].tolist() == panel.values(0)[-7:-2].tolist()


def test_evaluate_forecasts_as_if_the_rest_had_not_happened(trained, panel):
    forecasts, _ = evaluate(trained, panel.select([0]), origins=2)
    then = predict(trained, panel.select([0], panel.lengths[:1] - 6))
    assert forecasts.quantiles[0].tobytes() == then.quantiles[0].tobytes()


def test_evaluate_leaves_out_origins_before_a_series_begins(trained, panel):
    forecasts, truth = evaluate(trained, panel.select([4]), origins=20)
    assert (len(forecasts.ids), len(truth)) == (LENGTHS["short"] - PLAN.horizon,) * 2


def test_known_rows_are_found_by_id(panel):
    assert known_rows(("gaps", "x", "plain"), panel.select([0, 1, 2])).tolist() == [2, 0, -1]


def test_a_model_without_its_last_rows_asks_for_a_table(trained):
    with pytest.raises(DataError) as refused:
        predict(replace(trained, context=None))
    assert str(refused.value) == "the model was stored without its last rows.\nName the table to forecast from."


@pytest.mark.parametrize(("role", "name"), [("past", "price"), ("future", "promotion"), ("static", "area")])
def test_a_table_without_a_covariate_of_the_model_is_refused(trained, panel, role, name):
    with pytest.raises(MismatchError) as refused:
        predict(trained, replace(panel, **{role: np.empty((0, 0))}))
    assert str(refused.value) == (
        f"the model was trained with 1 {role} covariates, the table has 0.\n"
        f"Give the columns {name} with --{role}, or train again."
    )


def test_a_covariate_that_the_model_does_not_know_is_refused(panel):
    plain = replace(panel, past=np.empty((0, 0)))
    with pytest.raises(MismatchError) as refused:
        predict(make_trained(plain, replace(PLAN, past=())), panel)
    assert str(refused.value) == (
        "the model was trained with 0 past covariates, the table has 1.\nLeave --past out, or train again."
    )


@pytest.mark.parametrize(
    ("calendar", "found"),
    [
        (Calendar("h", 0), "steps of 'D', the table has 'h'"),
        (Calendar("D", 3600 * 10**9), "steps of 'D', the table has 'D', but at other moments"),
    ],
)
def test_a_table_of_another_frequency_is_refused(trained, panel, calendar, found):
    with pytest.raises(MismatchError) as refused:
        predict(trained, replace(panel, calendar=calendar))
    assert str(refused.value) == (
        f"the model was trained on {found}.\nGive a table of the same frequency, or train again."
    )


def several(panel):
    """Return the panel with each two series as the targets of one id, and the covariates of the first."""
    rows = [0, 1, 2, 5]  # plain and gaps of one id, constant and half of the other
    chosen = panel.select(rows)
    return replace(
        chosen,
        ids=("a", "a", "b", "b"),
        targets=("y", "z"),
        channel=np.array([0, 1, 0, 1]),
        static=np.zeros((4, 1)),
    )


@pytest.fixture(scope="module")
def pairs(panel):
    return several(panel)


@pytest.fixture(scope="module")
def mixed(pairs):
    return make_mixed(pairs)


def make_mixed(pairs, plan=PLAN):
    """A model of several targets whose network sees all of them; nobody has trained it."""
    plan = channels.with_mixed_targets(channels.with_targets(plan, pairs))
    trained = make_trained(channels.with_other_targets(pairs, scaling.fit(pairs, plan.transforms[0])), plan)
    return replace(trained, context=pipeline.context_of(pairs, plan))


def test_forecasts_name_their_target(mixed, pairs):
    forecasts = predict(mixed, pairs)
    assert (forecasts.ids, forecasts.targets) == (("a", "a", "b", "b"), ("y", "z", "y", "z"))


def test_a_model_of_one_target_names_none(trained, panel):
    assert predict(trained, panel).targets == ()


def test_with_mixed_targets_too_the_stored_context_gives_the_forecast_of_the_table(mixed, pairs):
    assert predict(mixed).quantiles.tobytes() == predict(mixed, pairs).quantiles.tobytes()


def test_mixed_a_forecast_follows_the_other_target_of_its_id_alone(mixed, pairs):
    target = pairs.target.copy()
    target[pairs.ends[1] - 3 : pairs.ends[1]] += 5
    before, after = predict(mixed, pairs).quantiles, predict(mixed, replace(pairs, target=target)).quantiles
    assert [not np.array_equal(before[row], after[row]) for row in range(4)] == [True, True, False, False]


def test_mixed_a_forecast_does_not_read_what_the_other_target_does_ahead(mixed, pairs):
    target = pairs.target.copy()
    target[pairs.ends[1] : pairs.limits[1]] = 1e6
    after = predict(mixed, replace(pairs, target=target))
    assert after.quantiles.tobytes() == predict(mixed, pairs).quantiles.tobytes()


def test_beyond_the_trained_horizon_a_target_is_fed_the_forecast_of_the_other(pairs, monkeypatch):
    pairs = replace(pairs, future=np.empty((0, 0)))
    mixed = make_mixed(pairs, replace(PLAN, future=()))
    before, run = predict(mixed, pairs, FAR).at((0.5,))[0, :, 0], registry.run

    def higher_z(one, panel, known, plan):
        return run(one, panel, known, plan) + 5.0 * (panel.channel == 1)[:, None, None]

    monkeypatch.setattr(registry, "run", higher_z)
    changed = predict(mixed, pairs, FAR).at((0.5,))[0, :, 0] != before
    assert changed.tolist() == [False] * 5 + [True] * 8


def test_targets_in_another_order_are_matched_by_name(mixed, pairs):
    rows = [1, 0, 3, 2]
    swapped = replace(pairs.select(rows), targets=("z", "y"), channel=np.array([0, 1, 0, 1]))
    forecasts = predict(mixed, swapped)
    assert forecasts.targets == ("z", "y", "z", "y")
    assert forecasts.quantiles.tobytes() == predict(mixed, pairs).quantiles[rows].tobytes()


def test_renamed_targets_are_matched_by_place_and_keep_their_new_names(mixed, pairs):
    forecasts = predict(mixed, replace(pairs, targets=("sales", "z")))
    assert forecasts.targets == ("sales", "z", "sales", "z")
    assert forecasts.quantiles.tobytes() == predict(mixed, pairs).quantiles.tobytes()


@pytest.mark.parametrize("names", [("z", "sales"), ("y", "z", "sales")])
def test_other_targets_than_those_of_the_model_are_refused(mixed, pairs, names):
    with pytest.raises(MismatchError) as caught:
        predict(mixed, replace(pairs, targets=names))
    assert str(caught.value) == (
        f"the model was trained on 'y', 'z', the table was read with {', '.join(map(repr, names))}.\n"
        "Name a column for each target of the model with --target, in its order, or train again."
    )


def test_several_targets_for_a_model_of_one_are_refused(trained, pairs):
    with pytest.raises(MismatchError, match="trained on one target, the table was read with 'y', 'z'"):
        predict(trained, pairs)


def test_every_target_of_a_new_id_is_forecast_in_its_own_scale(mixed, pairs):
    forecasts = predict(mixed, replace(pairs, ids=("a", "a", "new", "new")))
    assert forecasts.status == ("ok", "ok", "new", "fallback")
    np.testing.assert_allclose(forecasts.at((0.5,))[2], 7.0, atol=3)


def test_series_that_are_mostly_zero_are_mixed_with_weights_of_their_own():
    values = {"plain": 50 + np.arange(60.0), "zeros": np.where(np.arange(60) % 10 == 0, 5.0, 0.0)}
    panel = panel_of(values)
    plan = replace(PLAN, past=(), future=(), static=(), calendar=())
    last, repeated = (Fitted(kind) for kind in (Kind.NAIVE, Kind.SEASONAL_NAIVE))
    shift = np.zeros((plan.horizon, len(plan.quantiles)))
    trained = Trained(
        plan=plan,
        read=ReadOptions(),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(last, repeated),
        weights=(1.0, 0.0),
        units=np.ones(2),
        calibration=Calibration(shift, np.full(plan.horizon, 100), promised=True),
        context=None,
        source={},
        sparse_weights=(0.0, 1.0),
    )
    found = predict(trained, panel).quantiles[:, :, MEDIAN]
    alone = [registry.run(one, panel, np.arange(2), plan)[:, :, MEDIAN] for one in (last, repeated)]
    np.testing.assert_array_equal(found[0], alone[0][0])
    np.testing.assert_array_equal(found[1], alone[1][1])
