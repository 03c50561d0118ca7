"""Rows drawn as others draw them for losses such as the logistic one: by Lewis weights, by
leverage, and by how far a pilot model is from their labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import as_dense
from craig_cli.selection.methods.importance import inclusion_chances, systematic_picks
from craig_cli.threads import Workers, one_blas_thread, ranges
from craig_cli.training import Problem, newton, optimum
from craig_cli.training.normal_equations import BLOCK_ROWS, WORTH_THREADS, sum_of_blocks
from craig_cli.training.problem import Array, pack

MOST_COLUMNS = 2000
"""For Lewis weights and leverage, which take equations of all columns."""
SMALLEST_PIVOT = 1e-12
"""Of the normal matrix, its diagonal 1: a column that others leave less of hangs on them."""
LEWIS_CHANGE, MOST_ITERATIONS = 0.05, 20
"""The iteration ends where no weight's logarithm has changed by more; each halves the change."""
PILOT_ROWS, PILOT_L2 = 2000, 1e-3
"""Of local case-control. With 1e-5, few rows make a pilot so sure of itself that rows it is wrong
about have hardly a chance: on covtype 1 % that leaves five times the residual.
"""
EVEN_SHARE = 1e-9
"""Of the drawing, so that no row's probability is 0."""


class Rival(NamedTuple):
    """How rows are scored: ``scores(problem, seed)`` gives what they are drawn in proportion to.

    `is_seeded` says whether the seed counts.
    """

    scores: Callable[[Problem, int], Array]
    is_seeded: bool


def unfit(name: str, problem: Problem) -> str | None:
    """Return why a rival of `RIVALS`, or ``newton``, does not apply; None where it does."""
    if name == "newton":
        return None if newton.suits(problem) else "its equations would be too large"
    if problem.classes is None or problem.loss.name == "squared":
        return f"it is for losses of classes, not for {problem.loss.name}"
    if name == "local-case-control":
        return None if problem.loss.probabilities else "it needs a loss with probabilities"
    if problem.n_columns > MOST_COLUMNS:
        return f"{problem.n_columns:,} columns are more than the {MOST_COLUMNS:,} it can do with"
    return None


def lewis_weights(problem: Problem) -> Array:
    """Return the l1 Lewis weights (n,) of the rows times their weights, the intercept's 1 included.

    Mai, Musco and Rao 2021 draw rows in proportion to them. They are the fixed point of w_i =
    (a_i' (sum_j a_j a_j' / w_j)^-1 a_i)^(1/2), which is iterated (Cohen and Peng 2015).
    Labels and loss do not count. Time: some ten normal matrices, n d^2 each.
    """
    own, lewis = problem.weights, np.where(problem.weights > 0, 1.0, 0.0)
    for _ in range(MOST_ITERATIONS):
        scale = np.divide(own**2, lewis, out=np.zeros_like(lewis), where=lewis > 0)
        latest = own * np.sqrt(quadratic_forms(problem, scale))
        both = (lewis > 0) & (latest > 0)
        change = np.abs(np.log(latest[both] / lewis[both])).max(initial=0.0)
        lewis = latest
        if change <= LEWIS_CHANGE:
            break
    return lewis


def root_leverages(problem: Problem) -> Array:
    """Return the root of the leverage of each row times its weight, plus its share of all weights.

    What Munteanu, Schwiegelshohn, Sohler and Woodruff 2018 draw rows by: the length of
    the row in an orthonormal basis of the columns, the intercept's 1 among them. Time: a normal
    matrix, n d^2.
    """
    forms = quadratic_forms(problem, problem.weights**2)
    return problem.weights * np.sqrt(forms) + problem.shares


