"""The LSTM as a forecaster: an ensemble of networks, fitted with Keras, run with NumPy."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import smoothed
from forecast.forecasters.lstm.course import Epoch, Slot, mark_of
from forecast.forecasters.lstm.examples import examples_of, thinned, windows_at
from forecast.forecasters.lstm.runtime import blocks, forward
from forecast.options import Cell
from forecast.panels import scaling
from forecast.panels.blocks import observed
from forecast.panels.channels import TRANSFORM
from forecast.panels.features import Rows, prepare, reach, widths
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.windows import Columns, columns_of, gather
from forecast.plan import LINEAR, MEDIAN, Plan
from forecast.progress import Look
from forecast.surroundings import Checkpoint

GATES = {Cell.LSTM: 4, Cell.GRU: 3, Cell.RNN: 1}
COVARIATES = ("past.", "future.", "static.")  # what the names of their scales begin with


def weight_shapes(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight of one network by name."""
    encoder, decoder = widths(plan)
    gates, units = GATES[plan.cell], plan.units
    bias: tuple[int, ...] = (2, gates * units) if plan.cell is Cell.GRU else (gates * units,)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(plan.layers):
        for side, width in (("encoder", encoder), ("decoder", decoder)):
            shapes[f"{side}_{layer}.kernel"] = (width if layer == 0 else units, gates * units)
            shapes[f"{side}_{layer}.recurrent"] = (units, gates * units)
            shapes[f"{side}_{layer}.bias"] = bias
    outputs = plan.segment * len(plan.quantiles)
    shapes |= {"head.kernel": (units, outputs), "head.bias": (outputs,)}
    return shapes | ({"base.weights": (plan.window + 1, plan.horizon)} if plan.base == LINEAR else {})


