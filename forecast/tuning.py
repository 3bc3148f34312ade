"""The search for settings of the network (--trials), by Optuna: one member, a short training, the validation origins.

A trial is scored as early stopping scores a network, by the error at the validation origins; held-back rows are not
looked at. The first trial is what the plan holds anyway. Each trial has a sampler of its own, seeded by its number, and
knows the trials before it, so that a search that was interrupted goes on as if it had not been.
"""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

import forecast
from forecast.errors import BundleError, UsageError
from forecast.evaluation.backtest import Split
from forecast.fingerprint import of_panel
from forecast.forecasters.lstm import network
from forecast.forecasters.lstm.network import Origins
from forecast.options import TrainOptions, as_record
from forecast.panels.panel import Panel
from forecast.plan import Plan
from forecast.progress import Listener, Look, stage
from forecast.store.records import as_json, parse, record_of, take
from forecast.surroundings import Notes, Surroundings

PART, LEAST_STEPS = 4, 250  # a trial takes a quarter of the plan's steps, and at least so many
STARTUP = 5  # trials drawn at random before the sampler draws conclusions
PATIENT = 3  # the look at the validation rows at which a trial may first be pruned
UNITS, LAYERS = (32, 64, 96, 128), (1, 2)
DROPOUT, RATE = (0.0, 0.5, 0.1), (5e-4, 2e-2)  # lowest, highest, step; lowest, highest
WINDOWS = (0.5, 1.0, 1.5, 2.0)  # times the plan's
LONGEST = 0.4  # of the usual series: a longer window leaves too little to learn from
CELLS = (2, 100)  # segments in a window, at least and at most
SETTINGS = ("units", "layers", "dropout", "learning_rate", "segment", "window")


class State(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    PRUNED = "pruned"  # worse, after as many looks, than the middle of the trials before
    FAILED = "failed"  # the error was no number


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, and what came of them: a row of trials.csv."""

    number: int
    units: int
    layers: int
    dropout: float
    learning_rate: float
    segment: int
    window: int
    errors: tuple[float, ...]  # at each look, as a share of the error of what the network starts from
    state: State

    @property
    def error(self) -> float:
        """The lowest error; infinite where there is none."""
        return min(self.errors, default=math.inf)


@dataclass(frozen=True, eq=False)
class Search:
    """What a search has found: the plan with the best settings, the trials, and what to say about them."""

    plan: Plan
    trials: tuple[Trial, ...]
    sentence: str

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of trials.csv."""
        return [
            {name: getattr(one, name) for name in ("number", *SETTINGS)}
            | {"error": one.error if one.errors else None, "looks": len(one.errors), "state": str(one.state)}
            for one in self.trials
        ]


def tune(plan: Plan, parts: Split, options: TrainOptions, around: Surroundings, listen: Listener) -> Search:
    """Try `options.trials` settings; return the plan with the best of them.

    Trials that `around.notes` holds from a search on the same data with the same options are taken over; each new one
    is noted there. With a time limit the search takes at most half of what is left. Raises UsageError where Optuna is
    not installed.
    """
    optuna = import_optuna()
    kinds = space(optuna, plan, parts.fit, options)
    wanted, mark, clock = options.trials or 0, fingerprint(plan, parts.fit, kinds), around.clock
    noted, stale = _noted(around.notes, mark)
    trials = list(noted[:wanted])
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(STARTUP - 1, PATIENT))
    for one in trials:
        study.add_trial(_past(optuna, kinds, one))
    if not trials:
        study.enqueue_trial({name: getattr(plan, name) for name in kinds})
    end = clock.spent + clock.left / 2
    while len(trials) < wanted and clock.spent < end:
        number = len(trials)
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=(1000 * plan.seed + number) % 2**31)
        asked = study.ask(kinds)
        heard = stage(listen, f"Trial {number + 1} of {wanted}")
        found = _run(asked, plan, parts, lambda *look, heard=heard: heard(*look) or clock.spent > end)
        if clock.spent > end:
            break  # a trial that was cut off says nothing, and would depend on the speed of the machine
        past = _past(optuna, kinds, found)
        study.tell(asked, past.value if found.state is State.COMPLETE else None, past.state)
        trials.append(found)
        if around.notes is not None:
            around.notes.write(as_json({"fingerprint": mark, "trials": [asdict(one) for one in trials]}))
    return _concluded(plan, trials, len(noted[:wanted]), stale)


