import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

import forecast

ROOT = Path(__file__).parents[1]


def test_the_public_names_are_these() -> None:
    assert forecast.__all__ == [
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


def test_the_public_names_are_sorted() -> None:
    assert forecast.__all__ == sorted(forecast.__all__)


@pytest.mark.parametrize("name", forecast.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(forecast, name) is not None


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'forecast' has no attribute 'nothing'"):
        _ = forecast.nothing


def test_importing_forecast_loads_nothing_else() -> None:
    code = "import sys, forecast; print('numpy' in sys.modules, 'typer' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "False False\n"


def test_the_distribution_takes_its_version_from_here() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["version"] == "attr: forecast.__version__"
