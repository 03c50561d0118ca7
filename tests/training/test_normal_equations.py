"""Normal equations: right with and without zeros left out, the same bits for any threads, and
coordinates that hang on others.
"""

from __future__ import annotations

import numpy as np
import pytest

from craig_cli.threads import Workers
from craig_cli.training import normal_equations
from craig_cli.training.normal_equations import normal_matrix, solution


@pytest.mark.parametrize("density", [1.0, 0.1])
@pytest.mark.parametrize(("n_rows", "q"), [(0, 3), (2501, 7), (3100, 90)])
def test_the_matrix_for_any_number_of_threads(n_rows, q, density, monkeypatch):
    monkeypatch.setattr(normal_equations, "WORTH_THREADS", 0)
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(n_rows, q)) * (rng.random((n_rows, q)) < density)
    weights = rng.random(n_rows) * (rng.random(n_rows) > 0.3)
    with Workers(1) as one, Workers(2) as two, Workers(3) as three:
        matrix, *others = (normal_matrix(parts, weights, w) for w in (one, two, three))
    assert {other.tobytes() for other in others} == {matrix.tobytes()}
    assert np.allclose(matrix, parts.T @ (weights[:, None] * parts))


def test_only_the_upper_triangle_counts():
    rng = np.random.default_rng(1)
    rows, ridge, right = rng.normal(size=(30, 9)), rng.random(9), rng.normal(size=9)
    whole = rows.T @ rows
    found = solution(np.triu(whole) + np.tril(np.full((9, 9), np.nan), -1), ridge, right)
    assert np.allclose((whole + np.diag(ridge)) @ found, right)


@pytest.mark.parametrize("dependent", ["twice", "scaled", "zero", "sum"])
def test_coordinates_that_hang_on_others_are_zero(dependent):
    rows = np.random.default_rng(2).normal(size=(30, 5))
    more = {
        "twice": rows[:, 0],
        "scaled": 3 * rows[:, 1],
        "zero": np.zeros(30),
        "sum": rows.sum(axis=1),
    }[dependent]
    rows = np.column_stack([rows, more])
    right = rows.T @ rows @ np.ones(6)
    found = solution(rows.T @ rows, np.zeros(6), right)
    assert np.count_nonzero(found == 0) == 1
    assert np.allclose(rows.T @ rows @ found, right)


def test_equations_of_nothing_have_the_solution_zero():
    assert solution(np.zeros((3, 3)), np.zeros(3), np.ones(3)).tolist() == [0, 0, 0]
