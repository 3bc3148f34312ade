"""The training loop, in TensorFlow: windows gathered by index inside the compiled step, early stopping, best weights.

A member is one network. An epoch is `plan.epoch` training steps in one compiled call, then a look at the validation
windows with the averaged weights (Polyak & Juditsky 1992); the weights of the best look are kept.
"""

import gc
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from forecast.errors import ResourceError
from forecast.forecasters.lstm.examples import Examples
from forecast.forecasters.lstm.model import build, weights_of
from forecast.options import Cell, Device
from forecast.panels.features import prepare
from forecast.panels.panel import Floats, Integers
from forecast.panels.windows import Columns, gather
from forecast.plan import Plan

AVERAGE = 0.99  # how much of the averaged weights each step keeps
VALIDATION_ROWS = 4096
VALIDATION_BATCH = 256  # windows at once: 4096 take 300 MB and twice the time


@dataclass(frozen=True)
class Epoch:
    """One look at the validation windows: a row of history.csv."""

    step: int
    loss: float  # mean training loss since the last look
    validation: float | None  # mean error on the validation windows, in the same unit; None without them
    reference: float | None  # the same for the base forecast that the network starts from

    @property
    def skill(self) -> float | None:
        """1 - error / error of the base forecast on the validation windows."""
        return None if self.validation is None or not self.reference else 1 - self.validation / self.reference


def train_member(
    plan: Plan, examples: Examples, seed: int, until: tuple[Integers, Integers] | int, listen: Callable[[Epoch], bool]
) -> tuple[dict[str, Floats], list[Epoch]]:
    """Train one network; return its weights by name and the history.

    until: the series (rows,) and lengths (rows,) of the validation origins, which decide when to stop and which weights
    are best; or the number of steps. listen answers whether that is enough. The same arguments and answers give the
    same weights on the same machine.
    """
    keras.utils.set_random_seed(seed)
    trainer = _Trainer(plan, examples, seed)
    validation, last = (None, until) if isinstance(until, int) else (until, plan.steps)
    reference = trainer.validate(validation, base=True) if validation else None
    best, since, history, weights = np.inf, 0, [], trainer.averaged_weights()
    for done in range(0, last, plan.epoch):
        steps = min(plan.epoch, last - done)
        loss = float(trainer.epoch(tf.constant(done), tf.constant(steps), trainer.columns))
        error = trainer.validate(validation) if validation else None
        history.append(Epoch(done + steps, loss, error, reference))
        enough = listen(history[-1])
        if error is not None:
            since += 1
            if error < best:
                best, since, weights = error, 0, trainer.averaged_weights()
        if enough or since >= plan.patience:
            break
    weights = weights if validation else trainer.averaged_weights()
    del trainer
    gc.collect()  # a trainer is held by cycles; the next one would stand beside it
    return weights, history


