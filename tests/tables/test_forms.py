"""How a column writes its times."""

import pytest

from forecast.tables.forms import as_padded


@pytest.mark.parametrize(
    ("form", "cells", "found"),
    [
        ("%m/%d/%Y %I:%M %p", ["1/15/2024 01:30 PM"], "%-m/%d/%Y %I:%M %p"),
        ("%Y-%m-%dT%H:%M:%S.%3f", ["2024-01-05T03:00:00.000Z"], "%Y-%m-%dT%H:%M:%S.%3f"),
        ("%d.%m.%Y", ["10.10.2024", "11.12.2024"], "%d.%m.%Y"),
        ("Q%q %Y", ["Q3 2024"], "Q%q %Y"),
    ],
)
def test_zeros_are_filled_in_where_the_cells_do(form: str, cells: list[str], found: str) -> None:
    assert as_padded(form, cells) == found
