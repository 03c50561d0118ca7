"""Which row of a cluster stands for it: the pick itself, or one drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import InputError
from craig_cli.selection.classes import ClassPicks, ClassRows, distances_to_picks
from craig_cli.selection.features import Features
from craig_cli.selection.frames import power_of_two
from craig_cli.threads import Workers


def random_members(
    cluster: NDArray[np.int64], sizes: NDArray[np.int64], rng: np.random.Generator, is_allowed: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return one row of each cluster, each of its rows as likely; the draws are made in the order of the clusters.

    Rows that are not allowed are never drawn; each cluster has one that is.

    Unbiased given the clusters: with their sizes as weights, the sum of any function of a row over the representatives has the sum over all
    rows as its mean.
    """
    if is_allowed is not None:
        rows = np.flatnonzero(is_allowed)
        drawn_of_allowed = random_members(cluster[rows], np.bincount(cluster[rows], minlength=len(sizes)), rng)
        return rows[drawn_of_allowed]
    starts = np.cumsum(sizes) - sizes
    drawn: NDArray[np.int64] = np.argsort(cluster, kind="stable")[starts + rng.integers(sizes)]
    return drawn


def represented(features: Features, members: ClassRows, picks: ClassPicks, local: NDArray[np.int64], workers: Workers) -> ClassPicks:
    """Return the picks of one class with other rows to represent their clusters, and epsilon by the distances to these.

    Parameters
    ----------
    features : Features
    members : ClassRows
    picks : ClassPicks
        Gains and epsilons on the way stay those of the picks, by which the clusters were made.
    local : ndarray of int64, shape (k_c,)
        Rows of the class, one of each cluster.
    workers : Workers

    Raises
    ------
    InputError
        A row is not of the cluster it is to represent.
    """
    assert picks.cluster is not None
    strange = picks.cluster[local] != np.arange(len(local))
    if strange.any():
        row = int(members.index[local[np.argmax(strange)]])
        raise InputError("<representatives>", f"row {row} is not in the cluster that it represents", remedy="They do not belong to this data.")
    distances = distances_to_picks(features, members, local, picks.cluster, power_of_two(picks.reach), workers)
    return replace(picks, rows=members.index[local], medoid=picks.rows, final_epsilon=float(distances.sum()))
