"""The search for settings: honest, resumable, never worse than the usual settings, quiet."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from forecast import tuning
from forecast.errors import UsageError
from forecast.evaluation.backtest import split
from forecast.options import Scaler, TrainOptions
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan
from forecast.planning import settle
from forecast.progress import Progress, silent
from forecast.surroundings import Clock, Surroundings
from forecast.tuning import Search, State, tune

OPTIONS = TrainOptions(horizon=4, window=14, segment=7, origins=4, scaler=Scaler.STANDARD)
FREE = TrainOptions(horizon=4, origins=4, scaler=Scaler.STANDARD)  # window and segment are searched as well


def make_panel(scale: float = 1.0) -> Panel:
    rng = np.random.default_rng(1)
    waves = [10 + np.sin(np.arange(120) * 2 * np.pi / 7) + 0.1 * rng.standard_normal(120) for _ in range(2)]
    return panel_of({f"s{number}": scale * wave for number, wave in enumerate(waves)})


def plan_for(options: TrainOptions, panel: Panel) -> Plan:
    return replace(settle(panel, options, (7,)), steps=500, epoch=50, batch=16)


@dataclass
class Memory:
    """Notes that are kept in memory."""

    data: bytes | None = None

    def read(self) -> bytes | None:
        return self.data

    def write(self, data: bytes) -> None:
        self.data = data


@dataclass
class World:
    """A network that learns at once; how well is a function of its plan."""

    error: Callable[[Plan, int], float | None]
    seen: list[Plan] = field(default_factory=list)
    time: float = 0.0
    stop_after: int | None = None

    def fit(self, panel: Panel, plan: Plan, until: Any, listen: Any) -> None:
        if len(self.seen) == self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(plan)
        listen(0, plan.steps, None, None)
        for step in range(plan.epoch, plan.steps + 1, plan.epoch):
            self.time += 1.0
            error = self.error(plan, step)
            if listen(step, plan.steps, 0.5, None if error is None else 1 - error):
                break

    def search(self, trials: int, options: TrainOptions = FREE, **around: Any) -> Search:
        panel = make_panel()
        plan = plan_for(options, panel)
        return tune(plan, split(panel, plan), replace(options, trials=trials), Surroundings(**around), silent)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Units, rate and dropout matter; every look is a little better than the one before."""
    found = World(lambda plan, step: 1 / math.log(plan.units) + abs(math.log(plan.learning_rate / 2e-3)) + 1 / step)
    monkeypatch.setattr(tuning.network, "fit", found.fit)
    return found


def test_the_first_trial_has_the_settings_of_the_plan(world: World) -> None:
    world.search(3)
    usual = plan_for(FREE, make_panel())
    assert {name: getattr(world.seen[0], name) for name in tuning.SETTINGS} == {
        name: getattr(usual, name) for name in tuning.SETTINGS
    }


def test_a_trial_is_one_member_for_a_short_time(world: World) -> None:
    world.search(2)
    assert [(plan.members, plan.steps) for plan in world.seen] == [(1, 250), (1, 250)]


def test_the_best_settings_come_into_the_plan(world: World) -> None:
    found = world.search(12)
    best = min((one for one in found.trials if one.state is State.COMPLETE), key=lambda one: one.error)
    assert best.number > 0
    assert {name: getattr(found.plan, name) for name in tuning.SETTINGS} == {
        name: getattr(best, name) for name in tuning.SETTINGS
    }
    assert found.plan.steps == 500
    assert found.plan.lookback >= found.plan.window + 7


def test_what_was_found_is_one_sentence(world: World) -> None:
    world.error = lambda plan, step: abs(math.log(plan.learning_rate / 2e-3)) + 1 / step + (plan.dropout == 0.1)
    found = world.search(12, replace(OPTIONS, units=48, layers=2))
    best = min((one for one in found.trials if one.state is State.COMPLETE), key=lambda one: one.error)
    pruned = sum(one.state is State.PRUNED for one in found.trials)
    gain = 100 * (1 - best.error / found.trials[0].error)
    assert pruned > 0
    assert found.sentence == (
        f"12 trials ({pruned} pruned); number {best.number + 1} is {gain:.1f} % better on the validation rows than the "
        f"usual settings: dropout {best.dropout:.3g}, learning rate {best.learning_rate:.3g}"
    )


def test_where_nothing_is_better_the_usual_settings_stay(world: World) -> None:
    usual = plan_for(FREE, make_panel())
    world.error = lambda plan, step: 0.5 if plan.learning_rate == usual.learning_rate else 0.6
    found = world.search(4)
    assert found.plan == usual
    assert found.sentence == ("4 trials; none is better on the validation rows than the usual settings, which stay")


def test_a_trial_that_is_worse_than_the_middle_is_stopped_early(world: World) -> None:
    world.error = lambda plan, step: 0.5 if len(world.seen) < 6 else 5.0
    last = world.search(6).trials[-1]
    assert (last.state, len(last.errors)) == (State.PRUNED, tuning.PATIENT)


@pytest.mark.parametrize("error", [None, math.nan, -math.inf])
def test_a_trial_without_an_error_is_not_chosen(world: World, error: float | None) -> None:
    world.error = lambda plan, step: 0.5 if len(world.seen) == 1 else error
    found = world.search(2)
    assert [one.state for one in found.trials] == [State.COMPLETE, State.FAILED]
    assert found.plan == plan_for(FREE, make_panel())


