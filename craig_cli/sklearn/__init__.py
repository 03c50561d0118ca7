"""CRAIG for scikit-learn: a selector of rows, a search over parameters on coresets, and rows as
a forest sees them.
"""

from craig_cli.sklearn.leaves import LeafEmbedding
from craig_cli.sklearn.search import CoresetSearchCV
from craig_cli.sklearn.selector import CraigSelector

__all__ = ["CoresetSearchCV", "CraigSelector", "LeafEmbedding"]
