"""The data sets of the accuracy benchmark as data, and the one form in which all of them are forecast and scored.

Three protocols: a competition's own test table; every window of the last rows of a table (the protocol of the papers on
long horizons); rolling origins by one rule for all tables that have no protocol of their own. In each, a forecaster is
trained once, on the rows before the first origin, and forecasts from every origin without a refit.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast import Panel, ReadOptions, read_panel
from forecast.panels.panel import Floats, Integers

ORIGINS = 20  # rolling origins
KEPT = 0.6  # of a usual series, at least, lies before the first origin


@dataclass(frozen=True)
class Windows:
    """A fixed split by rows of the table: every window whose targets lie in the rows from `first` to `last`."""

    trained: int  # rows that training may read, those that choose included
    first: int  # rows before the first target
    last: int  # rows before the end of the last target
    scaled: int  # errors are in units of each series' standard deviation over so many rows


@dataclass(frozen=True)
class DataSet:
    """A table of the shared folder, how it is read, and what is forecast."""

    name: str
    table: str
    horizon: int
    seasons: tuple[int, ...]  # the first is that of MASE; what a rival is told, who cannot find them
    read: dict[str, Any] = field(default_factory=dict)  # fields of ReadOptions
    test: str = ""  # table of the held-out rows of a competition
    windows: Windows | None = None
    naive2: tuple[float, float] | None = None  # sMAPE and MASE of Naive2 on the test rows, from the competition
    plain: str = ""  # name of the same set without covariates, whose rivals stand beside this one
    rivals: bool = True  # whether rivals are run here; False: their figures are published ones


@dataclass(frozen=True, eq=False)
class Case:
    """A data set, read: row r is series[r] of the panel, forecast from its first lengths[r] steps."""

    name: str
    panel: Panel  # all rows, those to be forecast included
    read: ReadOptions  # settled by reading
    seasons: tuple[int, ...]
    horizon: int
    trained: Integers  # (series,) steps before the first origin
    series: Integers  # (rows,)
    lengths: Integers  # (rows,)
    unit: Floats  # (series,) mean absolute seasonal difference before the first origin: the denominator of MASE
    spread: Floats | None  # (series,) what absolute and squared errors are divided by; None: nothing
    naive2: tuple[float, float] | None

    def visible(self) -> Panel:
        """Return the panel that training sees."""
        return self.panel.select(np.arange(len(self.panel)), self.trained)

    def cut(self, rows: Integers) -> Panel:
        """Return the panel as it is at the origins of some rows: (rows,)."""
        return self.panel.select(self.series[rows], self.lengths[rows])


HOURLY = (24, 168)
BIKES = {"time": ("date_time",), "target": ("users",)}
BEIJING = {"time": ("year", "month", "day", "hour"), "target": ("pm2.5",)}
ETTH1 = [
    DataSet(
        f"etth1_{horizon}",
        "ETTh1.csv",
        horizon,
        (24,),
        {"wide": True, "season": (24,)},
        windows=Windows(trained=11_520, first=11_520, last=14_400, scaled=8_640),
        rivals=False,
    )
    for horizon in (96, 192, 336, 720)
]
COMPETITIONS = [
    DataSet(
        "m4_hourly",
        "m4_hourly_train.csv.gz",
        48,
        HOURLY,
        {"season": HOURLY},
        test="m4_hourly_test.csv.gz",
        naive2=(18.383, 2.395),
    ),
    DataSet("m3_monthly", "m3_monthly_train.csv.gz", 18, (12,), {"season": (12,)}, test="m3_monthly_test.csv.gz"),
]
EXCHANGE = DataSet(
    "exchange_rate",
    "exchange_rate.csv",
    96,
    (1,),
    {"wide": True, "time": ("none",)},
    windows=Windows(trained=6_071, first=6_071, last=7_588, scaled=5_311),
    rivals=False,
)
ANY_DATA = [
    DataSet("nyc_taxi", "nyc_taxi.csv", 48, (48, 336)),
    DataSet(
        "pedestrian",
        "pedestrian.csv.gz",
        48,
        HOURLY,
        {"id": ("Sensor",), "time": ("time_utc",), "target": ("Count",)},
    ),
    DataSet("beijing_pm25", "beijing_pm25.csv.gz", 48, HOURLY, BEIJING),
    DataSet(
        "beijing_pm25_weather",
        "beijing_pm25.csv.gz",
        48,
        HOURLY,
        BEIJING | {"past": ("DEWP", "TEMP", "PRES", "Iws", "Is", "Ir")},
        plain="beijing_pm25",
    ),
    DataSet("bike_sharing", "bike_sharing_hourly.csv.gz", 48, HOURLY, BIKES),
    DataSet(
        "bike_sharing_known",
        "bike_sharing_hourly.csv.gz",
        48,
        HOURLY,
        BIKES | {"future": ("holiday", "workingday", "temp", "atemp", "hum", "windspeed")},
        plain="bike_sharing",
    ),
    DataSet("aus_retail", "aus_retail.csv.gz", 12, (12,), {"id": ("State", "Industry"), "target": ("Turnover",)}),
    DataSet("air_passengers", "air_passengers.csv", 12, (12,)),
    # To whole hours, as the refusal of the table as it stands proposes: 53 % of the hours are empty.
    DataSet("travel_time", "travel_time_387.csv", 48, HOURLY, {"freq": "h", "duplicates": "mean"}),
]
SETS = {one.name: one for one in (*COMPETITIONS, *ETTH1, EXCHANGE, *ANY_DATA)}


def load_case(one: DataSet, folder: Path) -> Case:
    """Read a data set from a folder of tables and lay out its origins. Raises ForecastError where it cannot be read."""
    reading = read_panel(str(folder / one.table), ReadOptions(**one.read))
    panel, spread = reading.panel, None
    if one.test:
        trained = panel.lengths
        panel = joined(panel, read_panel(str(folder / one.test), ReadOptions(**one.read)).panel)
        series, lengths = np.arange(len(panel)), trained
    elif one.windows:
        trained = np.full(len(panel), one.windows.trained)
        origins = np.arange(one.windows.first, one.windows.last - one.horizon + 1)
        series, lengths = np.tile(np.arange(len(panel)), len(origins)), np.repeat(origins, len(panel))
        spread = np.array([np.nanstd(panel.values(row)[: one.windows.scaled]) for row in range(len(panel))])
    else:
        origins = panel.last.max() - steps_back(int(np.median(panel.lengths)), one.horizon)
        # A series that begins later was not there to be trained on.
        panel = panel.select(np.flatnonzero(panel.starts + 2 * one.seasons[0] <= origins[0]))
        trained = np.minimum(panel.lengths, origins[0] + 1 - panel.starts)
        series, lengths = rolling(panel, origins, one.horizon, max(one.seasons))
    before = panel.select(np.arange(len(panel)), trained)
    unit = np.array([seasonal_difference(before.values(row), one.seasons[0]) for row in range(len(panel))])
    return Case(
        one.name, panel, reading.options, one.seasons, one.horizon, trained, series, lengths, unit, spread, one.naive2
    )


def steps_back(length: int, horizon: int) -> Integers:
    """Return how many steps before the newest row each origin lies, the oldest first: (ORIGINS,).

    One more than a horizon apart, so that days are not always forecast from the same hour; nearer, and so overlapping,
    where a series of this length would otherwise keep less than KEPT of its steps before the first origin.
    """
    room = int((1 - KEPT) * length) - horizon
    apart = max(1, min(horizon + 1, room // (ORIGINS - 1)))
    return horizon + apart * np.arange(ORIGINS)[::-1]


def rolling(panel: Panel, origins: Integers, horizon: int, recent: int) -> tuple[Integers, Integers]:
    """Return series and visible steps of every row, (rows,) each, that can be forecast and scored.

    origins: (origins,) calendar ordinals of the last visible step, the same moments for all series. Left out is an
    origin after which nothing is known, or before which the series was silent for `recent` steps.
    """
    series = np.repeat(np.arange(len(panel)), len(origins))
    lengths = np.tile(origins, len(panel)) + 1 - panel.starts[series]
    going_on = lengths < panel.lengths[series]
    series, lengths = series[going_on], lengths[going_on]
    cut = panel.select(series, lengths)
    usable = np.isfinite(cut.truth(horizon)).any(axis=1) & np.isfinite(cut.tail(recent)).any(axis=1)
    return series[usable], lengths[usable]


def seasonal_difference(values: Floats, season: int) -> float:
    """Return mean |x_t - x_(t-season)| over the steps where both are known, as the competitions define MASE."""
    return float(np.nanmean(np.abs(values[season:] - values[:-season])))


def joined(train: Panel, test: Panel) -> Panel:
    """Append to each series the rows of the test table. Raises ValueError unless they follow upon it."""
    row = {name: number for number, name in enumerate(test.ids)}
    order = np.array([row[name] for name in train.ids])
    if not np.array_equal(test.starts[order], train.last + 1):
        raise ValueError("the test rows of a series do not begin where its training rows end")
    parts = [part for s, t in enumerate(order) for part in (train.values(s), test.values(t))]
    lengths = train.lengths + test.lengths[order]
    ends = np.cumsum(lengths)
    return replace(train, begins=ends - lengths, lengths=lengths, limits=ends, target=np.concatenate(parts))


def export(case: Case, path: Path) -> None:
    """Write what a rival needs as plain arrays: the values, the training rows, the origins; no covariates.

    target: (steps,) NaN where missing; begins, trained: (series,); series, lengths: (rows,).
    """
    np.savez(
        path,
        target=case.panel.target,
        begins=case.panel.begins,
        trained=case.trained,
        series=case.series,
        lengths=case.lengths,
        horizon=case.horizon,
        seasons=np.array(case.seasons),
    )
