"""What speed and memory rest on, in sizes that a busy machine cannot change; benchmarks/ measures the rest."""

import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_networks import PLAN, random_fitted

from forecast import Panel, ReadOptions, Trained, TrainOptions, publish, read_panel
from forecast.evaluation.calibration import none
from forecast.forecasters import mixing, smoothing
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import examples, network
from forecast.options import Cell
from forecast.panels import scaling
from forecast.panels.panel import panel_of
from forecast.panels.units import seasonal_difference
from forecast.panels.windows import columns_of, gather
from forecast.planning import settle

MB = 10**6
BIKES = ReadOptions(target=("rentals",), future=("holiday", "workingday"))


def waves(series: int, steps: int) -> Panel:
    """Return positive series with a season."""
    values = np.exp(np.sin(np.arange(steps) / 4))[None, :] * np.arange(1, series + 1)[:, None]
    return panel_of({f"s{number}": one for number, one in enumerate(values)})


def peak_of(call: Callable[[], Any]) -> tuple[int, Any]:
    """Return the most memory in bytes that a call held beside what was there before, and what it returned."""
    gc.collect()
    tracemalloc.start()
    try:
        result = call()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems measure another memory")
def test_predict_on_the_sample_of_the_demo_stays_under_200_mb(tmp_path: Path, samples: Path) -> None:
    table, ahead = samples / "bike_sharing.csv", samples / "bike_sharing_future.csv"
    reading = read_panel(str(table), BIKES)
    names = {"future": BIKES.future}
    plan = settle(reading.panel, TrainOptions(), reading.panel.calendar.seasons(), names)
    fitted = random_fitted(reading.panel, plan, seed=1)
    rounded = {name: array.astype(np.float32).astype(np.float64) for name, array in fitted.arrays.items()}
    model = Trained(
        plan=plan,
        read=reading.options,
        calendar=reading.panel.calendar,
        ids=reading.panel.ids,
        fitted=(replace(fitted, arrays=rounded),),
        weights=(1.0,),
        units=seasonal_difference(reading.panel, plan.season),
        calibration=none(plan),
        context=None,
        source={},
    )
    publish(tmp_path, "bikes", model, lambda _: {})
    record = tmp_path / "record.json"
    words = [str(table), "--models", str(tmp_path), "--future-data", str(ahead)]
    words += ["-o", str(tmp_path / "predictions.csv"), "--record", str(record)]
    code = "from forecast.commands import main; main()"
    subprocess.run([sys.executable, "-c", code, "predict", *words], check=True, capture_output=True)
    assert json.loads(record.read_text())["peak_memory_bytes"] < 200 * MB


def batch_bytes(panel: Panel) -> int:
    """Return the memory it takes to lay out a panel for reading windows and to gather 64 of them."""

    def batch() -> Any:
        columns = columns_of(panel, PLAN, panel.target, (panel.past, panel.future), "float64")
        rows = np.arange(64) % len(panel)
        places = (panel.begins[rows], panel.ends[rows], panel.limits[rows], panel.last[rows] + 1 - columns.first)
        return gather(np, PLAN, columns, places, np.zeros((64, 0)))

    return peak_of(batch)[0]


def test_a_batch_takes_the_same_memory_from_a_panel_of_any_size() -> None:
    # A little for the calendar, which is as long as the longest series, and per series, but nothing per step.
    assert batch_bytes(waves(2_000, 300)) < batch_bytes(waves(20, 300)) + 0.1 * MB


def test_the_examples_of_training_take_half_the_memory_of_the_panel() -> None:
    panel = waves(4_000, 1_000)  # 32 MB
    plan = replace(PLAN, transforms=("standard",))
    scales = scaling.Scaling("standard", np.ones(4_000), np.ones(4_000), np.ones(4_000))
    nothing = np.empty((0, len(panel.target)))
    peak, found = peak_of(
        lambda: examples.examples_of(panel, plan, scales, (nothing, nothing), np.zeros((4_000, 0)), {})
    )
    assert found.columns.values.nbytes == panel.target.nbytes // 2
    listed = found.windows.series.nbytes + found.windows.lengths.nbytes
    assert listed == 16 * examples.MOST  # 8 MB, however long the panel is
    assert peak - listed < panel.target.nbytes * 1.1


def test_the_unit_of_error_takes_less_memory_than_the_panel() -> None:
    panel = waves(4_000, 1_000)
    assert peak_of(lambda: seasonal_difference(panel, 24))[0] < panel.target.nbytes


def test_smoothing_takes_memory_for_one_block_of_series() -> None:
    def taken(series: int) -> int:
        arrays = {f"series.{name}": np.full(series, 0.3) for name in smoothing.USUAL}
        fitted, plan, panel = Fitted(Kind.SMOOTHING, arrays), replace(PLAN, lookback=150), waves(series, 150)
        return peak_of(lambda: smoothing.run_smoothing(fitted, panel, np.arange(series), plan))[0]

    assert taken(14_000) < taken(3_500) + 5 * MB  # 12 MB more to read, and 1 MB of forecasts


def test_the_network_takes_little_memory_beside_its_forecasts() -> None:
    def beside(series: int) -> int:
        panel = waves(series, 60)
        fitted = random_fitted(panel, PLAN, seed=1)
        peak, forecasts = peak_of(lambda: network.run(fitted, panel, np.arange(series), PLAN))
        return peak - int(forecasts.nbytes)

    assert beside(2_000) < beside(500) + 2 * MB


def test_a_member_that_is_trained_leaves_no_copy_of_the_panel() -> None:
    from forecast.forecasters.lstm.training import trainer_of

    panel = waves(3, 400)
    plan = replace(PLAN, transforms=("standard",), steps=2, units=2, layers=1, cell=Cell.RNN, seasons=(6,))
    scales = scaling.Scaling("standard", np.ones(3), np.ones(3), np.ones(3))
    nothing = np.empty((0, 1_200))
    found = examples.examples_of(panel, plan, scales, (nothing, nothing), np.zeros((3, 0)), {})
    origins = examples.windows_at(panel, plan, scales, {}, np.zeros(5, dtype=np.int64), np.arange(100, 105))
    trainer_of(plan).train(found, 1, origins, lambda _: None)
    kept = [one for one in gc.get_objects() if type(one).__name__ == "EagerTensor" and one.shape == (1_200,)]
    assert kept == []


def test_a_mix_holds_one_part_at_a_time() -> None:
    shape = (3_000, 12, 13)
    size = 8 * int(np.prod(shape))
    peak, _ = peak_of(lambda: mixing.mix((np.ones(shape) for _ in range(5)), (0.2,) * 5))
    assert peak < 3.5 * size  # the sum, one part, and the next one while it is made
