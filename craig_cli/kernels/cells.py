"""Cutting rows into compact cells of equal size: recursive splits across the direction of largest
spread.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, kernel
from craig_cli.kernels.simd import add_four_products, four_sums, lanes

SAMPLE = 256
"""Rows of a cell that its principal direction is found from."""
ITERATIONS = 4
"""Steps of the power method: the direction need not be exact to make compact cells."""
LEVELS = 64
"""Halves that can be waiting to be split: one a level, and there are at most log2(n) levels."""


@inlined
def projection(points, row, direction):
    """Return the dot product of a row with `direction`, as four running sums: additions need not
    wait for each other.
    """
    sums = four_sums()
    for k in range(0, direction.shape[0] - 3, 4):
        sums = add_four_products(points, row, direction, k, sums)
    return in_all(sums, points, row, direction)


@inlined
def in_all(sums, points, row, direction):
    """Return four sums, and the products of the columns that are left over, as one."""
    s0, s1, s2, s3 = lanes(sums)
    for k in range(direction.shape[0] // 4 * 4, direction.shape[0]):
        s0 += points[row, k] * direction[k]
    return (s0 + s1) + (s2 + s3)


@inlined
def project(points, order, low, high, direction, keys):
    """Write the `projection` of each of the rows ``order[low:high]`` into ``keys[low:high]``.

    Four rows at a time: they lie anywhere in memory, and are waited for together.
    """
    whole = high - (high - low) % 4
    for i in range(low, whole, 4):
        r0, r1, r2, r3 = order[i], order[i + 1], order[i + 2], order[i + 3]
        a = b = c = e = four_sums()
        for k in range(0, direction.shape[0] - 3, 4):
            a = add_four_products(points, r0, direction, k, a)
            b = add_four_products(points, r1, direction, k, b)
            c = add_four_products(points, r2, direction, k, c)
            e = add_four_products(points, r3, direction, k, e)
        keys[i] = in_all(a, points, r0, direction)
        keys[i + 1] = in_all(b, points, r1, direction)
        keys[i + 2] = in_all(c, points, r2, direction)
        keys[i + 3] = in_all(e, points, r3, direction)
    for i in range(whole, high):
        keys[i] = projection(points, order[i], direction)


@kernel
def principal_direction(points, order, low, high, direction):
    """Write the direction of largest spread of the rows ``order[low:high]`` into `direction` (d,),
    by the power method on a sample.
    """
    d = points.shape[1]
    n_sample = min(high - low, SAMPLE)
    # Rows of zeros at the end, so that rows go by fours: they add nothing.
    centred = np.zeros((n_sample + 3, d))
    mean = np.zeros(d)
    for s in range(n_sample):
        row = order[low + s * (high - low) // n_sample]
        for k in range(d):
            centred[s, k] = points[row, k]
            mean[k] += centred[s, k]
    # It starts from the spread of each column: near the direction sought where some columns spread
    # more than the others, so that few steps do.
    for k in range(d):
        mean[k] /= n_sample
        direction[k] = 0.0
    for s in range(n_sample):
        for k in range(d):
            centred[s, k] -= mean[k]
            direction[k] += centred[s, k] * centred[s, k]
    for _ in range(ITERATIONS):
        image = np.zeros(d)
        for s in range(0, n_sample, 4):
            # Sums in the order of the columns, of four rows: one alone would wait for itself.
            a = b = c = e = 0.0
            for k in range(d):
                a += centred[s, k] * direction[k]
                b += centred[s + 1, k] * direction[k]
                c += centred[s + 2, k] * direction[k]
                e += centred[s + 3, k] * direction[k]
            for k in range(d):
                total = image[k] + a * centred[s, k]
                total += b * centred[s + 1, k]
                total += c * centred[s + 2, k]
                image[k] = total + e * centred[s + 3, k]
        largest = 0.0
        for k in range(d):
            largest = max(largest, abs(image[k]))
        if largest == 0.0:
            return
        for k in range(d):
            direction[k] = image[k] / largest


@kernel
def quickselect(keys, order, low, high, middle):
    """Rearrange ``order[low:high]`` with its keys in place so that the first ``middle - low`` have
    the smallest keys (ties by row), and the next one is the least of the rest.
    """
    # Keys and rows together are never equal, so that the halves do not depend on the order that the
    # rows come in, and equal rows are shared out instead of going all one way.
    high -= 1
    while low < high:
        pivot_key, pivot_row = keys[(low + high) // 2], order[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while keys[i] < pivot_key or (keys[i] == pivot_key and order[i] < pivot_row):
                i += 1
            while keys[j] > pivot_key or (keys[j] == pivot_key and order[j] > pivot_row):
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        # Only the side that the cut falls in is gone on with; between the two there is at most the
        # pivot, which then stands where it belongs.
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@kernel
def split_rows(points, order, bounds, splits=None):
    """Cut rows into compact cells of given sizes.

    Parameters
    ----------
    points : float (n, d)
    order : int64 (m,)
        The rows; rearranged in place so that each cell is contiguous.
    bounds : int64 (n_cells + 1,)
        Cell c is to be ``order[bounds[c]:bounds[c + 1]]``, but for ``bounds[0]``, which is taken
        off: other cells may come before.
    splits : (float64 (n_cells, d), float64 (n_cells,), int64 (n_cells,)), optional
        Filled in: the direction of the split that parts cell c - 1 from cell c, and the key and the
        row of the least one on its right. Entry 0 is not used.

    Notes
    -----
    Time m d log2(n_cells); memory m.
    """
    keys = np.empty(order.shape[0])
    direction = np.empty(points.shape[1])
    stack = np.empty((LEVELS, 2), np.int64)  # first cell and number of cells
    stack[0, 0], stack[0, 1] = 0, bounds.shape[0] - 1
    depth = 1
    while depth > 0:
        depth -= 1
        first, count = stack[depth, 0], stack[depth, 1]
        # The left half is split at once, the right one waits.
        while count > 1:
            half = count // 2
            low, high = bounds[first] - bounds[0], bounds[first + count] - bounds[0]
            middle = bounds[first + half] - bounds[0]
            principal_direction(points, order, low, high, direction)
            project(points, order, low, high, direction, keys)
            quickselect(keys, order, low, high, middle)
            if splits is not None:
                # Selection has left the least row of the right half at its beginning.
                directions, least_keys, least_rows = splits
                s = first + half
                least_keys[s], least_rows[s] = keys[middle], order[middle]
                for k in range(direction.shape[0]):
                    directions[s, k] = direction[k]
            stack[depth, 0], stack[depth, 1] = first + half, count - half
            depth += 1
            count = half


@kernel
def sign_projection(indptr, indices, values, out):
    """Write sparse rows projected to 64 dimensions by random signs into `out` float64 (n, 64),
    zeroed; distances stay within about 20 %.

    The signs of a column are the bits of its number, mixed (splitmix64), so that they depend on
    nothing else. Time: 64 an entry.
    """
    for row in range(out.shape[0]):
        for j in range(indptr[row], indptr[row + 1]):
            bits = (np.uint64(indices[j]) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            bits ^= bits >> np.uint64(31)
            # Added or taken off: no product with a sign.
            for k in range(64):
                if bits & np.uint64(1):
                    out[row, k] += values[j]
                else:
                    out[row, k] -= values[j]
                bits >>= np.uint64(1)
