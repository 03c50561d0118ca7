"""Routines of LAPACK: the bits that scipy gives, without its package, and beside it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg

from craig_cli import lapack


@pytest.fixture(autouse=True, params=["the compiled module", "the package"])
def home(request, monkeypatch):
    """Take the routines from either home: whichever is used, they are the same."""
    lapack.routines.cache_clear()
    if request.param == "the compiled module":
        monkeypatch.delitem(sys.modules, "scipy.linalg")
    yield
    lapack.routines.cache_clear()


def made_matrix(q: int) -> np.ndarray:
    rows = np.random.default_rng(q).normal(size=(2 * q + 1, q))
    return rows.T @ rows


@pytest.mark.parametrize("q", [1, 7, 150])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_bits_of_scipy(q, order):
    matrix = np.array(made_matrix(q), order=order)
    right = np.random.default_rng(0).normal(size=(q, 3))
    usual, before = scipy.linalg.cho_factor(matrix, lower=True), matrix.copy()
    factor = lapack.cholesky(matrix)
    assert factor is not None
    assert np.tril(factor).tobytes() == np.tril(usual[0]).tobytes()
    for some in (right, right[:, 0]):
        expected = scipy.linalg.cho_solve(usual, some)
        assert lapack.solve_by_factor(factor, some).tobytes() == expected.tobytes()
    expected = scipy.linalg.solve_triangular(usual[0], right, lower=True)
    assert lapack.solve_lower(factor, right).tobytes() == expected.tobytes()
    assert matrix.tobytes() == before.tobytes()


def test_a_matrix_that_is_not_positive_definite():
    matrix = np.array([[1.0, 0, 0], [2, 4, 0], [0, 0, 9]])
    assert lapack.cholesky(matrix) is None
    factor, order, rank = lapack.pivoted_cholesky(matrix, 1e-14)
    assert (order.tolist(), rank) == ([2, 1, 0], 2)
    assert np.tril(factor)[:2, :2].tolist() == [[3, 0], [0, 2]]


def test_equations_of_nothing():
    factor = lapack.cholesky(np.empty((0, 0)))
    assert factor is not None
    assert lapack.solve_by_factor(factor, np.empty(0)).shape == (0,)
    assert lapack.solve_lower(np.eye(2), np.empty((2, 0))).shape == (2, 0)


def test_scipy_can_be_imported_afterwards():
    code = (
        "import sys, numpy as np; from craig_cli import lapack; m = np.eye(2) * 4; "
        "print(lapack.cholesky(m)[1, 1], 'scipy.linalg' in sys.modules); "
        "import scipy.linalg, scipy.linalg._flapack; from scipy.linalg import lapack as theirs; "
        "print(scipy.linalg.cholesky(m)[1, 1], scipy.linalg._flapack.dpotrf is theirs.dpotrf, "
        "lapack.cholesky(m)[1, 1])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "2.0 False\n2.0 True 2.0\n"


def test_a_scipy_laid_out_otherwise_is_imported(monkeypatch):
    monkeypatch.setattr(lapack, "compiled_module", lambda name: None)
    assert lapack.routines() is scipy.linalg.lapack
