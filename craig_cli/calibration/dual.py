"""The calibration problem, solved by its dual: the smallest change of weights under which given sums come out (Deville and Sarndal 1992)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from craig_cli.calibration.equations import normal_matrix, solution
from craig_cli.threads import Workers
from craig_cli.training.problem import Array

MOST_STEPS = 50
TOLERANCE = 1e-12
"""Of the gradient of the dual, by the largest of its parts at zero or one."""
ENOUGH_FALL = 1e-4
SHORTEST_STEP = 2.0**-30


class Solution(NamedTuple):
    """Weights (k,), and the Newton steps that they took."""

    weights: Array
    steps: int


def calibrated_weights(shares: Array, parts: Array, wanted: Array, ridge: Array, workers: Workers) -> Solution:
    """Return the weights g of at least 0 nearest to `shares`, by the sum of (g - share)^2 / (2 share), whose sums of parts are as wanted.

    Parameters
    ----------
    shares : ndarray, shape (k,)
        Weights to begin with, above 0, adding up to 1.
    parts : ndarray, shape (k, q)
        What a unit of weight of each pick adds to each sum.
    wanted : ndarray, shape (q,)
    ridge : ndarray, shape (q,)
        rho: the sum may miss by rho nu what is wanted, nu its multiplier; 0 for sums that must come out exactly.
    workers : Workers

    Notes
    -----
    The dual is minimised over nu: ``sum_j share_j max(0, 1 + nu.a_j)^2 / 2 - nu.b + sum_i rho_i nu_i^2 / 2``, piecewise quadratic, by Newton's
    method with backtracking; then g_j = share_j max(0, 1 + nu.a_j). Time k q^2 / 2 a step, 3 to 10 steps; memory 8 (k q + q^2 t) bytes.
    """
    multipliers = np.zeros(len(wanted))
    value, gradient, weights = dual(shares, parts, wanted, ridge, multipliers)
    enough = TOLERANCE * max(1.0, float(np.abs(gradient).max(initial=0.0)))
    for step in range(MOST_STEPS):
        if np.abs(gradient).max(initial=0.0) <= enough:
            return Solution(weights, step)
        matrix = normal_matrix(parts, np.where(weights > 0, shares, 0.0), workers)
        direction = solution(matrix, ridge, -gradient)
        slope, length = float(np.einsum("i,i->", gradient, direction)), 1.0
        while True:
            tried = multipliers + length * direction
            new_value, new_gradient, new_weights = dual(shares, parts, wanted, ridge, tried)
            if new_value <= value + ENOUGH_FALL * length * slope or length < SHORTEST_STEP:
                break
            length /= 2
        if new_value >= value and np.abs(new_gradient).max() >= np.abs(gradient).max():
            return Solution(weights, step)
        multipliers, value, gradient, weights = tried, new_value, new_gradient, new_weights
    return Solution(weights, MOST_STEPS)


def dual(shares: Array, parts: Array, wanted: Array, ridge: Array, multipliers: Array) -> tuple[float, Array, Array]:
    """Return the dual objective, its gradient by the multipliers, and the weights that they stand for."""
    stretch = np.maximum(1.0 + np.einsum("ji,i->j", parts, multipliers), 0.0)
    weights = shares * stretch
    value = 0.5 * np.einsum("j,j->", weights, stretch) + np.einsum("i,i->", multipliers, 0.5 * ridge * multipliers - wanted)
    gradient = np.einsum("j,ji->i", weights, parts) - wanted + ridge * multipliers
    return float(value), gradient, weights
