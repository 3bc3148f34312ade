from forecast.tables.phrases import listed


def test_names_are_listed_in_quotes() -> None:
    assert listed(["a", "b c"]) == "'a', 'b c'"


def test_of_many_names_the_first_are_listed_and_the_rest_counted() -> None:
    assert listed([str(number) for number in range(5)], 2) == "'0', '1' and 3 more"


def test_a_name_as_long_as_a_table_does_not_fill_the_message() -> None:
    assert listed(["x" * 500_000]) == f"'{'x' * 57}...'"
