"""The size of dh_T / dx_(T-k), held against networks whose gradient is known from their weights."""

import numpy as np
import pytest
from recall import recall_plan
from recall_gradient import draw, gradient_sizes, shown_steps

from forecast.forecasters.lstm.model import build

SILENCE = np.zeros((2, 12, 3), dtype="float32")  # examples, window of lag 10, inputs
RNG = np.random.default_rng(5)


def with_weights(cell, kernel, recurrent, bias):
    model = build(recall_plan(cell, lag=10), seed=1)
    model.get_layer("encoder_0").set_weights([kernel, recurrent, bias])
    return model


def test_the_gradient_of_a_plain_rnn_in_silence_is_the_power_of_its_recurrent_matrix():
    kernel, recurrent = RNG.normal(size=(3, 32)), RNG.normal(size=(32, 32)) / 8
    model = with_weights("rnn", kernel, recurrent, np.zeros(32))  # h = 0, so that tanh has slope 1
    expected = [np.linalg.norm(kernel @ np.linalg.matrix_power(recurrent, k)) for k in range(12)]
    np.testing.assert_allclose(gradient_sizes(model, SILENCE), expected, rtol=1e-4)


def test_the_gradient_of_an_lstm_in_silence_falls_with_what_its_forget_gates_let_through():
    kernel, forget = RNG.normal(size=(3, 128)), np.linspace(-1, 3, 32)
    bias = np.concatenate([np.zeros(32), forget, np.zeros(64)])  # input and output gates half open
    model = with_weights("lstm", kernel, np.zeros((32, 128)), bias)
    candidate, kept = np.linalg.norm(kernel[:, 64:96], axis=0), 1 / (1 + np.exp(-forget))
    expected = [np.linalg.norm(0.5 * 0.5 * candidate * kept**k) for k in range(12)]
    np.testing.assert_allclose(gradient_sizes(model, SILENCE), expected, rtol=1e-4)


def test_the_gradient_is_the_mean_over_the_examples():
    model = build(recall_plan("lstm", lag=10), seed=1)
    sequences = RNG.normal(size=(2, 12, 3)).astype("float32")
    one, other = gradient_sizes(model, sequences[:1]), gradient_sizes(model, sequences[1:])
    np.testing.assert_allclose(gradient_sizes(model, sequences), (one + other) / 2, rtol=1e-5)


@pytest.mark.parametrize(("lag", "steps"), [(3, [0, 1, 2, 3]), (27, [*range(21), 25, 27])])
def test_the_file_has_every_step_nearby_each_fifth_further_off_and_the_lag(lag, steps):
    assert shown_steps(lag) == steps


def test_a_gradient_of_nothing_can_be_drawn(tmp_path):
    row = {"lag": "1", "cell": "rnn", "steps": "9", "seed": "1", "k": "0", "start": "1", "trained": "1"}
    draw([row, row | {"k": "1", "start": "1e-30", "trained": "0"}], 9, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
