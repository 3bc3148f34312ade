import numpy as np
import pytest

from forecast.panels.encoding import (
    LEAST,
    LONGEST,
    MOST,
    MOST_RARE,
    Role,
    columns_by_covariate,
    encoded_names,
    settle_encoding,
)

NAN = float("nan")


def settled(counts: dict[str, int], missing: int = 0):
    return settle_encoding(Role.FUTURE, 0, tuple(counts), tuple(counts.values()), missing)


def test_frequent_values_have_an_indicator_each_and_the_rest_one_together():
    encoding = settled({"fog": 3, "rain": 20, "clear": 70, "hail": 4})
    assert encoding.names("sky") == ("sky=clear", "sky=rain", "sky other")
    np.testing.assert_array_equal(
        encoding.rows(["rain", "hail", "clear"]), [[0, 1, 0], [0, 0, 1], [1, 0, 0], [NAN, NAN, NAN]]
    )


def test_a_value_that_training_has_not_seen_counts_as_other_and_is_named():
    encoding = settled({"clear": 70, "rain": 20, "fog": 5, "hail": LEAST - 1, "snow": LEAST - 1})
    assert encoding.rows(["ash"])[0].tolist() == encoding.rows(["hail"])[0].tolist()
    assert encoding.unseen(["clear", "hail", "ash", "other"]) == ["ash"]


def test_without_rare_values_to_learn_from_an_unseen_value_counts_as_the_average():
    encoding = settled({"clear": 75, "rain": 25})
    assert not encoding.other
    assert encoding.rows(["ash"])[0].tolist() == [0.75, 0.25]


def test_too_few_rare_values_make_no_column_that_nothing_can_be_learned_for():
    encoding = settled({"clear": 75, "rain": 25, "hail": LEAST - 1})
    assert encoding.names("sky") == ("sky=clear", "sky=rain")
    assert encoding.unseen(["hail"]) == []


def test_cells_without_a_value_are_a_case_of_their_own_where_there_are_many():
    encoding = settled({"Christmas": 50}, missing=950)
    assert encoding.names("holiday") == ("holiday=Christmas", "holiday missing")
    assert encoding.rows(["Christmas"]).tolist() == [[1, 0], [0, 1]]


def test_few_cells_without_a_value_are_missing():
    encoding = settled({"clear": 95}, missing=5)
    assert encoding.names("sky") == ("sky=clear",)
    assert np.isnan(encoding.rows([])[-1]).all()


def test_truth_values_are_one_column_however_they_are_written():
    encoding = settled({"True": 3, "false": 1})
    assert encoding.names("open") == ("open",)
    np.testing.assert_array_equal(encoding.rows(["TRUE", "false"]), [[1], [0], [NAN]])


def test_the_number_of_indicators_and_of_remembered_values_is_limited():
    encoding = settled({f"v{number}": 1000 - number for number in range(MOST + MOST_RARE + 9)})
    assert encoding.values == tuple(f"v{number}" for number in range(MOST))
    assert (encoding.width, len(encoding.rare)) == (MOST + 1, MOST_RARE)


def test_long_cells_are_no_values_and_are_not_remembered():
    encoding = settled({"x" * (LONGEST + 1): 50, "short": 50})
    assert (encoding.values, encoding.other, encoding.rare) == (("short",), True, ())


def test_a_value_called_other_is_other():
    assert settled({"clear": 50, "other": 50}).names("sky") == ("sky=clear", "sky other")


def test_the_result_does_not_depend_on_anything_but_rows_and_order_of_texts():
    assert settled({"b": 9, "a": 9, "c": 10}).values == ("c", "b", "a")


@pytest.mark.parametrize("counts", [{"a": 9, "b": 8, "c": 2, "d": 4}, {"a": 9, "b": 9}, {"true": 4, "false": 2}])
@pytest.mark.parametrize("missing", [0, 1, 90])
def test_a_cell_is_told_from_its_columns_as_far_as_they_know(counts: dict[str, int], missing: int):
    encoding = settled(counts, missing)
    texts = [text for text in counts if text in encoding.values or encoding.boolean]
    rows = encoding.rows([*texts, "unseen"] if not encoding.boolean else texts)
    told = [encoding.text(row) for row in rows]
    assert told == [*texts, *([] if encoding.boolean else ["other"]), ""]


def test_columns_and_names_follow_the_places_of_the_covariates():
    sky = settle_encoding(Role.FUTURE, 1, ("clear", "rain"), (9, 9), 0)
    assert columns_by_covariate(Role.FUTURE, 3, [sky]) == [slice(0, 1), slice(1, 3), slice(3, 4)]
    assert columns_by_covariate(Role.PAST, 2, [sky]) == [slice(0, 1), slice(1, 2)]
    names = {"past": ("wind",), "future": ("price", "sky", "open"), "static": ()}
    assert encoded_names(names, [sky]) == {
        "past": ("wind",),
        "future": ("price", "sky=clear", "sky=rain", "open"),
        "static": (),
    }
