"""How far back does the last hidden state h_T depend on what was read? The size of dh_T / dx_(T-k), and its picture.

Where it shrinks by a factor with every step, what lies far back is lost in the rounding and no training reaches it: the
vanishing gradient (Hochreiter 1991; Bengio, Simard, Frasconi 1994; bounds in Pascanu, Mikolov, Bengio 2013).
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from forecast.panels.panel import Floats

LOWEST = 1e-12  # of the picture's axis: what lies below cannot be learned from beside any noise
LINES = {  # by the names of recall.py: what the picture says, colour
    "lstm": ("LSTM", "#1f5fbf"),
    "lstm-usual-start": ("LSTM, forget bias 1 at the start", "#8db4ea"),
    "gru": ("GRU", "#d9822b"),
    "rnn": ("plain RNN", "#6b7078"),
}
STAGES = {"start": "at the start of training", "trained": "after training"}


def shown_steps(lag: int) -> list[int]:
    """Return the k that go into the file: each of 0..20, then each fifth up to the lag, which is in at any rate."""
    return sorted({*range(min(20, lag) + 1), *range(20, lag + 1, 5), lag})


def gradient_sizes(model: Any, sequences: np.ndarray) -> Floats:
    """Return |dh_T / dx_(T-k)| of the first encoder layer for k = 0, 1, ...: (window,).

    The mean over the examples of the Frobenius norm of the Jacobian (units x inputs). model: a network of
    `lstm/model.build`; sequences: its encoder inputs (examples, window, inputs).
    """
    jacobian_of = tf.function(_jacobian_of(model))
    units = model.get_layer("encoder_0").units
    total = np.zeros(sequences.shape[1])
    for sequence in sequences:
        # A copy for each unit, of which that unit alone is asked for: one pass back gives every row of the Jacobian.
        jacobian = jacobian_of(tf.tile(sequence[None], (units, 1, 1))).numpy().astype("float64")
        total += np.sqrt(np.sum(jacobian**2, axis=(0, 2)))  # squared in float32, 1e-20 would be nothing
    return total[::-1] / len(sequences)


def _jacobian_of(model: Any) -> Any:
    """Return the function from units copies of an example to d(unit n) / d(copy n): (units, window, inputs) both."""
    layer = model.get_layer("encoder_0")

    def gradient(copies: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(copies)
            last = layer(copies)[1]  # (copies, units)
            picked = tf.reduce_sum(tf.linalg.diag_part(last))
        return tape.gradient(picked, copies)

    return gradient


def draw(rows: list[dict[str, str]], steps: int, path: Path) -> None:
    """Draw the gradients of the runs of `steps` batches: a column for each lag, a line for each cell and seed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for row in rows if row["steps"] == str(steps)]
    lags = sorted({int(row["lag"]) for row in rows})
    figure = Figure(figsize=(3.2 * max(len(lags), 2), 6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    places = figure.subplots(len(STAGES), max(len(lags), 1), squeeze=False, sharey=True)
    for axes_row, (stage, words) in zip(places, STAGES.items(), strict=True):
        for axes, lag in zip(axes_row, lags, strict=True):
            _draw_lines(axes, [row for row in rows if row["lag"] == str(lag)], stage)
            axes.set(title=f"lag {lag}, {words}", xlim=(0, lag * 1.02))
            axes.title.set_fontsize(9)
        axes_row[0].set(yscale="log", ylim=(LOWEST, 10), ylabel="size of dh_T / dx_(T-k)")
    figure.supxlabel("k, steps back from the last", fontsize=9)
    handles = [axes_line for axes_line in places[0][0].lines if not axes_line.get_label().startswith("_")]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(LINES), frameon=False)
    figure.savefig(path, metadata={"Software": None})


def _draw_lines(axes: Any, rows: list[dict[str, str]], stage: str) -> None:
    """Draw one line for each cell and seed."""
    for cell, (name, colour) in LINES.items():
        seeds = sorted({row["seed"] for row in rows if row["cell"] == cell})
        for number, seed in enumerate(seeds):
            points = [(int(row["k"]), float(row[stage])) for row in rows if (row["cell"], row["seed"]) == (cell, seed)]
            label = name if number == 0 else None
            axes.plot(*zip(*sorted(points), strict=True), color=colour, lw=1.1, label=label)
    axes.grid(color="#e8eaee", lw=0.8)
    axes.tick_params(labelsize=8)
