"""The training loop, in TensorFlow: windows gathered by index inside the compiled step, early stopping, best weights.

A member is one network. An epoch is `plan.epoch` training steps, STRIDE of them in one compiled call, then a look at
the validation windows with the averaged weights (Polyak & Juditsky 1992); the weights of the best look are kept.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from forecast.errors import ResourceError
from forecast.forecasters.lstm import linear_base
from forecast.forecasters.lstm.course import Course, Epoch, Slot
from forecast.forecasters.lstm.examples import Examples, Windows
from forecast.forecasters.lstm.model import build, restore, weights_of
from forecast.options import Cell, Device
from forecast.panels.features import prepare
from forecast.panels.panel import Floats
from forecast.panels.windows import Columns, gather
from forecast.plan import LINEAR, Plan

COLUMNS = ("values", "past", "future", "calendar")
PLACES = ("begins", "limits", "starts")
AVERAGE = 0.99  # how much of the averaged weights each step keeps
VALIDATION_BATCH = 256  # windows at once: 4096 take 300 MB and twice the time
Tensors = dict[str, Any]  # TensorFlow's, by name
STRIDE = 10  # training steps in one compiled call: a signal is heard between two calls


@lru_cache(maxsize=8)  # kinds of members: a graph takes seconds to trace, and its memory is never given back
def trainer_of(plan: Plan) -> "Trainer":
    """Return the trainer for networks of this plan, the same one each time."""
    return Trainer(plan)


class Trainer:
    """The compiled parts of training networks of one plan, around their variables: every member begins anew in them."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.model, self.shadow = plan, build(plan, 0), build(plan, 0)
        self.average = self.shadow.trainable_variables  # the averaged weights, for looking
        self.optimizer = keras.optimizers.Adam(plan.learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.levels = tf.constant(plan.quantiles, tf.float32)
        # The data are an argument of the compiled functions: what a graph captures, it keeps, and it fits one panel.
        data, windows = _signature(plan), _signature_of_windows(plan)
        counts, total = tf.TensorSpec([3], tf.int32), tf.TensorSpec([], tf.float32)
        self.steps = tf.function(self._steps, input_signature=[counts, total, windows, data])
        self.errors = tf.function(self._errors, input_signature=[windows, data])

    def train(
        self,
        examples: Examples,
        seed: int,
        until: Windows | int,
        listen: Callable[[Epoch], bool],
        slot: Slot | None = None,
        start: dict[str, Floats] | None = None,
    ) -> tuple[dict[str, Floats], list[Epoch]]:
        """Train one network; return its weights by name and the history.

        until: the windows of the validation origins, which decide when to stop and which weights are best; or the
        number of steps. listen answers whether that is enough. start: the weights to go on from, by name; None begins
        anew. The same arguments and answers give the same weights on the same machine, also where a slot of a
        checkpoint lets a later run go on from what an earlier one has left in it.
        """
        self._begin(seed, start)
        plan = self.plan
        base = {"base.weights": linear_base.fit(examples, plan)} if plan.base == LINEAR else {}
        data = _tensors(examples, base.get("base.weights", np.zeros((1, plan.horizon))))
        windows = _tensors_of_windows(examples.windows)
        validation, last = (None, until) if isinstance(until, int) else (until, plan.steps)
        reference = self._validate(data, validation, base=True) if validation else None
        course, best = self._go_on(slot, weights_of(self.shadow) if validation else {})
        while course.done < last and course.since < plan.patience:
            steps = min(plan.epoch, last - course.done)
            loss = self._learn(course.done, steps, seed, windows, data)
            error = self._validate(data, validation) if validation else None
            if course.add(Epoch(course.done + steps, loss, error, reference)):
                best = weights_of(self.shadow)
            if slot:
                slot.keep(self._state(best), course)
            if listen(course.history[-1]):
                break
        return (best if validation else weights_of(self.shadow)) | base, course.history

    @property
    def _variables(self) -> dict[str, Any]:
        """Everything that training changes, by name: weights and random state, averaged weights, optimizer."""
        parts = {"model": self.model.variables, "average": self.average, "optimizer": self.optimizer.variables}
        return {f"{part}.{place}": one for part, every in parts.items() for place, one in enumerate(every)}

    def _state(self, best: dict[str, Floats]) -> dict[str, Any]:
        """Return copies of every variable, and of the best weights so far, as float32 or int64, by name."""
        arrays = {name: variable.numpy() for name, variable in self._variables.items()}
        arrays |= {f"best.{name}": weight for name, weight in best.items()}
        return {name: one.astype(np.float32 if one.dtype.kind == "f" else np.int64) for name, one in arrays.items()}

    def _go_on(self, slot: Slot | None, best: dict[str, Floats]) -> tuple[Course, dict[str, Floats]]:
        """Put every variable where an earlier run has left it; return the course and the best weights of that run.

        Without such a run training is at its beginning, and `best` are the best weights.
        """
        found = slot.state({name: array.shape for name, array in self._state(best).items()}) if slot else None
        if found is None:
            return Course(), best
        arrays, course = found
        for name, variable in self._variables.items():
            variable.assign(arrays[name].astype(variable.dtype))
        return course, {name: arrays[f"best.{name}"] for name in best}

    def _begin(self, seed: int, start: dict[str, Floats] | None) -> None:
        """Put every variable where a network with this seed starts, or with these weights."""
        keras.utils.set_random_seed(seed)
        fresh = restore(self.plan, start) if start else build(self.plan, seed)
        for model in (self.model, self.shadow):
            for variable, value in zip(model.variables, fresh.variables, strict=True):
                variable.assign(value)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))

    def _learn(self, first: int, steps: int, seed: int, windows: Tensors, data: Tensors) -> float:
        """Run training steps from the first one on; return their mean loss."""
        total = tf.constant(0.0)
        for done in range(0, steps, STRIDE):
            total = self.steps(tf.constant([first + done, min(STRIDE, steps - done), seed]), total, windows, data)
        return float(total / steps)

    def _steps(self, counts: Any, total: Any, windows: Tensors, data: Tensors) -> Any:
        """Run training steps; return the total of losses with theirs added. counts: (first step, steps, seed)."""
        for step in tf.range(counts[0], counts[0] + counts[1]):
            total += self._step(step, counts[2], windows, data)
        return total

    def _step(self, step: Any, seed: Any, windows: Tensors, data: Tensors) -> Any:
        batch = self._sample(step, seed, windows)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self._loss(self.model, data, batch, training=True)[0])
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

    def _sample(self, step: Any, seed: Any, windows: Tensors) -> Tensors:
        """Draw a batch of windows, each as likely as any other."""
        count = tf.shape(windows["series"], tf.int64)[0]
        seeds = tf.stack([seed, step])
        draw = tf.random.stateless_uniform((self.plan.batch,), seed=seeds, maxval=count, dtype=tf.int64)
        return {name: tf.gather(part, draw) for name, part in windows.items()}

    def _loss(self, model: Any, data: Tensors, windows: Tensors, training: bool = False) -> tuple[Any, Any, Any]:
        """Return per window: loss over all quantiles, error of the median, error of the base forecast; each (rows,)."""
        series, lengths = windows["series"], windows["lengths"]
        begins, limits, starts = (tf.gather(data[name], series) for name in PLACES)
        ends = begins + lengths
        columns = Columns(**{name: data[name] for name in COLUMNS}, first=0)
        places = (begins, ends, limits, starts + lengths)
        rows = gather(keras.ops, self.plan, columns, places, tf.gather(data["static"], series))
        inputs = prepare(keras.ops, self.plan, replace(rows, smoothing=windows["smoothing"]), data["linear"])
        index = tf.minimum(ends[:, None] + np.arange(self.plan.horizon), limits[:, None] - 1)
        values = tf.gather(columns.values, index)
        missing = tf.math.is_nan(values)
        weight = tf.where(missing, 0.0, inputs.spread * tf.gather(data["gains"], series)[:, None])
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

    def _errors(self, windows: Tensors, data: Tensors) -> Any:
        return tf.stack(self._loss(self.shadow, data, windows))

    def _validate(self, data: Tensors, validation: Windows, base: bool = False) -> float:
        """Return the mean error of the averaged weights (or of the base forecast) on the validation windows."""
        total, count = 0.0, len(validation.series)
        for first in range(0, count, VALIDATION_BATCH):
            errors = self.errors(_tensors_of_windows(validation, first, first + VALIDATION_BATCH), data)
            total += float(tf.reduce_sum(errors[2 if base else 1]))
        return total / count