def thinning(series: Integers) -> int:
    """Return the stride that leaves about VALIDATION_ROWS of rows (rows,): series by series, all origins of each.

    It shares no factor with the number of origins: otherwise only some of them would ever be looked at.
    """
    origins = int(np.bincount(series).max())
    every = max(1, -(-len(series) // VALIDATION_ROWS))
    while math.gcd(every, origins) > 1:
        every += 1
    return every


class _Trainer:
    """The compiled parts of one member's training, around its variables."""

    def __init__(self, plan: Plan, examples: Examples, seed: int) -> None:
        self.plan, self.seed, self.model = plan, seed, build(plan, seed)
        # An argument of the compiled functions: what a graph captures, TensorFlow keeps until the process ends.
        self.columns = {name: tf.constant(array) for name, array in vars(examples.columns).items() if name != "first"}
        self.places = {name: tf.constant(getattr(examples, name)) for name in ("begins", "limits", "starts", "least")}
        self.gains = tf.constant(examples.gains, tf.float32)
        self.static = tf.constant(examples.static, tf.float32)
        self.cumulative = tf.constant(np.cumsum(examples.counts))
        self.optimizer = keras.optimizers.Adam(plan.learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.average = [tf.Variable(variable.value) for variable in self.model.trainable_variables]
        self.shadow = build(plan, seed)  # the averaged weights, for looking
        self.levels = tf.constant(plan.quantiles, tf.float32)
        row, count = tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.int32)
        columns = tf.nest.map_structure(tf.TensorSpec.from_tensor, self.columns)
        self.epoch = tf.function(self._epoch, input_signature=[count, count, columns])
        self.errors = tf.function(self._errors, input_signature=[row, row, columns])

    def _epoch(self, first: Any, steps: Any, columns: dict[str, Any]) -> Any:
        """Run `steps` training steps; return their mean loss."""
        total = tf.constant(0.0)
        for step in tf.range(first, first + steps):
            total += self._step(step, Columns(**columns, first=0))
        return total / tf.cast(steps, tf.float32)

    def _step(self, step: Any, columns: Columns) -> Any:
        series, origins = self._sample(step)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self._loss(self.model, columns, series, origins, training=True)[0])
        variables = self.model.trainable_variables
        tensors = [variable.value for variable in variables]  # TensorFlow's own: an encoder cut off has gradient zero
        gradients = tape.gradient(loss, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        if self.plan.clip:
            gradients, _ = tf.clip_by_global_norm(gradients, self.plan.clip)
        self.optimizer.learning_rate.assign(self._learning_rate(step))
        self.optimizer.apply(gradients, variables)
        keep = tf.minimum(AVERAGE, tf.cast(step + 1, tf.float32) / tf.cast(step + 10, tf.float32))
        for average, variable in zip(self.average, variables, strict=True):
            average.assign(keep * average + (1 - keep) * variable.value)
        return loss

    def _learning_rate(self, step: Any) -> Any:
        """Fall from the full rate along a half cosine to a tenth of it at plan.steps."""
        share = tf.cast(step, tf.float32) / self.plan.steps
        return self.plan.learning_rate * (0.1 + 0.9 * 0.5 * (1 + tf.cos(np.pi * share)))

    def _sample(self, step: Any) -> tuple[Any, Any]:
        """Draw a batch of windows, each as likely as any other: series and steps before the origin, (batch,) each."""
        draw = tf.random.stateless_uniform(
            (self.plan.batch,), seed=tf.stack([self.seed, step]), maxval=self.cumulative[-1], dtype=tf.int64
        )
        series = tf.searchsorted(self.cumulative, draw, side="right")
        before = tf.gather(tf.concat([[tf.constant(0, tf.int64)], self.cumulative], 0), series)
        return series, tf.gather(self.places["least"], series) + draw - before

    def _loss(
        self, model: Any, columns: Columns, series: Any, lengths: Any, training: bool = False
    ) -> tuple[Any, Any, Any]:
        """Return per window: loss over all quantiles, error of the median, error of the base forecast; each (rows,)."""
        place = {name: tf.gather(values, series) for name, values in self.places.items()}
        ends = place["begins"] + lengths
        rows = gather(
            keras.ops,
            self.plan,
            columns,
            (place["begins"], ends, place["limits"], place["starts"] + lengths),
            tf.gather(self.static, series),
        )
        inputs = prepare(keras.ops, self.plan, rows)
        index = tf.minimum(ends[:, None] + np.arange(self.plan.horizon), place["limits"][:, None] - 1)
        values = tf.gather(columns.values, index)
        missing = tf.math.is_nan(values)
        weight = tf.where(missing, 0.0, inputs.spread * tf.gather(self.gains, series)[:, None])
        truth = (tf.where(missing, 0.0, values) - inputs.level) / inputs.spread
        residual = truth - inputs.base
        errors = residual[:, :, None] - model([inputs.encoder, inputs.decoder], training=training)
        pinball = tf.maximum(self.levels * errors, (self.levels - 1) * errors)
        middle = errors[:, :, self.plan.quantiles.index(0.5)]
        return (
            tf.reduce_mean(weight * (tf.reduce_mean(pinball, -1) + 0.5 * tf.abs(middle)), -1),
            tf.reduce_mean(weight * tf.abs(middle), -1),
            tf.reduce_mean(weight * tf.abs(residual), -1),
        )

    def _errors(self, series: Any, lengths: Any, columns: dict[str, Any]) -> Any:
        return tf.stack(self._loss(self.shadow, Columns(**columns, first=0), series, lengths))

    def validate(self, validation: tuple[Integers, Integers], base: bool = False) -> float:
        """Return the mean error of the averaged weights (or of the base forecast) on the validation windows."""
        for variable, average in zip(self.shadow.trainable_variables, self.average, strict=True):
            variable.assign(average)
        every = thinning(validation[0])
        series, lengths = (part[::every] for part in validation)
        total = 0.0
        for first in range(0, len(series), VALIDATION_BATCH):
            batch = slice(first, first + VALIDATION_BATCH)
            errors = self.errors(tf.constant(series[batch]), tf.constant(lengths[batch]), self.columns)
            total += float(tf.reduce_sum(errors[2 if base else 1]))
        return total / len(series)

    def averaged_weights(self) -> dict[str, Floats]:
        """Return the averaged weights by name."""
        for variable, average in zip(self.shadow.trainable_variables, self.average, strict=True):
            variable.assign(average)
        return weights_of(self.shadow)


def device_report(device: Device, cell: Cell) -> dict[str, Any]:
    """Settle the device and return {device, cudnn, why_not}; hide the GPUs when the processor is asked for.

    Raises ResourceError when a GPU is asked for and TensorFlow sees none.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if device is Device.GPU and not gpus:
        raise ResourceError(
            "--device gpu: TensorFlow sees no GPU on this machine.\n"
            "Install forecast-lstm[gpu] beside a driver, or leave --device at auto."
        )
    if device is Device.CPU:
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    if not gpus:
        return {"device": "cpu", "cudnn": False, "why_not": "no GPU is used"}
    if cell is Cell.RNN:
        return {"device": "gpu", "cudnn": False, "why_not": "Keras has no cuDNN kernel for the plain RNN"}
    return {"device": "gpu", "cudnn": True, "why_not": None}
