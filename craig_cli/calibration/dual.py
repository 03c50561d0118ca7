"""The calibration problem, solved by its dual: the smallest change of weights under which given
sums come out (Deville and Sarndal 1992).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from craig_cli.threads import Workers, one_blas_thread
from craig_cli.training.normal_equations import normal_matrix, solution, sum_of_blocks
from craig_cli.training.problem import Array

FULL_STEPS, MOST_STEPS = 10, 60
"""Full steps end after 1 to 23 on real data, most after less than ten, and nothing is shorter; but
on a function of pieces they may go round in circles, which no step of the best length does.
"""
TOLERANCE = 1e-10
"""Of the gradient of the dual, by the largest of its parts where no weight is changed, or one."""
LONGEST_STEP, SAME_LENGTH = 4.0, 1e-6
"""How long a step may be, and how near two lengths are one, in Newton's steps."""
LINE_STEPS = 30


class Solution(NamedTuple):
    """Weights (k,), and the Newton steps that they took."""

    weights: Array
    steps: int


@one_blas_thread()
def calibrated_weights(
    shares: Array, parts: Array, wanted: Array, ridge: Array, workers: Workers
) -> Solution:
    """Return the weights g >= 0 nearest to `shares` whose sums of parts are as wanted.

    Nearest by the sum of (g - share)^2 / (2 share): the linear method of Deville and Sarndal, cut
    off at 0.

    Parameters
    ----------
    shares : ndarray, shape (k,)
        Weights to begin with, above 0, adding up to 1.
    parts : ndarray, shape (k, q)
        What a unit of weight of each pick adds to each sum.
    wanted : ndarray, shape (q,)
    ridge : ndarray, shape (q,)
        rho: the sum may miss by rho nu what is wanted, nu its multiplier; 0 for sums that must come
        out exactly.
    workers : Workers

    Notes
    -----
    The dual is minimised over nu: ``sum_j share_j max(0, 1 + nu.a_j)^2 / 2 - nu.b + sum_i rho_i
    nu_i^2 / 2``, piecewise quadratic, by Newton's method: ten full steps at most, and where these
    go round in circles steps each as long as is best. Then g_j = share_j max(0, 1 + nu.a_j). Time
    k q^2 / 2 for the first step, and 2 k q + q^3 / 6 for each: later ones mend the normal equations
    by the picks whose weight has become 0, or no longer is. Memory 8 (k q + q^2 (t + 3)) bytes.
    Where sums contradict each other, `MOST_STEPS` come to an end without a solution: the caller
    judges the weights by what they are good for.
    """
    q = len(wanted)
    multipliers, matrix = np.zeros(q), np.zeros((q, q))
    counted = np.zeros(len(shares), dtype=bool)
    ratios, sums = clipped_sums(shares, parts, multipliers, workers)
    enough, length = TOLERANCE * max(1.0, float(np.abs(sums - wanted).max(initial=0.0))), 0.0
    for step in range(MOST_STEPS):
        gradient, counting = sums - wanted + ridge * multipliers, ratios > 0
        n_changed = np.count_nonzero(counting != counted)
        is_solved = length == 1.0 and n_changed == 0  # a full step that stays within its piece
        if is_solved or np.abs(gradient).max(initial=0.0) <= enough:
            return Solution(shares * np.maximum(ratios, 0.0), step)
        if 2 * n_changed < np.count_nonzero(counting):
            for now, before, sign in ((counting, counted, 1.0), (counted, counting, -1.0)):
                changed = np.flatnonzero(now & ~before)
                matrix += sign * normal_matrix(parts[changed], shares[changed], workers)
        else:
            matrix = normal_matrix(parts, np.where(counting, shares, 0.0), workers)
        counted = counting
        direction, length = solution(matrix.copy(), ridge, -gradient), 1.0
        there, sums = clipped_sums(shares, parts, multipliers + direction, workers)
        if step >= FULL_STEPS and ((there > 0) != counting).any():
            slope = np.einsum("i,i->", direction, ridge * multipliers - wanted)
            curvature = np.einsum("i,i->", direction, ridge * direction)
            length = best_length(shares, ratios, there - ratios, slope, curvature)
            there, sums = clipped_sums(shares, parts, multipliers + length * direction, workers)
        multipliers, ratios = multipliers + length * direction, there
    return Solution(shares * np.maximum(ratios, 0.0), MOST_STEPS)


def clipped_sums(
    shares: Array, parts: Array, multipliers: Array, workers: Workers
) -> tuple[Array, Array]:
    """Return the ratio 1 + nu.a of each pick (k,), and the sums (q,) of share max(0, ratio) a.

    A ratio is that of the weight of a pick to its share, before it is cut off at 0. Time 2 k q over
    threads, from memory once: a block of rows is still near when its sums are made.
    """
    ratios = np.empty(len(parts))

    def sums(first: int, last: int) -> Array:
        rows = parts[first:last]
        ratios[first:last] = 1.0 + rows @ multipliers
        return np.asarray((shares[first:last] * np.maximum(ratios[first:last], 0.0)) @ rows)

    return ratios, sum_of_blocks(sums, len(parts), (parts.shape[1],), 2 * parts.size, workers)


def best_length(
    shares: Array, ratios: Array, along: Array, slope: float, curvature: float
) -> float:
    """Return the length t up to `LONGEST_STEP` of least dual, along one direction.

    That is of ``sum_j share_j max(0, ratio_j + t along_j)^2 / 2 + slope t + curvature t^2 / 2``.
    The derivative is piecewise linear and rises: Newton's method on it, halving where that leaves
    what is known to be around the end.
    """
    low, high, length = 0.0, LONGEST_STEP, 1.0
    for _ in range(LINE_STEPS):
        there = ratios + length * along
        slopes = np.where(there > 0, shares * along, 0.0)
        steepness = np.einsum("j,j->", slopes, along) + curvature
        here = np.einsum("j,j->", slopes, there) + slope + length * curvature
        low, high = (length, high) if here < 0 else (low, length)
        new = length - here / steepness if steepness > 0 else high
        if not low <= new <= high:
            new = (low + high) / 2
        if abs(new - length) <= SAME_LENGTH:
            return float(new)
        length = new
    return float(length)
