from pathlib import Path

import pytest

from forecast.commands import run

DOCS = Path(__file__).parents[2] / "docs"


def test_help_is_plain_and_in_sections(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "--help"]) == 0
    text = capsys.readouterr().out
    sections = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert sections == ["Arguments:", "Output:", "Columns:", "Dialect:", "Repair:", "Input:", "Run:", "Options:"]
    assert text.isascii()


def test_help_shows_metavar_default_and_choices(capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "--help"])
    text = capsys.readouterr().out
    assert "-H, --horizon N" in text
    assert "--cell lstm|gru|rnn" in text
    assert "[default: balanced]" in " ".join(text.split())


def test_the_page_of_the_command_line_is_up_to_date() -> None:
    space: dict[str, object] = {"__name__": "make_cli"}
    exec((DOCS / "make_cli.py").read_text(encoding="utf-8"), space)
    made = space["page"]()  # type: ignore[operator]
    assert made == (DOCS / "cli.md").read_text(encoding="utf-8"), "run: python docs/make_cli.py"