def shapes(plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array of the fitted ensemble, for the loader."""
    arrays = {
        f"member_{member}.{name}": shape
        for member in range(plan.members)
        for name, shape in weight_shapes(plan.member(member)).items()
    }
    for transform in transforms_of(plan):
        arrays |= {f"series.{transform}.{name}": (series,) for name in ("centre", "spread", "power")}
    arrays |= smoothed.shapes(plan, series)
    for name, count in (("past", len(plan.past)), ("future", len(plan.future)), ("static", len(plan.static))):
        arrays |= {f"{name}.centre": (count,), f"{name}.spread": (count,)} if count else {}
    return arrays


def input_shapes(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Return the shape of what all members read of a window, by name: the fields of `Rows`, empty ones left out.

    The values once for each transform, and as many steps as the longest window needs: shorter ones are its end.
    """
    reached, known = plan.window + reach(plan), len(plan.future) + len(plan.calendar)
    ahead, members = plan.output_segments * plan.segment, [plan.member(member) for member in range(plan.members)]
    shapes = {
        **{f"values_{own.transforms[0]}": (reached,) for own in members},
        "mask": (reached,),
        "inside": (plan.window, len(plan.past) + known),
        "ahead": (ahead, known),
        **{f"smoothing_{own.transforms[0]}": (ahead,) for own in members if own.smoothing},
        "static": (len(plan.static),),
    }
    return {name: shape for name, shape in shapes.items() if shape[-1]}


def transforms_of(plan: Plan) -> tuple[str, ...]:
    """Return the transforms whose scaling an ensemble carries: of its members, and of the targets that are mixed."""
    return tuple(dict.fromkeys((*plan.transforms, *([TRANSFORM] if plan.mixed_targets else []))))


def run(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of each series: (series, horizon, quantiles), rising along the last axis.

    The weighted mean of the members' quantiles, as Keras would give them to within rounding. NaN where nothing was
    observed.
    """
    columns = _raw_columns(fitted, panel, plan)
    return _sorted(run_members(fitted, range(plan.members), panel, known, plan, columns), panel, plan)


def medians(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> list[Floats]:
    """Return the medians that each member forecasts by itself: (series, horizon) each; NaN where nothing was seen."""
    columns = _raw_columns(fitted, panel, plan)
    each = (run_members(fitted, [member], panel, known, plan, columns) for member in range(plan.members))
    return [_sorted(quantiles, panel, plan)[:, :, MEDIAN].copy() for quantiles in each]  # a view would keep them all


def _sorted(quantiles: Floats, panel: Panel, plan: Plan) -> Floats:
    """Return quantiles (series, horizon, quantiles) rising along the last axis, NaN where nothing was observed."""
    quantiles.sort(axis=-1)
    quantiles[observed(panel, plan.window) == 0] = np.nan
    return quantiles


def run_members(
    fitted: Fitted, members: Sequence[int], panel: Panel, known: Integers, plan: Plan, columns: Columns
) -> Floats:
    """Return the weighted mean of the quantiles of some members: (series, horizon, quantiles), not sorted.

    A block is finished before the next begins, all its members at once, so that beside the result little memory is
    needed.
    """
    plans = {member: plan.member(member) for member in members}
    kinds = {own.transforms[0] for own in plans.values()}
    scales = {kind: scaling.align(scaling_of(fitted, kind), panel, known) for kind in kinds}
    weights = {member: member_weights(fitted, member) for member in members}
    shares = {member: plan.shares[member] if plan.shares else 1.0 for member in members}
    whole = sum(shares.values())
    result = np.empty((len(panel), plan.horizon, len(plan.quantiles)))
    helped = max(plans.values(), key=lambda own: own.smoothing)  # one that is shown smoothing, if any is
    static, smoothing = static_inputs(fitted, panel), smoothed.forecasts(fitted.arrays, panel, known, helped)

    def one(block: tuple[slice, Integers]) -> None:
        target, index = block
        places = (panel.begins[index], panel.ends[index], panel.limits[index], panel.last[index] + 1 - columns.first)
        gathered: dict[int, Rows] = {}
        total = np.zeros((len(index), *result.shape[1:]))
        for member, own in plans.items():
            if own.window not in gathered:
                gathered[own.window] = gather(np, own, columns, places, static[index])
            scale = scaling.rows(scales[own.transforms[0]], index)
            rows = in_scale(gathered[own.window], scale, smoothing[index])
            inputs = prepare(np, own, rows, weights[member].get("base.weights"))
            outputs = forward(own, weights[member], inputs)
            total += shares[member] * scaling.undo(
                scale, outputs * inputs.spread[:, :, None] + inputs.level[:, :, None]
            )
        result[target] = total[: target.stop - target.start] / whole

    # One BLAS thread each, whatever the environment says; the blocks are independent, so threads change no byte.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(one, blocks(len(panel))))
    return result


def in_scale(rows: Rows, scale: scaling.Scaling, smoothing: Floats) -> Rows:
    """Return windows as gathered, their values and the forecast of exponential smoothing in the scale of a member."""
    values = np.where(rows.mask > 0, scaling.apply(scale, rows.values), 0.0)
    return replace(rows, values=values, smoothing=np.nan_to_num(scaling.apply(scale, smoothing)))


def keep(fitted: Fitted, plan: Plan, shares: Sequence[float]) -> Fitted:
    """Return the ensemble of the members that have a share, numbered anew: what `plan.with_shares` describes."""
    kept = [member for member, share in enumerate(shares) if share > 0]
    wanted = shapes(plan.with_shares(shares), 0)
    arrays = {name: array for name, array in fitted.arrays.items() if name in wanted and not name.startswith("member_")}
    for number, member in enumerate(kept):
        arrays |= {f"member_{number}.{name}": array for name, array in member_weights(fitted, member).items()}
    return Fitted(fitted.kind, arrays)


def static_inputs(fitted: Fitted, panel: Panel) -> Floats:
    """Return the standardised static covariates: (series, static); 0 where missing."""
    if "static.centre" not in fitted.arrays:
        return np.zeros((len(panel), 0))
    return np.nan_to_num((panel.static - fitted.arrays["static.centre"]) / fitted.arrays["static.spread"])


def covariate_inputs(arrays: dict[str, Floats], panel: Panel) -> tuple[Floats, Floats]:
    """Return the standardised past and future-known covariates: (covariates, steps) each, NaN where missing."""

    def standardised(name: str, columns: Floats) -> Floats:
        if f"{name}.centre" not in arrays:
            return np.empty((0, len(panel.target)))
        return (columns - arrays[f"{name}.centre"][:, None]) / arrays[f"{name}.spread"][:, None]

    return standardised("past", panel.past), standardised("future", panel.future)


def _raw_columns(fitted: Fitted, panel: Panel, plan: Plan) -> Columns:
    return columns_of(panel, plan, panel.target, covariate_inputs(fitted.arrays, panel), "float64")


def member_weights(fitted: Fitted, member: int) -> dict[str, Floats]:
    """Return the weights of one member, named as by model.weights_of."""
    prefix = f"member_{member}."
    return {name.removeprefix(prefix): array for name, array in fitted.arrays.items() if name.startswith(prefix)}


def scaling_of(fitted: Fitted, transform: str) -> scaling.Scaling:
    """Return the scaling of the training series under a transform."""
    names = ("centre", "spread", "power")
    return scaling.Scaling(transform, *(fitted.arrays[f"series.{transform}.{name}"] for name in names))


@dataclass(frozen=True, eq=False)
class Origins:
    """Origins that decide when to stop: series (rows,) numbers of the panel, lengths (rows,) steps seen before each."""

    series: Integers
    lengths: Integers


@dataclass(frozen=True, eq=False)
class NetworkFit:
    """What fitting the ensemble gives: the arrays, the best step of each member, the rows of history.csv."""

    fitted: Fitted
    steps: tuple[int, ...]
    history: tuple[dict[str, float | int | None], ...]


def fit(
    panel: Panel,
    plan: Plan,
    until: Origins | tuple[int, ...],
    listen: Look,
    checkpoint: Checkpoint | None = None,
    start: Fitted | None = None,
) -> NetworkFit:
    """Train the ensemble on the visible steps of the panel, in TensorFlow.

    until: the validation origins (in rows that lie ahead of the visible ones), or the steps of each member.
    listen is told (steps done, steps in all, loss, gain on the base forecast) when a member begins, the loss then
    being None, and after each of its epochs. It answers whether that is enough: of this member, or, when one begins, of
    the ensemble, which then has fewer members than the plan. start: an ensemble of this plan whose weights the members
    go on from; what they have learned holds for its scale of the covariates, which therefore stays.

    Members that the checkpoint holds are taken from it, or go on from there, and all are kept there while they learn.
    One that the listener cuts short has not finished: a run that goes on has time of its own.
    """
    from forecast.forecasters.lstm.training import trainer_of  # TensorFlow starts here, after the data were checked

    arrays = covariate_scales(panel, start) | smoothed.fit(panel, plan)
    scales = {transform: scaling.fit(panel, transform) for transform in transforms_of(plan)}
    for transform, one in scales.items():
        arrays |= {f"series.{transform}.{name}": getattr(one, name) for name in ("centre", "spread", "power")}
    history: list[dict[str, float | int | None]] = []
    steps: list[int] = []
    for member, transform in enumerate(plan.transforms):
        cut = False

        def look(epoch: Epoch, done: int = member * plan.steps) -> bool:
            nonlocal cut
            cut = bool(listen(done + epoch.step, plan.members * plan.steps, epoch.loss, epoch.gain))
            return cut

        if listen(member * plan.steps, plan.members * plan.steps, None, None):
            break
        fitted = Fitted(Kind.NETWORK, arrays)
        inputs = covariate_inputs(arrays, panel), static_inputs(fitted, panel)
        own, seed = plan.member(member), (plan.seed * 1000 + member) % 2**31
        stop = (until.series, until.lengths) if isinstance(until, Origins) else until[member]
        slot = Slot(checkpoint, mark_of(own, seed, stop), not isinstance(stop, int)) if checkpoint else None
        found = slot.result(weight_shapes(own)) if slot else None
        if found is None:
            # The examples have no name here, so that those of one member are gone before the next are laid out.
            found = trainer_of(own).train(
                examples_of(panel, own, scales[transform], *inputs, arrays),
                seed,
                stop if isinstance(stop, int) else windows_at(panel, own, scales[transform], arrays, *thinned(*stop)),
                look,
                slot,
                start=member_weights(start, member) if start else None,
            )
            if slot and not cut:
                slot.finish(*found)
        weights, epochs = found
        arrays |= {f"member_{member}.{name}": _float32(weight) for name, weight in weights.items()}
        history += [{"member": member, **vars(epoch)} for epoch in epochs]
        steps.append(min(reversed(epochs), key=lambda epoch: epoch.validation or 0.0).step)
    return NetworkFit(Fitted(Kind.NETWORK, arrays), tuple(steps), tuple(history))


def covariate_scales(panel: Panel, start: Fitted | None) -> dict[str, Floats]:
    """Return centre and spread of the covariates by name: of the visible steps, or where there is a start its own."""
    if start is not None:
        return {name: array for name, array in start.arrays.items() if name.startswith(COVARIATES)}
    arrays: dict[str, Floats] = {}
    for name, columns in (("past", panel.past), ("future", panel.future), ("static", panel.static.T)):
        if columns.size:
            centre, spread = scaling.covariate_scale(_visible(panel, columns) if name != "static" else columns)
            arrays |= {f"{name}.centre": _float32(centre), f"{name}.spread": _float32(spread)}
    return arrays


def _visible(panel: Panel, columns: Floats) -> Floats:
    """Return the columns at visible steps: (columns, visible steps)."""
    places = [np.arange(begin, end) for begin, end in zip(panel.begins, panel.ends, strict=True)]
    return columns[:, np.concatenate(places)]


def _float32(values: Floats) -> Floats:
    """Round to float32, as the bundle stores weights, so that a loaded model forecasts the same."""
    return values.astype(np.float32).astype(np.float64)
