"""A trained model and a table that need neither TensorFlow nor a file format: what the commands are tested with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forecast import golden, pipeline, prediction, store, tables
from forecast.evaluation import calibration
from forecast.evaluation.backtest import Backtest
from forecast.forecasters.fitted import Fitted, Kind
from forecast.options import ReadOptions
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Panel, panel_of
from forecast.plan import QUANTILES, Plan
from forecast.trained import Forecasts, Trained

PLAN = Plan(horizon=2, window=4, segment=2, seasons=(2,), base=2, lookback=6, origins=4)
CALENDAR = Calendar("D", 0, "%Y-%m-%d", "")
SOURCE = {"path": "sales.csv", "bytes": 10, "sha256": "ab", "rows": 20, "first": "1970-01-02", "last": "1970-01-11"}


def sales(*names: str) -> Panel:
    return panel_of({name: np.arange(10.0) + row for row, name in enumerate(names or ("a", "b"))}, CALENDAR)


def forecasts_of(panel: Panel, horizon: int = 2, status: str = "ok") -> Forecasts:
    last = np.array([panel.values(row)[-1] for row in range(len(panel))])
    spread = np.linspace(-3, 3, len(QUANTILES))
    quantiles = np.broadcast_to(last[:, None, None] + spread, (len(panel), horizon, len(QUANTILES))).copy()
    return Forecasts(
        panel.ids, panel.calendar, panel.last, quantiles, QUANTILES, (status,) * len(panel), panel.target_names
    )


def trained_on(panel: Panel) -> Trained:
    return Trained(
        plan=PLAN,
        read=ReadOptions(id=("shop",), time=("day",), target=("sales",)),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(Fitted(Kind.NETWORK), Fitted(Kind.THETA)),
        weights=(0.75, 0.25),
        units=np.ones(len(panel)),
        calibration=calibration.none(PLAN),
        context=panel,
        source=dict(SOURCE),
    )


def outcome_of(panel: Panel) -> pipeline.Outcome:
    origins = panel.select([0, 0, 1, 1], np.array([7, 8, 7, 8]))
    truth = origins.truth(2)
    quantiles = (truth + 0.5)[:, :, None] + np.linspace(-3, 3, len(QUANTILES))
    medians = {Kind.NETWORK: truth + 0.5, Kind.SEASONAL_NAIVE: truth - 1}
    roles = ("calibration", "report") * 2
    backtest = Backtest(origins, roles, truth, np.ones(4), quantiles, medians)
    history = ({"phase": "choosing", "member": 0, "step": 100, "loss": 0.5},)
    device = {"device": "cpu", "cudnn": False, "why_not": "there is no GPU"}
    targets = {"mixed": True, "independent_error": 1.0, "mixed_error": 0.75} if panel.targets else None
    return pipeline.Outcome(trained_on(panel), backtest, history, forecasts_of(panel), 1e-7, device, targets=targets)


@dataclass
class World:
    """What the commands did to the outside."""

    folder: Path
    panel: Panel = field(default_factory=sales)
    status: str = "ok"
    calls: list[tuple[str, Any]] = field(default_factory=list)
    published: dict[str, bytes] = field(default_factory=dict)

    def seen(self, name: str) -> Any:
        return next(value for call, value in self.calls if call == name)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["forecast"])
    found = World(tmp_path)
    replace_outside(found, monkeypatch.setattr)
    return found


def replace_outside(world: World, put: Callable[..., None]) -> None:
    def read_panel(path: str, read: ReadOptions, model: bool = False, encodings: tuple[Any, ...] = ()) -> Any:
        world.calls.append(("read", (path, read, model)))
        settled = ReadOptions(id=("shop",), time=("day",), target=("sales",))
        return SimpleNamespace(panel=world.panel, options=settled, notices=("2 gaps stay missing.",), source=SOURCE)

    def train(panel: Panel, options: Any, read: Any, source: Any, listen: Any, around: Any) -> pipeline.Outcome:
        world.calls.append(("train", options))
        return outcome_of(panel)

    def publish(
        models: str,
        name: str,
        trained: Trained,
        files: Callable[[str], dict[str, bytes]],
        candidate: bool,
        locking: store.Locking,
    ) -> Any:
        world.calls.append(("candidate" if candidate else "publish", (models, name)))
        world.published.update(files(f"{name}@v1"))
        (world.folder / "bundle").mkdir()
        for file, data in world.published.items():
            (world.folder / "bundle" / file).write_bytes(data)
        return SimpleNamespace(path=world.folder / "bundle", model=f"{name}@v1", version="v1")

    def load(models: str, model: str | None, context: bool = True) -> Any:
        world.calls.append(("load", (models, model)))
        return SimpleNamespace(
            trained=trained_on(sales()), name="sales", model="sales@v1", path=world.folder, sha256="cd"
        )

    def predict(trained: Trained, panel: Panel | None, horizon: int | None = None) -> Forecasts:
        world.calls.append(("predict", (panel, horizon)))
        return forecasts_of(panel or world.panel, horizon or 2, world.status)

    put(tables, "read_panel", read_panel)
    put(tables, "output_names", lambda options: (options.id[0], options.time[0]))
    put(store, "publish", publish)
    put(store, "load", load)
    put(store, "write_file", lambda path, data: Path(path).write_bytes(data))
    put(pipeline, "train", train)
    put(prediction, "predict", predict)
    put(golden, "golden_forecast", lambda trained: b"{}")