def import_optuna() -> Any:
    """Return Optuna, silent; UsageError where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise UsageError(
            "--trials needs Optuna, which is not installed.\nInstall it with: pip install 'forecast-lstm[tune]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def space(optuna: Any, plan: Plan, panel: Panel, options: TrainOptions) -> dict[str, Any]:
    """Return Optuna's distribution of each setting that is searched: all but those that the user has settled.

    Every window is a multiple of every segment, and the plan's own values are among them.
    """
    season = plan.season
    unit = season if plan.window % season == 0 and season % plan.segment == 0 else plan.segment
    longest = max(plan.window, int(LONGEST * np.median(panel.lengths)))
    windows = {plan.window}
    if options.window is None:
        windows |= {max(1, round(times * plan.window / unit)) * unit for times in WINDOWS}
        windows = {window for window in windows if window <= longest}
    segments = {plan.segment}
    if options.segment is None:
        common = math.gcd(*windows)
        fitting = [size for size in range(1, common + 1) if common % size == 0 and 0 in (season % size, size % season)]
        segments |= {size for size in fitting if min(windows) // size >= CELLS[0] and max(windows) // size <= CELLS[1]}
    choices = {
        "units": {plan.units} if options.units else {plan.units, *UNITS},
        "layers": {plan.layers} if options.layers else {plan.layers, *LAYERS},
        "segment": segments,
        "window": windows,
    }
    kinds = optuna.distributions
    found = {name: kinds.CategoricalDistribution(sorted(some)) for name, some in choices.items() if len(some) > 1}
    return found | {
        "dropout": kinds.FloatDistribution(DROPOUT[0], DROPOUT[1], step=DROPOUT[2]),
        "learning_rate": kinds.FloatDistribution(*RATE, log=True),
    }


def with_settings(plan: Plan, settings: dict[str, Any]) -> Plan:
    """Return the plan with other settings of the network; the members' windows keep their share of the longest."""
    changed = replace(plan, windows=(), **settings)
    segment, growth = changed.segment, changed.window / plan.window
    windows = (max(1, int(window * growth) // segment) * segment for window in plan.windows)
    changed = replace(changed, windows=tuple(windows))
    return replace(changed, lookback=max(plan.lookback, changed.window + max(plan.seasons)))


def fingerprint(plan: Plan, panel: Panel, searched: Iterable[str]) -> str:
    """Return what tells searches apart: the program, the plan that they start from, the panel, what is searched."""
    parts = [forecast.__version__, as_record(plan), of_panel(panel), *searched]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _run(asked: Any, plan: Plan, parts: Split, listen: Look) -> Trial:
    """Train one member for a while with the settings that a trial was asked to have."""
    chosen = with_settings(plan, asked.params)
    steps = min(plan.steps, max(plan.steps // PART, LEAST_STEPS))
    short = replace(chosen.member(0), window=chosen.window, steps=steps)
    errors: list[float] = []
    state = State.COMPLETE

    def look(done: int, total: int, loss: float | None, gain: float | None) -> bool:
        nonlocal state
        stopped = bool(listen(done, total, loss, gain))
        if loss is None:
            return stopped
        if gain is None or not math.isfinite(gain):
            state = State.FAILED
            return True
        errors.append(1 - gain)
        asked.report(1 - gain, len(errors))
        if asked.should_prune():
            state = State.PRUNED
        return stopped or state is State.PRUNED

    origins = Origins(parts.validation.series, parts.validation.panel.lengths)
    network.fit(parts.fit, short, origins, look)
    return Trial(asked.number, **{name: getattr(short, name) for name in SETTINGS}, errors=tuple(errors), state=state)


def _past(optuna: Any, kinds: dict[str, Any], one: Trial) -> Any:
    """Return a trial as Optuna keeps it, the same for one that was just run and one that was noted."""
    states = optuna.trial.TrialState
    state = {State.COMPLETE: states.COMPLETE, State.PRUNED: states.PRUNED, State.FAILED: states.FAIL}[one.state]
    return optuna.trial.create_trial(
        state=state,
        value={State.COMPLETE: one.error, State.PRUNED: one.errors[-1] if one.errors else None}.get(one.state),
        params={name: getattr(one, name) for name in kinds},
        distributions=kinds,
        intermediate_values={place + 1: error for place, error in enumerate(one.errors)},
    )


def _noted(notes: Notes | None, mark: str) -> tuple[tuple[Trial, ...], bool]:
    """Return the trials of an earlier search with this fingerprint, and whether there were others instead."""
    try:
        data = notes.read() if notes else None
        if data is None:
            return (), False
        found = take(parse(data), ("fingerprint", "trials"), "the document")
        trials = tuple(record_of(Trial, one, "trials") for one in found["trials"])
    except (BundleError, TypeError, ValueError):
        return (), True  # damaged: all that is lost is time
    usable = found["fingerprint"] == mark and [one.number for one in trials] == list(range(len(trials)))
    return (trials, False) if usable else ((), True)


def _concluded(plan: Plan, trials: list[Trial], taken: int, stale: bool) -> Search:
    """Return what a search has found, in values and in words."""
    complete = [one for one in trials if one.state is State.COMPLETE]
    pruned = sum(one.state is State.PRUNED for one in trials)
    parts = [f"{len(trials)} trial{'s' * (len(trials) != 1)}" + (f" ({pruned} pruned)" if pruned else "")]
    if taken:
        parts[0] += f", {taken} of them from the search before"
    best = min(complete, key=lambda one: (one.error, one.number), default=None)
    if best is None or best.number == 0:
        parts.append("none is better on the validation rows than the usual settings, which stay")
    else:
        gain = f"{100 * (1 - best.error / trials[0].error):.1f} % better on the validation rows than the usual settings"
        changed = [name for name in SETTINGS if getattr(best, name) != getattr(plan, name)]
        values = ", ".join(f"{name.replace('_', ' ')} {getattr(best, name):.3g}" for name in changed)
        parts.append(f"number {best.number + 1} is {gain}: {values}")
        plan = with_settings(plan, {name: getattr(best, name) for name in SETTINGS})
    if stale:
        parts.append("the trials of an earlier search were made on other data or options, and were not used")
    return Search(plan, tuple(trials), "; ".join(parts))
