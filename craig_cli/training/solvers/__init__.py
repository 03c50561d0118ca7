"""The incremental solvers, by their names in the catalog; `lbfgs` works on full passes and has a
function of its own.
"""

from craig_cli.training.solvers.adaptive import Adagrad, Adam
from craig_cli.training.solvers.base import Solver
from craig_cli.training.solvers.momentum import Momentum
from craig_cli.training.solvers.reduced import Saga, Svrg
from craig_cli.training.solvers.sgd import Sgd

SOLVERS: dict[str, type[Solver]] = {
    "sgd": Sgd,
    "momentum": Momentum,
    "adagrad": Adagrad,
    "adam": Adam,
    "saga": Saga,
    "svrg": Svrg,
}

__all__ = ["SOLVERS", "Solver"]
