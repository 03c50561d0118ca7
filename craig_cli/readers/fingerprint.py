"""The fingerprint of a data set: of the parsed numbers, so that all formats agree."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import (
    Block,
    Dataset,
    Labels,
    Rows,
    SparseRows,
    cut_block,
)
from craig_cli.kernels.fingerprint import LANES, hash_dense, hash_sparse, mixed
from craig_cli.readers.labels import as_text, distinct, type_of, unify_labels
from craig_cli.threads import ranges

CHUNK_VALUES = 1 << 15
"""Values that are looked at at a time: as float64 they stay in the cache."""
PARTS = "craig1-parts:"
WEIGHT_LANE, COST_LANE = np.uint64(0xA4093822299F31D0), np.uint64(0x082EFA98EC4E6C89)


def fingerprint(dataset: Dataset, like: str = "", parts: Sequence[int] = ()) -> str:
    """Return ``craig1:`` and 32 hexadecimal digits of the rows, labels, weights and costs.

    They change with any value, and with the order of the rows. Zeros and columns of zeros at the
    end do not count, -0 is 0, a float32 is its float64 value, and numeric labels are equal if
    their values are. Time about 1 ns a value; memory: a few rows.

    If `like` is a fingerprint made from those of parts (`fingerprint_of_parts`), so is the one
    returned; `parts` are the rows of each.
    """
    if like.startswith(PARTS) and sum(parts) == dataset.n_rows:
        whole = Block(dataset.rows, dataset.labels, 0, dataset.weights, dataset.costs)
        ends = np.cumsum(parts).tolist()
        own = [cut_block(whole, slice(end - n, end)) for end, n in zip(ends, parts, strict=True)]
        return fingerprint_of_parts(
            [in_words(n, hashes_of_rows(alone(block))) for n, block in zip(parts, own, strict=True)]
        )
    return in_words(dataset.n_rows, hashes_of_rows(dataset))


def fingerprint_of_parts(fingerprints: Sequence[str]) -> str:
    """Return ``craig1-parts:`` and 32 hexadecimal digits, made of the fingerprints of parts."""
    return PARTS + hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()[:32]


def joined_fingerprint(n_rows: int, hashes: Sequence[Sequence[int]]) -> str:
    """Return the fingerprint of a data set from the hashes of the rows of its parts."""
    return in_words(n_rows, [sum(lane) for lane in zip(*hashes, strict=True)])


def alone(block: Block) -> Block:
    """Return rows with their labels as they are where there are no others."""
    if block.labels is None:
        return block
    return replace(block, labels=unify_labels([block.labels]))


def hashes_of_rows(own: Block | Dataset, first_row: int = 0) -> list[int]:
    """Return the hashes of rows from row `first_row` of all: those of parts add up."""
    labels = hash_labels(own.labels, own.rows.shape[0])
    return row_sums(own.rows, with_amounts(labels, own), first_row)


def in_words(n_rows: int, sums: Sequence[int]) -> str:
    """Return the fingerprint that the sums of the rows' hashes make."""
    return "craig1:" + "".join(f"{(n_rows + total) % 2**64:016x}" for total in sums)


