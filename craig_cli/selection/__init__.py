"""Which rows to select, their weights and their epsilon: arrays in, a `Coreset` out. Knows no
files.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from craig_cli.selection.checks import check_coreset
    from craig_cli.selection.coreset import EPSILON_DEFINITION, ClassSummary, Coreset
    from craig_cli.selection.selector import assign, measure, select

__all__ = [
    "EPSILON_DEFINITION",
    "ClassSummary",
    "Coreset",
    "assign",
    "check_coreset",
    "measure",
    "select",
]
HOMES = {
    "EPSILON_DEFINITION": "coreset",
    "ClassSummary": "coreset",
    "Coreset": "coreset",
    "assign": "selector",
    "check_coreset": "checks",
    "measure": "selector",
    "select": "selector",
}


def __getattr__(name: str) -> object:
    # Imported on first use: `craig info` needs a coreset, but no kernel.
    if name in HOMES:
        return getattr(importlib.import_module(f"craig_cli.selection.{HOMES[name]}"), name)
    raise AttributeError(f"module 'craig_cli.selection' has no attribute '{name}'")
