"""What stands for missing numbers: found by one more pass over the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding
from craig_cli.errors import InputError
from craig_cli.readers.columns import option_of
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

CHUNK_ROWS = 65_536
"""Rows that are added up at once: cut by the number of rows, so that the size of blocks changes no
bit of a mean.
"""


def with_fills(encoding: Encoding, sources: Sequence[Source], settings: InputSettings) -> Encoding:
    """Return an encoding that says what stands for a missing number of each column.

    Means and medians are those of the numbers that are there, by the weights of the rows where
    they have such. Time: one pass. Memory: a block and 65,536 rows; for medians all rows, float64.

    Raises
    ------
    InputError
        A column holds no number at all.
    """
    names = [
        name
        for name in encoding.features
        if name not in encoding.categories and name not in encoding.widths
    ]
    if settings.missing == "zero":
        return replace(encoding, fills=dict.fromkeys(names, 0.0))
    widths = [len(encoding.names_of(name)) for name in encoding.features]
    starts = dict(zip(encoding.features, np.cumsum([0, *widths]).tolist(), strict=False))
    own = np.array([starts[name] for name in names], np.int64)
    empty = replace(encoding, fills=dict.fromkeys(names, math.nan))
    found = find(own, blocks_of(sources, settings, empty), settings.missing == "median")
    for name, value in zip(names, found, strict=True):
        if math.isnan(value):
            raise InputError(
                sources[0].name,
                f"column '{name}' holds no number at all",
                remedy=f"Use {option_of('--drop', [name])}.",
            )
    return replace(encoding, fills=dict(zip(names, found, strict=True)))


def blocks_of(
    sources: Sequence[Source], settings: InputSettings, encoding: Encoding
) -> Iterator[Block]:
    """Yield all rows of an input, missing numbers as NaN; bad rows are told of later."""
    for file, source in enumerate(sources):
        yield from source.reader.read_blocks(source, file, settings, lambda error: None, encoding)


def find(own: NDArray[np.int64], blocks: Iterator[Block], is_median: bool) -> list[float]:
    """Return the mean, or the median, of some columns; NaN where there is no number."""
    sums: list[NDArray[np.float64]] = []
    values, weights = np.empty((0, len(own))), np.empty(0)
    for block in blocks:
        rows = np.asarray(block.rows)[:, own].astype(np.float64)
        counts = np.ones(len(rows)) if block.weights is None else block.weights
        values, weights = np.concatenate([values, rows]), np.concatenate([weights, counts])
        while not is_median and len(values) >= CHUNK_ROWS:
            sums.append(sums_of(values[:CHUNK_ROWS], weights[:CHUNK_ROWS]))
            values, weights = values[CHUNK_ROWS:], weights[CHUNK_ROWS:]
    if is_median:
        return [weighted_median(column, weights) for column in values.T]
    sums.append(sums_of(values, weights))
    totals, counted = np.array(sums).transpose(1, 2, 0)
    return [
        math.fsum(total) / math.fsum(n) if math.fsum(n) else math.nan
        for total, n in zip(totals.tolist(), counted.tolist(), strict=True)
    ]


def sums_of(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of columns, and of the weights of what is there, float64 (2, n_columns)."""
    columns = np.ascontiguousarray(values.T)
    there = ~np.isnan(columns)
    return np.stack([np.where(there, columns * weights, 0).sum(axis=1), there @ weights])


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the median of the numbers that are there, as if each stood there by its weight."""
    there = ~np.isnan(values) & (weights > 0)
    order = np.argsort(values[there], kind="stable")
    sorted_values, reached = values[there][order], np.cumsum(weights[there][order])
    if not len(reached):
        return math.nan
    half = reached[-1] / 2
    low, high = np.searchsorted(reached, half, "left"), np.searchsorted(reached, half, "right")
    middle = sorted_values[[low, min(high, len(reached) - 1)]]
    return float(middle[0] / 2 + middle[1] / 2)
