"""Long memory: is a value recalled `lag` steps after it was shown? LSTM, GRU, plain RNN, trained equally long.

    python benchmarks/recall.py            # every lag, cell and seed; runs that have a line already are left out

A window of 1.2 x lag steps holds noise of twice the size of the value to recall, which stands `lag` steps before the
last and carries a mark in a second channel. The network reads the window step by step (segment 1) and says the value
afterwards. Error is the mean squared error as a share of the variance of the value: 1 knows nothing, 0 knows all.
Before and after training, how much the last hidden state depends on each step of the window is measured as well.

Writes benchmarks/results/recall.csv, recall_gradient.csv and recall_gradient.png. One configuration for all; one
thread of the processor.
"""

import argparse
import time
from itertools import product
from typing import Any

import keras
import numpy as np
import record
import tensorflow as tf
from recall_gradient import draw, gradient_sizes, shown_steps

from forecast.forecasters.lstm.model import build
from forecast.options import Cell
from forecast.panels.features import widths
from forecast.plan import Plan

CELLS: dict[str, dict[str, Any]] = {
    "lstm": {"cell": Cell.LSTM},  # as the product starts it: memory spread over the window
    "lstm-usual-start": {"cell": Cell.LSTM, "chrono": False},  # forget bias 1, as Keras starts it
    "gru": {"cell": Cell.GRU},
    "rnn": {"cell": Cell.RNN},
}
LAGS, SEEDS, STEPS = (50, 100, 200, 400), (1, 2, 3), 1000
BATCH, UNITS, RATE, CLIP = 64, 32, 1e-2, 1.0
TESTED = 2000  # new examples the error is measured on
TRACED = 32  # new examples the gradient is measured on
ERRORS, GRADIENTS = (record.RESULTS / name for name in ("recall.csv", "recall_gradient.csv"))
RUN = ("lag", "cell", "steps", "seed")  # what tells one run from another


def recall_plan(cell: str, lag: int) -> Plan:
    """Return the plan of a stepwise network that sees a value, its mask and a mark."""
    return Plan(
        horizon=1, window=lag + max(lag // 5, 1), segment=1, seasons=(1,), base=1, lookback=lag, past=("mark",),
        units=UNITS, quantiles=(0.5,), **CELLS[cell],
    )  # fmt: skip


def examples(rng: np.random.Generator, plan: Plan, lag: int, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return inputs (encoder, decoder) and the value to recall: (count, 1, 1)."""
    values = rng.uniform(-2, 2, (count, plan.window, 1)).astype("float32")
    shown = plan.window - 1 - lag
    values[:, shown] /= 2
    mark = np.zeros_like(values)
    mark[:, shown] = 1.0
    encoder = np.concatenate([values, np.ones_like(values), mark], axis=-1)
    decoder = np.zeros((count, plan.output_segments, widths(plan)[1]), dtype="float32")
    return [encoder, decoder], values[:, shown : shown + 1]


def network(cell: str, lag: int, seed: int) -> Any:
    """Return one network of the product, ready to train."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = build(recall_plan(cell, lag), seed)
    # Compiled by XLA a step takes half as long again on a processor.
    model.compile(keras.optimizers.Adam(RATE, clipnorm=CLIP), loss="mse", jit_compile=False)
    return model


def train(model: Any, cell: str, lag: int, steps: int, seed: int) -> None:
    """Train for `steps` batches, each drawn when it is needed: all of them would not fit into memory."""
    rng, plan = np.random.default_rng(seed), recall_plan(cell, lag)
    for _ in range(steps):
        model.train_on_batch(*examples(rng, plan, lag, BATCH))


def error_of(model: Any, cell: str, lag: int, seed: int) -> float:
    """Return the error on new examples, 1 = knows nothing."""
    inputs, truth = examples(np.random.default_rng([seed, 1]), recall_plan(cell, lag), lag, TESTED)
    return float(np.mean((model.predict(inputs, batch_size=256, verbose=0) - truth) ** 2) / np.var(truth))


def error_after(cell: str, lag: int, steps: int, seed: int = 1) -> float:
    """Train one network for `steps` batches; return its error on new examples."""
    model = network(cell, lag, seed)
    train(model, cell, lag, steps, seed)
    return error_of(model, cell, lag, seed)


def run(lag: int, cell: str, steps: int, seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Train one network; return its line, and one line for each shown step of the gradient before and after."""
    begin, worked = time.monotonic(), time.process_time()
    model = network(cell, lag, seed)
    (sequences, _), _ = examples(np.random.default_rng([seed, 2]), recall_plan(cell, lag), lag, TRACED)
    start = gradient_sizes(model, sequences)
    train(model, cell, lag, steps, seed)
    trained = gradient_sizes(model, sequences)
    key: dict[str, Any] = {"lag": lag, "cell": cell, "steps": steps, "seed": seed}
    line = key | {
        "error_share_of_variance": f"{error_of(model, cell, lag, seed):.4f}",
        "gradient_start": f"{start[lag]:.3g}",
        "gradient_trained": f"{trained[lag]:.3g}",
        "seconds": f"{time.monotonic() - begin:.0f}",
        "cpu_seconds": f"{time.process_time() - worked:.0f}",  # the same on a busy machine
        "command": f"python benchmarks/recall.py --lag {lag} --cell {cell} --steps {steps} --seed {seed}",
    }
    return line, [key | {"k": k, "start": f"{start[k]:.4g}", "trained": f"{trained[k]:.4g}"} for k in shown_steps(lag)]


def main() -> None:
    """Run what has no line yet, seed by seed, and draw all gradients that are known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lag", type=int, nargs="+", default=LAGS, help="steps back; default: %(default)s")
    parser.add_argument("--cell", nargs="+", choices=CELLS, default=tuple(CELLS), help="default: all")
    parser.add_argument("--steps", type=int, default=STEPS, help="batches to train for; default: %(default)s")
    parser.add_argument("--seed", type=int, nargs="+", default=SEEDS, help="default: %(default)s")
    parser.add_argument("--again", action="store_true", help="run also what has a line, and replace the line")
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    commit = record.commit()  # now: what is changed while this runs is not what runs
    for seed, lag, cell in product(arguments.seed, arguments.lag, arguments.cell):
        key = (str(lag), cell, str(arguments.steps), str(seed))
        known = {tuple(row[name] for name in RUN) for row in record.read(ERRORS)}
        if arguments.again or key not in known:
            line, gradients = run(lag, cell, arguments.steps, seed)
            record.merge(GRADIENTS, gradients, list(gradients[0]), RUN, quiet=True)
            line["commit"] = commit
            record.merge(ERRORS, [line], list(line), RUN)  # last: a run in here is finished
    draw(record.read(GRADIENTS), arguments.steps, GRADIENTS.with_suffix(".png"))


if __name__ == "__main__":
    main()
