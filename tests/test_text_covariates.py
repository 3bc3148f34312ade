"""A training with text among its covariates: what it learns from it, and that a loaded model reads it the same way."""

from pathlib import Path

import numpy as np
import pytest

from forecast import pipeline, store
from forecast.evaluation.metrics import overall
from forecast.options import Forecaster, ReadOptions, TrainOptions
from forecast.plan import MEDIAN
from forecast.prediction import predict
from forecast.tables import Reading, read_panel

DAYS, AHEAD = 400, 4
EFFECT = {"clear": 0.0, "rain": -30.0, "fair": 40.0}
READ = ReadOptions(id=("shop",), target=("sales",), future=("event",), past=("open",), static=("region",))
TRAIN = TrainOptions(
    horizon=AHEAD,
    members=1,
    units=16,
    epochs=60,
    origins=8,
    seed=1,
    forecaster=Forecaster.NETWORK,
    window=14,
    segment=7,
)


def write(path: Path, ahead: str) -> Path:
    """Write the sales of two shops, which follow an event of the day that the past does not tell."""
    rng = np.random.default_rng(3)
    lines = ["shop,region,date,sales,event,open"]
    for shop, region in (("a", "north"), ("b", "south")):
        events = rng.choice(list(EFFECT), DAYS)
        for step in range(DAYS + AHEAD):
            day = np.datetime64("2024-01-01") + step
            event = events[step] if step < DAYS else ahead
            sales = f"{100 + EFFECT[event] + rng.standard_normal():.2f}" if step < DAYS else ""
            lines.append(f"{shop},{region},{day},{sales},{event},{'true' if step % 2 else 'false'}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("text")


@pytest.fixture(scope="module")
def reading(folder: Path) -> Reading:
    return read_panel(str(write(folder / "t.csv", "rain")), READ)


@pytest.fixture(scope="module")
def outcome(reading: Reading) -> pipeline.Outcome:
    return pipeline.train(reading.panel, TRAIN, reading.options)


@pytest.fixture(scope="module")
def loaded(outcome: pipeline.Outcome, folder: Path) -> store.Loaded:
    store.publish(folder / "models", "m", outcome.trained, lambda _: {})
    return store.load(folder / "models", "m")


def points(loaded: store.Loaded, folder: Path, ahead: str) -> np.ndarray:
    """Return the point forecasts, (shops, horizon), when this event is known ahead."""
    path = folder / f"{ahead}.csv"
    path.write_text(write(path, "rain").read_text().replace(",,rain", f",,{ahead}"))
    trained = loaded.trained
    panel = read_panel(str(path), trained.read, model=True, encodings=trained.encodings).panel
    return predict(trained, panel).quantiles[:, :, MEDIAN]


def test_the_plan_names_the_columns_and_the_options_those_of_the_table(outcome: pipeline.Outcome) -> None:
    plan = outcome.trained.plan
    assert sorted(plan.future) == ["event=clear", "event=fair", "event=rain"]
    assert (plan.past, sorted(plan.static)) == (("open",), ["region=north", "region=south"])
    assert outcome.trained.read.future == ("event",)


def test_what_only_a_text_tells_is_learned(outcome: pipeline.Outcome) -> None:
    scores = overall(outcome.backtest, outcome.trained.plan)["scores"]
    assert scores["model"]["mase"] < 0.5 * scores["ridge"]["mase"]


def test_a_loaded_model_forecasts_the_same_from_its_stored_rows_and_from_the_table(
    outcome: pipeline.Outcome, loaded: store.Loaded, reading: Reading
) -> None:
    expected = outcome.forecasts.quantiles.tobytes()
    assert predict(loaded.trained).quantiles.tobytes() == expected
    assert predict(loaded.trained, reading.panel).quantiles.tobytes() == expected


def test_a_value_that_training_has_not_seen_is_forecast_between_those_that_it_has(
    loaded: store.Loaded, folder: Path
) -> None:
    rain, unseen, fair = (points(loaded, folder, event) for event in ("rain", "flood", "fair"))
    assert (rain < unseen).all()
    assert (unseen < fair).all()
    assert np.abs(fair - rain - 70).max() < 25
