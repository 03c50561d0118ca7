"""The table of solvers. A new one is a file here, a kernel if it needs one, and a row below."""

from craig_cli.training.solvers.adaptive import Adagrad, Adam
from craig_cli.training.solvers.base import STEPPING, Solver
from craig_cli.training.solvers.incremental import Incremental
from craig_cli.training.solvers.lbfgs import Lbfgs
from craig_cli.training.solvers.momentum import Momentum
from craig_cli.training.solvers.newton import Newton
from craig_cli.training.solvers.reduced import Saga, Svrg
from craig_cli.training.solvers.sgd import Sgd

SOLVERS: dict[str, type[Solver]] = {
    solver.name: solver for solver in (Sgd, Momentum, Adagrad, Adam, Saga, Svrg, Lbfgs, Newton)
}

__all__ = ["SOLVERS", "STEPPING", "Incremental"]
