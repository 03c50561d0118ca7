"""CRAIG for scikit-learn: a selector of rows, and a search over parameters on coresets."""

from craig_cli.sklearn.search import CoresetSearchCV
from craig_cli.sklearn.selector import CraigSelector

__all__ = ["CoresetSearchCV", "CraigSelector"]
