"""What a subset of the rows is worth for training: arrays in, measures out. Knows no files, and
nothing of how rows were selected.
"""

from craig_cli.evaluation.bounds import Bound, gradient_bound
from craig_cli.evaluation.comparison import Comparison, Result, compare
from craig_cli.evaluation.measures import (
    Reference,
    Run,
    Subset,
    make_reference,
    run,
    sgd_epoch_seconds,
    warm_up,
)

__all__ = [
    "Bound",
    "Comparison",
    "Reference",
    "Result",
    "Run",
    "Subset",
    "compare",
    "gradient_bound",
    "make_reference",
    "run",
    "sgd_epoch_seconds",
    "warm_up",
]
