"""The exported network: used as its description says it gives what the runtime gives, and it holds nothing of ours."""

import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from random_networks import PLAN, random_fitted, random_panel

from forecast import exporting, load
from forecast.commands import run
from forecast.errors import UsageError
from forecast.evaluation import calibration
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network, smoothed
from forecast.options import Cell, ReadOptions
from forecast.panels import scaling
from forecast.panels.features import calendar_features
from forecast.panels.panel import Floats, Panel, panel_of
from forecast.panels.windows import columns_of, gather
from forecast.plan import LINEAR, Plan
from forecast.trained import Trained

MODELS = Path(__file__).resolve().parent.parent / "models"


def trained_with(fitted: Fitted, panel: Panel, plan: Plan) -> Trained:
    return Trained(
        plan=plan,
        read=ReadOptions(),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(fitted,),
        weights=(1.0,),
        units=np.ones(len(panel)),
        calibration=calibration.none(plan),
        context=None,
        source={},
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export the reference model; return the folder."""
    folder = tmp_path_factory.mktemp("exported")
    words = ["models", "export", "reference-1", "--models", str(MODELS), "-o", str(folder / "net.keras"), "-q"]
    assert run(words) == 0
    return folder


def in_scale(about: dict[str, Any], transform: str, values: Floats) -> Floats:
    """Scale values (series, ...) as the description says."""
    numbers = about["scales"][transform]
    centre, spread = (np.array(numbers[name])[:, None] for name in ("centre", "spread"))
    return ((np.log(values) if transform == "log" else values) - centre) / spread


def out_of_scale(about: dict[str, Any], transform: str, values: Floats) -> Floats:
    """Bring outputs (series, horizon, quantiles) back as the description says."""
    numbers = about["scales"][transform]
    centre, spread = (np.array(numbers[name])[:, None, None] for name in ("centre", "spread"))
    back = values * spread + centre
    return np.exp(back) if transform == "log" else back


def test_whoever_follows_the_description_gets_what_the_runtime_gives(exported: Path) -> None:
    about = json.loads((exported / "net.json").read_text())
    model = keras.saving.load_model(exported / "net.keras")
    trained = load(MODELS, "reference-1").trained
    panel = trained.context
    assert panel is not None
    assert [one["id"] for one in about["series"]] == list(panel.ids)
    steps = about["inputs"]["mask"]["shape"][1]
    history = panel.tail(steps)
    inputs = {"mask": np.ones_like(history)}
    for transform in ("log", "standard"):
        inputs[f"values_{transform}"] = in_scale(about, transform, history)
    for name, first in (("inside", 1 - about["inputs"]["inside"]["shape"][1]), ("ahead", 1)):
        ordinals = panel.last[0] + first + np.arange(about["inputs"][name]["shape"][1])
        features = calendar_features(panel.calendar.times(ordinals), tuple(about["inputs"][name]["columns"]))
        inputs[name] = np.repeat(features[None], len(panel), axis=0)
    assert inputs.keys() == about["inputs"].keys()

    members = model({name: value.astype("float32") for name, value in inputs.items()})
    assert members.keys() == about["outputs"].keys()
    found = sum(
        one["share"] * out_of_scale(about, one["scale"], np.array(members[name], dtype=float))
        for name, one in about["outputs"].items()
    )
    expected = network.run(trained.fitted[0], panel, np.arange(len(panel)), trained.plan)
    scale = np.ptp(history, axis=1)[:, None, None]
    np.testing.assert_array_less(np.abs(np.sort(found) - expected) / scale, 1e-5)


def test_the_file_holds_classes_of_keras_alone(exported: Path) -> None:
    config = zipfile.ZipFile(exported / "net.keras").read("config.json").decode()
    modules = set(re.findall(r'"module": "([^"]+)"', config))
    assert modules
    assert {name.split(".")[0] for name in modules} == {"keras"}
    assert "forecast." not in config


def test_the_description_says_which_file_and_which_version_it_is_of(exported: Path) -> None:
    about = json.loads((exported / "net.json").read_text())
    assert (about["file"]["path"], about["file"]["bytes"]) == ("net.keras", (exported / "net.keras").stat().st_size)
    assert about["model"] == load(MODELS, "reference-1").model
    assert sorted(path.name for path in exported.iterdir()) == ["net.json", "net.keras"]


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, past=("p",), future=("f", "g"), static=("s",)),
        replace(PLAN, cell=Cell.GRU, windows=(24, 12), bases=(LINEAR, 12), shares=(0.75, 0.25)),
        replace(PLAN, cell=Cell.RNN, seasons=(1,), base=1, memory=False, future=("f",)),
        replace(PLAN, smoothings=(False, True)),
    ],
    ids=["covariates", "windows", "without season", "smoothing"],
)
def test_the_network_gives_what_the_runtime_gives_on_the_same_windows(plan: Plan, tmp_path: Path) -> None:
    panel = random_panel(3, 6, len(plan.past), len(plan.future), len(plan.static))
    fitted, everyone = random_fitted(panel, plan, 4), np.arange(6)
    exporting.export(trained_with(fitted, panel, plan), "m")[0].save(tmp_path / "net.keras")
    model = keras.saving.load_model(tmp_path / "net.keras")

    columns = columns_of(panel, plan, panel.target, network.covariate_inputs(fitted.arrays, panel), "float64")
    places = (panel.begins, panel.ends, panel.limits, panel.last + 1 - columns.first)
    rows = gather(np, plan, columns, places, network.static_inputs(fitted, panel))
    scales = {name: scaling.align(network.scaling_of(fitted, name), panel, everyone) for name in plan.transforms}
    inputs = {name: part for name, part in vars(rows).items() if name != "values" and part.shape[-1]}
    for name, scale in scales.items():
        inputs[f"values_{name}"] = np.where(rows.mask > 0, scaling.apply(scale, rows.values), 0.0)
        inputs[f"smoothing_{name}"] = scaling.apply(scale, smoothed.forecasts(fitted.arrays, panel, everyone, plan))
    inputs = {name: inputs[name] for name in network.input_shapes(plan)}
    members = model({name: part.astype("float32") for name, part in inputs.items()})
    for member, name in enumerate(plan.transforms):
        found = scaling.undo(scales[name], np.array(members[f"member_{member}"], dtype=float))
        expected = network.run_members(fitted, [member], panel, everyone, plan, columns)
        spread = np.array([np.nanstd(panel.values(series)) for series in everyone])
        assert np.max(np.abs(found - expected) / spread[:, None, None]) < 1e-5


def smoothed_by_hand(about: dict[str, Any], series: int, y: Floats, steps: int) -> Floats:
    """Forecast a series without gaps as the description says: (steps,)."""
    numbers = about["smoothing"]
    m, first, lookback = (numbers[name] for name in ("m", "first", "lookback"))
    alpha, beta, phi, gamma, season, log = (
        numbers[name][series] for name in ("alpha", "beta", "phi", "gamma", "season", "log")
    )
    y = np.log(y[-lookback:]) if log else y[-lookback:]
    profile = np.zeros(m)
    if season:
        ends = np.r_[0.5, np.ones(m - 1), 0.5] if m % 2 == 0 else np.ones(m)
        away = y[m // 2 : len(y) - m // 2] - np.convolve(y, ends, "valid") / m
        phases = np.arange(m // 2, len(y) - m // 2) % m
        means = np.array([away[phases == phase].mean() for phase in range(m)])
        profile = means - means.mean()
    s = profile.copy()
    b, at_zero = np.polyfit(np.arange(first), y[:first] - profile[np.arange(first) % m], 1)
    level = at_zero - b
    for step, value in enumerate(y):
        e = value - (level + phi * b + s[step % m])
        level, b = level + phi * b + alpha * e, phi * b + beta * e
        s[step % m] += gamma * e
    found = [level + sum(phi**k for k in range(1, h + 1)) * b + s[(len(y) + h - 1) % m] for h in range(1, steps + 1)]
    limited = np.clip(found, y.min() - np.ptp(y), y.max() + np.ptp(y))
    return np.exp(limited) if log else limited


@pytest.mark.parametrize("seasons", [(6,), (5,), (1,)])
def test_exponential_smoothing_can_be_computed_from_the_description(seasons: tuple[int, ...]) -> None:
    steps, rng = np.arange(80), np.random.default_rng(1)
    panel = panel_of({
        name: level + slope * steps + np.sin(steps * 2 * np.pi / seasons[0]) + rng.normal(0, 0.2, 80)
        for name, level, slope in (("a", 9.0, 0.0), ("b", 20.0, 0.1), ("c", 50.0, -0.5))
    })  # fmt: skip
    plan = replace(PLAN, seasons=seasons, base=1, lookback=60, smoothings=(True, False))
    arrays = random_fitted(panel, plan, 4).arrays | smoothed.fit(panel, plan)
    about = exporting.describe(trained_with(Fitted(Kind.NETWORK, arrays), panel, plan), Fitted(Kind.NETWORK, arrays))
    assert about["inputs"]["smoothing_standard"]["shape"] == [None, 12]
    found = smoothed.forecasts(arrays, panel, np.arange(3), plan)
    expected = [smoothed_by_hand(about, series, panel.values(series), 12) for series in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_model_without_a_network_has_nothing_to_export() -> None:
    panel = random_panel(1)
    with pytest.raises(UsageError) as refused:
        exporting.export(trained_with(Fitted(Kind.THETA), panel, PLAN), "sales@v1")
    assert str(refused.value) == (
        "sales@v1 has no network: theta did better when it was trained.\n"
        "Choose another version, or train with --forecaster network."
    )


def test_without_keras_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "forecast.forecasters.lstm.model":
            raise ModuleNotFoundError(name="keras")
        return imported(name, *rest, **more)

    imported = __import__
    monkeypatch.setattr("builtins.__import__", missing)
    with pytest.raises(UsageError, match="needs Keras and TensorFlow, and keras is not installed"):
        exporting.export(load(MODELS, "reference-1").trained, "m")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("net.h5", "net.h5: a model for Keras is a file .keras.\nName it so, as in -o model.keras."),
        ("none/net.keras", "none/net.keras: there is no folder 'none'.\nMake it, or write elsewhere."),
    ],
)
def test_an_output_that_cannot_be_meant_is_refused(
    output: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["models", "export", "reference-1", "--models", str(MODELS), "-o", output]) == 2
    assert capsys.readouterr().err == f"Error: {message}\n"
