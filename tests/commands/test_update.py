"""`forecast update` on real stores and tables, with models without a network: what it says, writes and leaves with."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import store, tables
from forecast.commands import run
from forecast.errors import LockedError
from forecast.evaluation import calibration
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.golden import golden_forecast
from forecast.matching import value_ranges
from forecast.options import ReadOptions
from forecast.panels.clock import on_clock
from forecast.panels.units import seasonal_difference
from forecast.pipeline import context_of
from forecast.plan import Plan
from forecast.trained import Trained

PLAN = Plan(horizon=7, window=14, segment=7, seasons=(7,), base=7, lookback=120)
SHOPS = ("north", "south")
COMPARED = "that neither had seen"


def write_sales(days: int, shops: tuple[str, ...] = SHOPS, name: str = "sales.csv", column: str = "sales") -> None:
    """Write days of shops that sell more on some weekdays; the same days are the same each time."""
    lines = [f"day,shop,{column}"]
    for shop in shops:
        rng = np.random.default_rng(len(shop) + ord(shop[0]))
        noise = rng.standard_normal(400)
        for step in range(days):
            value = 100 * (1 + 0.3 * np.sin(2 * np.pi * step / 7) + 0.002 * step + 0.05 * noise[step])
            lines.append(f"{np.datetime64('2024-01-01') + step},{shop},{value:.4f}")
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def publish(kinds: tuple[Kind, ...] = (Kind.SEASONAL_NAIVE,), table: str = "sales.csv", **changes: Any) -> str:
    """Publish a model without a network, fitted on the table; return its version."""
    reading = tables.read_panel(table, ReadOptions(id=("shop",), target=("sales",)))
    panel = on_clock(reading.panel)
    trained = Trained(
        plan=PLAN,
        read=reading.options,
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=tuple(registry.FIT[kind](panel, PLAN) for kind in kinds),
        weights=(1 / len(kinds),) * len(kinds),
        units=seasonal_difference(panel, PLAN.season),
        calibration=calibration.none(PLAN),
        context=context_of(panel, PLAN),
        source=reading.source | {"path": os.path.abspath(table)},
        ranges=value_ranges(panel),
    )
    return store.publish("models", "sales", replace(trained, **changes), lambda _: {"golden.json": b"{}"}).version


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Publish a model that knows 100 days; return its version."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["forecast"])
    write_sales(100)
    return publish()


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return what runs an update, which must leave with a code, and returns what it printed."""

    def call(*words: str, code: int = 0) -> Any:
        capfd.readouterr()
        assert run(["update", *words]) == code
        return capfd.readouterr()

    return call


def versions() -> tuple[str, ...]:
    return store.versions_of(Path("models/sales"))


def current() -> str:
    return store.load("models", "sales").version


def worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every candidate be measured as worse than the current version."""
    monkeypatch.setattr("forecast.updating.Candidate.promoted", property(lambda self: False))


def test_an_update_that_is_not_worse_is_the_current_version(version: str, said: Any) -> None:
    write_sales(130)
    line = said().err.splitlines()[-1]
    assert current() != version
    # It repeats the last season, as before.
    assert line.startswith(f"sales@{current()} is the current version now, in place of sales@{version}: as good (MASE ")
    assert " on 20 origins from 2024-04-13 to 2024-05-02 of 2 series, each 7 days ahead, that neither had seen" in line
    loaded = store.load("models", "sales").trained
    assert loaded.source["last"] == "2024-05-09"


def test_a_new_version_holds_what_a_trained_one_holds(version: str, said: Any) -> None:
    write_sales(130)
    said()
    folder = Path("models/sales/versions") / current()
    assert {path.name for path in folder.iterdir()} >= {
        *("backtest.csv", "forecast.png", "golden.json", "history.csv", "metrics.json", "metrics_by_series.csv"),
        *("metrics_by_step.csv", "predictions.csv", "profile.json", "run.json"),
    }
    metrics = json.loads((folder / "metrics.json").read_text())
    part = metrics["update"]
    assert (part["from"], part["promoted"], part["new_steps"], part["origins"]) == (f"sales@{version}", True, 30, 20)
    assert part["change"] == pytest.approx(part["error"] / part["error_before"] - 1)
    assert metrics["scores"]["model"]["mase"] == pytest.approx(part["error"])
    assert json.loads((folder / "run.json").read_text())["update"] == part
    assert golden_forecast(store.load("models", "sales").trained) == (folder / "golden.json").read_bytes()


def test_a_worse_update_leaves_the_store_as_it_was(version: str, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sales(130)
    worse(monkeypatch)
    line = said().err.splitlines()[-1]
    assert line.startswith(f"sales@{version} stays the current version: an update would be ")
    assert versions() == (version,)


def test_a_required_promotion_that_fails_keeps_the_candidate(
    version: str, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sales(130)
    with monkeypatch.context() as patch:
        worse(patch)
        message, mend = said("--require-promotion", "-o", "out.csv", code=16).err.splitlines()[-2:]
    (candidate,) = (one for one in versions() if one != version)
    assert current() == version
    assert message.startswith(f"Error: sales@{version} stays the current version: the update is ")
    assert message.endswith(f"; kept as a candidate: sales@{candidate} in models/sales/versions/{candidate}.")
    assert mend == f"'forecast models promote models/sales@{candidate}' makes it the current one all the same."
    assert store.shelf_of(Path("models/sales")).role(candidate) == "candidate"
    assert json.loads(Path(f"models/sales/versions/{candidate}/run.json").read_text())["exit_code"] == 16
    assert not Path("out.csv").exists()
    assert run(["models", "promote", f"models/sales@{candidate}"]) == 0
    assert current() == candidate


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        (100, "there are no new rows"),
        (101, "1 new day is too few to compare on: a forecast reaches 7, so 6 more are needed"),
        (106, "6 new days are too few to compare on: a forecast reaches 7, so 1 more is needed"),
    ],
)
def test_too_few_new_rows_keep_the_current_version(version: str, said: Any, days: int, reason: str) -> None:
    write_sales(days)
    assert said().err.splitlines()[-1] == f"sales@{version} stays the current version: {reason}."
    assert said("-q") == ("", "")
    found = said("--require-promotion", code=16).err.splitlines()[-2:]
    assert found == [
        f"Error: sales@{version} stays the current version: {reason}.",
        "Run again when there are newer rows.",
    ]
    assert versions() == (version,)


def test_one_horizon_of_new_rows_is_enough(version: str, said: Any) -> None:
    write_sales(107)
    assert COMPARED in said().err.splitlines()[-1]


def test_a_table_that_ends_earlier_is_refused(version: str, said: Any) -> None:
    write_sales(90)
    assert said(code=13).err.splitlines()[-2:] == [
        f"Error: the table ends at 2024-03-30, before the rows that sales@{version} was trained on, up to 2024-04-09.",
        "Give the table with the newest rows.",
    ]


def test_quiet_says_nothing_on_success(version: str, said: Any) -> None:
    write_sales(130)
    assert said("-q") == ("", "")
    assert current() != version


def test_json_prints_the_run_record(version: str, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sales(103)
    kept = json.loads(said("--json").out)
    assert (kept["exit_code"], kept["model"], kept["update"]["promoted"]) == (0, f"sales@{version}", False)
    write_sales(130)
    promoted = json.loads(said("--json").out)
    assert promoted["model"] == f"sales@{current()}"
    assert promoted["update"]["promoted"]
    write_sales(160)
    worse(monkeypatch)
    found = said("--json", "--require-promotion", code=16)
    assert json.loads(found.out)["exit_code"] == 16
    assert json.loads(found.err)["error"]["code"] == 16


def test_output_is_the_forecast_of_the_version_that_is_current_in_the_end(version: str, said: Any) -> None:
    write_sales(103)
    said("-o", "out.csv")
    assert Path("out.csv").read_text().splitlines()[1].endswith(f"sales@{version}")
    write_sales(130)
    said("-o", "out.csv")
    assert Path("out.csv").read_text().splitlines()[1].endswith(f"sales@{current()}")
    assert Path("out.csv").read_bytes() == (Path("models/sales/versions") / current() / "predictions.csv").read_bytes()


def test_data_is_read_as_training_did_and_may_be_another_file(version: str, said: Any) -> None:
    write_sales(130, name="more.csv")
    lines = said("more.csv").err.splitlines()
    assert not [line for line in lines if line.startswith("Reading ")]
    assert store.load("models", "sales").trained.source["path"] == os.path.abspath("more.csv")
    assert store.load("models", "sales").trained.read.id == ("shop",)


def test_a_renamed_column_is_a_mismatch_until_it_is_named_again(version: str, said: Any) -> None:
    write_sales(130, column="turnover")
    assert "'sales'" in said(code=13).err
    said("--target", "turnover")
    assert store.load("models", "sales").trained.read.target == ("turnover",)


def test_new_and_vanished_series_are_said(version: str, said: Any) -> None:
    write_sales(130, shops=("north", "west"))
    lines = said().err.splitlines()
    assert "1 of the 2 series of the model are not in the table: 'south'." in lines
    assert "1 of the 2 series are new, and are learned with the others: 'west'." in lines
    assert store.load("models", "sales").trained.ids == ("north", "west")


def test_a_table_of_other_series_is_refused(version: str, said: Any) -> None:
    write_sales(130, shops=("east", "west", "north"))
    assert said(code=13).err.splitlines()[-2].startswith("Error: 2 of the 3 ids of the table are not known")


def test_a_version_cannot_be_updated(version: str, said: Any) -> None:
    assert said("-m", f"sales@{version}", code=2).err.startswith(
        f"Error: 'sales@{version}' names a version, and an update starts from the current one.\n"
    )


def test_without_the_table_of_training_one_must_be_named(version: str, said: Any) -> None:
    Path("sales.csv").unlink()
    assert said(code=2).err.splitlines()[-1] == "Name the table with the new rows: forecast update DATA."


def test_a_missing_model_is_exit_10(version: str, said: Any) -> None:
    assert "holds no model 'nobody'" in said("-m", "nobody", code=10).err


def test_a_model_that_another_run_changes_is_exit_11(version: str, said: Any) -> None:
    write_sales(130)
    with store.locked(Path("models/sales"), "update"):
        assert "is locked by process" in said(code=11).err
        assert "is locked by process" in said("--lock-wait", "0.1s", code=11).err
    assert versions() == (version,)


def test_the_lock_is_held_from_before_the_current_version_is_read_until_after_it_is_replaced(
    version: str, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sales(130)
    held: list[str] = []

    def watched(name: str) -> None:
        real = getattr(store, name)

        def call(*arguments: Any, **options: Any) -> Any:
            found = real(*arguments, **options)
            try:
                with store.locked(Path("models/sales"), "test"):
                    pass
            except LockedError:
                held.append(name)
            return found

        monkeypatch.setattr(store, name, call)

    watched("load")
    watched("publish")
    said()
    assert held == ["load", "publish"]


def test_old_values_are_exit_17_where_that_is_an_error(version: str, said: Any) -> None:
    write_sales(130)
    assert "before now: more than 2d" in said("--max-age", "error:2d", code=17).err
    assert versions() == (version,)


def test_what_training_led_to_expect_is_kept_for_score(version: str, said: Any) -> None:
    trained = store.load("models", "sales").trained
    files = {"metrics_by_step.csv": b"step,mase\n1,0.5\n"}
    store.publish("models", "sales", trained, lambda _: files)
    for days in (130, 160):
        write_sales(days)
        said()
        assert store.read_file(store.load("models", "sales"), "expected_by_step.csv") == files["metrics_by_step.csv"]


def test_options_come_from_a_file_and_a_job_runs_it(version: str, capfd: pytest.CaptureFixture[str]) -> None:
    write_sales(130)
    Path("forecast.toml").write_text(
        '[data]\npath = "sales.csv"\n[update]\nmodel = "sales"\nrequire-promotion = true\nmax-age = "400000d"\n'
        '[job.weekly]\nsteps = ["update"]\n'
    )
    assert run(["run", "weekly", "--json"]) == 0
    (step,) = json.loads(capfd.readouterr().out)["steps"]
    assert step["record"]["update"]["promoted"]
    assert current() != version
    assert run(["run", "weekly", "-q"]) == 16
