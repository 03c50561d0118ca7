"""What a coreset is for, and what follows where the user chooses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.settings import DRAWN
from craig_cli.settings.catalog import ALLOCATION_CHOICES, PURPOSES, REPRESENTATIVES, WEIGHTINGS
from craig_cli.settings.checks import Checked, refuse

PAPER = {
    "method": "exact",
    "representative": "medoid",
    "weights": "cluster",
    "allocation": "proportional",
}
"""The choices of the paper's algorithm 1."""
REPRESENTATIVE = {"any": "exchanged", "linear": "exchanged", "local": "medoid"}


@dataclass(frozen=True)
class Purpose(Checked):
    """What a coreset is for.

    Parameters
    ----------
    name : {'any', 'linear', 'local'} or None
        None stands for any where that can be done.
    representative, weights : str or None
        What the user has chosen; None leaves it to the purpose.
    allocation : {'auto', 'proportional', 'power', 'equal'}
        ``auto`` leaves it to the purpose.
    """

    name: str | None = None
    representative: str | None = None
    weights: str | None = None
    allocation: str = "auto"

    CHECKS: ClassVar = {
        "name": PURPOSES,
        "representative": REPRESENTATIVES,
        "weights": WEIGHTINGS,
        "allocation": ALLOCATION_CHOICES,
    }
    OPTIONS: ClassVar = {"name": "--for"}

    @property
    def may_fall_back(self) -> bool:
        """Whether medoids may do, where nothing else can be had."""
        return self.representative is None and self.name is None

    def named(self, is_open: bool, has_labels: bool, prefers_local: bool) -> str:
        """Return the name of the purpose, where none is given by what can be done."""
        can_be_any = has_labels and not is_open and not prefers_local
        return self.name or ("any" if can_be_any else "local")

    def allocated(
        self,
        method: str,
        is_open: bool,
        has_classes: bool,
        prefers_local: bool = False,
        in_parts: bool = False,
    ) -> str:
        """Return how the picks are shared out among the classes, if there are any.

        At an optimum of a linear model the gradients of a class weigh as much as those of all
        others, however rare it is: there rare classes have more than their share. Random rows are
        the baseline of the paper, and parts know no calibration: both are proportional unless the
        user says otherwise.
        """
        if self.allocation != "auto":
            return self.allocation
        is_plain = method in DRAWN or is_open or in_parts or not has_classes
        is_linear = self.named(is_open, has_classes, prefers_local) == "linear"
        return "power" if is_linear and not is_plain else "proportional"

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
            It is said to be for linear models, or for any, and cannot be.
        """
        name = self.named(is_open, has_labels, prefers_local)
        refuse(
            name != "local" and is_open and self.representative is None,
            f"--for {name}: a budget of epsilon or of costs is kept by the picks themselves. Use "
            "--size, --fraction or --for local.",
        )
        refuse(
            name != "local" and not has_labels and self.weights is None,
            f"--for {name}: weights are calibrated at models that need labels, and there are "
            "none. Use --for local.",
        )
        representative = "medoid" if method in DRAWN else REPRESENTATIVE[name]
        weights = "cluster" if name == "local" else "auto"
        return self.representative or representative, self.weights or weights
