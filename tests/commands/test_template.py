"""The covariates of the steps to forecast: asked for, written as a table to fill in, and read back, from real files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import store, tables
from forecast.commands import run
from forecast.evaluation import calibration
from forecast.forecasters.fitted import Fitted, Kind
from forecast.matching import value_ranges
from forecast.options import ReadOptions
from forecast.panels.encoding import encoded_names
from forecast.pipeline import context_of
from forecast.plan import Plan
from forecast.trained import Trained

ROWS = 30
SKIES = ("clear", "rain", "clear")


def daily(*ids: str, extra: int = 0) -> str:
    """Return a table of 30 days; `extra` more have covariates and no sales."""
    lines = ["shop,day,sales,price,sky,open"]
    for place, name in enumerate(ids):
        for step in range(ROWS + extra):
            day = np.datetime64("2024-01-01") + step
            sales = 10 * (place + 1) + step % 7 if step < ROWS else ""
            lines.append(f"{name},{day},{sales},{step / 8},{SKIES[step % 3]},{'true' if step % 2 else 'false'}")
    return "\n".join(lines) + "\n"


Publish = Callable[..., ReadOptions]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Return what publishes a seasonal naive that reads covariates ahead, of a table with these options."""
    monkeypatch.chdir(tmp_path)

    def publish(text: str, **options: Any) -> ReadOptions:
        Path("t.csv").write_text(text)
        reading = tables.read_panel("t.csv", ReadOptions(**options))
        panel, read = reading.panel, reading.options
        names = encoded_names({"past": read.past, "future": read.future, "static": read.static}, panel.encodings)
        plan = Plan(horizon=2, window=7, segment=7, seasons=(7,), base=7, lookback=14, targets=panel.targets, **names)
        trained = Trained(
            plan=plan,
            read=read,
            calendar=panel.calendar,
            ids=panel.ids,
            fitted=(Fitted(Kind.SEASONAL_NAIVE),),
            weights=(1.0,),
            units=np.ones(len(panel)),
            calibration=calibration.none(plan),
            context=context_of(panel, plan),
            source={"path": str(tmp_path / "t.csv")},
            encodings=panel.encodings,
            ranges=value_ranges(panel),
        )
        store.publish("models", "m", trained, lambda _: {})
        return read

    return publish


SHOPS = {"id": ("shop",), "target": ("sales",), "future": ("price", "sky", "open")}


def fill(place: str, cells: tuple[str, ...] = ("3.5", "rain", "true"), delimiter: str = ",") -> str:
    """Fill in the empty ones of the last cells of each row of a template."""
    lines = [line.split(delimiter) for line in Path(place).read_text().splitlines()]
    for line in lines:
        line[-len(cells) :] = [found or cell for found, cell in zip(line[-len(cells) :], cells, strict=True)]
    Path("filled.csv").write_text("\n".join(map(delimiter.join, lines)) + "\n")
    return "filled.csv"


def test_a_filled_template_is_all_that_predict_needs(publish: Publish, capfd: pytest.CaptureFixture[str]) -> None:
    publish(daily("a", "b"), **SHOPS)
    assert run(["template"]) == 0
    said = capfd.readouterr()
    assert said.out == ("shop,day,price,sky,open\na,2024-01-31,,,\na,2024-02-01,,,\nb,2024-01-31,,,\nb,2024-02-01,,,\n")
    assert said.err.splitlines()[-4:] == [
        "To fill in: 4 of 'price', 4 of 'sky', 4 of 'open' in 4 rows.",
        "sky: 'clear', 'rain'; what is none of them counts as the average of all values",
        "open: true or false",
        "Then: forecast predict DATA --future-data FILE",
    ]
    Path("next.csv").write_text(said.out)
    assert run(["predict", "--future-data", fill("next.csv"), "-q"]) == 0
    assert len(Path("predictions.csv").read_text().splitlines()) == 1 + 4


def test_what_is_known_is_filled_in_already(publish: Publish, capfd: pytest.CaptureFixture[str]) -> None:
    publish(daily("a", extra=1), **SHOPS)
    run(["template", "-o", "next.csv"])
    assert Path("next.csv").read_text() == ("shop,day,price,sky,open\na,2024-01-31,3.75,clear,false\na,2024-02-01,,,\n")
    publish(daily("a", extra=2), **SHOPS)
    capfd.readouterr()
    run(["template", "-o", "next.csv"])
    assert capfd.readouterr().err.splitlines()[-1] == (
        "All covariates of the 2 steps are known: predict needs no --future-data."
    )
    assert run(["predict", "-q"]) == 0


