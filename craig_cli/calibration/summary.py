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
        Why they were not; empty if they were.
    loss : str
    pilot_l2 : tuple of float
        Ascending.
    pilots : int
        At how many of them the gradient was to come out: as many as the picks can carry. 0 where
        the second moments were, which fix the optimum at every strength.
    constraints : int
        Sums that were to come out, but for those of the classes.
    is_reduced : bool
        Whether they stand for leading directions, as there were too few picks for all columns.
    rows_a_constraint : float
    exchanged : int or None
        How many medoids gave way to other rows of their clusters; None where none was to.
    gradient_error_before, gradient_error_after : float
        Root mean square over the sums of what each misses, over its own root mean square.
    loss_before, loss_after : tuple of float
        Regularised, on all rows, of the models fitted on the picks, for each of `pilot_l2`: with
        the weights from before, and with those made.
    optimum, residual_before, residual_after, residual_random : tuple of float
        The least there is of these losses; what those before and those made lie above it
        (suboptimality, f - f*), and what as many random rows of each class leave on average, by an
        asymptotic estimate. Empty where the optimum is not known: too many columns.
    effective_rows : float
        (sum g)^2 / sum g^2 (Kish 1965): what equal weights would be worth as much.
    largest_weight : float
    at_bounds : int
        Weights that are as small or as large as they may be.
    """

    kept: bool
    reason: str
    loss: str
    pilot_l2: tuple[float, ...]
    pilots: int
    constraints: int
    is_reduced: bool
    rows_a_constraint: float
    exchanged: int | None
    gradient_error_before: float
    gradient_error_after: float
    loss_before: tuple[float, ...]
    loss_after: tuple[float, ...]
    optimum: tuple[float, ...]
    residual_before: tuple[float, ...]
    residual_after: tuple[float, ...]
    residual_random: tuple[float, ...]
    effective_rows: float
    largest_weight: float
    at_bounds: int

    def facts(self) -> Mapping[str, Any]:
        """Return the summary in JSON types."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
