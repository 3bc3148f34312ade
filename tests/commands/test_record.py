"""The run record as JSON."""

import json

from forecast.commands.record import as_json


def test_a_record_holds_no_character_that_a_terminal_would_obey() -> None:
    record = {"id": "\x1b[31m \x9b31m \x7f \u2028 Zoë"}
    text = as_json(record).decode()
    assert [character for character in text if not character.isprintable()] == ["\n"] * 3
    assert "Zoë" in text
    assert json.loads(text) == record
