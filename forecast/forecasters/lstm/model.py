"""The network in backend-neutral Keras: an encoder over segments, a decoder of all output segments in parallel.

    encoder (B, input segments, width)  -> recurrent layers -> their last states: the memory
    decoder (B, output segments, width) -> one step per segment, every one from the same memory, in parallel
    dense, from zero: what is added to the base forecast, for each step and quantile

`runtime.py` computes the same in NumPy; `network.weight_shapes` names the weights of both.
"""

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from forecast.forecasters.fitted import Fitted
from forecast.forecasters.lstm import network, smoothed
from forecast.options import Cell
from forecast.panels import scaling
from forecast.panels.features import Rows, prepare, reach, widths
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.windows import columns_of, gather
from forecast.plan import Plan

LAYERS = {Cell.LSTM: keras.layers.LSTM, Cell.GRU: keras.layers.GRU, Cell.RNN: keras.layers.SimpleRNN}


def build(plan: Plan, seed: int) -> Any:
    """Build the network: [encoder, decoder] -> corrections (B, horizon, quantiles), all zero before training."""
    encoder_width, decoder_width = widths(plan)
    encoder = keras.Input((plan.input_segments, encoder_width), name="encoder")
    decoder = keras.Input((plan.output_segments, decoder_width), name="decoder")
    sequence = encoder
    step = keras.ops.reshape(decoder, (-1, 1, decoder_width))
    for layer in range(plan.layers):
        sequence, *state = _recurrent(plan, f"encoder_{layer}", seed + 2 * layer)(sequence)
        memory = [keras.ops.repeat(part, plan.output_segments, axis=0) for part in state]
        if not plan.memory:
            memory = [keras.ops.zeros_like(part) for part in memory]
        step, *_ = _recurrent(plan, f"decoder_{layer}", seed + 2 * layer + 1)(step, initial_state=memory)
    if plan.dropout:
        step = keras.layers.Dropout(plan.dropout, seed=seed)(step)
    head = keras.layers.Dense(plan.segment * len(plan.quantiles), kernel_initializer="zeros", name="head")
    outputs = keras.ops.reshape(head(step), (-1, plan.output_segments * plan.segment, len(plan.quantiles)))
    return keras.Model([encoder, decoder], outputs[:, : plan.horizon])


def _recurrent(plan: Plan, name: str, seed: int) -> Any:
    """Return one recurrent layer with what cuDNN needs: tanh and sigmoid, a bias, no dropout inside, no unrolling."""
    options: dict[str, Any] = {}
    if plan.cell is Cell.LSTM and plan.chrono:
        options = {"bias_initializer": Chrono(plan.input_segments, seed), "unit_forget_bias": False}
    return LAYERS[plan.cell](
        plan.units,
        return_sequences=True,
        return_state=True,
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
        recurrent_initializer=keras.initializers.Orthogonal(seed=seed),
        name=name,
        **options,
    )


class Chrono(keras.initializers.Initializer):  # type: ignore[misc]
    """Spread the memory of an LSTM's units over 1..span steps: forget bias log U(1, span - 1), input bias its negative.

    Tallec, Ollivier, Can recurrent neural networks warp time? (2018).
    """

    def __init__(self, span: int, seed: int) -> None:
        self.span, self.seed = span, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return the bias (4 units,) in Keras' order: input, forget, candidate, output."""
        units = shape[0] // 4
        forget = np.log(np.random.default_rng(self.seed).uniform(1.0, max(self.span - 1.0, 1.001), units))
        return keras.ops.convert_to_tensor(np.concatenate([-forget, forget, np.zeros(2 * units)]), dtype)


def weights_of(model: Any) -> dict[str, Floats]:
    """Return the weights by the names of the bundle: LAYER.kernel, LAYER.recurrent, LAYER.bias, head.kernel, ..."""
    arrays = {}
    for layer in model.layers:
        names = ("kernel", "recurrent", "bias") if len(layer.weights) == 3 else ("kernel", "bias")
        for name, weight in zip(names, layer.get_weights(), strict=True) if layer.weights else ():
            arrays[f"{layer.name}.{name}"] = np.asarray(weight, dtype=np.float64)
    return arrays


