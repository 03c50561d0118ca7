"""What a calibration did, for the summary and for the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CalibrationSummary:
    """What a calibration did.

    Parameters
    ----------
    kept : bool
        Whether the weights were changed; else those from before stand.
    reason : str
        Why they were not, or why the last round was not kept; empty if all were.
    loss : str
    pilot_l2 : tuple of float
    rounds, rounds_kept : int
        At most, and how many were.
    constraints : int
        Sums that were to come out, but for those of the classes.
    is_reduced : bool
        Whether they stand for leading directions, as there were too few rows for all coordinates.
    rows_a_constraint : float
    gradient_error_before, gradient_error_after : tuple of float
        At each pilot of the last round kept: the norm of the difference between the mean gradient
        of all rows and the weighted mean of the picks', each coordinate over its root mean square,
        over the root of their number.
    loss_before, loss_after : tuple of float
        Regularised, on all rows, of the models fitted on the picks, for each of `pilot_l2`: with
        the weights from before, and with those kept.
    effective_rows : float
        (sum g)^2 / sum g^2: what equal weights would be worth as much.
    largest_weight : float
    zero_weights : int
    """

    kept: bool
    reason: str
    loss: str
    pilot_l2: tuple[float, ...]
    rounds: int
    rounds_kept: int
    constraints: int
    is_reduced: bool
    rows_a_constraint: float
    gradient_error_before: tuple[float, ...]
    gradient_error_after: tuple[float, ...]
    loss_before: tuple[float, ...]
    loss_after: tuple[float, ...]
    effective_rows: float
    largest_weight: float
    zero_weights: int

    def facts(self) -> Mapping[str, Any]:
        """Return the summary in JSON types."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
