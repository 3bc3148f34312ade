"""Some nights of the year that `make bench-nights` lives through, those on which something happens; no training.

Needs faketime: `make test-system`.
"""

from datetime import date, datetime
from pathlib import Path

import nights
import pytest
from night_feed import Event, World
from night_oracle import HORIZON
from night_program import Program

from forecast import ReadOptions, TrainOptions, publish
from forecast.evaluation.backtest import split
from forecast.evaluation.calibration import fit_calibration
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.options import Duplicates
from forecast.panels.clock import on_clock
from forecast.panels.units import seasonal_difference
from forecast.pipeline import context_of
from forecast.planning import settle
from forecast.tables import read_panel
from forecast.trained import Trained

EVENTS = [event for event in Event if event not in (Event.USUAL, Event.DRIFT)]
SPRING = World(date(2025, 3, 27), 2 + len(EVENTS), 28, dict(enumerate(EVENTS, 2)))
AUTUMN = World(date(2025, 10, 24), 4, 28, {})


def train_ridge(program: Program, moment: datetime) -> None:
    """Publish a ridge regression alone, with bands: what is published without a network."""
    read = ReadOptions(
        id=("shop",), time=("time",), target=("sales",), tz="Europe/Berlin", season=(24,), duplicates=Duplicates.LAST
    )
    reading = read_panel(str(program.folder / "feed" / "*.csv"), read)
    table, panel = reading.panel, on_clock(reading.panel)
    plan = settle(panel, TrainOptions(horizon=HORIZON, min=0), (24,))
    held, units = split(panel, plan).held, seasonal_difference(panel, plan.season)
    fitted = registry.FIT[Kind.RIDGE](panel, plan)
    quantiles = registry.run(fitted, held.panel, held.series, plan)
    bands = fit_calibration(held.panel.truth(HORIZON), quantiles, units[held.series], plan.quantiles)
    context = context_of(table, plan)
    trained = Trained(plan, reading.options, table.calendar, panel.ids, (fitted,), (1.0,), units, bands, context, {})
    publish(program.folder / nights.STORE, nights.MODEL, trained, lambda _: {})


@pytest.mark.parametrize("world", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_every_night_leaves_the_right_forecast_or_none_with_the_right_exit_code(tmp_path: Path, world: World) -> None:
    year = nights.begin(tmp_path, world, train_ridge)
    found = {night.number: night.faults for night in nights.live(year, updates=False)}
    assert found == {number: [] for number in range(world.nights)}
