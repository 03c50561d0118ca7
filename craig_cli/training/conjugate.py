"""Newton's equations by conjugate gradients: for columns too many for a matrix.

Only products of the Hessian with vectors are taken, a pass over the rows each. As in `curvature`,
columns are centred where there is an intercept: by algebra, so that sparse rows stay sparse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from craig_cli.kernels import hessian_products, passes
from craig_cli.training.curvature import DAMPING, chances_of
from craig_cli.training.problem import Array, Problem, norm

MOST_PRODUCTS = 300
"""Of a step."""
LOOSEST = 0.3
"""What may be left of the residual, over that at the start of a step; less as the gradient falls,
by its root, so that steps converge faster than linearly (Dembo, Eisenstat and Steihaug 1982).
"""
LEAST_SPREAD = 1e-12
"""Of a column's mean square, below which its spread about the centre is rounding."""


@dataclass
class ConjugateGradients:
    """Newton's equations of a problem, solved as far as the gradient asks for.

    Parameters
    ----------
    problem : Problem
    l2 : float
    longest : float
        The norm of the first gradient, by which others are judged.
    """

    problem: Problem
    l2: float
    longest: float = 0.0

    def direction(self, slopes: Array, least: float, gradient: Array) -> tuple[Array, float]:
        """Return about the inverse of the Hessian of F times the gradient (m, d + 1), and the
        passes that it took; see `Curvature.direction`.
        """
        problem, joint = self.problem, self.problem.loss.is_joint
        if joint:
            bends = chances_of(problem, slopes, 0, problem.n_rows)
            own = bends * (1 - bends)
        else:
            own = bends = np.maximum(problem.loss.second_derivatives(slopes), least)
        centres, diagonal = self.columns(own)
        self.longest = self.longest or norm(gradient) or 1.0
        enough = min(LOOSEST, float(np.sqrt(norm(gradient) / self.longest)))
        ridge = np.append(np.full(problem.n_columns, self.l2), DAMPING)
        inverse = 1 / np.maximum(diagonal + ridge, np.finfo(float).tiny)

        def times(vector: Array) -> Array:
            moved = vector.copy()
            moved[:, -1] -= np.einsum("mi,mi->m", vector[:, :-1], centres)
            out = self.product(bends, joint, moved)
            out[:, :-1] -= out[:, -1:] * centres
            return out + ridge * vector

        right = gradient.copy()
        right[:, :-1] -= gradient[:, -1:] * centres
        step, products = solved(times, right, inverse, enough)
        step[:, -1] -= np.einsum("mi,mi->m", step[:, :-1], centres)
        return step, products + 2.0

    def columns(self, own: Array) -> tuple[Array, Array]:
        """Return the centres of the columns for each output (m, d), their means by the second
        derivatives `own` (n, m), and the diagonal of the Hessian about them (m, d + 1). Two passes.
        """
        problem, m = self.problem, own.shape[1]
        ones = np.zeros((m, problem.n_columns + 1))
        ones[:, -1] = problem.constant
        sums = self.product(own, False, ones)
        kernel = passes.sparse_squares if problem.is_sparse else passes.dense_squares
        weights = np.ascontiguousarray((own * problem.shares[:, None]).T)
        lengths = np.empty(problem.n_rows)

        def work(first: int, last: int) -> Array:
            part = np.zeros((m, problem.n_columns))
            for c in range(m):
                kernel(problem.arrays, weights[c], first, last, lengths, part[c])
            return part

        squares = np.sum(problem.in_chunks(work), axis=0)
        mass = sums[:, -1:]
        centres = sums[:, :-1] / np.where(mass > 0, mass, 1.0)
        spread = np.maximum(squares - mass * centres**2, LEAST_SPREAD * squares)
        return centres, np.hstack([spread, mass])

    def product(self, bends: Array, is_joint: bool, vector: Array) -> Array:
        """Return the Hessian of the mean loss times a vector (m, d + 1)."""
        problem, shares = self.problem, self.problem.shares
        kernel = (
            hessian_products.sparse_product if problem.is_sparse else hessian_products.dense_product
        )
        facts = problem.arrays, bends, shares, is_joint, problem.constant, vector

        def work(first: int, last: int) -> Array:
            part = np.zeros_like(vector)
            kernel(*facts, first, last, part)
            return part

        total: Array = np.sum(problem.in_chunks(work), axis=0)
        return total


def solved(
    times: Callable[[Array], Array], right: Array, inverse: Array, enough: float
) -> tuple[Array, int]:
    """Return about x of ``times(x) = right``, by preconditioned conjugate gradients (Hestenes and
    Stiefel 1952), and the products taken.

    `inverse` is that of the diagonal. The residual's norm by it falls to `enough` of what it was.
    """
    x, residual = np.zeros_like(right), right.copy()
    scaled = inverse * residual
    size = first = float(np.einsum("mi,mi->", residual, scaled))
    way = scaled
    for products in range(MOST_PRODUCTS):
        if not size > enough**2 * first:
            return x, products
        along = times(way)
        bend = float(np.einsum("mi,mi->", way, along))
        if not bend > 0:
            return x, products + 1
        x += size / bend * way
        residual -= size / bend * along
        scaled, before = inverse * residual, size
        size = float(np.einsum("mi,mi->", residual, scaled))
        way = scaled + size / before * way
    return x, MOST_PRODUCTS
