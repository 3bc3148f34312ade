"""What the validation origins settle, from forecasters whose forecasts are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecast import choosing
from forecast.evaluation.backtest import split
from forecast.forecasters import registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.options import Forecaster, TrainOptions
from forecast.panels.panel import Panel, panel_of
from forecast.planning import settle


@pytest.fixture
def panel() -> Panel:
    """Five series that grow, which the drift forecasts, and five that sell on one day of the week."""
    steps = np.arange(140.0)
    grows = {f"grows_{n}": 100 + (n + 1) * steps for n in range(5)}
    sells = {f"sells_{n}": np.where(steps % 7 == n, 9.0, 0.0) for n in range(5)}
    return panel_of(grows | sells)


@pytest.fixture
def plan(panel: Panel) -> Any:
    return settle(panel, TrainOptions(horizon=7, origins=4, members=1), (7,))


KINDS = (Kind.DRIFT, Kind.SEASONAL_NAIVE)


def fitted(panel: Panel, plan: Any) -> list[Fitted]:
    return [registry.FIT[kind](panel, plan) for kind in KINDS]


def test_series_that_are_mostly_zero_get_weights_of_their_own(panel: Panel, plan: Any) -> None:
    parts = split(panel, plan)
    weights = choosing.choose_weights(fitted(parts.fit, plan), parts, plan)
    assert weights == {Kind.DRIFT: (1.0, 0.0), Kind.SEASONAL_NAIVE: (0.0, 1.0)}


def test_without_series_that_are_mostly_zero_both_mixes_are_the_same(panel: Panel, plan: Any) -> None:
    parts = split(panel.select(np.arange(5)), plan)
    weights = choosing.choose_weights(fitted(parts.fit, plan), parts, plan)
    assert all(ordinary == sparse for ordinary, sparse in weights.values())


def test_each_row_has_the_weights_of_its_group(panel: Panel, plan: Any) -> None:
    weights = {Kind.DRIFT: (0.9, 0.2), Kind.SEASONAL_NAIVE: (0.1, 0.8)}
    drift, seasonal = choosing.row_weights(weights, fitted(panel, plan), panel, plan)
    assert drift.tolist() == [0.9] * 5 + [0.2] * 5
    assert (drift + seasonal).tolist() == [1.0] * 10


def test_the_network_alone_is_chosen_where_that_was_asked_for(panel: Panel, plan: Any) -> None:
    parts, only = split(panel, plan), replace(plan, forecaster=Forecaster.NETWORK)
    found = choosing.choose_weights([Fitted(Kind.NETWORK), *fitted(panel, plan)], parts, only)
    assert found == {Kind.NETWORK: (1.0, 1.0), Kind.DRIFT: (0.0, 0.0), Kind.SEASONAL_NAIVE: (0.0, 0.0)}
