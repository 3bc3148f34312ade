"""Accuracy by the default configuration: nothing is set but what the table cannot say by itself.

    make bench SET=m4_hourly SEED=2 PRESET=best
    python benchmarks/accuracy.py m4_hourly etth1_96 --parts

sets.py says what is read, forecast and scored, scores.py how. The sets of the competitions are trained by the command
`forecast train`, all others through the Python API, on the rows before the first origin; every origin is then forecast
without a refit. With --parts the network is scored alone, too: as it was trained for the mix (its bands are not its
own, and not scored), or once more by itself where the mix left it out. With --cut-recurrence the same network is
trained with its memory cut. With --baselines no network is trained: every other forecaster is scored as if it had been
published alone, with bands of its own; no seed changes them. A line of benchmarks/results/accuracy/SET.csv that is
there is not measured again unless --again.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import record
from scores import Forecast, score
from sets import SETS, Case, DataSet, load_case

from forecast import Plan, Trained, TrainOptions, load, pipeline, predict
from forecast.evaluation.backtest import CALIBRATION, roles, split
from forecast.evaluation.calibration import fit_calibration
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.options import Forecaster, Preset
from forecast.panels.units import seasonal_difference
from forecast.planning import settle

LAUNCHER = Path(__file__).parent.parent / "cli.py"
CELLS = 400_000  # forecast steps in memory at once
BASELINES = (Kind.RIDGE, Kind.SMOOTHING, Kind.THETA, Kind.SEASONAL_NAIVE, Kind.DRIFT, Kind.NAIVE)
ALONE = {kind: f"{kind.replace('_', ' ')} alone" for kind in BASELINES}
NETWORK = "network alone"
CUT = ", recurrence cut"
FIELDS = (
    *("set", "part", "preset", "seed", "smape", "mase", "owa", "mse", "mae", "pinball", "cover_80", "cover_95"),
    *("train_seconds", "peak_mb", "mix", "commit", "command"),
)
KEY = ("set", "part", "preset", "seed")


@dataclass(frozen=True)
class Run:
    """One training: of what, how, and which of its parts are scored."""

    one: DataSet
    shared: Path
    preset: Preset
    seed: int
    parts: bool = False
    cut: bool = False
    baselines: bool = False

    @property
    def names(self) -> list[str]:
        """The parts that it scores."""
        if self.baselines:
            return list(ALONE.values())
        return [name + CUT * self.cut for name in ("whole", *([NETWORK] if self.parts else []))]

    @property
    def key(self) -> dict[str, Any]:
        """What the lines of its parts have in common, and no other run's."""
        preset, seed = ("", "") if self.baselines else (self.preset.value, str(self.seed))
        return {"set": self.one.name, "preset": preset, "seed": seed}

    @property
    def options(self) -> TrainOptions:
        """What training is told."""
        return TrainOptions(horizon=self.one.horizon, preset=self.preset, seed=self.seed)

    @property
    def words(self) -> list[str]:
        """The arguments that run it again."""
        if self.baselines:
            return [self.one.name, "--baselines"]
        flags = [flag for flag, given in (("--parts", self.parts), ("--cut-recurrence", self.cut)) if given]
        return [self.one.name, "--preset", self.preset.value, "--seed", str(self.seed), *flags]


def measure(run: Run) -> list[dict[str, Any]]:
    """Train once in this process or by the command, or fit each baseline; score every part and return their lines."""
    case = load_case(run.one, run.shared / "data")
    begin = time.monotonic()
    if run.baselines:
        models, common = baselines(case, run), {}
    else:
        by_command = bool(run.one.test) and not run.cut
        trained = trained_by_command(run) if by_command else trained_here(case, run)
        seconds = time.monotonic() - begin
        peak = peak_mb(resource.RUSAGE_CHILDREN if by_command else resource.RUSAGE_SELF)
        mix = " ".join(f"{one.kind}:{weight:.2f}" for one, weight in zip(trained.fitted, trained.weights, strict=True))
        models, common = parts_of(trained, case, run), {"train_seconds": f"{seconds:.0f}", "peak_mb": peak, "mix": mix}
    common |= {"commit": record.commit(), "command": " ".join(["python benchmarks/accuracy.py", *run.words])}
    rows = []
    for part, model, banded in models:
        scores = score(case, forecasts(model, case, banded))
        rows.append(record.rounded(run.key | common | {"part": part} | scores))
    return rows


def trained_by_command(run: Run) -> Trained:
    """Train as a user does, with the words of the command line, and load what was published."""
    with tempfile.TemporaryDirectory() as store:
        seasons = [word for season in run.one.seasons for word in ("--season", str(season))]
        command = [sys.executable, str(LAUNCHER), "train", str(run.shared / "data" / run.one.table), *seasons]
        command += ["-H", str(run.one.horizon), "--preset", run.preset.value, "--seed", str(run.seed)]
        subprocess.run([*command, "--models", store, "-m", "one"], check=True)
        return load(Path(store), "one").trained


