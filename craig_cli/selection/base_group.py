"""What dense and sparse groups share: who is nearest to which pick, and what picks gain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.distances import gains_from_distances, take_picks
from craig_cli.kernels.lists import Choice, Lists, State
from craig_cli.selection.neighbour_lists import collect_lists
from craig_cli.selection.row_weights import RowWeights
from craig_cli.threads import Workers, ranges

GAINS_A_TASK = 256
Known: TypeAlias = Lists | NDArray[np.integer]
"""What gains are kept up to date by: lists of near candidates, or all distances."""


class GroupKernels(NamedTuple):
    """The kernels of one kind of rows that are called alike for every kind."""

    neighbours: Callable[..., int]
    take_picks: Callable[..., int]
    cluster_medoids: Callable[..., None]


class Group(ABC):
    """The rows of one class, laid out for selection.

    Positions within a group are internal: `rank` gives the row of the class (in input order) that
    stands at each. All sums are sums of whole numbers, so that nothing here depends on the number
    of threads or on the order of the rows.

    Parameters
    ----------
    rank : ndarray of int64, shape (n_rows,)
        The row of the class at each position.
    unit : float
        Length of a quantised distance of 1.
    auxiliary_distance : int
        A quantised distance above any in the class: that of every row to its nearest pick before
        there is one.
    row_weights : RowWeights
        Of the rows, in the order of the positions.
    workers : Workers

    Attributes
    ----------
    weights : ndarray of int32, shape (n_rows,), or None
        Whole-number weights at the positions, None for all 1; they add up to `total_weight`.
    gain_unit : float
        What a gain of 1 is worth.
    may_keep_distances : bool
        Whether `all_distances` may give them; false among many groups that are held together.
    """

    kernels: ClassVar[GroupKernels]
    layout: Any
    """The rows as kernels take them."""
    state: State
    _list_room: int
    """Pairs that there must be room for before the kernel lists any."""

    def __init__(
        self,
        rank: NDArray[np.int64],
        unit: float,
        auxiliary_distance: int,
        row_weights: RowWeights,
        workers: Workers,
    ) -> None:
        self.n_rows, self.rank, self._workers = len(rank), rank, workers
        self.unit, self.auxiliary_distance = unit, auxiliary_distance
        self.weights, self.total_weight = row_weights.whole, row_weights.total
        self.gain_unit = unit * row_weights.unit
        self._row_weights = row_weights
        self.may_keep_distances = True

    @property
    def is_float64(self) -> bool:
        """Whether distances are int64, of float64 coordinates."""
        return self.state.nearest.dtype == np.int64

    def reset(self) -> None:
        """Forget all picks: every row is at the distance of the auxiliary element."""
        self.nearest()[:] = self.auxiliary_distance
        self.state.farthest[:] = self.auxiliary_distance
        self.state.cluster[:] = -1
        self._n_picks = 0

    def nearest(self) -> NDArray[np.integer]:
        """Return each position's distance to its nearest pick."""
        return self.state.nearest.reshape(-1)[: self.n_rows]

    def cluster(self) -> NDArray[np.int32]:
        """Return each position's nearest pick, as the number of the pick among those absorbed."""
        return self.state.cluster.reshape(-1)[: self.n_rows]

    @abstractmethod
    def gains(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what each candidate would gain as the next pick; fastest for ascending ones."""

    def all_gains(self) -> NDArray[np.int64]:
        """Return what each position would gain as the next pick."""
        return self.gains(np.arange(self.n_rows))

    def first_gain_bounds(self) -> NDArray[np.int64]:
        """Return for each position no less than its gain as the first pick: here all there is."""
        return np.full(self.n_rows, self.total_weight * self.auxiliary_distance, np.int64)

    @abstractmethod
    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what picks gain, made in order: each takes the rows nearer to it than to any
        earlier one.
        """

    def all_distances(self) -> NDArray[np.integer] | None:
        """Return the distances between all positions (n_rows or more, n_rows or more), where there
        are few enough rows for these to pay; here never.
        """
        return None

    def gains_from_distances(self, distances: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return what each position would gain as the next pick, by `all_distances`."""
        gain = np.empty(self.n_rows, np.int64)
        self._workers.map(
            lambda first, last: gains_from_distances(
                distances, self.nearest(), (first, last), gain, self.weights
            ),
            ranges(self.n_rows, GAINS_A_TASK),
        )
        return gain

    def neighbours(self, positions: NDArray[np.int64], capacity: int) -> Lists | None:
        """Return the lists of some positions; None if they would hold over `capacity` pairs."""
        return collect_lists(
            lambda span, lists: self.kernels.neighbours(
                self.layout, self.state, positions, span, lists
            ),
            len(positions),
            self._list_room,
            capacity,
            self.state.nearest.dtype,
            self._workers,
        )

    def take_picks(
        self, known: Known, gain: NDArray[np.int64], drawn: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return a pick for each row of `drawn`, its candidates, and what each gained.

        No columns: all rows are candidates. Fewer picks come where no more gains anything. `gain`
        and lists are kept up to date.
        """
        picks, gained = np.empty(len(drawn), np.int64), np.empty(len(drawn), np.int64)
        choice, written = Choice(gain, self.rank, drawn), (picks, gained)
        if isinstance(known, Lists):
            made = self.kernels.take_picks(
                self.layout, self.state, known, choice, written, self.weights
            )
        else:
            made = take_picks(known, self.nearest(), choice, written, self.weights)
            self.state.farthest[:] = self.state.nearest.max(axis=1)
        return picks[:made], gained[:made]

    @abstractmethod
    def near_picks(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.integer]]:
        """Return the numbers and distances of the picks nearest to each position, shape (n_rows,
        m), nearest first.
        """

    @abstractmethod
    def cut(self, cell_size: int) -> list[NDArray[np.int64]]:
        """Return the positions of each of some compact cells of at most `cell_size` rows."""

    def medoids(
        self, starts: NDArray[np.int64], members: NDArray[np.int64], limit: int
    ) -> NDArray[np.int64]:
        """Return the medoid of each cluster, among the first `limit` of its members.

        Those of cluster c are ``members[starts[c]:starts[c + 1]]``.
        """
        medoids = np.empty(len(starts) - 1, np.int64)
        self._workers.map(
            lambda first, last: self.kernels.cluster_medoids(
                self.layout, (starts, members), limit, (first, last), medoids, self.weights
            ),
            ranges(len(medoids), max(1, len(medoids) // (16 * self._workers.n_threads))),
        )
        return medoids
