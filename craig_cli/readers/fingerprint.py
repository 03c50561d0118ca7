"""The fingerprint of a data set: of the parsed numbers, so that the same rows in LIBSVM, CSV, Parquet and HDF5 agree."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import Dataset, Labels, SparseRows
from craig_cli.kernels.fingerprint import LANES, hash_dense, hash_sparse

CHUNK_ROWS = 65_536


def fingerprint(dataset: Dataset) -> str:
    """Return ``craig1:`` and 32 hexadecimal digits, which change with any value, label or the order of the rows.

    Zeros and columns of zeros at the end do not count, -0 is 0, a float32 is its float64 value, and numeric labels are equal if their
    values are. Time about 2 ns a value; memory: 65,536 rows at a time.
    """
    n, rows = dataset.n_rows, dataset.rows
    label_bits = hash_labels(dataset.labels, n)
    totals = []
    for lane in LANES:
        total = n
        if isinstance(rows, SparseRows):
            total += int(hash_sparse(rows.indptr, rows.indices, rows.values.view(np.uint64), label_bits, 0, lane))
        else:
            for start in range(0, n, CHUNK_ROWS):
                chunk = np.ascontiguousarray(rows[start : start + CHUNK_ROWS], dtype=np.float64)
                total += int(hash_dense(chunk, chunk.view(np.uint64), label_bits[start : start + CHUNK_ROWS], start, lane))
        totals.append(total % 2**64)
    return "craig1:" + "".join(f"{total:016x}" for total in totals)


def hash_labels(labels: Labels | None, n_rows: int) -> NDArray[np.uint64]:
    """Return 64 bits a label: the float64 bits of a number, the start of the SHA-256 of a text's UTF-8 bytes, 0 for none."""
    if labels is None:
        return np.zeros(n_rows, np.uint64)
    if labels.dtype != object:
        return (labels.astype(np.float64) + 0.0).view(np.uint64)
    values, codes = np.unique(labels, return_inverse=True)
    hashes = [int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "little") for text in values]
    return np.array(hashes, np.uint64)[codes]
