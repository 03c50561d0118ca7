"""What ``craig diff`` reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import Report


@dataclass(frozen=True)
class Difference:
    """A thing that both manifests state, and what each states."""

    name: str
    first: Any
    second: Any


@dataclass(frozen=True)
class DiffReport(Report):
    """How two manifests differ.

    Parameters
    ----------
    first, second : str
        The files.
    picks : (int, int)
    shared : int
        Rows that both have picked.
    first_in_both : int
        How many of the first picks, in order, are the same.
    weight_sums : (float, float)
        Of all picks.
    weight_moved : float
        Half the sum of |w - v| over all rows, a row not picked having weight 0, over the larger
        sum: 0 for equal weights, 1 for none in common.
    largest_weight_change : float
        Among the shared picks.
    epsilon : (float, float)
    differences : sequence of Difference
        Of settings, data and summaries.
    same : bool
    """

    first: str
    second: str
    picks: tuple[int, int]
    shared: int
    first_in_both: int
    weight_sums: tuple[float, float]
    weight_moved: float
    largest_weight_change: float
    epsilon: tuple[float, float]
    differences: Sequence[Difference]
    same: bool

    @property
    def exit_code(self) -> int:
        """0 where nothing differs, else 1, as of diff."""
        return 0 if self.same else 1

    def lines(self) -> list[tuple[str, str]]:
        """Return the report for people."""
        a, b = self.picks
        e, f = self.epsilon
        change = "the same" if e == f else f"{f / e - 1:+.2%}" if e else "from 0"
        share = self.shared / (a + b - self.shared)
        sums = f"sums {self.weight_sums[0]:g} and {self.weight_sums[1]:g}"
        return [
            (
                "picks",
                f"{a:,} and {b:,}, {self.shared:,} shared ({share:.1%} of all), the first "
                f"{self.first_in_both:,} alike",
            ),
            (
                "weights",
                f"{sums}, {self.weight_moved:.1%} moved; of shared picks by at most "
                f"{self.largest_weight_change:g}",
            ),
            ("epsilon", f"{e:.6g} and {f:.6g}, {change}"),
            *(
                ("differs", f"{d.name}: {shown(d.first)} and {shown(d.second)}")
                for d in self.differences
            ),
            ("", "The manifests are the same." if self.same else "The manifests differ."),
        ]


def shown(value: Any) -> str:
    """Return a value in one short piece."""
    return "none" if value is None else printable(str(value), 60)
