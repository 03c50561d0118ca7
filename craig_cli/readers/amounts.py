"""Columns of weights and of costs: which they are, and which of their values can be used."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.readers.numbers import unusable
from craig_cli.settings import InputSettings


class Amount(NamedTuple):
    """A kind of column that holds an amount a row.

    Its name in `Block` and in messages, the option that names it, and whether 0 will do.
    """

    field: str
    called: str
    option: str
    may_be_zero: bool

    @property
    def problem(self) -> str:
        """What is said of a number that is too small."""
        return "is negative" if self.may_be_zero else "is not above 0"

    def column(self, settings: InputSettings) -> str | None:
        """Return the name of the column; None if there is none of this kind."""
        return settings.weight_column if self.field == "weights" else settings.cost_column

    def is_too_small(self, value: Any) -> Any:
        """Return whether a number, or each of an array, is below what it may be."""
        return value < 0 if self.may_be_zero else value <= 0


WEIGHT = Amount("weights", "weight column", "--weight-column", True)
COST = Amount("costs", "cost column", "--cost-column", False)
AMOUNTS = (WEIGHT, COST)


def unfit(values: NDArray, amount: Amount) -> list[tuple[NDArray[np.bool_], str]]:
    """Return which numbers are no such amounts, a mask a fault, and what is wrong with them."""
    small = amount.is_too_small(values)
    return unusable(values) + ([(small, amount.problem)] if small.any() else [])
