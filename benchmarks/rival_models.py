"""Forecast a case with one model of statsforecast or neuralforecast; runs in the rivals' environment, .venv-rivals.

    .venv-rivals/bin/python benchmarks/rival_models.py CASE.npz MODEL OUT.npz

Nothing of this package is imported. A statistical model is fitted at each origin on the whole history of its series; a
neural one is trained once, on the rows before the first origin, and forecasts from the history at each origin without
a refit. Both are used as they come: only what must be given is given. Missing values, which neither takes, are
interpolated along a straight line, at the end of a history by repeating the last value. Times are whole steps: no model
is told of dates or covariates.
"""

import argparse
import json
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

LEVELS = (20, 40, 60, 80, 95)  # percent: bands whose ends are the deciles and the 95 % band
LOWER, UPPER = [0.5 - level / 200 for level in reversed(LEVELS)], [0.5 + level / 200 for level in LEVELS]
JOBS = 2

warnings.filterwarnings("ignore")  # of the rivals' own code


def histories(case: dict[str, Any], series: np.ndarray, lengths: np.ndarray) -> pd.DataFrame:
    """Return the visible steps of some rows in the long form that both packages take: unique_id, ds, y."""
    parts = []
    for row, (number, length) in enumerate(zip(series, lengths, strict=True)):
        begin = case["begins"][number]
        values = filled(case["target"][begin : begin + length])
        parts.append(pd.DataFrame({"unique_id": row, "ds": np.arange(1, length + 1), "y": values}))
    return pd.concat(parts, ignore_index=True)


def filled(values: np.ndarray) -> np.ndarray:
    """Return values without gaps: on a straight line between neighbours, at the ends the nearest one."""
    known = np.isfinite(values)
    places = np.arange(len(values))
    return values if known.all() else np.interp(places, places[known], values[known])


def statistical(name: str, case: dict[str, Any]) -> pd.DataFrame:
    """Fit at every origin and forecast; return the table of forecasts."""
    from statsforecast import StatsForecast
    from statsforecast.models import MSTL, AutoETS, AutoTheta

    seasons = [int(season) for season in case["seasons"]]
    makers: dict[str, Callable[[], Any]] = {
        "AutoETS": lambda: AutoETS(season_length=seasons[0]),
        "AutoTheta": lambda: AutoTheta(season_length=seasons[0]),
        "MSTL": lambda: MSTL(season_length=seasons),
    }
    table = histories(case, case["series"], case["lengths"])
    runner = StatsForecast(models=[makers[name]()], freq=1, n_jobs=JOBS)
    return runner.forecast(df=table, h=int(case["horizon"]), level=list(LEVELS))


def neural(name: str, case: dict[str, Any], seed: int) -> pd.DataFrame:
    """Train once and forecast from every origin; return the table of forecasts."""
    import logging

    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM, NHITS, DeepAR

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    horizon = int(case["horizon"])
    # Both must be given. Two horizons, as its documentation has it, but never less than a whole season of each kind.
    window = max(2 * horizon, int(max(case["seasons"])))
    quiet = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "accelerator": "cpu"}
    kind = {"LSTM": LSTM, "DeepAR": DeepAR, "NHITS": NHITS}[name]
    model = kind(h=horizon, input_size=window, random_seed=seed, start_padding_enabled=True, **quiet)
    runner = NeuralForecast(models=[model], freq=1)
    runner.fit(df=histories(case, np.arange(len(case["trained"])), case["trained"]))
    table = histories(case, case["series"], case["lengths"])
    bands = {"level": list(LEVELS)} if name == "DeepAR" else {}  # the others are trained for the point alone
    return runner.predict(df=table, **bands)


def arrays(found: pd.DataFrame, name: str, rows: int, horizon: int) -> dict[str, np.ndarray]:
    """Return a table of forecasts as arrays: point (rows, horizon), quantiles (rows, horizon, probabilities).

    DeepAR gives a mean and a median; the median is taken, as it is the better point for absolute errors.
    """
    found = found.sort_values(["unique_id", "ds"])

    def column(*names: str) -> np.ndarray:
        present = next(one for one in names if one in found)
        return found[present].to_numpy(dtype=np.float64).reshape(rows, horizon)

    point = column(f"{name}-median", name)
    if f"{name}-lo-80" not in found and f"{name}-lo-80.0" not in found:
        return {"point": point, "quantiles": np.empty((rows, horizon, 0)), "probabilities": np.empty(0)}
    low, high = ([column(f"{name}-{side}-{one}", f"{name}-{side}-{one}.0") for one in LEVELS] for side in ("lo", "hi"))
    grid = np.stack([*reversed(low), point, *high], axis=-1)
    return {"point": point, "quantiles": grid, "probabilities": np.array([*LOWER, 0.5, *UPPER])}


def main() -> None:
    """Read a case, run one model, write its forecasts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case")
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with np.load(arguments.case) as file:
        case = {name: file[name] for name in file.files}
    if arguments.model in ("LSTM", "DeepAR", "NHITS"):
        found, packages = neural(arguments.model, case, arguments.seed), ("neuralforecast", "torch")
    else:
        found, packages = statistical(arguments.model, case), ("statsforecast",)
    forecast = arrays(found, arguments.model, len(case["series"]), int(case["horizon"]))
    versions = json.dumps({name: version(name) for name in packages})
    np.savez(arguments.out, **forecast, versions=np.array(versions))


if __name__ == "__main__":
    main()
