"""Method ``exact``: the picks of plain greedy (paper, algorithm 1), found lazily."""

from __future__ import annotations

from craig_cli.selection.methods.base import ClassTask, Picked
from craig_cli.selection.methods.greedy import choose_greedily, lazy_picks


def choose_exactly(task: ClassTask) -> Picked:
    """Return the greedy picks of a class."""
    return choose_greedily(task, lazy_picks)