def _signature(plan: Plan) -> dict[str, Any]:
    """Return names, shapes and types of what the compiled functions read, whatever the panel."""
    columns = {"past": len(plan.past), "future": len(plan.future), "calendar": len(plan.calendar)}
    tables = {name: tf.TensorSpec([None, width], tf.float32) for name, width in columns.items()}
    lists = {name: tf.TensorSpec([None], tf.float32) for name in ("values", "gains")}
    places = {name: tf.TensorSpec([None], tf.int64) for name in PLACES}
    tables |= {"linear": tf.TensorSpec([None, plan.horizon], tf.float32)}
    return tables | lists | places | {"static": tf.TensorSpec([None, len(plan.static)], tf.float32)}


def _signature_of_windows(plan: Plan) -> dict[str, Any]:
    """Return names, shapes and types of windows, however many."""
    width = plan.output_segments * plan.segment if plan.smoothing else 0
    places = {name: tf.TensorSpec([None], tf.int64) for name in ("series", "lengths")}
    return places | {"smoothing": tf.TensorSpec([None, width], tf.float32)}


def _tensors(examples: Examples, linear: Floats) -> Tensors:
    """Return what the compiled functions read, by name; linear: the weights of the linear base."""
    arrays = {name: getattr(examples.columns, name) for name in COLUMNS}
    arrays |= {name: getattr(examples, name) for name in PLACES}
    single = {"gains": examples.gains, "static": examples.static, "linear": linear}
    arrays |= {name: array.astype(np.float32) for name, array in single.items()}
    return {name: tf.constant(array) for name, array in arrays.items()}


def _tensors_of_windows(windows: Windows, first: int = 0, last: int | None = None) -> Tensors:
    """Return some of the windows as tensors by name."""
    return {name: tf.constant(part[first:last]) for name, part in vars(windows).items()}


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
