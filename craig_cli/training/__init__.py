"""Fitting models to weighted rows: arrays in, a `Fit` out.

Knows no files, and nothing of how rows were selected.
"""

from craig_cli.training.compatibility import check_options, make_problem
from craig_cli.training.fit import fit, optimum
from craig_cli.training.problem import Problem
from craig_cli.training.result import Fit

__all__ = ["Fit", "Problem", "check_options", "fit", "make_problem", "optimum"]
