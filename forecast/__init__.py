"""From a CSV to forecasts you can trust: the public names, loaded when they are first used.

`import forecast` itself loads nothing else, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.errors import ForecastError
    from forecast.options import PredictOptions, ReadOptions, TrainOptions
    from forecast.panels.panel import Panel
    from forecast.pipeline import train
    from forecast.plan import Plan
    from forecast.prediction import evaluate, predict
    from forecast.store import load, publish
    from forecast.tables import read_panel
    from forecast.trained import Forecasts, Trained

__version__ = "0.1.0"

__all__ = [
    "ForecastError",
    "Forecasts",
    "Panel",
    "Plan",
    "PredictOptions",
    "ReadOptions",
    "TrainOptions",
    "Trained",
    "__version__",
    "evaluate",
    "load",
    "predict",
    "publish",
    "read_panel",
    "train",
]

_HOMES = {
    "ForecastError": "forecast.errors",
    "Forecasts": "forecast.trained",
    "Panel": "forecast.panels.panel",
    "Plan": "forecast.plan",
    "PredictOptions": "forecast.options",
    "ReadOptions": "forecast.options",
    "TrainOptions": "forecast.options",
    "Trained": "forecast.trained",
    "evaluate": "forecast.prediction",
    "load": "forecast.store",
    "predict": "forecast.prediction",
    "publish": "forecast.store",
    "read_panel": "forecast.tables",
    "train": "forecast.pipeline",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that holds it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forecast' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