def case_control_scores(problem: Problem, seed: int) -> Array:
    """Return the weight of each row times how far the probability of its class is from 1.

    By a pilot model: local case-control (Fithian and Hastie 2014). As theirs, the pilot is fitted
    on as many rows of each class, weighted to stand for all; more than two classes have a distance
    for each output, as one vector. A pass.
    """
    rng, numbers = np.random.default_rng(seed), problem.class_numbers()
    counting = problem.weights > 0
    classes = np.unique(numbers[counting])
    share = max(1, PILOT_ROWS // len(classes))
    chosen, stands_for = [], []
    for number in classes:
        members = np.flatnonzero(counting & (numbers == number))
        some = np.sort(rng.choice(members, min(share, len(members)), replace=False))
        chosen.append(some)
        stands_for.append(problem.weights[some] * (len(members) / len(some)))
    pilot = fitted(problem.subset(np.concatenate(chosen), np.concatenate(stands_for)), PILOT_L2)
    _, slopes = problem.full_pass(pilot, 0.0)
    distances = np.sqrt(np.einsum("jm,jm->j", slopes, slopes))
    return np.asarray(problem.weights * distances)


def fitted(problem: Problem, l2: float) -> Array:
    """Return the optimum (m, d + 1), by Newton's method where it suits, else by L-BFGS."""
    if newton.suits(problem):
        start = np.zeros((problem.n_outputs, problem.n_columns + 1))
        return newton.minimise(problem, l2, start)
    found = optimum(problem, l2)
    return pack(found.coef, found.intercept)


@one_blas_thread()
def quadratic_forms(problem: Problem, scale: Array) -> Array:
    """Return a_i' (sum_j scale_j a_j a_j')^-1 a_i of each row a_i, the intercept's 1 included (n,).

    Parameters
    ----------
    problem : Problem
    scale : ndarray of float64, shape (n,)
        At least 0. Rows outside the span of those that count are as if projected on it.

    Notes
    -----
    Dense rows are centred where there is an intercept, which changes no form, and the matrix is
    scaled to a diagonal of 1. Columns that hang on others are left out. Blocks of rows are cut and
    added up as those of `normal_matrix`: the same bits for any number of threads. Memory: 8 (d +
    1)^2 and a block, times threads.
    """
    from scipy.linalg import lapack, solve_triangular

    q, work = problem.n_columns + 1, problem.n_rows * (problem.n_columns + 1.0) ** 2
    forms = np.zeros(problem.n_rows)
    with Workers(problem.threads if work >= WORTH_THREADS else 1) as workers:
        centre = column_means(problem, workers)

        def block(first: int, last: int) -> Array:
            inputs = np.full((last - first, q), problem.constant)
            inputs[:, :-1] = as_dense(problem.rows[first:last]) - centre
            return inputs

        def outer_products(first: int, last: int) -> Array:
            scaled = np.sqrt(scale[first:last, None]) * block(first, last)
            return np.asarray(scaled.T @ scaled)

        matrix = sum_of_blocks(outer_products, problem.n_rows, (q, q), work, workers)
        diagonal = np.diag(matrix)
        kept = np.flatnonzero(diagonal > 0)
        sizes = np.sqrt(diagonal[kept])
        scaled_matrix = matrix[np.ix_(kept, kept)] / np.outer(sizes, sizes)
        if not len(kept):
            return forms
        root, order, rank, _ = lapack.dpstrf(scaled_matrix, tol=SMALLEST_PIVOT, lower=1)
        first_ones = order[:rank] - 1
        inverse = solve_triangular(root[:rank, :rank], np.diag(1 / sizes[first_ones]), lower=True)
        basis = np.zeros((q, rank))
        basis[kept[first_ones]] = inverse.T

        def measure(first: int, last: int) -> None:
            parts = block(first, last) @ basis
            forms[first:last] = np.einsum("ij,ij->i", parts, parts)

        workers.map(measure, ranges(problem.n_rows, BLOCK_ROWS))
    return forms


def column_means(problem: Problem, workers: Workers) -> Array:
    """Return what dense columns are centred by (d,): zeros where nothing is, as without an
    intercept.
    """
    if problem.is_sparse or not problem.intercept:
        return np.zeros(problem.n_columns)

    def sums(first: int, last: int) -> Array:
        return np.asarray(as_dense(problem.rows[first:last]).sum(axis=0))

    shape, work = (problem.n_columns,), float(problem.n_rows * problem.n_columns)
    return sum_of_blocks(sums, problem.n_rows, shape, work, workers) / problem.n_rows


def drawn_by_scores(
    scores: Array, weights: Array, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Array]:
    """Return rows drawn in proportion to their scores, and their weights over their probabilities.

    Parameters
    ----------
    scores, weights : ndarray of float64, shape (n,)
        At least 0.
    size : int
        At most n.
    rng : numpy.random.Generator

    Returns
    -------
    rows : ndarray of int64, shape (size,)
        Distinct.
    weights : ndarray of float64, shape (size,)
        Sums over these rows are those over all in the mean over the draws (Horvitz and Thompson).
    """
    chances = inclusion_chances(scores, size, EVEN_SHARE)
    rows = systematic_picks(chances, size, rng)
    return rows, weights[rows] / chances[rows]


RIVALS: Mapping[str, Rival] = {
    "lewis": Rival(lambda problem, seed: lewis_weights(problem), False),
    "leverage": Rival(lambda problem, seed: root_leverages(problem), False),
    "local-case-control": Rival(case_control_scores, True),
}
"""By the name of the baseline."""
