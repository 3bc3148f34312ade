"""Every table in tests/bad_tables is refused with exactly the message beside it.

A case is a table and NAME.expect: the options as JSON ("model": true for a table that must fit a model), the class of
the error and its exit code, the message, the mend. Dropping such a pair into the folder adds a test.
"""

import json
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.options import ReadOptions
from forecast.tables import read_panel

FOLDER = Path(__file__).resolve().parent.parent / "bad_tables"
EXPECTED = sorted(FOLDER.glob("*.expect"))


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_a_bad_table_is_refused_with_place_value_and_mend(expected: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    (table,) = [path.name for path in FOLDER.glob(f"{expected.stem}.*") if path != expected]
    settings, outcome, *message = expected.read_text(encoding="utf-8").splitlines()
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(settings).items()}
    model = bool(options.pop("model", False))

    with pytest.raises(ForecastError) as caught:
        read_panel(table, ReadOptions(**options), model=model)

    assert f"{type(caught.value).__name__} {caught.value.exit_code}" == outcome
    assert str(caught.value).splitlines() == message


def test_no_table_lacks_its_expected_message() -> None:
    names = {path.name.split(".")[0] for path in FOLDER.iterdir()}
    assert names == {path.stem for path in EXPECTED}
    assert len(EXPECTED) > 50
