"""Training in TensorFlow: it learns, stops, repeats itself, and reads nothing that lies ahead."""

from dataclasses import dataclass, field, replace

import keras
import numpy as np
import pytest
from recall import error_after

from forecast.forecasters.lstm import network, training
from forecast.forecasters.lstm.course import mark_of
from forecast.forecasters.lstm.examples import thinned
from forecast.forecasters.lstm.model import build
from forecast.forecasters.lstm.network import Origins
from forecast.options import Cell
from forecast.panels.features import widths
from forecast.panels.panel import panel_of
from forecast.plan import Plan
from forecast.surroundings import Kept

PLAN = Plan(
    horizon=6, window=18, segment=6, seasons=(6,), base=1, lookback=40, units=8, steps=60, epoch=20, batch=32,
    learning_rate=1e-2,
)  # fmt: skip


def waves(series=6, length=120):
    rng = np.random.default_rng(3)
    steps = np.arange(length)
    return panel_of({
        str(n): 50 + 10 * (n + 1) * np.sin(2 * np.pi * steps / 6 + n) + rng.normal(0, 1, length) for n in range(series)
    })  # fmt: skip


def nobody(*_):
    """Listen to nothing."""


def fitted(panel, plan=PLAN, steps=None):
    return network.fit(panel, plan, (steps or plan.steps,) * plan.members, nobody)


def origins(panel):
    return Origins(np.arange(len(panel)), panel.lengths)


def test_training_beats_the_forecast_it_starts_from():
    panel = waves().without_end(6)
    result = network.fit(panel, PLAN, origins(panel), nobody)
    last = result.history[-1]
    assert last["validation"] < 0.5 * last["reference"]


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    panel = waves().without_end(6)
    one, again, other = fitted(panel), fitted(panel), fitted(panel, replace(PLAN, seed=2))
    name = "member_0.encoder_0.kernel"
    assert one.fitted.arrays[name].tobytes() == again.fitted.arrays[name].tobytes()
    assert one.fitted.arrays[name].tobytes() != other.fitted.arrays[name].tobytes()


@pytest.mark.parametrize("stride", [7, 100])
def test_the_weights_do_not_depend_on_how_an_epoch_is_cut_into_calls(monkeypatch, stride):
    whole = fitted(waves(), steps=40)
    monkeypatch.setattr(training, "STRIDE", stride)
    cut = fitted(waves(), steps=40)
    assert cut.history == whole.history
    name = "member_0.encoder_0.kernel"
    assert cut.fitted.arrays[name].tobytes() == whole.fitted.arrays[name].tobytes()


def test_a_refit_reads_nothing_that_lies_ahead_of_the_visible_rows():
    panel = waves().without_end(12)
    hidden = panel.target.copy()
    for end, limit in zip(panel.ends, panel.limits, strict=True):
        hidden[end:limit] = 1e6
    one, other = fitted(panel, steps=20), fitted(replace(panel, target=hidden), steps=20)
    for name, array in one.fitted.arrays.items():
        assert array.tobytes() == other.fitted.arrays[name].tobytes(), name


def test_training_stops_when_validation_stops_improving_and_keeps_the_best_weights():
    rng = np.random.default_rng(1)
    panel = panel_of({"walk": np.cumsum(rng.normal(size=90))}).without_end(6)
    plan = replace(PLAN, steps=2000, patience=3, units=32)
    result = network.fit(panel, plan, origins(panel), nobody)
    errors = [row["validation"] for row in result.history]
    assert len(errors) < 100
    assert result.steps[0] == result.history[int(np.argmin(errors))]["step"]


def test_a_member_stops_where_the_listener_has_had_enough():
    result = network.fit(waves(), PLAN, (PLAN.steps,), lambda done, *_: done == 20)
    assert [row["step"] for row in result.history] == [20]
    same = network.fit(waves(), PLAN, (20,), nobody)
    name = "member_0.head.kernel"
    assert result.fitted.arrays[name].tobytes() == same.fitted.arrays[name].tobytes()


def test_a_member_that_the_listener_does_not_want_is_not_trained():
    plan, heard = replace(PLAN, transforms=("standard", "robust", "standard"), steps=20), []

    def listen(done, total, loss, gain):
        heard.append((done, total, loss is None))
        return loss is None and done == 40

    result = network.fit(waves(), plan, (20, 20, 20), listen)
    assert heard == [(0, 60, True), (20, 60, False), (20, 60, True), (40, 60, False), (40, 60, True)]
    assert len(result.steps) == 2
    fitted, small = network.keep(result.fitted, plan, (0.5, 0.5, 0.0)), plan.with_shares((0.5, 0.5, 0.0))
    assert small.transforms == ("standard", "robust")
    assert {name: array.shape for name, array in fitted.arrays.items()} == network.shapes(small, 6)


