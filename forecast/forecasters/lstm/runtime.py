"""The forward pass in NumPy, float64: what `predict` runs. It equals the Keras network of `model.py`.

Rows are computed in padded blocks of one fixed size on one BLAS thread, so that a row's result does not depend on its
place, its neighbours or the number of rows: the same bytes alone, among others, in any order.
"""

from collections.abc import Callable, Iterator

import numpy as np

from forecast.forecasters.lstm.cell import CellWeights, gru_step, lstm_step, rnn_step
from forecast.options import Cell
from forecast.panels.features import Inputs
from forecast.panels.panel import Floats, Integers
from forecast.plan import Plan

BLOCK = 64  # rows; measured: smaller wastes the processor, larger makes a single series wait


def blocks(rows: int) -> Iterator[tuple[slice, Integers]]:
    """Yield, for each block, the slice of rows it is for and BLOCK row numbers, the last row repeated as padding."""
    for first in range(0, rows, BLOCK):
        yield slice(first, min(first + BLOCK, rows)), np.minimum(np.arange(first, first + BLOCK), rows - 1)


def forward(plan: Plan, weights: dict[str, Floats], inputs: Inputs) -> Floats:
    """Return the normalised quantile forecasts of one network for a block: (rows, horizon, quantiles), not sorted."""
    sequence = np.moveaxis(inputs.encoder, 1, 0)  # (segments, rows, width)
    count = plan.output_segments
    rows = inputs.encoder.shape[0]
    step = inputs.decoder.reshape(rows * count, -1)
    for layer in range(plan.layers):
        sequence, state = _encode(plan.cell, sequence, _layer(weights, f"encoder_{layer}"))
        memory = [np.repeat(part if plan.memory else np.zeros_like(part), count, axis=0) for part in state]
        step = _step(plan.cell)(step, memory, _layer(weights, f"decoder_{layer}"))[0]
    outputs = step @ weights["head.kernel"] + weights["head.bias"]
    outputs = outputs.reshape(rows, count * plan.segment, len(plan.quantiles))[:, : plan.horizon]
    forecasts: Floats = inputs.base[:, :, None] + outputs
    return forecasts


def _layer(weights: dict[str, Floats], name: str) -> CellWeights:
    return CellWeights(weights[f"{name}.kernel"], weights[f"{name}.recurrent"], weights[f"{name}.bias"])


def _step(cell: Cell) -> Callable[[Floats, list[Floats], CellWeights], list[Floats]]:
    """Return the step of a cell as a function of input, state [h] or [h, c], weights; it gives the new state."""
    steps: dict[Cell, Callable[[Floats, list[Floats], CellWeights], list[Floats]]] = {
        Cell.LSTM: lambda x, state, weights: list(lstm_step(x, state[0], state[1], weights)[:2]),
        Cell.GRU: lambda x, state, weights: [gru_step(x, state[0], weights)],
        Cell.RNN: lambda x, state, weights: [rnn_step(x, state[0], weights)],
    }
    return steps[cell]


def _encode(cell: Cell, sequence: Floats, weights: CellWeights) -> tuple[Floats, list[Floats]]:
    """Run one layer over a sequence (segments, rows, width) from a zero state; return all h and the last state."""
    step, units = _step(cell), weights.recurrent.shape[0]
    state = [np.zeros((sequence.shape[1], units)) for _ in range(2 if cell is Cell.LSTM else 1)]
    outputs = np.empty((*sequence.shape[:2], units))
    for position, x in enumerate(sequence):
        state = step(x, state, weights)
        outputs[position] = state[0]
    return outputs, state
