"""Lazy greedy: the picks of plain greedy (paper, algorithm 1), or of stochastic greedy, found
lazily.

Few rows are picked by all their distances (`kernels.distances`). Of more there are three phases,
all exact:

1. The medoid: a bound from Jensen's inequality orders the candidates, so that only some are
   evaluated in full.
2. Lazy evaluation: a gain can only fall as picks are made, so an old gain bounds the new one;
   candidates are evaluated in batches, largest bound first, until none left could win.
3. Lists: once the rows nearer to a candidate than to their pick are few enough to be listed for all
   candidates, every gain is kept up to date, and a pick costs one look for the largest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.lists import Lists, gains_from_lists
from craig_cli.selection.base_group import Group, Known

LIST_PAIRS_MINIMUM = 1 << 24
LIST_PAIRS_A_ROW = 256
"""Lists are made once they would hold at most max(2^24, 256 n) pairs of 8 bytes."""
FIRST_LOOK = 16
SAMPLE_ROWS = 256
FIRST_BATCH = 64
SWEEP_SHARE = 0.5
BATCH_BEFORE_SWEEP = 1 / 64
"""Where a larger share of the rows could still win after batches of the second share, all are
evaluated: about half the work a row.
"""
PICKS_A_STEP = 64
"""Picks between two looks at the clock and at signals."""


Draw: TypeAlias = Callable[[int], NDArray[np.int64]]


def everyone(n_picks: int) -> NDArray[np.int64]:
    """Return no choice for each pick: every row is a candidate."""
    return np.empty((n_picks, 0), np.int64)


class LazyGreedy:
    """Greedy over one group, a few picks at a time.

    Parameters
    ----------
    group : Group
    draw : callable, optional
        ``draw(n_picks)`` returns the candidates of each of the next picks, int64 (n_picks, m):
        stochastic greedy. Left out, every row is one.
    only : ndarray of int64, optional
        Positions that may be picked at all.

    Attributes
    ----------
    picks : list of int
        Positions, in the order picked.
    n_rows : int
        How many rows may be picked.
    gained : list of int
        What each pick gained, in quantised distances; never rises, but for picks that were
        given.
    """

    def __init__(
        self, group: Group, draw: Draw | None = None, only: NDArray[np.int64] | None = None
    ) -> None:
        self._group = group
        self._draw = draw or everyone
        self.picks: list[int] = []
        self.gained: list[int] = []
        self._closed = np.zeros(group.n_rows, bool)
        self.n_rows = group.n_rows if only is None else len(only)
        if only is not None:
            self._closed[:] = True
            self._closed[only] = False
        self._known: Known | None = group.all_distances()
        if self._known is None:
            self._bounds = group.first_gain_bounds()
            self._bounds[self._closed] = -1
        else:
            self._bounds = self._gains_by(self._known)
        self._next_look = FIRST_LOOK if group.n_rows**2 > LIST_PAIRS_MINIMUM else 1

    def go_on_from(self, positions: NDArray[np.int64]) -> None:
        """Make given picks, in order, before any other; bounds stay above the gains, which only
        fall.
        """
        if len(positions):
            self.picks.extend(positions.tolist())
            self.gained.extend(self._group.absorb(positions).tolist())
            self._bounds[positions] = -1
            self._next_look = max(self._next_look, len(self.picks))
            if self._known is not None:
                self._bounds = self._gains_by(self._known)

    @property
    def remaining(self) -> int:
        """L(S) in quantised distances and whole weights."""
        return self._group.total_weight * self._group.auxiliary_distance - sum(self.gained)

    def extend(self, n_picks: int) -> None:
        """Make up to `n_picks` more picks, at least one while rows are left; rows that gain nothing
        come last, the lowest first.
        """
        if self._known is None and len(self.picks) >= self._next_look:
            self._try_lists()
        if self._known is not None:
            picks, gained = self._group.take_picks(self._known, self._bounds, self._draw(n_picks))
        else:
            picks, gained = self._lazy_picks(min(n_picks, self._next_look - len(self.picks)))
        if len(picks) == 0:
            left = np.flatnonzero(self._bounds >= 0)
            picks = left[np.argsort(self._group.rank[left])][:n_picks]
            gained = np.zeros(len(picks), np.int64)
            self._bounds[picks] = -1
        self.picks.extend(picks.tolist())
        self.gained.extend(gained.tolist())

    def _lazy_picks(self, n_picks: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Make up to `n_picks` picks by lazy evaluation; fewer when nothing gains any more."""
        picks, gained = [], []
        for choices in self._draw(n_picks):
            pick = self._best_candidate(choices)
            if pick is None:
                break
            picks.append(pick)
            gained.append(int(self._group.absorb(np.array([pick]))[0]))
        return np.array(picks, np.int64), np.array(gained, np.int64)

    def _best_candidate(self, choices: NDArray[np.int64]) -> int | None:
        """Return the candidate of the largest gain, the lowest row of several; None if nothing
        gains anything.
        """
        bounds, rank = self._bounds, self._group.rank
        stale = bounds > 0
        if len(choices):
            drawn = np.zeros(len(bounds), bool)
            drawn[choices] = True
            stale &= drawn
        best, best_gain, batch = -1, 0, FIRST_BATCH
        while True:
            hopeful = np.flatnonzero(stale & (bounds >= max(best_gain, 1)))
            if len(hopeful) == 0:
                break
            rows = self._evaluate(hopeful, stale, batch)
            stale[rows] = False
            top = int(bounds[rows].max())
            winners = rows[bounds[rows] == top]
            winner = int(winners[np.argmin(rank[winners])])
            if top > best_gain or (top == best_gain and best >= 0 and rank[winner] < rank[best]):
                best, best_gain = winner, top
            batch *= 2
        if best < 0:
            return None
        bounds[best] = -1
        return best

    def _evaluate(
        self, hopeful: NDArray[np.int64], stale: NDArray[np.bool_], batch: int
    ) -> NDArray[np.int64]:
        """Find what the `batch` hopeful candidates of the largest values gain, or all stale ones
        where most are hopeful; return which.
        """
        bounds = self._bounds
        if len(hopeful) > SWEEP_SHARE * len(bounds) and batch > BATCH_BEFORE_SWEEP * len(bounds):
            rows = np.flatnonzero(stale)
            bounds[rows] = self._group.all_gains()[rows]
        else:
            rows = (
                hopeful
                if len(hopeful) <= batch
                else hopeful[np.sort(np.argpartition(-self._values(hopeful), batch)[:batch])]
            )
            bounds[rows] = self._group.gains(rows)
        return rows

    def _values(self, rows: NDArray[np.int64]) -> NDArray[np.integer] | NDArray[np.float64]:
        """Return what picks are chosen by, for some rows; no less than that where a gain is not
        known but bounded.
        """
        return self._bounds[rows]

    def _try_lists(self) -> None:
        """Make the lists if a sample of rows says that they fit; else look again a quarter more
        picks later.
        """
        group = self._group
        n = group.n_rows
        capacity = min(max(LIST_PAIRS_MINIMUM, LIST_PAIRS_A_ROW * n), n * n)
        sample = np.arange(0, n, max(1, n // SAMPLE_ROWS))
        seen = group.neighbours(sample, len(sample) * n)
        assert seen is not None
        if len(seen.columns) * n <= 0.8 * capacity * len(sample):
            self._known = group.neighbours(np.arange(n), capacity)
        if self._known is None:
            self._next_look = max(self._next_look + 8, self._next_look * 5 // 4)
        else:
            self._bounds = self._gains_by(self._known)

    def _gains_by(self, known: Known) -> NDArray[np.int64]:
        """Return what each row would gain as the next pick; -1 for those that may not be picked."""
        group = self._group
        if isinstance(known, Lists):
            gain = np.zeros(group.n_rows, np.int64)
            gains_from_lists(known, group.nearest(), gain, group.weights)
        else:
            gain = group.gains_from_distances(known)
        gain[self._closed] = -1
        gain[self.picks] = -1
        return gain