def trained_here(case: Case, run: Run, forecaster: Forecaster = Forecaster.AUTO) -> Trained:
    """Train on the rows before the first origin through the API; with the memory cut where that is asked for."""
    visible, options = case.visible(), replace(run.options, forecaster=forecaster)
    if not run.cut:
        return pipeline.train(visible, options, case.read).trained
    plan = replace(plan_of(case, options), memory=False)
    return pipeline.train(visible, options, case.read, plan=plan).trained


def plan_of(case: Case, options: TrainOptions) -> Plan:
    """Return the plan that training would settle."""
    read = case.read
    names = {"past": read.past, "future": read.future, "static": read.static}
    return settle(case.visible(), options, read.season, names)


def parts_of(trained: Trained, case: Case, run: Run) -> Iterator[tuple[str, Trained, bool]]:
    """Yield name, model and whether its bands are its own, of every part of a trained mix that is scored."""
    for name in run.names:
        if not name.startswith(NETWORK):
            yield name, trained, True
        elif alone := [one for one in trained.fitted if one.kind is Kind.NETWORK]:
            mixed = len(trained.fitted) > 1  # then the bands are those of the mix
            yield name, replace(trained, fitted=tuple(alone), weights=(1.0,), sparse_weights=()), not mixed
        else:
            yield name, trained_here(case, run, Forecaster.NETWORK), True


def baselines(case: Case, run: Run) -> Iterator[tuple[str, Trained, bool]]:
    """Yield name, model and whether its bands are its own, of every baseline."""
    plan = plan_of(case, run.options)
    for kind, name in ALONE.items():
        yield name, baseline(case, plan, kind), True


def baseline(case: Case, plan: Plan, kind: Kind) -> Trained:
    """Return a baseline as if it had been published: calibrated on the same origins, then fitted on all rows."""
    visible = case.visible()
    if kind is Kind.SEASONAL_NAIVE and plan.seasonal_lag == 1:  # no season was confirmed, but the baseline has one
        plan = replace(plan, seasons=(case.seasons[0],), base=case.seasons[0])
    parts = split(visible, plan)
    fitted, units = registry.FIT[kind](parts.fit, plan), seasonal_difference(parts.fit, plan.season)
    found = []
    for rows, used in (
        (parts.validation, np.ones(len(parts.validation.series), bool)),
        (parts.held, np.array([role == CALIBRATION for role in roles(parts.held, plan)])),
    ):
        quantiles = registry.run(fitted, rows.panel, rows.series, plan)
        found.append((rows.panel.truth(plan.horizon)[used], quantiles[used], units[rows.series][used]))
    return Trained(
        plan=plan,
        read=case.read,
        calendar=visible.calendar,
        ids=visible.ids,
        fitted=(registry.FIT[kind](visible, plan),),
        weights=(1.0,),
        units=seasonal_difference(visible, plan.season),
        calibration=fit_calibration(*map(np.concatenate, zip(*found, strict=True)), plan.quantiles),
        context=None,
        source={},
        last=visible.last,
    )


def forecasts(trained: Trained, case: Case, banded: bool) -> Iterator[Forecast]:
    """Yield what a model forecasts from every origin, in blocks of rows."""
    count = max(1, -(-len(case.series) * case.horizon // CELLS))
    for rows in np.array_split(np.arange(len(case.series)), count):
        found = predict(trained, case.cut(rows))
        grid = found.quantiles
        middle = grid[:, :, found.probabilities.index(0.5)]
        yield Forecast(rows, middle, grid if banded else grid[:, :, :0], found.probabilities if banded else ())


def peak_mb(who: int) -> int:
    """Return the most memory that this process, or one that it started, has held; 1 MB = 10^6 bytes."""
    return resource.getrusage(who).ru_maxrss * 1024 // 10**6


def main() -> None:
    """Measure what has no line yet; each training in a process of its own, so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}; default: all")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder that holds data/")
    parser.add_argument("--preset", type=Preset, choices=list(Preset), default=Preset.BALANCED)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", action="store_true", help="score the network alone, too")
    parser.add_argument("--cut-recurrence", action="store_true", help="train the network with its memory cut")
    parser.add_argument("--baselines", action="store_true", help="score the other forecasters, and train no network")
    parser.add_argument("--again", action="store_true", help="measure what has a line, too")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not set(given.sets) <= set(SETS):
        parser.error(f"a set is one of {', '.join(SETS)}")
    for name in given.sets:
        how = (given.preset, given.seed, given.parts, given.cut_recurrence, given.baselines)
        run = Run(SETS[name], given.shared, *how)
        path = record.RESULTS / "accuracy" / f"{name}.csv"
        if given.here:
            record.merge(path, measure(run), FIELDS, KEY)
        elif given.again or not all(record.has(path, run.key | {"part": part}) for part in run.names):
            command = [sys.executable, __file__, *run.words, "--shared", str(run.shared), "--here"]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
