"""The equations of product.md against Keras, gate by gate, with fixed weights."""

import keras
import numpy as np
import pytest

from forecast.forecasters.lstm.cell import CellWeights, gru_step, lstm_step, rnn_step, sigmoid

ROWS, STEPS, INPUTS, UNITS = 3, 7, 4, 5


def fixed(seed, *shape):
    return np.random.default_rng(seed).normal(0, 0.7, shape)


def keras_outputs(layer, weights, x):
    layer.build(x.shape)
    layer.set_weights(weights)
    return np.asarray(layer(x))


def unrolled(step, x):
    state = np.zeros((ROWS, UNITS))
    outputs = []
    for position in range(STEPS):
        state = step(x[:, position], state)
        outputs.append(state)
    return np.stack(outputs, axis=1)


def test_lstm_step_equals_the_keras_layer_at_every_step():
    weights = CellWeights(fixed(1, INPUTS, 4 * UNITS), fixed(2, UNITS, 4 * UNITS), fixed(3, 4 * UNITS))
    x = fixed(4, ROWS, STEPS, INPUTS)
    expected = keras_outputs(keras.layers.LSTM(UNITS, return_sequences=True, dtype="float64"), weights, x)
    h = c = np.zeros((ROWS, UNITS))
    for position in range(STEPS):
        h, c, _ = lstm_step(x[:, position], h, c, weights)
        np.testing.assert_allclose(h, expected[:, position], rtol=0, atol=1e-12)


def test_lstm_step_follows_the_six_equations():
    x, h, c = fixed(1, ROWS, INPUTS), fixed(2, ROWS, UNITS), fixed(3, ROWS, UNITS)
    by_gate = {
        name: (fixed(k, INPUTS, UNITS), fixed(k + 9, UNITS, UNITS), fixed(k + 20, UNITS))
        for k, name in enumerate("ifgo", 4)
    }
    weights = CellWeights(*(np.concatenate([by_gate[name][part] for name in "ifgo"], axis=-1) for part in range(3)))
    sums = {name: x @ W + h @ U + b for name, (W, U, b) in by_gate.items()}
    f, i, o = (1 / (1 + np.exp(-sums[name])) for name in "fio")
    g = np.tanh(sums["g"])
    new_c = f * c + i * g
    new_h, got_c, gates = lstm_step(x, h, c, weights)
    for expected, got in ((f, gates.forget), (i, gates.input), (g, gates.candidate), (o, gates.output)):
        np.testing.assert_allclose(got, expected, atol=1e-14)
    np.testing.assert_allclose(got_c, new_c, atol=1e-14)
    np.testing.assert_allclose(new_h, o * np.tanh(new_c), atol=1e-14)


@pytest.mark.parametrize("gate", range(4))
def test_each_gate_of_keras_is_where_the_cell_looks_for_it(gate):
    """Open one gate's weights alone: a layout error in any gate would show."""
    weights = [np.zeros((INPUTS, 4 * UNITS)), np.zeros((UNITS, 4 * UNITS)), np.full(4 * UNITS, 0.3)]
    columns = slice(gate * UNITS, (gate + 1) * UNITS)
    weights[0][:, columns], weights[1][:, columns] = fixed(gate, INPUTS, UNITS), fixed(gate + 7, UNITS, UNITS)
    x = fixed(30, ROWS, STEPS, INPUTS)
    expected = keras_outputs(keras.layers.LSTM(UNITS, return_sequences=True, dtype="float64"), weights, x)
    h = c = np.zeros((ROWS, UNITS))
    for position in range(STEPS):
        h, c, _ = lstm_step(x[:, position], h, c, CellWeights(*weights))
    np.testing.assert_allclose(h, expected[:, -1], rtol=0, atol=1e-12)


def test_gru_step_equals_the_keras_layer_at_every_step():
    weights = CellWeights(fixed(1, INPUTS, 3 * UNITS), fixed(2, UNITS, 3 * UNITS), fixed(3, 2, 3 * UNITS))
    x = fixed(4, ROWS, STEPS, INPUTS)
    expected = keras_outputs(keras.layers.GRU(UNITS, return_sequences=True, dtype="float64"), weights, x)
    got = unrolled(lambda now, state: gru_step(now, state, weights), x)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_rnn_step_equals_the_keras_layer_at_every_step():
    weights = CellWeights(fixed(1, INPUTS, UNITS), fixed(2, UNITS, UNITS), fixed(3, UNITS))
    x = fixed(4, ROWS, STEPS, INPUTS)
    expected = keras_outputs(keras.layers.SimpleRNN(UNITS, return_sequences=True, dtype="float64"), weights, x)
    got = unrolled(lambda now, state: rnn_step(now, state, weights), x)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_a_closed_forget_gate_drops_the_cell_state_and_an_open_one_keeps_it():
    closed, opened = (
        np.concatenate([np.full(UNITS, -50.0), np.full(UNITS, bias), np.zeros(2 * UNITS)]) for bias in (-50, 50)
    )
    nothing = np.zeros((INPUTS, 4 * UNITS)), np.zeros((UNITS, 4 * UNITS))
    x, h, c = fixed(1, ROWS, INPUTS), np.zeros((ROWS, UNITS)), fixed(2, ROWS, UNITS)
    assert np.abs(lstm_step(x, h, c, CellWeights(*nothing, closed))[1]).max() < 1e-12
    np.testing.assert_allclose(lstm_step(x, h, c, CellWeights(*nothing, opened))[1], c, atol=1e-12)


def test_sigmoid_does_not_overflow():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
