from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from forecast.commands.spread import spread


@dataclass(frozen=True)
class Colours:
    names: Annotated[tuple[str, ...], typer.Option("--name")] = ()
    count: Annotated[int, typer.Option("--count")] = 3


@dataclass(frozen=True)
class Sizes:
    big: Annotated[bool, typer.Option("--big")] = False


def invoke(words: list[str]) -> dict[str, Any]:
    taken: dict[str, Any] = {}

    def paint(colours: Colours, sizes: Sizes, wall: Annotated[str, typer.Argument()] = "north") -> None:
        taken.update(colours=colours, sizes=sizes, wall=wall)

    app = typer.Typer()
    app.command()(spread(paint))
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    return taken


@pytest.mark.parametrize(
    ("words", "colours"),
    [
        ([], Colours()),
        (["--name", "red"], Colours(names=("red",))),
        (["--name", "red", "--name", "blue", "--count", "5"], Colours(("red", "blue"), 5)),
    ],
)
def test_a_command_is_handed_its_records(words: list[str], colours: Colours) -> None:
    assert invoke(words)["colours"] == colours


def test_several_records_share_one_command() -> None:
    assert invoke(["--big", "--name", "red"])["sizes"] == Sizes(big=True)


def test_parameters_that_are_no_records_stay_as_they_are() -> None:
    assert invoke(["south"])["wall"] == "south"


def test_an_option_of_two_records_is_that_of_the_first_and_the_other_keeps_its_default() -> None:
    @dataclass(frozen=True)
    class Paints:
        count: Annotated[int, typer.Option("--count")] = 1

    taken: dict[str, Any] = {}

    def paint(paints: Paints, colours: Colours) -> None:
        taken.update(paints=paints, colours=colours)

    app = typer.Typer()
    app.command()(spread(paint))
    CliRunner().invoke(app, ["--count", "7", "--name", "red"], catch_exceptions=False)
    assert taken == {"paints": Paints(7), "colours": Colours(("red",), 3)}
