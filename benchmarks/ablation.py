"""What each part of the default contributes, on the ends of the training rows: the test rows are never read.

    make bench-ablation SET=m3_monthly
    python benchmarks/ablation.py m3_monthly --change 'no dropout'

M4 Hourly and M3 Monthly: the last horizon of the training table is forecast, after training on what lies before. ETTh1:
every 96 hours of rows 8,641-11,520, after training on those before. A change of the network is trained twice, as the
product is; all mixes and shares are compared on the same trained parts. A change of what a set has not has no line. A
line of benchmarks/results/ablation.csv that is there is not measured again unless --again.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import record
from scores import Forecast, score
from sets import SETS, Case, Windows, load_case, seasonal_difference

from forecast import Plan, TrainOptions, pipeline
from forecast.choosing import Choice, choose_shares, fit_all, run, units_of
from forecast.evaluation.backtest import Rolling, split
from forecast.forecasters import mixing
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.pacing import Pace
from forecast.panels.panel import Floats
from forecast.plan import LINEAR, MEDIAN
from forecast.planning import settle
from forecast.surroundings import Clock

PATH = record.RESULTS / "ablation.csv"
SHOWN = ("m4_hourly", "m3_monthly", "etth1_96")
FIELDS = ("set", "change", "part", "smape", "mase", "owa", "mse", "mae", "seconds", "commit", "command")
KEY = ("set", "change", "part")
AS_IT_IS = "as it is"


def of_one_kind(plan: Plan) -> Plan:
    """Return the plan with as many members, all as the last one: the whole window."""
    count = plan.members
    return replace(
        plan,
        transforms=plan.transforms[:1] * count,
        windows=(max(plan.windows or (plan.window,)),) * count,
        bases=(plan.bases or (plan.base,))[:1] * count,
        smoothings=(plan.smoothings or (plan.smoothing,))[:1] * count,
    )


def members_of(plan: Plan) -> list[Plan]:
    """Return the plan of each member."""
    return [plan.member(number) for number in range(plan.members)]


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    AS_IT_IS: lambda plan: plan,
    "members of one kind": of_one_kind,
    "recurrence cut": lambda plan: replace(plan, memory=False),
    "memory not spread at the start": lambda plan: replace(plan, chrono=False),
    "no dropout": lambda plan: replace(plan, dropout=0.0),
    "no calendar": lambda plan: replace(plan, calendar=()),
    "smoothing not shown": lambda plan: replace(plan, smoothings=()),
    "no linear start": lambda plan: replace(plan, bases=(plan.base,) * plan.members),
    "start from the last value": lambda plan: replace(plan, base=1, bases=(1,) * plan.members),
}


def end_of(name: str, folder: Path) -> Case:
    """Return the case that forecasts the end of a set's training rows."""
    one = SETS[name]
    if one.windows:
        windows = Windows(trained=8_640, first=8_640, last=11_520, scaled=8_640)
        return load_case(replace(one, windows=windows), folder)
    case = load_case(one, folder)
    panel, trained = case.visible(), case.trained - one.horizon
    visible = panel.select(np.arange(len(panel)), trained)
    unit = np.array([seasonal_difference(visible.values(row), one.seasons[0]) for row in range(len(panel))])
    return replace(case, panel=panel, trained=trained, lengths=trained, unit=unit)