def row_sums(rows: Rows, label_bits: NDArray[np.uint64], first_row: int) -> list[int]:
    """Return the sum of the hashes of rows from row `first_row` of the input, for each lane."""
    if isinstance(rows, SparseRows):
        entries = rows.indptr, rows.indices, rows.values.view(np.uint64)
        return [int(hash_sparse(*entries, label_bits, first_row, lane)) for lane in LANES]
    n, d = rows.shape
    sums, step = [0] * len(LANES), max(1, CHUNK_VALUES // max(1, d))
    keys = [mixed(np.arange(d, dtype=np.uint64) ^ lane) for lane in LANES]
    values = np.empty((min(step, n), d))
    for start, stop in ranges(n, step):
        own = values[: stop - start]
        own[:] = rows[start:stop]
        for number, lane in enumerate(LANES):
            sums[number] += int(
                hash_dense(
                    own.view(np.uint64),
                    keys[number],
                    label_bits[start:stop],
                    first_row + start,
                    lane,
                )
            )
    return sums


def running_fingerprint(
    like: str = "", parts: Sequence[int] = (), is_text: bool = True
) -> RunningFingerprint | RunningParts:
    """Return what makes, block by block, the fingerprint that `fingerprint` makes at once.

    `is_text`: whether the labels of the whole may be text, numbers of some blocks included.
    """
    if like.startswith(PARTS):
        return RunningParts(parts, is_text)
    return RunningFingerprint(is_text)


class RunningFingerprint:
    """The fingerprint of a data set that is seen block by block and never held.

    Labels that may be text are hashed as text and as numbers: which of the two counts is known
    once all are seen (`unify_labels`). Memory: the different texts of the labels.
    """

    def __init__(self, is_text: bool = True) -> None:
        self.n_rows = 0
        self._is_text = is_text
        self._plain, self._numeric = [0] * len(LANES), [0] * len(LANES)
        self._exact: dict[str, Decimal | None] = {}
        self._has_texts = False

    def add(self, block: Block) -> None:
        """Take in the next rows, with their labels as a reader gives them."""
        labels = block.labels
        if labels is None or (labels.dtype != object and not self._is_text):
            plain = numeric = hashes_of_rows(block, self.n_rows)
        else:
            self._exact.update(distinct(labels))
            self._has_texts |= labels.dtype == object
            plain, numeric = (
                hashes_of_rows(replace(block, labels=own), self.n_rows)
                for own in (as_text(labels), as_floats(labels))
            )
        self._plain = [a + b for a, b in zip(self._plain, plain, strict=True)]
        self._numeric = [a + b for a, b in zip(self._numeric, numeric, strict=True)]
        self.n_rows += block.rows.shape[0]

    def text(self) -> str:
        """Return the fingerprint of all rows so far, equal to `fingerprint` of the same rows."""
        is_numeric = not self._has_texts or type_of(self._exact.values()) is not None
        return in_words(self.n_rows, self._numeric if is_numeric else self._plain)


def as_floats(labels: Labels) -> Labels:
    """Return labels as numbers, those that are none as 0."""
    if labels.dtype != object:
        return labels
    of_text = {text: float(number or 0) for text, number in distinct(labels).items()}
    return np.array([of_text[text] for text in labels.tolist()])


class RunningParts:
    """The same for a fingerprint that is made of those of parts, of so many rows each.

    Whatever comes after them counts as the last's.
    """

    def __init__(self, parts: Sequence[int], is_text: bool = True) -> None:
        self.n_rows = 0
        self._starts = [0, *np.cumsum(parts[:-1]).tolist()]
        self._parts = [RunningFingerprint(is_text) for _ in self._starts]

    def add(self, block: Block) -> None:
        """Take in the next rows, with their labels as a reader gives them."""
        n = block.rows.shape[0]
        for part, start, end in zip(
            self._parts, self._starts, [*self._starts[1:], self.n_rows + n], strict=True
        ):
            own = slice(max(start - self.n_rows, 0), min(end - self.n_rows, n))
            if own.start < own.stop:
                part.add(cut_block(block, own))
        self.n_rows += n

    def text(self) -> str:
        """Return the fingerprint of all rows so far."""
        return fingerprint_of_parts([part.text() for part in self._parts])


def with_amounts(bits: NDArray[np.uint64], rows: Block | Dataset) -> NDArray[np.uint64]:
    """Return the bits of each label mixed with those of the row's weight and cost, if any."""
    for values, lane in ((rows.weights, WEIGHT_LANE), (rows.costs, COST_LANE)):
        if values is not None:
            bits = mixed(mixed((values + 0.0).view(np.uint64) ^ lane) ^ bits)
    return bits


def hash_labels(labels: Labels | None, n_rows: int) -> NDArray[np.uint64]:
    """Return 64 bits a label: of a number its float64 bits, of a text of its SHA-256, else 0."""
    if labels is None:
        return np.zeros(n_rows, np.uint64)
    if labels.dtype != object:
        return (labels.astype(np.float64) + 0.0).view(np.uint64)
    texts = labels.tolist()
    hashes = {
        text: int.from_bytes(
            hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "little"
        )
        for text in set(texts)
    }
    return np.array([hashes[text] for text in texts], np.uint64)
