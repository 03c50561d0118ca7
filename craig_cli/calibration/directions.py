"""Leading directions of the inputs, in place of the columns where these make more constraints than
the picks can carry.
"""

from __future__ import annotations

import numpy as np

from craig_cli.calibration.constraints import column_means
from craig_cli.dataset import as_matrix
from craig_cli.threads import one_blas_thread
from craig_cli.training import Problem
from craig_cli.training.problem import Array

OVERSAMPLING = 8
"""Directions looked for beyond those wanted: these become more exact (Halko et al., 4.2)."""
ITERATIONS = 4
"""Each brings down what is left of shorter directions by the square of the ratio of lengths."""
INDEPENDENT = 1e-6
"""A column is dependent if no more of it than this is left beside those before it."""


@one_blas_thread()
def leading_directions(sample: Problem, n_wanted: int, rng: np.random.Generator) -> Array:
    """Return orthonormal directions (d, r) along which the weighted rows of a sample are longest
    about their mean.

    r is `n_wanted`, or what they span.

    Notes
    -----
    Subspace iteration from a random start (Halko, Martinsson and Tropp 2011, algorithm 4.4). Time 4
    n d r an iteration, for sparse rows 4 nnz r, and 4 d r^2; memory 8 (3 d + n) r bytes.
    """
    rows, shares, centre = as_matrix(sample.rows), sample.shares[:, None], column_means(sample)
    n_found = min(n_wanted + OVERSAMPLING, sample.n_rows, sample.n_columns)

    def back(along: Array) -> Array:
        weighted = shares * along
        return np.asarray(rows.T @ weighted - np.outer(centre, weighted.sum(axis=0)))

    directions = orthonormal(back(rng.standard_normal((sample.n_rows, n_found))))
    for _ in range(ITERATIONS):
        directions = orthonormal(back(rows @ directions - centre @ directions))
    lengths = np.sum(shares * np.square(rows @ directions - centre @ directions), axis=0)
    longest = np.argsort(-lengths, kind="stable")[:n_wanted]
    return np.ascontiguousarray(directions[:, np.sort(longest)])


def orthonormal(columns: Array) -> Array:
    """Return orthonormal columns that span what `columns` (d, r) do, without dependent ones."""
    basis, root = np.linalg.qr(columns)
    return basis[:, np.abs(np.diag(root)) > INDEPENDENT * np.linalg.norm(root, axis=0)]
