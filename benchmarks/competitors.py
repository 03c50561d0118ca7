"""All that selects rows in the bench: methods of craig, and its peers. Each takes a data set and a
budget and returns row numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from craig_cli.dataset import Dataset, SparseRows
from craig_cli.selection import select
from craig_cli.settings import Budget, SelectionSettings

BLOCK_ROWS = 500
BATCH = 64


def as_matrix(rows: SparseRows) -> csr_matrix:
    """Return sparse rows as scipy has them."""
    return csr_matrix((rows.values, rows.indices, rows.indptr), shape=(rows.n_rows, rows.n_columns))


def dense(dataset: Dataset) -> np.ndarray:
    """Return the rows as a dense matrix."""
    return (
        as_matrix(dataset.rows).toarray() if isinstance(dataset.rows, SparseRows) else dataset.rows
    )


def craig(
    method: str, dataset: Dataset, size: int, task: str, *, sampled: bool = False, **options: Any
) -> np.ndarray:
    """Return the picks of a method of craig; `sampled` lets greedy see a tenth of the rows."""
    sample_rows = dataset.n_rows // 10 if sampled else 0
    return select(
        dataset,
        SelectionSettings(Budget(size=size), method, task=task, sample_rows=sample_rows, **options),
    ).index


def distances(rows: np.ndarray, dtype: type) -> np.ndarray:
    """Return the distances between all rows: scipy's cdist, block by block, on all cores."""
    out = np.empty((len(rows), len(rows)), dtype)

    def fill(first: int) -> None:
        out[first : first + BLOCK_ROWS] = cdist(rows[first : first + BLOCK_ROWS], rows)

    with ThreadPoolExecutor() as pool:
        list(pool.map(fill, range(0, len(rows), BLOCK_ROWS)))
    return out


def similarities(rows: np.ndarray, dtype: type) -> np.ndarray:
    """Return the largest distance less each distance."""
    matrix = distances(rows, dtype)
    return np.subtract(matrix.max(), matrix, out=matrix)


def apricot_lazy(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the picks of apricot-select's facility location, lazy greedy."""
    from apricot import FacilityLocationSelection  # type: ignore[import-untyped]

    return (
        FacilityLocationSelection(size, metric="precomputed", optimizer="lazy")
        .fit(similarities(dense(dataset), np.float64))
        .ranking
    )


def submodlib_lazy(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the picks of submodlib's facility location, lazy greedy."""
    from submodlib import FacilityLocationFunction  # type: ignore[import-untyped]

    kernel = similarities(dense(dataset), np.float32)
    function = FacilityLocationFunction(
        n=len(kernel), mode="dense", sijs=kernel, separate_rep=False
    )
    return np.array(
        [row for row, _ in function.maximize(size, optimizer="LazyGreedy", show_progress=False)]
    )


def kmedoids_build(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the medoids of PAM's BUILD: greedy by another name."""
    import kmedoids  # type: ignore[import-untyped]

    return kmedoids.pam_build(distances(dense(dataset), np.float32), size).medoids


def kmedoids_fasterpam(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the medoids of FasterPAM from random rows: swaps until none pays."""
    import kmedoids

    return kmedoids.fasterpam(
        distances(dense(dataset), np.float32), size, init="random", random_state=0
    ).medoids


def numpy_greedy(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the picks of greedy in plain numpy: lazy, 64 candidates at a time."""
    matrix = distances(dense(dataset), np.float32)
    n = len(matrix)
    nearest = np.full(n, matrix.max())
    bounds = np.array([np.maximum(nearest - row, 0).sum(dtype=np.float64) for row in matrix])
    evaluated = np.zeros(n, np.int64)
    picks: list[int] = []
    while len(picks) < size:
        while evaluated[pick := int(bounds.argmax())] != len(picks):
            hopeful = np.argpartition(-bounds, min(BATCH, n - 1))[:BATCH]
            bounds[hopeful] = np.maximum(nearest - matrix[hopeful], 0).sum(axis=1, dtype=np.float64)
            bounds[picks] = -1
            evaluated[hopeful] = len(picks)
        picks.append(pick)
        bounds[pick] = -1
        np.minimum(nearest, matrix[pick], out=nearest)
    return np.array(picks)


def faiss_kmeans(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the rows nearest to the centres of faiss's k-means, 20 rounds, each row once."""
    import faiss  # type: ignore[import-not-found]

    rows = np.ascontiguousarray(dense(dataset), np.float32)
    model = faiss.Kmeans(rows.shape[1], size, niter=20, seed=0, max_points_per_centroid=len(rows))
    model.train(rows)
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows)
    return np.unique(index.search(model.centroids, 1)[1])


def minibatch_kmeans(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the rows nearest to the centres of scikit-learn's mini-batch k-means, each once."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import pairwise_distances_argmin

    rows = np.ascontiguousarray(dense(dataset), np.float32)
    model = MiniBatchKMeans(size, batch_size=4096, n_init=1, random_state=0).fit(rows)
    return np.unique(pairwise_distances_argmin(model.cluster_centers_, rows))


def coreax_herding(dataset: Dataset, size: int, task: str) -> np.ndarray:
    """Return the picks of coreax's kernel herding, a Gaussian kernel of the median distance."""
    import jax.numpy as jnp
    from coreax import Data  # type: ignore[import-not-found]
    from coreax.kernels import (  # type: ignore[import-not-found]
        SquaredExponentialKernel,
        median_heuristic,
    )
    from coreax.solvers import KernelHerding  # type: ignore[import-not-found]

    rows = jnp.asarray(dense(dataset), jnp.float32)
    step = max(1, len(rows) // 1000)
    kernel = SquaredExponentialKernel(length_scale=float(median_heuristic(rows[::step])))
    coreset, _ = KernelHerding(size, kernel=kernel, unique=True).reduce(Data(rows))
    return np.asarray(coreset.unweighted_indices)


WIDE_PEERS: dict[str, Callable[..., np.ndarray]] = {
    "faiss k-means, nearest rows": faiss_kmeans,
    "scikit-learn mini-batch k-means, nearest rows": minibatch_kmeans,
}
"""Peers that need no matrix of all distances."""
PEERS: dict[str, Callable[..., np.ndarray]] = {
    "apricot-select, lazy": apricot_lazy,
    "submodlib, lazy": submodlib_lazy,
    "kmedoids, BUILD": kmedoids_build,
    "kmedoids, FasterPAM": kmedoids_fasterpam,
    "scipy cdist + numpy greedy": numpy_greedy,
    "coreax, kernel herding": coreax_herding,
    **WIDE_PEERS,
}
COMPETITORS: dict[str, Callable[..., np.ndarray]] = {
    "craig exact": partial(craig, "exact"),
    "craig cells": partial(craig, "cells"),
    "craig exact --refine": partial(craig, "exact", refine=True),
    "craig cells --refine": partial(craig, "cells", refine=True),
    "craig auto": partial(craig, "auto"),
    "craig cells --sample-rows n/10": partial(craig, "cells", sampled=True),
    "stratified": partial(craig, "stratified"),
    "random": partial(craig, "random"),
    **PEERS,
}
"""Each is called with a `Dataset`, the number of picks, and the task."""
