"""Make the reference model again: python tests/make_reference_model.py

One for each bundle format: `models/reference-1` has format 1. It is committed once and then stays as it is: every later
version of the program must still load it and forecast the same. A new format gets a new one beside it.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from forecast import ReadOptions, TrainOptions, pipeline, publish, read_panel
from forecast.golden import golden_forecast
from forecast.planning import settle

REPOSITORY = Path(__file__).resolve().parent.parent
NAME = "reference-1"


def main() -> None:
    """Train a small network on the employment sample and publish it with its golden forecast alone."""
    reading = read_panel(str(REPOSITORY / "data" / "us_employment.csv"), ReadOptions(id=("sector",)))
    options = TrainOptions(horizon=6, units=12, members=2, window=24, segment=6)
    plan = replace(settle(reading.panel, options, (12,)), steps=400)
    source = reading.source | {"path": "data/us_employment.csv"}
    trained = pipeline.train(reading.panel, options, reading.options, source, plan=plan).trained
    shutil.rmtree(REPOSITORY / "models" / NAME, ignore_errors=True)
    published = publish(REPOSITORY / "models", NAME, trained, lambda _: {"golden.json": golden_forecast(trained)})
    size = sum(file.stat().st_size for file in published.path.iterdir())
    print(published.path, size, "bytes")


if __name__ == "__main__":
    main()
