"""Which rows to select, their weights and their epsilon: arrays in, a `Coreset` out. Knows no files."""

from craig_cli.selection.coreset import EPSILON_DEFINITION, ClassSummary, Coreset

__all__ = ["EPSILON_DEFINITION", "ClassSummary", "Coreset"]