def test_the_horizon_of_a_template_can_be_another(publish: Publish) -> None:
    publish(daily("a"), **SHOPS)
    run(["template", "-o", "next.csv", "-H", "9"])
    assert run(["predict", "-q", "-H", "9", "--future-data", fill("next.csv")]) == 0


def test_a_template_without_the_table_goes_on_where_the_stored_rows_end(publish: Publish) -> None:
    publish(daily("a"), **SHOPS)
    Path("t.csv").rename("moved.csv")
    run(["template", "-o", "next.csv"])
    assert Path("next.csv").read_text() == "shop,day,price,sky,open\na,2024-01-31,,,\na,2024-02-01,,,\n"
    assert run(["predict", "moved.csv", "-q", "--future-data", fill("next.csv")]) == 0


def test_covariates_without_a_table_to_go_on_from_are_refused(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(daily("a"), **SHOPS)
    Path("t.csv").rename("moved.csv")
    assert run(["predict", "--future-data", "moved.csv"]) == 2
    assert capsys.readouterr().err == (
        "Error: --future-data goes on where a table ends, and that of m is not there any more.\n"
        "Name the table to forecast from as well.\n"
    )


def test_a_series_that_ends_without_values_needs_covariates_from_its_last_value_on(publish: Publish) -> None:
    table = daily("a") + "a,2024-01-31,,,,\n"
    publish(table, **SHOPS)
    run(["template", "-o", "next.csv"])
    assert [line.split(",")[1] for line in Path("next.csv").read_text().splitlines()[1:]] == [
        "2024-01-31",
        "2024-02-01",
    ]
    assert run(["predict", "-q", "--future-data", fill("next.csv")]) == 0
    assert Path("predictions.csv").read_text().splitlines()[1].startswith("a,2024-01-31,")


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (lambda text: text.replace(",", ";").replace(".", ","), SHOPS),
        (lambda text: text.replace("2024-01-", "01/2024/"), SHOPS | {"time": ("day",), "date_format": "%m/%Y/%d"}),
        (
            lambda text: text.partition("\n")[2],
            {"no_header": True, "id": ("1",), "time": ("2",), "target": ("3",), "future": ("4", "5", "6")},
        ),
        (lambda text: text, SHOPS | {"time": ("none",), "id": ("shop",)}),
        (lambda text: text.replace("shop,day", "unused,day"), {k: v for k, v in SHOPS.items() if k != "id"}),
        (
            lambda text: text.replace("-01-", ",1,").replace("day", "year,month,day"),
            SHOPS | {"time": ("year", "month", "day")},
        ),
        (lambda text: text.replace("shop,", "shop,part,").replace("a,", "a,7,"), SHOPS | {"id": ("shop", "part")}),
        (lambda text: text, {"wide": True, "time": ("day",), "future": ("sky",)}),
    ],
    ids=["decimal comma", "date format", "no header", "time none", "one series", "time parts", "composite id", "wide"],
)
def test_a_template_reads_like_the_table_of_the_model(
    publish: Publish, change: Callable[[str], str], options: dict[str, Any]
) -> None:
    text = change(daily("a"))
    publish(text, **options)
    assert run(["predict", "-q", "-o", "early.csv"]) == 13
    run(["template", "-o", "next.csv"])
    cells = ("rain",) if "wide" in options else ("3.5", "rain", "true")
    filled = fill("next.csv", cells) if ";" not in text else fill("next.csv", ("3,5", "rain", "true"), ";")
    assert run(["predict", "-q", "--future-data", filled]) == 0
    assert len(Path("predictions.csv").read_text().splitlines()) == 1 + 2 * (2 if "wide" in options else 1)


def test_an_id_that_cannot_be_cut_into_its_parts_is_refused(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(daily("a/b").replace("shop,", "shop,part,").replace("a/b,", "a/b,7,"), **SHOPS | {"id": ("shop", "part")})
    assert run(["template"]) == 12
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "Error: the id 'a/b/7' cannot be cut into 'shop' and 'part': a part holds a '/'.",
        "Replace the '/' in the id columns.",
    ]


def test_json_prints_what_is_to_fill_in(publish: Publish, capfd: pytest.CaptureFixture[str]) -> None:
    publish(daily("a"), **SHOPS)
    assert run(["template", "--json", "-o", "next.csv"]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out)["to_fill"] == {"price": 2, "sky": 2, "open": 2}
    assert said.err == ""
    assert run(["template", "--json"]) == 2


