"""Hashes of rows, for noticing that data has changed; not for keeping secrets.

A row's hash is the sum, modulo 2^64, of a mix of the column and the value of each entry that is not
zero, mixed with the label and the row's position; the hash of the data is the sum over its rows.
Sums do not depend on blocks, and zeros count for nothing: sparse and dense agree.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel

ROW = np.uint64(0x9E3779B97F4A7C15)
LANES = (np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344))
"""Two independent hashes, started from digits of pi."""


def mixed(bits):
    """Return 64 bits in which each depends on all of `bits` (the finalizer of splitmix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


mix = kernel(mixed)


@kernel
def hash_dense(bits, keys, labels, first_row, lane):
    """Return the hash of some rows, as uint64.

    `bits` uint64 (n, d) are the float64 bits of the values, `keys` uint64 (d,) a mix of each column
    and the lane; `labels` uint64 (n,) a hash of each label; `first_row` their place in the input;
    `lane` uint64 picks one of several independent hashes.
    """
    total, none = np.uint64(0), np.uint64(0)
    for row in range(bits.shape[0]):
        entries = np.uint64(0)
        # No branch, which would be guessed wrong: shifted by its sign, a zero has no bits left.
        for column in range(bits.shape[1]):
            own = bits[row, column]
            entries += mix(keys[column] ^ own) if own << np.uint64(1) != none else none
        total += mix(entries ^ mix(labels[row] + lane) ^ (np.uint64(first_row + row) * ROW))
    return total


@kernel
def hash_sparse(indptr, indices, bits, labels, first_row, lane):
    """Return the hash of some sparse rows without explicit zeros, equal to `hash_dense` of the same
    rows.
    """
    total = np.uint64(0)
    for row in range(labels.shape[0]):
        entries = np.uint64(0)
        for j in range(indptr[row], indptr[row + 1]):
            entries += mix(mix(np.uint64(indices[j]) ^ lane) ^ bits[j])
        total += mix(entries ^ mix(labels[row] + lane) ^ (np.uint64(first_row + row) * ROW))
    return total
