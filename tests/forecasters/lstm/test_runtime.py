"""The NumPy runtime against Keras, and its independence of batch, order and threads."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_networks import PLAN, QUANTILES, random_fitted, random_panel

from forecast.forecasters.lstm import network
from forecast.forecasters.lstm.model import largest_difference
from forecast.options import Cell
from forecast.panels.panel import panel_of
from forecast.plan import LINEAR, Plan


@st.composite
def cases(draw):
    segment = draw(st.sampled_from([1, 2, 3, 24]))
    season = draw(st.sampled_from([1, 4, 7]))
    plan = Plan(
        horizon=draw(st.integers(1, 30)),
        window=segment * draw(st.integers(1, 6 if segment < 24 else 2)),
        segment=segment,
        seasons=draw(st.sampled_from([(season,), (season, 11)])) if season > 1 else (1,),
        base=1,
        lookback=200,
        past=tuple(f"p{k}" for k in range(draw(st.integers(0, 2)))),
        future=tuple(f"f{k}" for k in range(draw(st.integers(0, 2)))),
        static=tuple(f"s{k}" for k in range(draw(st.integers(0, 2)))),
        transforms=draw(st.sampled_from([("standard",), ("log",), ("standard", "log")])),
        cell=draw(st.sampled_from(list(Cell))),
        units=draw(st.integers(1, 9)),
        layers=draw(st.integers(1, 3)),
        memory=draw(st.booleans()),
        smoothing=draw(st.booleans()),
        quantiles=QUANTILES,
    )
    return replace(plan, base=draw(st.sampled_from([LINEAR, 1, *(lag for lag in plan.seasons if lag > 1)])))


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cases(), st.integers(0, 10_000))
def test_the_runtime_equals_keras_on_any_network(plan, seed):
    panel = random_panel(seed, 3, len(plan.past), len(plan.future), len(plan.static))
    fitted = random_fitted(panel, plan, seed + 1)
    # Weights that nobody trained may forecast a million times the series: float32 has no digits left for its spread.
    size = np.abs(network.run(fitted, panel, np.arange(len(panel)), plan)).max(axis=(1, 2))
    scale = np.array([max(np.nanstd(panel.values(series)), size[series]) for series in range(len(panel))])
    assert largest_difference(fitted, panel, np.arange(len(panel)), plan, scale) < 1e-5


def test_a_series_forecast_is_the_same_bytes_alone_among_others_and_in_any_order():
    panel = random_panel(1, series=150)
    fitted, everyone = random_fitted(panel, PLAN, 2), np.arange(150)
    whole = network.run(fitted, panel, everyone, PLAN)
    order = np.random.default_rng(3).permutation(150)
    assert network.run(fitted, panel.select(order), order, PLAN).tobytes() == whole[order].tobytes()
    for series in (0, 63, 64, 149):
        alone = network.run(fitted, panel.select([series]), np.array([series]), PLAN)
        assert alone.tobytes() == whole[series : series + 1].tobytes()


PROGRAM = """
import hashlib, sys
sys.path.insert(0, {folder!r})
import numpy as np
from forecast.forecasters.lstm import network
from random_networks import PLAN, random_fitted, random_panel
panel = random_panel(1, series=70)
print(hashlib.sha256(network.run(random_fitted(panel, PLAN, 2), panel, np.arange(70), PLAN).tobytes()).hexdigest())
"""


def test_a_forecast_is_the_same_bytes_whatever_the_number_of_threads():
    program = PROGRAM.format(folder=os.path.dirname(__file__))
    digests = set()
    for threads in ("1", "2", "7"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1


def test_what_lies_after_the_origin_is_not_read():
    panel = random_panel(4, series=8, future=1)
    plan = replace(PLAN, future=("f",))
    cut = panel.without_end(12)
    rows = np.arange(len(cut))
    fitted = random_fitted(cut, plan, 5)
    poisoned = cut.target.copy()
    for end, limit in zip(cut.ends, cut.limits, strict=True):
        poisoned[end:limit] = 1e9
    other = replace(cut, target=poisoned)
    assert network.run(fitted, other, rows, plan).tobytes() == network.run(fitted, cut, rows, plan).tobytes()


def test_a_series_without_any_observation_is_not_forecast():
    panel = panel_of({"a": [1.0, 2.0, 3.0] * 20, "nothing": [np.nan] * 40})
    plan = replace(PLAN, transforms=("standard",))
    fitted = random_fitted(panel_of({"a": [1.0, 2.0, 3.0] * 20, "b": [1.0, 2.0] * 20}), plan, 1)
    quantiles = network.run(fitted, panel, np.arange(2), plan)
    assert np.isfinite(quantiles[0]).all()
    assert np.isnan(quantiles[1]).all()


def test_quantiles_never_cross():
    panel = random_panel(9, series=20)
    quantiles = network.run(random_fitted(panel, PLAN, 3), panel, np.arange(20), PLAN)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