def parts_of(case: Case, plan: Plan) -> Iterator[tuple[str, Floats]]:
    """Train twice; yield name and medians (rows, horizon) of every mix that is compared, of the same trained parts."""
    visible = case.visible()
    parts = split(visible, plan)
    fitted, steps, _ = fit_all(parts, plan, lambda *_: None)
    kinds = [one.kind for one in fitted]
    # Every member and every forecaster is kept, so that all of them are there to be compared.
    weights = dict.fromkeys(kinds, (1.0, 1.0))
    choice = Choice(plan, parts, fitted, steps, weights, (), Pace(Clock(inf), parts, plan))
    final, _, _ = pipeline.refit(visible, choice, lambda *_: None)
    final = sorted(final, key=lambda one: kinds.index(one.kind))
    case_rows = Rolling(case.cut(np.arange(len(case.series))), case.series, case.lengths)
    rows, equal = parts.validation, (1 / plan.members,) * plan.members
    truth, units = rows.panel.truth(plan.horizon), units_of(parts, rows, plan)

    def medians(some: list[Fitted], where: Rolling, shares: tuple[float, ...]) -> list[Floats]:
        own = plan.with_shares(shares)
        kept = [network.keep(one, plan, shares) if one.kind is Kind.NETWORK else one for one in some]
        return [run(one, where, own if one.kind is Kind.NETWORK else plan)[:, :, MEDIAN] for one in kept]

    shares = choose_shares(fitted[0], parts, plan)
    found = medians(final, case_rows, shares)
    on_validation = medians(fitted, rows, shares)
    yield "whole", mean(found, mixing.choose_weights(truth, on_validation, units, rows.series))
    yield "mix: greedy selection", mean(found, by_selection(truth, on_validation, units))
    yield "mix: equal weights", mean(found, (1.0,) * len(found))
    for kind, median in zip(kinds, found, strict=True):
        yield f"{kind.value.replace('_', ' ')} alone", median
    yield "network, equal shares", medians(final[:1], case_rows, equal)[0]
    for member in range(plan.members):
        own, single = plan.member(member), tuple(float(other == member) for other in range(plan.members))
        start = "a linear forecast" if own.base == LINEAR else f"{own.base} before"
        shown = ", smoothing shown" if own.smoothing else ""
        name = f"member {member + 1}: {own.transforms[0]}, window {own.window}, from {start}{shown}"
        yield name, medians(final[:1], case_rows, single)[0]


def by_selection(truth: Floats, forecasts: list[Floats], units: Floats) -> Floats:
    """Return the weights of greedy selection with replacement: what helps the mean of those chosen most, 20 times."""
    counts = np.zeros(len(forecasts))
    parts = np.stack(forecasts) / units[:, None]
    for _ in range(20):
        chosen = np.tensordot(counts, parts, 1)
        losses = np.nanmean(np.abs((chosen + parts) / (counts.sum() + 1) - truth / units[:, None]), axis=(1, 2))
        counts[np.argmin(losses)] += 1
    shares: Floats = counts / counts.sum()
    return shares


def mean(medians: list[Floats], weights: Any) -> Floats:
    """Return the weighted mean of medians (rows, horizon) that have a weight."""
    pairs = [(median, weight) for median, weight in zip(medians, weights, strict=True) if weight > 0]
    total: Floats = sum(median * weight for median, weight in pairs) / sum(weight for _, weight in pairs)
    return total


def measure(name: str, change: str, folder: Path) -> None:
    """Train with one change and write the line of each part."""
    case = end_of(name, folder)
    visible, read = case.visible(), case.read
    names = {"past": read.past, "future": read.future, "static": read.static}
    begin = time.monotonic()
    settled = settle(visible, TrainOptions(horizon=case.horizon), read.season, names)
    plan = CHANGES[change](settled)
    if members_of(plan) == members_of(settled) and change != AS_IT_IS:
        print(f"{name} has nothing of that: {change}")
        return
    rows, command = [], f"python benchmarks/ablation.py {name} --change '{change}'"
    for part, point in parts_of(case, plan):
        forecast = Forecast(np.arange(len(case.series)), point, np.empty((*point.shape, 0)))
        rows.append(record.rounded({"set": name, "change": change, "part": part} | score(case, [forecast])))
    common = {"seconds": f"{time.monotonic() - begin:.0f}", "commit": record.commit(), "command": command}
    record.merge(PATH, [row | common for row in rows], FIELDS, KEY)


def main() -> None:
    """Measure what has no line yet; each training in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SHOWN), help=f"of {', '.join(SHOWN)}; default: all")
    parser.add_argument("--change", action="append", choices=list(CHANGES), help="repeat for several; default: all")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder that holds data/")
    parser.add_argument("--again", action="store_true", help="measure what has a line, too")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not set(given.sets) <= set(SHOWN):
        parser.error(f"a set is one of {', '.join(SHOWN)}")
    for name in given.sets:
        for change in given.change or CHANGES:
            if given.here:
                measure(name, change, given.shared / "data")
            elif given.again or not record.has(PATH, {"set": name, "change": change, "part": "whole"}):
                words = [name, "--change", change, "--shared", str(given.shared), "--here"]
                subprocess.run([sys.executable, __file__, *words], check=True)


if __name__ == "__main__":
    main()
