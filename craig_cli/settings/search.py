"""Settings of a search for the best strength and loss on coresets. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.settings.checks import SEED, SHARE, Checked, Rule


@dataclass(frozen=True)
class SearchSettings(Checked):
    """How candidates are compared.

    Parameters
    ----------
    losses : tuple of str
        What is tried; empty for that of the training alone.
    folds : int
        The rows are cut into so many; each is scored by models fitted on the others.
    search_fraction : float
        Share of the training rows of a fold that a model is fitted on.
    seed : int
        Of the cut into folds, and of selections that draw rows.
    """

    losses: tuple[str, ...] = ()
    folds: int = 5
    search_fraction: float = 0.1
    seed: int = 0

    CHECKS: ClassVar = {
        "folds": Rule("at least 2", lambda number: number >= 2),
        "search_fraction": SHARE,
        "seed": SEED,
    }
