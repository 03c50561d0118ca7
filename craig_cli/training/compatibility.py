"""Whether loss, labels, solver and options fit each other: asked before the first step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Rows
from craig_cli.errors import UsageError
from craig_cli.settings import check_name, usable_threads
from craig_cli.settings.training import AUTO, TrainSettings
from craig_cli.training.automatic import STEPPING_SOLVER, option_of_steps
from craig_cli.training.losses import Loss, find_loss
from craig_cli.training.problem import Problem, checked_weights
from craig_cli.training.solvers import SOLVERS


def check_fit(loss: Loss, classes: Labels | None, settings: TrainSettings | None = None) -> None:
    """Raise `UsageError`, in the words of the options, unless all that is given fits together.

    Parameters
    ----------
    loss : Loss
    classes : Labels or None
        None: the target is a number.
    settings : TrainSettings, optional
        The solver and its options.
    """
    if classes is None and not loss.fits_numbers:
        raise UsageError(
            f"The {loss.name} loss needs classes, and the target is a number. Use squared."
        )
    if classes is not None and len(classes) < 2:
        raise UsageError(
            f"There is one class only ('{classes[0]}'): nothing to tell apart. For "
            f"a number to predict use --task regression."
        )
    if settings is not None:
        check_options(settings)


def check_options(settings: TrainSettings) -> None:
    """Raise `UsageError` for an option that the solver cannot use: known before data are read."""
    name = settings.solver
    if name == AUTO:
        if option_of_steps(settings) is None:
            return
        name = STEPPING_SOLVER
    check_name("--solver", name, tuple(SOLVERS))
    for option, reason in SOLVERS[name].refused.items():
        if getattr(settings, option) != getattr(TrainSettings, option):
            raise UsageError(f"--{option}: {reason.format(solver=name)}")


def make_problem(
    rows: Rows,
    labels: Labels,
    loss: str | None = None,
    weights: NDArray | None = None,
    *,
    intercept: bool = True,
    regression: bool = False,
    threads: int = 0,
) -> Problem:
    """Return the problem that labelled rows make.

    Parameters
    ----------
    rows : Rows
    labels : Labels, shape (n,)
        One a row: classes, or numbers to predict (`regression`).
    loss : str, optional
        A name of the catalog; default: the usual one for so many classes, or a number.
    weights : ndarray, shape (n,), optional
        Default: all 1.
    intercept : bool
    regression : bool
        Whether the label is a number to predict.
    threads : int
        0: the CPUs this process may use.

    Raises
    ------
    UsageError
        Loss and labels do not fit, or a weight is negative or not finite.
    """
    classes: Any = None if regression else np.unique(labels)
    found = find_loss(loss, None if classes is None else len(classes))
    check_fit(found, classes)
    return Problem(
        rows,
        found.targets(labels, classes),
        np.ones(rows.shape[0]) if weights is None else checked_weights(weights, rows.shape[0]),
        found,
        intercept,
        classes,
        threads or usable_threads(),
    )
