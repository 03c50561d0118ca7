"""What the tiles of a class looked like before: so gains need not be evaluated from scratch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.tiles import TILE


class History:
    """Earlier states of tiles, so that a gain can be updated from the tiles that have changed since it was known.

    Memory: 4 bytes (wide: 8) a row of each tile that a pick has changed.
    """

    def __init__(self, n_tiles: int, dtype: np.dtype) -> None:
        self._changed_at = np.zeros(n_tiles, np.int64)
        self._saved = np.full(n_tiles, -1, np.int64)
        self._since, self._before, self._farthest = (np.empty(n_tiles, np.int64) for _ in range(3))
        self._nearest = np.empty((n_tiles, TILE), dtype)
        self._filled = 0

    def record(self, nearest: NDArray[np.integer], farthest: NDArray[np.int64], changed: NDArray[np.int64], n_picks: int) -> None:
        """Keep the state of the `changed` tiles before the pick that made `n_picks` of them."""
        start, stop = self._filled, self._filled + len(changed)
        if stop > len(self._since):
            size = max(stop, 2 * len(self._since))
            self._since, self._before, self._farthest = (np.resize(a, size) for a in (self._since, self._before, self._farthest))
            self._nearest = np.resize(self._nearest, (size, TILE))
        self._since[start:stop], self._before[start:stop] = self._changed_at[changed], self._saved[changed]
        self._nearest[start:stop], self._farthest[start:stop] = nearest[changed], farthest[changed]
        self._saved[changed] = np.arange(start, stop)
        self._changed_at[changed] = n_picks
        self._filled = stop

    def arrays(self) -> tuple[NDArray, ...]:
        """Return the history as `dense.update_gains` takes it."""
        return self._changed_at, self._saved, self._since, self._before, self._nearest, self._farthest