@dataclass
class Memory:
    """A checkpoint that is kept in memory, as float64 and int64."""

    networks: dict[str, Kept] = field(default_factory=dict)

    def read(self, mark):
        return self.networks.get(mark)

    def write(self, mark, arrays, finished):
        wide = {
            name: array.astype(np.int64 if array.dtype.kind == "i" else np.float64) for name, array in arrays.items()
        }
        self.networks[mark] = Kept(wide, finished)


class Killed(BaseException):
    """The end of a training in the middle of it."""


def killed_after(looks):
    """Return a listener that ends the training at a look."""
    seen = []

    def listen(*look):
        seen.append(look)
        if len(seen) == looks:
            raise Killed

    return listen


ENSEMBLE = replace(PLAN, transforms=("standard", "robust"), bases=(1, 0), dropout=0.3, patience=2, learning_rate=3e-2)


@pytest.mark.parametrize(("validated", "kills"), [(True, (3, 5)), (False, (2, 4))])
def test_a_training_that_goes_on_gives_the_same_bytes_as_one_that_was_never_interrupted(validated, kills):
    panel = waves().without_end(6)
    until = origins(panel) if validated else (60, 40)
    whole, memory = network.fit(panel, ENSEMBLE, until, nobody), Memory()
    for looks in kills:
        with pytest.raises(Killed):
            network.fit(panel, ENSEMBLE, until, killed_after(looks), memory)
    result = network.fit(panel, ENSEMBLE, until, nobody, memory)
    assert (result.steps, result.history) == (whole.steps, whole.history)
    for name, array in whole.fitted.arrays.items():
        assert array.tobytes() == result.fitted.arrays[name].tobytes(), name


def test_a_training_goes_on_where_it_was_and_not_from_its_beginning():
    memory, heard = Memory(), []
    with pytest.raises(Killed):
        network.fit(waves(), ENSEMBLE, (60, 60), killed_after(6), memory)  # the first look at the second network
    network.fit(waves(), ENSEMBLE, (60, 60), lambda *look: heard.append(look[:2]), memory)
    assert heard == [(0, 120), (60, 120), (100, 120), (120, 120)]


def test_a_network_that_was_cut_short_has_not_finished():
    memory = Memory()
    network.fit(waves(), PLAN, (60,), lambda done, *_: done == 20, memory)
    assert [kept.finished for kept in memory.networks.values()] == [False]


@pytest.mark.parametrize("change", [{"seed": 2}, {"units": 9}, {"learning_rate": 2e-3}, {"mixed_targets": True}])
def test_a_network_of_another_plan_is_another_one(change):
    other = replace(PLAN, targets=("a", "b"), past=("a", "b"), **change)
    assert mark_of(other, 1, 40) != mark_of(PLAN, 1, 40)


def test_networks_of_one_plan_are_told_by_their_seeds_and_steps():
    validated = (np.arange(2), np.arange(2))
    marks = [mark_of(PLAN, 1, 40), mark_of(PLAN, 2, 40), mark_of(PLAN, 1, 60), mark_of(PLAN, 1, validated)]
    assert len(set(marks)) == 4


@pytest.fixture(scope="module")
def kept():
    """Return the history of a short training, and what a checkpoint holds of it: in its middle, and at its end."""
    memory, halfway = Memory(), Memory()
    with pytest.raises(Killed):
        network.fit(waves(), PLAN, (40,), killed_after(2), halfway)
    whole = network.fit(waves(), PLAN, (40,), nobody, memory)
    return whole.history, {False: halfway.networks, True: memory.networks}


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("damage", ["missing", "reshaped", "history", "standing"])
def test_what_does_not_fit_the_network_counts_as_nothing(kept, finished, damage):
    history, networks = kept
    ((mark, found),) = networks[finished].items()
    arrays = dict(found.arrays)
    name = next(iter(arrays))
    if damage == "missing":
        del arrays[name]
    elif damage == "reshaped":
        arrays[name] = arrays[name].ravel()[:-1]
    elif damage == "history":
        arrays["history"] = np.full((3, 4), np.nan)
    else:
        arrays["standing"] = np.array([1.0, np.inf])
    damaged = Memory({mark: Kept(arrays, finished)})
    assert network.fit(waves(), PLAN, (40,), nobody, damaged).history == history


