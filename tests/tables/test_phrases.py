import subprocess

import pytest

from forecast.tables.phrases import CONTROL, listed, typed


def test_names_are_listed_in_quotes() -> None:
    assert listed(["a", "b c"]) == "'a', 'b c'"


def test_of_many_names_the_first_are_listed_and_the_rest_counted() -> None:
    assert listed([str(number) for number in range(5)], 2) == "'0', '1' and 3 more"


def test_a_name_as_long_as_a_table_does_not_fill_the_message() -> None:
    assert listed(["x" * 500_000]) == f"'{'x' * 57}...'"


@pytest.mark.parametrize("word", ["Total", "two words", "it's", "\x1b[31mred", "a\\b\x07'c", "\u2028"])
def test_what_is_to_be_typed_means_the_word_in_a_shell_and_nothing_to_a_terminal(word: str) -> None:
    command = ["bash", "-c", f"printf %s {typed(word)}"]
    assert subprocess.check_output(command, env={"LC_ALL": "C.UTF-8"}).decode() == word
    assert not CONTROL.search(typed(word))
