"""The calibration problem, solved by its dual: the smallest change of weights, within bounds, under
which given sums come out (Deville and Sarndal 1992, the truncated linear method).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.threads import Workers, one_blas_thread
from craig_cli.training.normal_equations import normal_matrix, solution, sum_of_blocks
from craig_cli.training.problem import Array

MOST_STEPS = 60
TOLERANCE = 1e-10
"""Of the gradient of the dual, by the largest of its parts where no weight is changed, or one."""
LONGEST_STEP, SAME_LENGTH = 1e6, 1e-6
"""How long a step may be, and how near two lengths are one, in Newton's steps."""
LINE_STEPS = 60
STIFF, DAMPING = 1e-6, 1e-3
"""Where so little is left of the curvature by a multiplier, since the picks that bear on its sum
are at their bounds, so much of what there was at first takes its place.
"""


class Task(NamedTuple):
    """What weights are to come to.

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
    lower, upper : ndarray, shape (k,)
        Least and largest ratio of a weight to its share.
    """

    shares: Array
    parts: Array
    wanted: Array
    ridge: Array
    lower: Array
    upper: Array


class Solution(NamedTuple):
    """What the dual came to.

    Parameters
    ----------
    weights : ndarray, shape (k,)
    multipliers : ndarray, shape (q,)
        nu.
    strain : float
        The least of the sum of (g - share)^2 / (2 share), and of missing^2 / (2 rho): how much the
        weights had to change, and how much is missing all the same.
    steps : int
        Of Newton.
    matrix : ndarray, shape (q, q)
        The normal matrix of the weights that were within their bounds before the last step.
    counted : ndarray of bool, shape (k,)
        Which these were.
    """

    weights: Array
    multipliers: Array
    strain: float
    steps: int
    matrix: Array
    counted: NDArray[np.bool_]


@one_blas_thread()
def calibrated_weights(
    task: Task, workers: Workers, start: Solution | None = None, most_steps: int = MOST_STEPS
) -> Solution:
    """Return the weights within bounds nearest to the shares whose sums of parts are as wanted.

    Nearest by the sum of (g - share)^2 / (2 share).

    Parameters
    ----------
    task : Task
    workers : Workers
    start : Solution, optional
        Of a problem near to it, with the same parts of the picks that it counts: its multipliers
        and its matrix are gone on with. Default: multipliers of 0.
    most_steps : int

    Notes
    -----
    The dual is minimised over nu: the sum of share_j phi_j(nu.a_j), less nu.b, and rho_i nu_i^2 / 2
    for each sum, with phi' the ratio clip(1 + nu.a_j, lower_j, upper_j). It is piecewise quadratic:
    Newton's method, each step as long as is best. Then g_j is share_j times the ratio. Time k q^2 /
    2 for the first step, and 2 k q + q^3 / 6 for each: later ones mend the normal equations by the
    picks that have come to a bound, or left it. Memory 8 (k q + q^2 (t + 3)) bytes.
    """
    shares, parts, wanted, ridge, lower, upper = task
    q = len(wanted)
    multipliers, matrix, counted = np.zeros(q), np.zeros((q, q)), np.zeros(len(shares), bool)
    if start is not None:
        multipliers, matrix, counted = start.multipliers, start.matrix.copy(), start.counted
    usual = np.einsum("j,ji,ji->i", shares, parts, parts) + ridge
    ratios, sums = clipped_sums(task, multipliers, workers)
    enough = TOLERANCE * max(1.0, float(np.abs(shares @ parts - wanted).max(initial=0.0)))
    missing, was_whole = np.inf, False
    for step in range(most_steps):
        gradient = sums - wanted + ridge * multipliers
        counting = (ratios > lower) & (ratios < upper)
        n_changed = np.count_nonzero(counting != counted)
        missing_before, missing = missing, float(np.abs(gradient).max(initial=0.0))
        # Where multipliers are large, what a whole step leaves is rounding.
        is_rounding = was_whole and n_changed == 0 and missing > missing_before / 2
        if missing <= enough or is_rounding:
            return solved(task, multipliers, ratios, step, (matrix, counted))
        if 2 * n_changed < np.count_nonzero(counting):
            for now, before, sign in ((counting, counted, 1.0), (counted, counting, -1.0)):
                changed = np.flatnonzero(now & ~before)
                matrix += sign * normal_matrix(parts[changed], shares[changed], workers)
        else:
            matrix = normal_matrix(parts, np.where(counting, shares, 0.0), workers)
        counted = counting
        stiff = np.diagonal(matrix) + ridge < STIFF * usual
        direction = solution(matrix.copy(), ridge + DAMPING * usual * stiff, -gradient)
        along = parts @ direction
        slope = float(np.einsum("i,i->", direction, ridge * multipliers - wanted))
        curvature = float(np.einsum("i,i->", direction, ridge * direction))
        length = best_length(task, ratios, along, slope, curvature)
        if length == 0.0:
            break
        was_whole = not stiff.any() and abs(length - 1) <= 2 * SAME_LENGTH
        multipliers = multipliers + length * direction
        ratios, sums = clipped_sums(task, multipliers, workers)
    return solved(task, multipliers, ratios, most_steps, (matrix, counted))


