"""How much memory reading and selecting take at the peak, and what to do under a limit. Measured on
Linux, with some room to spare.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from craig_cli.dataset import Dataset, SparseRows
from craig_cli.errors import ResourceError
from craig_cli.selection.assignment import CHUNK_VALUES
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.selection.column_summary import CHUNK_ROWS
from craig_cli.selection.disk_cells import rows_of_cell
from craig_cli.selection.methods import METHODS
from craig_cli.selection.methods.cells import CELL_ROWS_AT_MOST, near_pick_bytes
from craig_cli.settings import SelectionSettings, size_in_words
from craig_cli.settings.catalog import methods_that

BASE_BYTES = 350_000_000
"""The program, its packages and kernels, while they are compiled for the first time too."""
ROW_BYTES = 64
"""Of any row: its label, while the classes are found, and its places."""
UNEVEN = 1.2
"""Cells on disk are larger than their mean size by less than this."""


def reading_bytes(n_rows: int, row_bytes: int) -> int:
    """Return the memory that reading takes, for rows of `row_bytes` in all: they are held twice
    when they are joined.
    """
    return BASE_BYTES + ROW_BYTES * n_rows + 2 * row_bytes


@dataclass(frozen=True)
class Shape:
    """What the memory of a selection depends on.

    Parameters
    ----------
    n_rows, n_columns : int
    largest_class : int
        Rows of it.
    row_bytes : int
        Bytes of all rows as read.
    n_selected : int
        Most rows to select from a class.
    is_sparse : bool
    """

    n_rows: int
    n_columns: int
    largest_class: int
    row_bytes: int
    n_selected: int
    is_sparse: bool


def shape_of_selection(dataset: Dataset, settings: SelectionSettings) -> Shape:
    """Return the shape of a selection. Time n log n for the classes."""
    n, rows = dataset.n_rows, dataset.rows
    counts = np.array([n])
    if dataset.labels is not None and settings.task != "regression":
        counts = np.unique(dataset.labels, return_counts=True)[1]
    sizes = counts
    if not settings.budget.is_open:
        size = budget_size(settings.budget, n, len(counts))
        sizes = class_sizes(size, counts, settings.allocation)
    is_sparse = isinstance(rows, SparseRows)
    row_bytes = rows.nbytes if is_sparse else n * dataset.n_columns * rows.dtype.itemsize
    n_columns = dataset.n_columns + (settings.task == "regression")
    return Shape(n, n_columns, int(counts.max()), row_bytes, int(sizes.max()), is_sparse)


def in_memory_bytes(shape: Shape, settings: SelectionSettings) -> int:
    """Return the memory of a selection in memory: the rows as read, and three copies of the largest
    class in float64 (sparse: five as read).

    The lists of exact greedy come on top, and the distances within a cell for each thread, and the
    chunks that columns are looked at in.
    """
    n, m, d = shape.n_rows, shape.largest_class, shape.n_columns
    total = holding_bytes(shape)
    total += (
        5 * shape.row_bytes * m // n
        if shape.is_sparse
        else 24 * d * m + 24 * d * min(n, CHUNK_ROWS)
    )
    names = ("exact", "cells") if settings.method == "auto" else (settings.method,)
    total += sum(METHODS[name].row_bytes(m, settings.n_threads) for name in names)
    total += settings.n_threads * cell_bytes(settings, m)
    return max(total, reading_bytes(n, shape.row_bytes))


def holding_bytes(shape: Shape) -> int:
    """Return the memory that the program and the rows as read take."""
    return program_bytes(shape.n_rows) + shape.row_bytes


def program_bytes(n_rows: int) -> int:
    """Return the memory that the program takes, and what it keeps of rows besides their numbers."""
    return BASE_BYTES + ROW_BYTES * n_rows


def cell_bytes(settings: SelectionSettings, n_rows: int) -> int:
    """Return the memory of greedy within a cell: all distances."""
    return 4 * min(max(CELL_ROWS_AT_MOST, settings.cell_size), n_rows) ** 2


def on_disk_bytes(shape: Shape, settings: SelectionSettings) -> int:
    """Return the memory of a selection from disk: cells being laid out, one a thread, or one cell
    in use; the picks of a class; some chunks.
    """
    n_threads, d, item = (
        settings.n_threads,
        shape.n_columns,
        shape.row_bytes // max(1, shape.n_rows * shape.n_columns),
    )
    rows = min(shape.largest_class, int(UNEVEN * rows_of_cell(d)))
    laying_out = n_threads * rows * d * (2 * item + 8)
    in_use = rows * (8 * d + 64) + near_pick_bytes(rows, n_columns=d)
    in_use += n_threads * cell_bytes(settings, rows)
    picks = shape.n_selected * (d * (16 + 4 * n_threads) + 1200)
    statistics = 32 * d * min(shape.n_rows, CHUNK_ROWS)
    return (
        BASE_BYTES
        + ROW_BYTES * shape.n_rows
        + max(
            statistics, 40 * min(CHUNK_VALUES, d * shape.n_rows) + max(laying_out, in_use + picks)
        )
    )


def check_limit(limit: int) -> None:
    """Raise `ResourceError` for a limit that nothing can keep."""
    if limit <= BASE_BYTES:
        raise ResourceError(
            f"--memory-limit: craig itself takes {size_in_words(BASE_BYTES)}, "
            f"before any rows. Give a higher --memory-limit."
        )


def plan(dataset: Dataset, settings: SelectionSettings, afterwards: int = 0) -> tuple[bool, int]:
    """Return whether to select from disk, and with how many threads, for the memory limit of the
    settings to be kept.

    `afterwards` are the bytes that rows in memory will need beside them once they are selected, for
    one thread.

    Raises
    ------
    ResourceError
        It cannot be kept; names the options that would do.
    """
    shape, limit = shape_of_selection(dataset, settings), settings.memory_limit
    in_memory, on_disk = (
        estimate(shape, replace(settings, threads=1))
        for estimate in (in_memory_bytes, on_disk_bytes)
    )
    in_memory = max(in_memory, holding_bytes(shape) + afterwards)
    if in_memory <= limit:
        return False, most_threads(in_memory_bytes, shape, settings)
    refusal = (
        f"--memory-limit: method {settings.method} needs {size_in_words(in_memory)} for "
        f"these {shape.n_rows:,} rows"
    )
    if shape.is_sparse:
        raise ResourceError(
            f"{refusal}, as sparse rows are held in memory. Give --memory-limit "
            f"{size_in_words(in_memory)}."
        )
    takes_memory = (
        settings.sample_rows
        or settings.refine
        or settings.representative != "medoid"
        or settings.is_constrained
    )
    if settings.method not in methods_that("disk") or settings.budget.is_open or takes_memory:
        raise ResourceError(
            f"{refusal}. Give --memory-limit {size_in_words(in_memory)}, or use --method cells "
            f"with --fraction or --size, without --sample-rows, "
            f"--refine and given rows, with --representative medoid: that needs "
            f"{size_in_words(on_disk)} and temporary files."
        )
    if on_disk > limit:
        raise ResourceError(
            f"{refusal}, or {size_in_words(on_disk)} and temporary files. Give --memory-limit "
            f"{size_in_words(min(in_memory, on_disk))}."
        )
    return True, most_threads(on_disk_bytes, shape, settings)


def most_threads(
    estimate: Callable[[Shape, SelectionSettings], int], shape: Shape, settings: SelectionSettings
) -> int:
    """Return how many of the threads, at least one, keep the memory limit."""
    allowed = (
        t
        for t in range(settings.n_threads, 1, -1)
        if estimate(shape, replace(settings, threads=t)) <= settings.memory_limit
    )
    return next(allowed, 1)
