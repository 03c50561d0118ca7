"""The fingerprint of a data set: of the parsed numbers, so that the same rows in LIBSVM, CSV, Parquet and HDF5 agree."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import Dataset, Labels, Rows, SparseRows, shape_of
from craig_cli.kernels.fingerprint import LANES, hash_dense, hash_sparse
from craig_cli.readers.labels import DECIMAL, WHOLE, as_numbers

CHUNK_ROWS = 65_536


def fingerprint(dataset: Dataset) -> str:
    """Return ``craig1:`` and 32 hexadecimal digits, which change with any value, label or the order of the rows.

    Zeros and columns of zeros at the end do not count, -0 is 0, a float32 is its float64 value, and numeric labels are equal if their
    values are. Time about 2 ns a value; memory: 65,536 rows at a time.
    """
    sums = row_sums(dataset.rows, hash_labels(dataset.labels, dataset.n_rows), 0)
    return as_text(dataset.n_rows, sums)


def as_text(n_rows: int, sums: list[int]) -> str:
    """Return the fingerprint that the sums of the rows' hashes make."""
    return "craig1:" + "".join(f"{(n_rows + total) % 2**64:016x}" for total in sums)


def row_sums(rows: Rows, label_bits: NDArray[np.uint64], first_row: int) -> list[int]:
    """Return the sum of the hashes of some rows for each lane; `first_row` is their place in the input."""
    sums = []
    for lane in LANES:
        if isinstance(rows, SparseRows):
            sums.append(int(hash_sparse(rows.indptr, rows.indices, rows.values.view(np.uint64), label_bits, first_row, lane)))
            continue
        total = 0
        for start in range(0, len(label_bits), CHUNK_ROWS):
            chunk = np.ascontiguousarray(rows[start : start + CHUNK_ROWS], dtype=np.float64)
            total += int(hash_dense(chunk, chunk.view(np.uint64), label_bits[start : start + CHUNK_ROWS], first_row + start, lane))
        sums.append(total)
    return sums


class RunningFingerprint:
    """The fingerprint of a data set that is seen block by block and never held.

    Labels that are text are hashed as they stand and as numbers: which of the two counts is known once all are seen (`unify_labels`).
    Memory: the different texts of the labels.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self._plain, self._numeric = [0] * len(LANES), [0] * len(LANES)
        self._texts: set[str] = set()

    def add(self, rows: Rows, labels: Labels | None) -> None:
        """Take in the next rows, with their labels as a reader gives them."""
        n = shape_of(rows)[0]
        plain = numeric = row_sums(rows, hash_labels(labels, n), self.n_rows)
        if labels is not None and labels.dtype == object:
            values, codes = np.unique(labels, return_inverse=True)
            self._texts.update(values.tolist())
            numbers = np.array([as_number(text) for text in values])
            numeric = row_sums(rows, hash_labels(numbers[codes], n), self.n_rows)
        self._plain = [a + b for a, b in zip(self._plain, plain, strict=True)]
        self._numeric = [a + b for a, b in zip(self._numeric, numeric, strict=True)]
        self.n_rows += n

    def text(self) -> str:
        """Return the fingerprint of all rows so far, equal to `fingerprint` of the same rows."""
        is_numeric = bool(self._texts) and as_numbers(sorted(self._texts)) is not None
        return as_text(self.n_rows, self._numeric if is_numeric else self._plain)


def as_number(text: str) -> float:
    """Return the number that a label's text stands for where it stands for one; else 0."""
    return float(int(text)) if WHOLE.fullmatch(text) else float(text) if DECIMAL.fullmatch(text) else 0.0


def hash_labels(labels: Labels | None, n_rows: int) -> NDArray[np.uint64]:
    """Return 64 bits a label: the float64 bits of a number, the start of the SHA-256 of a text's UTF-8 bytes, 0 for none."""
    if labels is None:
        return np.zeros(n_rows, np.uint64)
    if labels.dtype != object:
        return (labels.astype(np.float64) + 0.0).view(np.uint64)
    values, codes = np.unique(labels, return_inverse=True)
    hashes = [int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "little") for text in values]
    return np.array(hashes, np.uint64)[codes]
