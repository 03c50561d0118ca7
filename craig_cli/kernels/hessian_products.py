"""The Hessian of the mean loss times a vector, over rows first ... last - 1, without the Hessian.

``vector`` is a model (m, d + 1), as in `passes`. A row adds x z^T, where z follows from its scores
u by the vector: ``bend u`` each for itself, or of softmax ``p (u - p.u)``, by its share.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, summing_kernel
from craig_cli.kernels.passes import BLOCK_ROWS, add_dense_rows, dense_score, sparse_score


@inlined
def bend_scores(scores, bends, share, is_joint):
    """Change the scores of a row by the vector to what it adds, by output, in place."""
    mean = 0.0
    if is_joint:
        for c in range(scores.shape[0]):
            mean += bends[c] * scores[c]
    for c in range(scores.shape[0]):
        scores[c] = share * bends[c] * (scores[c] - mean)


@summing_kernel
def dense_product(rows, bends, shares, is_joint, constant, vector, first, last, out):
    """Add the product of dense rows to `out` (m, d + 1).

    `bends` (n, m) are second derivatives, or the chances of the classes if `is_joint`.
    """
    m, d = vector.shape[0], rows.shape[1]
    scores, of_output = np.empty((BLOCK_ROWS, m)), np.empty(BLOCK_ROWS)
    for start in range(first, last, BLOCK_ROWS):
        end = min(start + BLOCK_ROWS, last)
        for row in range(start, end):
            for c in range(m):
                scores[row - start, c] = dense_score(rows, row, vector, c, constant)
            bend_scores(scores[row - start], bends[row], shares[row], is_joint)
        for c in range(m):
            total = 0.0
            for i in range(end - start):
                of_output[i] = scores[i, c]
            for i in range(end - start):
                total += of_output[i]
            add_dense_rows(rows, start, end, of_output, out[c])
            out[c, d] += total * constant


@summing_kernel
def sparse_product(rows, bends, shares, is_joint, constant, vector, first, last, out):
    """Add the product of sparse rows to `out`, as `dense_product` does."""
    indptr, indices, values = rows
    m, d = vector.shape[0], vector.shape[1] - 1
    scores = np.empty(m)
    for row in range(first, last):
        for c in range(m):
            scores[c] = sparse_score(rows, row, vector, c, constant)
        bend_scores(scores, bends[row], shares[row], is_joint)
        for c in range(m):
            for j in range(indptr[row], indptr[row + 1]):
                out[c, indices[j]] += scores[c] * values[j]
            out[c, d] += scores[c] * constant
