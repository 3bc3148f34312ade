"""Models of earlier versions must load, and forecast what they forecast then."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast import load, publish
from forecast.errors import OutputError
from forecast.golden import golden_forecast, verify

MODELS = Path(__file__).resolve().parent.parent / "models"
REFERENCES = sorted(path.name for path in MODELS.glob("reference-*"))


def test_there_is_a_reference_model():
    assert "reference-1" in REFERENCES


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_model_forecasts_what_it_forecast_when_it_was_made(name):
    assert verify(load(MODELS, name)) == 3


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_model_is_small(name):
    assert sum(file.stat().st_size for file in (MODELS / name).rglob("*") if file.is_file()) < 100_000


def test_the_golden_forecast_is_that_of_the_published_mix():
    loaded = load(MODELS, "reference-1")
    assert json.loads(golden_forecast(loaded.trained))["ids"] == list(loaded.trained.ids[:3])


def test_a_scaling_that_cannot_be_undone_is_refused(tmp_path):
    loaded = load(MODELS, "reference-1")
    (network,) = loaded.trained.fitted
    arrays = network.arrays | {"series.log.spread": np.zeros(len(loaded.trained.ids))}
    with pytest.raises(OutputError) as caught:
        publish(tmp_path, "m", replace(loaded.trained, fitted=(replace(network, arrays=arrays),)), lambda _: {})
    assert (
        "scaling.safetensors holds what network cannot have: a scaling needs finite numbers and spreads above 0"
        in str(caught.value)
    )