def test_the_arrays_of_a_fitted_network_have_the_shapes_that_the_loader_expects():
    panel = replace(waves(), past=np.ones((1, 720)), static=np.arange(12.0).reshape(6, 2)).without_end(6)
    plan = replace(PLAN, past=("p",), static=("a", "b"), transforms=("standard", "robust"), cell=Cell.GRU, layers=2)
    arrays = fitted(panel, plan, steps=20).fitted.arrays
    assert {name: array.shape for name, array in arrays.items()} == network.shapes(plan, len(panel))


def test_every_cell_trains():
    panel = waves().without_end(6)
    for cell in Cell:
        result = network.fit(panel, replace(PLAN, cell=cell), origins(panel), nobody)
        assert result.history[-1]["validation"] < result.history[-1]["reference"], cell


def test_a_network_whose_memory_is_cut_trains_too_and_worse():
    panel = waves().without_end(6)
    errors = [
        network.fit(panel, replace(PLAN, memory=memory), origins(panel), nobody).history[-1]["validation"]
        for memory in (True, False)
    ]
    assert errors[0] < errors[1]


def test_a_network_that_is_shown_exponential_smoothing_learns_what_its_window_does_not_hold():
    """A level that two steps of noise do not tell, and that smoothing knows from all steps before."""
    rng = np.random.default_rng(5)
    panel = panel_of({str(n): 100 * (n + 1) + 10 * rng.normal(size=150) for n in range(8)}).without_end(6)
    plan = replace(PLAN, window=2, segment=2, seasons=(1,), lookback=120, steps=200, learning_rate=4e-3)
    errors = [
        min(row["validation"] for row in network.fit(panel, one, origins(panel), nobody).history)
        for one in (plan, replace(plan, smoothing=True))
    ]
    assert errors[1] < 0.95 * errors[0]


@pytest.mark.parametrize(("series", "origins"), [(4000, 20), (2000, 20), (414, 20), (700, 7)])
def test_thinned_validation_rows_still_see_every_origin(series, origins):
    lengths = np.tile(np.arange(origins), series)
    rows, seen = thinned(np.repeat(np.arange(series), origins), lengths)
    assert len(rows) == len(seen) <= 1.1 * 4096
    assert set(seen) == set(range(origins))


def error_after_sgd(spike, clip):
    """Train with plain SGD where 2 % of the windows spike; return the error on ordinary ones, 1 = knows nothing."""
    keras.utils.set_random_seed(1)
    plan = replace(PLAN, quantiles=(0.5,))
    rng, (encoder, decoder) = np.random.default_rng(1), widths(plan)
    inputs = [rng.normal(size=(2048, 3, encoder)), rng.normal(size=(2048, plan.output_segments, decoder))]
    ordinary = inputs[0][:, -1:, :6].transpose(0, 2, 1)  # the last segment comes again
    truth = ordinary * np.where(rng.random((2048, 1, 1)) < 0.02, spike, 1.0)
    model = build(plan, 1)
    model.compile(keras.optimizers.SGD(0.3, clipnorm=clip), loss="mse")
    model.fit(inputs, truth, batch_size=32, epochs=8, verbose=0)
    return np.mean((model.predict(inputs, verbose=0) - ordinary) ** 2) / np.var(ordinary)


def test_plain_sgd_diverges_on_a_spiky_series_without_clipping():
    assert not error_after_sgd(spike=1000.0, clip=None) < 10  # NaN is not below either


@pytest.mark.parametrize("spike", [1.0, 1000.0])
def test_plain_sgd_learns_with_clipping_spikes_or_not(spike):
    assert error_after_sgd(spike, clip=1.0) < 1.0


@pytest.mark.parametrize(("cell", "recalled"), [("lstm", True), ("rnn", False)])
def test_a_value_thirty_steps_back_is_recalled_by_the_lstm_and_not_by_the_plain_rnn(cell, recalled):
    assert (error_after(cell, lag=30, steps=200) < 0.05) is recalled


def test_a_date_is_a_seed_like_any_other() -> None:
    panel = waves()
    one, other = (fitted(panel, replace(PLAN, seed=seed)).fitted for seed in (20261122, 20261123))
    assert not all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
