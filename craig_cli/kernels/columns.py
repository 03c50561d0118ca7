"""Passes over the columns of dense rows, and rows as coordinates: what every selection pays.

A column is added up row by row, in float64, as numpy adds up the columns of rows in C order: the
same bits, in one pass and without the temporary arrays. So columns may be shared out among threads.
"""

from __future__ import annotations

from craig_cli.kernels import kernel, summing_kernel


@kernel
def extremes(rows, span, low, high):
    """Bring `low` down and `high` up (d,) to the values of `rows` (n, d) in the columns from
    ``span[0]`` to before ``span[1]``.
    """
    for r in range(rows.shape[0]):
        for k in range(span[0], span[1]):
            low[k] = min(low[k], rows[r, k])
            high[k] = max(high[k], rows[r, k])


@kernel
def add_values(rows, span, total):
    """Add the columns of `rows` to `total` float64 (d,)."""
    for r in range(rows.shape[0]):
        for k in range(span[0], span[1]):
            total[k] += rows[r, k]


@kernel
def add_deviations(rows, mean, by_units, span, total):
    """Add the squares of ``(row - mean) * by_units`` to `total` float64 (d,)."""
    for r in range(rows.shape[0]):
        for k in range(span[0], span[1]):
            value = (rows[r, k] - mean[k]) * by_units[k]
            total[k] += value * value


@kernel
def add_centred(rows, box, span, total):
    """Add rows centred in a box to `total` float64 (d,).

    `box` is what rows are multiplied by, the centre float64 (d,), and what they are multiplied by
    then (`fixed_point.with_factors`).
    """
    by_outer, centre, by_inner = box
    for r in range(rows.shape[0]):
        for k in range(span[0], span[1]):
            total[k] += (rows[r, k] * by_outer - centre[k]) * by_inner


@kernel
def add_squares(rows, box, mean, span, total):
    """Add the squares of centred rows less their `mean` to `total` float64 (d,)."""
    by_outer, centre, by_inner = box
    for r in range(rows.shape[0]):
        for k in range(span[0], span[1]):
            value = (rows[r, k] * by_outer - centre[k]) * by_inner - mean[k]
            total[k] += value * value


@summing_kernel
def row_squares(rows, box, mean, out):
    """Write the squared length of each centred row less the `mean` into `out` float64 (n,), up to
    rounding.
    """
    by_outer, centre, by_inner = box
    for r in range(rows.shape[0]):
        square = 0.0
        for k in range(rows.shape[1]):
            value = (rows[r, k] * by_outer - centre[k]) * by_inner - mean[k]
            square += value * value
        out[r] = square


@kernel
def write_coordinates(rows, box, columns, out):
    """Write centred rows, their columns in the order of `columns` int64 (d,), into `out` (n, d)."""
    by_outer, centre, by_inner = box
    for r in range(rows.shape[0]):
        for j in range(columns.shape[0]):
            k = columns[j]
            out[r, j] = (rows[r, k] * by_outer - centre[k]) * by_inner