def solved(
    task: Task,
    multipliers: Array,
    ratios: Array,
    steps: int,
    known: tuple[Array, NDArray[np.bool_]],
) -> Solution:
    """Return what multipliers (q,) stand for, where the ratios before clipping are (k,); `known`
    are the matrix, and which picks it counts.
    """
    clipped = np.clip(ratios, task.lower, task.upper)
    value = np.einsum(
        "j,j->", task.shares, clipped * (ratios - 1) - np.square(clipped - 1) / 2
    ) - np.einsum("i,i->", multipliers, task.wanted - task.ridge * multipliers / 2)
    return Solution(task.shares * clipped, multipliers, max(0.0, -float(value)), steps, *known)


def clipped_sums(task: Task, multipliers: Array, workers: Workers) -> tuple[Array, Array]:
    """Return the ratio 1 + nu.a of each pick (k,), and the sums (q,) of the clipped ones.

    A ratio is that of the weight of a pick to its share, before it is clipped. Time 2 k q over
    threads, from memory once: a block of rows is still near when its sums are made.
    """
    ratios = np.empty(len(task.parts))

    def sums(first: int, last: int) -> Array:
        rows, within = task.parts[first:last], slice(first, last)
        ratios[within] = 1.0 + rows @ multipliers
        clipped = np.clip(ratios[within], task.lower[within], task.upper[within])
        return np.asarray((task.shares[within] * clipped) @ rows)

    return ratios, sum_of_blocks(
        sums, len(task.parts), (task.parts.shape[1],), 2 * task.parts.size, workers
    )


def best_length(task: Task, ratios: Array, along: Array, slope: float, curvature: float) -> float:
    """Return the length t up to `LONGEST_STEP` of least dual, along one direction.

    Its derivative, ``sum_j share_j clip(ratio_j + t along_j) along_j + slope + curvature t``, is
    piecewise linear and rises: Newton's method on it, halving where that leaves what is known to be
    around the end.
    """
    low, high, length = 0.0, LONGEST_STEP, 1.0
    weighted = task.shares * along
    for _ in range(LINE_STEPS):
        there = ratios + length * along
        is_within = (there > task.lower) & (there < task.upper)
        steepness = np.einsum("j,j->", weighted, np.where(is_within, along, 0.0)) + curvature
        clipped = np.clip(there, task.lower, task.upper)
        here = np.einsum("j,j->", weighted, clipped) + slope + length * curvature
        low, high = (length, high) if here < 0 else (low, length)
        new = length - here / steepness if steepness > 0 else 2 * length
        if not low <= new <= high:
            new = min((low + high) / 2, 10 * max(length, low))
        if abs(new - length) <= SAME_LENGTH * length:
            return float(new)
        length = new
    return float(low)