def restore(plan: Plan, arrays: dict[str, Floats]) -> Any:
    """Return the network of a plan with weights named as by `weights_of`."""
    model = build(plan, seed=0)
    for layer in model.layers:
        if layer.weights:
            names = ("kernel", "recurrent", "bias") if len(layer.weights) == 3 else ("kernel", "bias")
            layer.set_weights([arrays[f"{layer.name}.{name}"] for name in names])
    return model


def ensemble(fitted: Fitted, plan: Plan) -> Any:
    """Build one model of all members: what `network.input_shapes` names -> the quantiles of each, as `member_0`, ...

    Both in the scale of the series. It normalises windows by itself, and loading it asks for no class of this program.
    """
    inputs = {name: keras.Input(shape, name=name) for name, shape in network.input_shapes(plan).items()}
    outputs = {}
    for member in range(plan.members):
        own, weights = plan.member(member), network.member_weights(fitted, member)
        linear = weights["base.weights"].astype("float32") if "base.weights" in weights else None
        read = prepare(keras.ops, own, _rows(own, inputs), linear)
        # How weights began is of no use any more, and would be a class of ours.
        model = restore(replace(own, chrono=False, dropout=0.0), weights)
        model.name = f"network_{member}"
        quantiles = model([read.encoder, read.decoder]) + read.base[:, :, None]
        outputs[f"member_{member}"] = quantiles * read.spread[:, :, None] + read.level[:, :, None]
    return keras.Model(inputs, outputs, name="forecast")


def _rows(plan: Plan, inputs: dict[str, Any]) -> Rows:
    """Return what one member reads of the inputs of all: of a longer window the end."""
    mask = inputs["mask"][:, -plan.window - reach(plan) :]
    window, nothing = mask[:, -plan.window :, None], mask[:, :0]
    steps = keras.ops.zeros_like(mask[:, :1, None]) + np.zeros((1, plan.output_segments * plan.segment, 1), "float32")
    return Rows(
        values=inputs[f"values_{plan.transforms[0]}"][:, -plan.window - reach(plan) :],
        mask=mask,
        inside=inputs["inside"][:, -plan.window :] if "inside" in inputs else window[:, :, :0],
        ahead=inputs.get("ahead", steps[:, :, :0]),
        static=inputs.get("static", nothing),
        smoothing=inputs[f"smoothing_{plan.transforms[0]}"] if plan.smoothing else nothing,
    )


def largest_difference(fitted: Fitted, panel: Panel, known: Integers, plan: Plan, scale: Floats) -> float:
    """Return the largest difference between the Keras networks and the runtime over all members, steps and quantiles.

    As a share of the scale (series,), or of the forecast where that is larger: float32 Keras, whose rounding grows with
    it, against the float64 runtime, from the same gathered windows.
    """
    columns = columns_of(panel, plan, panel.target, network.covariate_inputs(fitted.arrays, panel), "float64")
    places = (panel.begins, panel.ends, panel.limits, panel.last + 1 - columns.first)
    static, worst = network.static_inputs(fitted, panel), 0.0
    for member, transform in enumerate(plan.transforms):
        member_plan = plan.member(member)
        scales = scaling.align(network.scaling_of(fitted, transform), panel, known)
        smoothing = smoothed.forecasts(fitted.arrays, panel, known, member_plan)
        own = network.in_scale(gather(np, member_plan, columns, places, static), scales, smoothing)
        single = type(own)(
            **{name: keras.ops.convert_to_tensor(part.astype("float32")) for name, part in vars(own).items()}
        )
        weights = network.member_weights(fitted, member)
        linear = weights["base.weights"].astype("float32") if "base.weights" in weights else None
        inputs = prepare(keras.ops, member_plan, single, linear)
        model = restore(member_plan, weights)
        outputs = model([inputs.encoder, inputs.decoder]) + inputs.base[:, :, None]
        outputs = outputs * inputs.spread[:, :, None] + inputs.level[:, :, None]
        theirs = scaling.undo(scales, keras.ops.convert_to_numpy(outputs).astype("float64"))
        ours = network.run_members(fitted, [member], panel, known, plan, columns)
        worst = max(worst, float(np.max(np.abs(theirs - ours) / np.maximum(scale[:, None, None], np.abs(ours)))))
    return worst