def test_too_few_covariates_for_the_model_are_a_mismatch(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    publish(daily("a"), **SHOPS)
    assert run(["predict", "t.csv", "--future", "price"]) == 13
    assert capsys.readouterr().err == (
        "Error: t.csv: the model was trained with more --future columns than were named: number 2 held text.\n"
        "Name one column for each, in the order of training.\n"
    )


def test_a_renamed_covariate_is_read_as_before_when_it_is_named_again(publish: Publish) -> None:
    publish(daily("a", extra=2), **SHOPS)
    Path("new.csv").write_text(daily("a", extra=2).replace("sky", "weather"))
    assert run(["predict", "t.csv", "-q", "-o", "one.csv"]) == 0
    named = ["--future", "price", "--future", "weather", "--future", "open"]
    assert run(["predict", "new.csv", "-q", "-o", "other.csv", *named]) == 0
    assert Path("one.csv").read_bytes() == Path("other.csv").read_bytes()


def test_a_model_that_reads_nothing_ahead_needs_no_template(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(daily("a"), id=("shop",), target=("sales",))
    assert run(["template"]) == 2
    assert "reads no covariates ahead, so predict needs no table of them.\n" in capsys.readouterr().err


def test_missing_covariates_leave_with_13_and_a_list_of_all_steps_that_lack_them(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(daily("a", "b", extra=1), **SHOPS)
    Path("out.csv").write_text("the last good one")
    assert run(["predict", "-o", "out.csv", "--record", "run.json", "-q", "-H", "4"]) == 13
    assert capsys.readouterr().err == (
        "Error: 6 of the 8 steps to forecast have no value of 'price', 'sky', 'open', which the model reads ahead: "
        "'a' 2024-02-01, 'a' 2024-02-02, 'a' 2024-02-03, 'b' 2024-02-01, 'b' 2024-02-02 and 1 more; "
        "all of them are in out.missing.csv.\n"
        "Fill in the empty cells there, and name it with --future-data.\n"
    )
    assert Path("out.csv").read_text() == "the last good one"
    assert sorted(path.name for path in Path().iterdir()) == ["models", "out.csv", "out.missing.csv", "t.csv"]
    lines = Path("out.missing.csv").read_text().splitlines()
    assert (len(lines), lines[1]) == (7, "a,2024-02-01,,,")
    assert run(["predict", "-o", "out.csv", "-q", "-H", "4", "--future-data", fill("out.missing.csv")]) == 0


def test_the_list_never_replaces_the_file_that_somebody_has_filled_in(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(daily("a"), **SHOPS)
    run(["predict", "-q", "-o", "out.csv"])
    text = Path("out.missing.csv").read_text().replace("31,,,", "31,3.5,rain,true")
    Path("out.missing.csv").write_text(text)
    capsys.readouterr()
    assert run(["predict", "-q", "-o", "out.csv", "--future-data", "out.missing.csv"]) == 13
    assert Path("out.missing.csv").read_text() == text
    assert capsys.readouterr().err.splitlines() == [
        "Error: 1 of the 2 steps to forecast have no value of 'price', 'sky', 'open', which the model reads ahead: "
        "2024-02-01.",
        "Give them with out.missing.csv; 'forecast template' writes the table to fill in.",
    ]


def test_on_standard_output_no_list_is_written(publish: Publish, capfd: pytest.CaptureFixture[str]) -> None:
    publish(daily("a"), **SHOPS)
    assert run(["predict", "-q", "-o", "-"]) == 13
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == (
        "Give them with --future-data; 'forecast template' writes the table to fill in."
    )
    assert sorted(path.name for path in Path().iterdir()) == ["models", "t.csv"]


def test_other_ids_than_those_of_the_model_are_a_mismatch(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    publish(daily("007", "008", "009"), id=("shop",), target=("sales",))
    Path("new.csv").write_text(daily("7", "8", "009"))
    assert run(["predict", "new.csv", "-q"]) == 13
    assert capsys.readouterr().err == (
        "Error: 2 of the 3 ids of the table are not known to the model: '7', '8'; "
        "the model was trained on '007', '008'.\n"
        "Write ids as in the table of training (they are text: 7, 007 and 7.0 are three), name their column with --id, "
        "or train again.\n"
    )
    assert not Path("predictions.csv").exists()


def test_series_that_are_gone_and_another_level_are_said_and_recorded(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(daily("a", "b"), id=("shop",), target=("sales",))
    lines = daily("a", "c").splitlines()
    Path("new.csv").write_text("\n".join(line.replace(",1", ",1000") for line in lines) + "\n")
    assert run(["predict", "new.csv", "--record", "run.json"]) == 0
    found = [
        "1 of the 2 series of the model are not in the table: 'b'.",
        "1 of 2 series end far outside their range in training: 'a' at 1e+04 (training 10 to 16). Has the unit "
        "changed? (1 as if multiplied by 1,000)",
        "1 of 2 series new (not known to the model: forecast with a scale of their own): 'c'.",
    ]
    assert capsys.readouterr().err.splitlines()[-3:] == found
    assert json.loads(Path("run.json").read_text())["notices"][-3:] == found
