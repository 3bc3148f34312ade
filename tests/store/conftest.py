"""A trained model with every field in use, and stores that hold it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from forecast import store
from forecast.evaluation.calibration import Calibration
from forecast.forecasters.fitted import Fitted, Kind
from forecast.options import Cell, Duplicates, Forecaster, ReadOptions
from forecast.panels.calendar import Calendar
from forecast.panels.encoding import Encoding, Role
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan
from forecast.store.lock import AT_ONCE, LOCK
from forecast.store.manifest import manifest_of
from forecast.store.publishing import PATIENTLY
from forecast.trained import Trained

CALENDAR = Calendar("h", 1_800_000_000_000, "%Y-%m-%dT%H:%M", "+02:00")
PLAN = Plan(
    horizon=3,
    window=8,
    segment=4,
    seasons=(4, 8),
    base=4,
    lookback=9,
    past=("rain",),
    future=("kind=fête", "kind other"),
    static=("size",),
    transforms=("standard", "log"),
    windows=(8, 4),
    bases=(1, 8),
    smoothings=(True, False),
    shares=(0.25, 0.75),
    cell=Cell.GRU,
    memory=False,
    forecaster=Forecaster.NETWORK,
    learning_rate=0.1 + 0.2,  # needs all 17 digits
    quantiles=(0.1, 0.5, 0.9),
    minimum=-1.5,
    maximum=1e6,
    decimals=1,
)
READ = ReadOptions(
    id=("shop", "Straße"),
    time=("when",),
    target=("sales",),
    past=("rain",),
    future=("kind",),
    season=(4, 8),
    duplicates=Duplicates.SUM,
)
ENCODINGS = (
    Encoding(Role.PAST, 0, boolean=True),
    Encoding(Role.FUTURE, 0, values=("fête",), other=True, shares=(0.1 + 0.2, 0.7), rare=('"', "")),
)
IDS = ("007", "NA", 'quote " comma ,\nnewline [{')
OTHERS = {"golden.json": b"{}\n", "predictions.csv": b"id,forecast\n"}
SOURCE = {"path": "übung.csv", "bytes": 10, "sha256": "ab" * 32, "rows": 30, "first": None, "nested": [{"a": 1.5}]}


def context() -> Panel:
    values = np.random.default_rng(1)
    panel = panel_of({name: values.normal(size=12) for name in IDS}, CALENDAR, starts=(-5, 0, 7))
    panel.target[[0, 13]] = np.nan
    return replace(
        panel,
        lengths=panel.lengths - 3,
        past=values.normal(size=(1, 36)),
        future=values.normal(size=(2, 36)),
        static=values.normal(size=(3, 1)),
        encodings=ENCODINGS,
    )


def model() -> Trained:
    values = np.random.default_rng(0)
    network = {
        "member_0.head.kernel": np.float64(np.float32(values.normal(size=(5, 3)))),
        "member_0.head.bias": np.zeros(3),
        "seen": np.array([1, 2**53 + 1]),
        "series.standard.centre": np.array([0.1, np.nan, 1e300]),
    }
    theta = {"series.level": values.normal(size=(3, 2)), "series.length": np.array([1, 2, 3])}
    return Trained(
        plan=PLAN,
        read=READ,
        calendar=CALENDAR,
        ids=IDS,
        fitted=(Fitted(Kind.NETWORK, network), Fitted(Kind.THETA, theta), Fitted(Kind.NAIVE)),
        weights=(0.7, 0.2, 0.1),
        units=np.array([1.0, np.nan, 1 / 3]),
        calibration=Calibration(
            values.normal(size=(3, 3)),
            np.array([100, 120, 90]),
            promised=True,
            sparse=Calibration(values.normal(size=(3, 3)), np.array([41, 42, 43]), promised=True),
            scale=1.25,
        ),
        context=context(),
        source=SOURCE,
        sparse_weights=(0.0, 0.25, 0.75),
        encodings=ENCODINGS,
        ranges=np.array([[0.5, 1e300], [np.nan, np.nan], [-1.0, 1 / 3]]),
        last=np.array([7, -3, 2**53 + 1]),
    )


def shapes(kind: Kind, plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays in `model`, as the forecasters do for theirs."""
    horizon = plan.horizon
    of_network = {"member_0.head.kernel": (5, horizon), "member_0.head.bias": (horizon,), "seen": (2,)}
    return {
        Kind.NETWORK: of_network | {"series.standard.centre": (series,)},
        Kind.THETA: {"series.level": (series, 2), "series.length": (series,)},
        Kind.NAIVE: {},
    }[kind]


@dataclass(frozen=True)
class Shelf:
    """A store in a folder, with the model's own shapes."""

    models: Path

    def publish(
        self,
        name: str = "sales",
        trained: Trained | None = None,
        now: datetime | None = None,
        files: Callable[[str], dict[str, bytes]] = lambda _: dict(OTHERS),
        candidate: bool = False,
        locking: store.Locking | None = PATIENTLY,
    ) -> store.Published:
        return store.publish(self.models, name, trained or model(), files, shapes, now, candidate, locking)

    def load(self, name: str | None = "sales", context: bool = True) -> store.Loaded:
        return store.load(self.models, name, shapes, context)

    def promote(
        self,
        name: str,
        check: Callable[[store.Loaded], object] = lambda _: None,
        locking: store.Locking = AT_ONCE,
    ) -> store.Promoted:
        return store.promote(self.models, name, check, shapes, locking)

    def roll_back(self, name: str = "sales", locking: store.Locking = AT_ONCE) -> store.Promoted:
        return store.roll_back(self.models, name, lambda _: None, shapes, locking)

    def left_over(self) -> list[str]:
        """Return what lies in the store beside models, versions and their files."""
        found = (path.name for path in self.models.rglob(".*") if path.name != LOCK)
        return sorted(found)


@pytest.fixture
def trained() -> Trained:
    return model()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
def at() -> Callable[..., datetime]:
    """Return what makes a time in UTC."""
    return partial(datetime, tzinfo=UTC)


@pytest.fixture
def reseal() -> Callable[[Path, Mapping[str, bytes]], None]:
    """Return what replaces files of a version as a forger would: with a manifest that fits."""

    def replace_files(folder: Path, changed: Mapping[str, bytes]) -> None:
        files = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("manifest.")}
        files |= changed
        for name, data in {**files, **manifest_of(folder.name, files, None)}.items():
            (folder / name).write_bytes(data)

    return replace_files
