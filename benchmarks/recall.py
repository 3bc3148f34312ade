"""Long memory: is a value recalled `lag` steps after it was shown? LSTM, GRU and plain RNN, trained equally long.

    python benchmarks/recall.py            # lag 100, writes benchmarks/results/recall.csv

A window of 1.2 x lag steps holds noise of twice the size of the value to recall, which stands `lag` steps before the
end and carries a mark in a second channel. The network reads the window step by step (segment 1) and says the value
afterwards. Error is the mean squared error as a share of the variance of the value: 1 knows nothing, 0 knows all.
"""

import argparse
import csv
import time
from pathlib import Path

import keras
import numpy as np

from forecast.forecasters.lstm.model import build
from forecast.options import Cell
from forecast.panels.features import widths
from forecast.plan import Plan

RESULTS = Path(__file__).parent / "results" / "recall.csv"
BATCH = 128


def recall_plan(cell: Cell, lag: int, units: int) -> Plan:
    """Return the plan of a stepwise network that sees a value, its mask and a mark."""
    return Plan(
        horizon=1, window=lag + lag // 5, segment=1, seasons=(1,), base=1, lookback=lag, past=("mark",), cell=cell,
        units=units, quantiles=(0.5,),
    )  # fmt: skip


def examples(rng: np.random.Generator, plan: Plan, lag: int, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return inputs (encoder, decoder) and the value to recall: (count, 1, 1)."""
    values = rng.uniform(-2, 2, (count, plan.window, 1)).astype("float32")
    values[:, -lag] /= 2
    mark = np.zeros_like(values)
    mark[:, -lag] = 1.0
    encoder = np.concatenate([values, np.ones_like(values), mark], axis=-1)
    decoder = np.zeros((count, plan.output_segments, widths(plan)[1]), dtype="float32")
    return [encoder, decoder], values[:, -lag : plan.window - lag + 1]


def error_after(cell: Cell, lag: int, steps: int, units: int = 32, seed: int = 1, rate: float = 5e-3) -> float:
    """Train one network of the product for `steps` batches; return its error on new examples, 1 = knows nothing."""
    keras.utils.set_random_seed(seed)
    rng, plan = np.random.default_rng(seed), recall_plan(cell, lag, units)
    model = build(plan, seed)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss="mse")
    inputs, truth = examples(rng, plan, lag, BATCH * steps)
    model.fit(inputs, truth, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    inputs, truth = examples(rng, plan, lag, 2000)
    return float(np.mean((model.predict(inputs, verbose=0) - truth) ** 2) / np.var(truth))


def main() -> None:
    """Run the task for every cell and write one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lag", type=int, default=100)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["command", "cell", "lag", "steps", "seed", "error_share_of_variance", "seconds"])
        for cell in Cell:
            begin = time.monotonic()
            error = error_after(cell, arguments.lag, arguments.steps, seed=arguments.seed)
            seconds = f"{time.monotonic() - begin:.0f}"
            row = [cell.value, arguments.lag, arguments.steps, arguments.seed, f"{error:.4f}", seconds]
            writer.writerow(["python benchmarks/recall.py", *row])
            print(*row, flush=True)


if __name__ == "__main__":
    main()
