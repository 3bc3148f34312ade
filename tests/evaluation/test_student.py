from itertools import product
from math import inf

import pytest

from forecast.evaluation.student import incomplete_beta, quantile, two_sided


@pytest.mark.parametrize(
    ("freedom", "statistic", "expected"),
    [  # of the tables of Student's t: the two-sided 5 %, 1 % and 0.1 % points
        (1, 12.7062, 0.05),
        (2, 9.9248, 0.01),
        (7, 2.36462, 0.05),
        (9, 4.78091, 0.001),
        (29, 2.04523, 0.05),
        (100, 2.62589, 0.01),
    ],
)
def test_the_tables_of_students_t_are_met(freedom: int, statistic: float, expected: float) -> None:
    assert two_sided(statistic, freedom) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize(("probability", "freedom", "expected"), [(0.99, 3, 4.5407), (0.99, 7, 2.998), (0.5, 5, 0)])
def test_a_quantile_is_that_of_the_tables(probability: float, freedom: float, expected: float) -> None:
    assert quantile(probability, freedom) == pytest.approx(expected, abs=5e-5)


def test_one_degree_of_freedom_is_the_cauchy_distribution() -> None:
    assert two_sided(1.0, 1) == pytest.approx(0.5, rel=1e-14)


def test_both_signs_are_equally_far_from_zero() -> None:
    assert two_sided(-1.5, 8) == two_sided(1.5, 8)


@pytest.mark.parametrize(("statistic", "expected"), [(0.0, 1.0), (inf, 0.0), (-inf, 0.0)])
def test_the_ends_of_the_scale_are_exact(statistic: float, expected: float) -> None:
    assert two_sided(statistic, 9) == expected


def test_scipy_agrees_over_the_whole_range() -> None:
    stats = pytest.importorskip("scipy.stats")
    for statistic, freedom in product([1e-6, 0.3, 1.0, 2.5, 10.0, 100.0], [1, 2, 7, 29, 1000, 100_000]):
        expected = 2 * stats.t.sf(statistic, freedom)
        assert two_sided(statistic, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-290)


@pytest.mark.parametrize(
    ("a", "b", "x", "expected"), [(1, 1, 0.3, 0.3), (2, 1, 0.3, 0.09), (1, 3, 0.9, 0.999), (2, 2, 0.5, 0.5)]
)
def test_the_incomplete_beta_function_is_a_polynomial_for_whole_numbers(
    a: float, b: float, x: float, expected: float
) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("x", [0.0, 1.0])
def test_the_incomplete_beta_function_ends_at_0_and_1(x: float) -> None:
    assert incomplete_beta(3, 0.5, x) == x
