"""The options of every command, once: frozen records whose fields carry their help.

The command line spreads the fields of a record into a command's signature; Python callers make the same records.
A field left at None means: settle it from the data. `__post_init__` checks what can be checked without reading rows.
"""

from typing import Any

from forecast.options.measuring import BacktestOptions, ScoreOptions
from forecast.options.predicting import PredictOptions, Prefix
from forecast.options.reading import MAX_INPUT_BYTES, Duplicates, ReadOptions
from forecast.options.running import CommonOptions, ConfigFile, LockOptions
from forecast.options.sections import COLUMNS, DIALECT, INPUT, NETWORK, ORIGINS, OUTPUT, REPAIR, RUN
from forecast.options.training import (
    MOST_DECIMALS,
    Cell,
    Device,
    Forecaster,
    Preset,
    Scaler,
    TrainOptions,
    check_bounds,
)
from forecast.options.updating import UpdateOptions

__all__ = [
    "COLUMNS",
    "DIALECT",
    "INPUT",
    "MAX_INPUT_BYTES",
    "MOST_DECIMALS",
    "NETWORK",
    "ORIGINS",
    "OUTPUT",
    "REPAIR",
    "RUN",
    "BacktestOptions",
    "Cell",
    "CommonOptions",
    "ConfigFile",
    "Device",
    "Duplicates",
    "Forecaster",
    "LockOptions",
    "PredictOptions",
    "Prefix",
    "Preset",
    "ReadOptions",
    "Scaler",
    "ScoreOptions",
    "TrainOptions",
    "UpdateOptions",
    "as_record",
    "check_bounds",
]


def as_record(options: Any) -> dict[str, Any]:
    """Return an options record as plain values that JSON can hold."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(options).items()}
