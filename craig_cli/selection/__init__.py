"""Which rows to select, their weights and their epsilon: arrays in, a `Coreset` out. Knows no
files.
"""

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
