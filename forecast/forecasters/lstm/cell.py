"""The recurrent cells, one step each: the equations, once, in NumPy.

LSTM: Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000). GRU: Cho et al. (2014), in the
"reset after" form that cuDNN computes. RNN: Elman (1990). Kernels are laid out as in Keras, so weights pass unchanged:
LSTM columns are i, f, g, o; GRU columns are z, r, g.
"""

from typing import NamedTuple

import numpy as np

from forecast.panels.panel import Floats


class CellWeights(NamedTuple):
    """The weights of one layer; n is units, gates is 4 (LSTM), 3 (GRU) or 1 (RNN)."""

    kernel: Floats  # W: (inputs, gates * n)
    recurrent: Floats  # U: (n, gates * n)
    bias: Floats  # b: (gates * n,); GRU (2, 3 * n): for the inputs and for the recurrence


class Gates(NamedTuple):
    """What the gates of an LSTM did in one step, each (rows, n) in 0..1, the candidate in -1..1."""

    forget: Floats  # what of the old cell state was kept
    input: Floats  # how much of the candidate was let in
    candidate: Floats
    output: Floats  # what of the cell state was shown


def sigmoid(values: Floats) -> Floats:
    """Return 1 / (1 + exp(-values)), without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * values)


def lstm_step(x: Floats, h: Floats, c: Floats, weights: CellWeights) -> tuple[Floats, Floats, Gates]:
    """Carry an LSTM one step on: x (rows, inputs), h and c (rows, n) -> h', c', gates.

    f = sigmoid(Wf x + Uf h + bf); i, o likewise; g = tanh(Wg x + Ug h + bg); c' = f c + i g; h' = o tanh(c').
    """
    sums = x @ weights.kernel + h @ weights.recurrent + weights.bias
    i, f, g, o = np.split(sums, 4, axis=-1)
    gates = Gates(forget=sigmoid(f), input=sigmoid(i), candidate=np.tanh(g), output=sigmoid(o))
    c = gates.forget * c + gates.input * gates.candidate
    return gates.output * np.tanh(c), c, gates


def gru_step(x: Floats, h: Floats, weights: CellWeights) -> Floats:
    """Carry a GRU one step on: x (rows, inputs), h (rows, n) -> h'.

    z = sigmoid(Wz x + bz + Uz h + dz), r likewise; g = tanh(Wg x + bg + r (Ug h + dg)); h' = z h + (1 - z) g.
    """
    xz, xr, xg = np.split(x @ weights.kernel + weights.bias[0], 3, axis=-1)
    hz, hr, hg = np.split(h @ weights.recurrent + weights.bias[1], 3, axis=-1)
    z = sigmoid(xz + hz)
    candidate = np.tanh(xg + sigmoid(xr + hr) * hg)
    new: Floats = z * h + (1 - z) * candidate
    return new


def rnn_step(x: Floats, h: Floats, weights: CellWeights) -> Floats:
    """Carry a plain RNN one step on: h' = tanh(W x + U h + b)."""
    return np.tanh(x @ weights.kernel + h @ weights.recurrent + weights.bias)
