"""What a coreset is for, and what follows where the user chooses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.settings import DRAWN
from craig_cli.settings.catalog import PURPOSES, REPRESENTATIVES, WEIGHTINGS
from craig_cli.settings.checks import Checked, refuse

PAPER = {"method": "exact", "representative": "medoid", "weights": "cluster"}
"""The choices of the paper's algorithm 1."""


@dataclass(frozen=True)
class Purpose(Checked):
    """What a coreset is for.

    Parameters
    ----------
    name : {'linear', 'local'} or None
        None stands for linear where that can be done.
    representative, weights : str or None
        What the user has chosen; None leaves it to the purpose.
    """

    name: str | None = None
    representative: str | None = None
    weights: str | None = None

    CHECKS: ClassVar = {"name": PURPOSES, "representative": REPRESENTATIVES, "weights": WEIGHTINGS}
    OPTIONS: ClassVar = {"name": "--for"}

    @property
    def may_fall_back(self) -> bool:
        """Whether medoids may do, where nothing else can be had."""
        return self.representative is None and self.name is None

    def choices(
        self, method: str, is_open: bool, has_labels: bool, prefers_local: bool = False
    ) -> tuple[str, str]:
        """Return the representative and the weights.

        They depend on the method, on whether the budget leaves open how many rows there will be,
        and on whether there are labels. What prefers local is local unless the user says
        otherwise: rows selected by a proxy, which has the gradients of another model, in parts,
        which know no calibration, or after those of an earlier coreset, which are to stay.

        Raises
        ------
        UsageError
            It is said to be for linear models, and cannot be.
        """
        name = self.name or (
            "linear" if has_labels and not is_open and not prefers_local else "local"
        )
        refuse(
            name == "linear" and is_open and self.representative is None,
            "--for linear: a budget of epsilon or of costs is kept by the picks themselves. Use "
            "--size, --fraction or --for local.",
        )
        refuse(
            name == "linear" and not has_labels and self.weights is None,
            "--for linear: weights are calibrated at models that need labels, and there are "
            "none. Use --for local.",
        )
        representative = "medoid" if name == "local" or method in DRAWN else "varied"
        weights = "cluster" if name == "local" else "auto"
        return self.representative or representative, self.weights or weights