def test_settings_that_were_given_are_not_searched(world: World) -> None:
    given = replace(OPTIONS, units=48, layers=2)
    world.search(8, given)
    assert {(plan.units, plan.layers, plan.window, plan.segment) for plan in world.seen} == {(48, 2, 14, 7)}
    assert len({plan.learning_rate for plan in world.seen}) == 8


def test_windows_and_segments_are_searched_and_fit_each_other(world: World) -> None:
    world.search(20)
    assert len({plan.window for plan in world.seen}) > 1
    assert len({plan.segment for plan in world.seen}) > 1
    assert all(plan.window % plan.segment == 0 for plan in world.seen)


def test_a_search_repeats_itself(world: World) -> None:
    assert world.search(8).trials == world.search(8).trials


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(world: World) -> None:
    whole, notes = world.search(12), Memory()
    world.stop_after = len(world.seen) + 7
    with pytest.raises(KeyboardInterrupt):
        world.search(12, notes=notes)
    world.stop_after, before = None, len(world.seen)
    found = world.search(12, notes=notes)
    assert len(world.seen) - before == 5
    assert found.trials == whole.trials
    assert found.sentence == whole.sentence.replace(")", "), 7 of them from the search before", 1)


def test_a_longer_search_continues_a_shorter_one(world: World) -> None:
    notes = Memory()
    world.search(4, notes=notes)
    assert world.search(9, notes=notes).trials == world.search(9).trials


def test_other_data_begin_a_search_anew_and_it_is_said(world: World) -> None:
    notes, panel = Memory(), make_panel(scale=2.0)
    world.search(3, notes=notes)
    world.seen.clear()
    plan = plan_for(FREE, panel)
    found = tune(plan, split(panel, plan), replace(FREE, trials=3), Surroundings(notes=notes), silent)
    assert len(world.seen) == 3
    assert found.sentence.endswith(
        "; the trials of an earlier search were made on other data or options, and were not used"
    )


def test_other_options_begin_a_search_anew(world: World) -> None:
    notes = Memory()
    world.search(3, notes=notes)
    world.seen.clear()
    world.search(3, replace(FREE, seed=2), notes=notes)
    assert len(world.seen) == 3


def test_settings_that_are_given_now_are_not_taken_from_a_search_without_them(world: World) -> None:
    notes, usual = Memory(), plan_for(FREE, make_panel())
    world.search(4, notes=notes)
    found = world.search(4, replace(FREE, units=usual.units, layers=usual.layers), notes=notes)
    assert (found.plan.units, found.plan.layers) == (usual.units, usual.layers)
    assert {(one.units, one.layers) for one in found.trials} == {(usual.units, usual.layers)}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"fingerprint": 1, "trials": [{}]}', b'{"fingerprint": "x"}'])
def test_damaged_notes_cost_time_alone(world: World, data: bytes) -> None:
    found = world.search(2, notes=Memory(data))
    assert found.trials == world.search(2).trials


def test_a_time_limit_gives_the_search_half_of_what_is_left(world: World) -> None:
    found = world.search(50, clock=Clock(40.0, 0.0, lambda: world.time))
    assert len(found.trials) == 4  # of 5 s each; a fifth would not have been done after 20 s
    assert world.time <= 21


def test_a_trial_that_the_time_limit_cuts_off_counts_for_nothing(world: World) -> None:
    notes = Memory()
    found = world.search(50, clock=Clock(34.0, 0.0, lambda: world.time), notes=notes)
    assert [len(one.errors) for one in found.trials] == [5, 5, 5]
    assert len(world.search(3, notes=notes).trials) == 3


def test_progress_is_told_trial_by_trial(world: World) -> None:
    panel = make_panel()
    plan, told = plan_for(FREE, panel), []  # type: ignore[var-annotated]
    tune(plan, split(panel, plan), replace(FREE, trials=2), Surroundings(), told.append)
    assert [one.stage for one in told if one.loss is None] == ["Trial 1 of 2", "Trial 2 of 2"]
    assert told[1] == Progress("Trial 1 of 2", 50, 250, 0.5, told[1].gain)


def test_optuna_says_nothing(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.search(3)
    assert capfd.readouterr() == ("", "")


def test_without_optuna_the_message_says_how_to_install_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError) as refused:
        world.search(3)
    assert str(refused.value) == (
        "--trials needs Optuna, which is not installed.\nInstall it with: pip install 'forecast-lstm[tune]'"
    )


def test_the_rows_of_trials_csv_name_every_setting(world: World) -> None:
    row = world.search(1).rows()[0]
    assert list(row) == ["number", *tuning.SETTINGS, "error", "looks", "state"]
    assert (row["number"], row["looks"], row["state"]) == (0, 5, "complete")


def trials_on(panel: Panel) -> tuple[Any, ...]:
    """Search for real, on a plan that does not depend on the values."""
    plan = replace(plan_for(OPTIONS, make_panel()), steps=20, epoch=10)
    return tune(plan, split(panel, plan), replace(OPTIONS, trials=2), Surroundings(), silent).trials


def test_trials_look_at_validation_rows_and_never_at_held_back_ones() -> None:
    panel, plan = make_panel(), plan_for(OPTIONS, make_panel())

    def wild(first: int, last: int) -> Panel:
        target = panel.target.copy()
        for end in panel.ends:
            target[end - last : end - first] = -1e6
        return replace(panel, target=target)

    before = trials_on(panel)
    assert trials_on(wild(0, plan.held_back)) == before
    assert trials_on(wild(plan.held_back, plan.held_back + 1)) != before
