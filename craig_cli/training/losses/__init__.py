"""The table of losses. A new one is a file here, a branch in `kernels.losses`, and a row below."""

from craig_cli.settings import check_name
from craig_cli.training.losses import logistic, smoothed_hinge, softmax, squared, squared_hinge
from craig_cli.training.losses.base import Loss

LOSSES: dict[str, Loss] = {
    module.LOSS.name: module.LOSS
    for module in (logistic, softmax, squared, squared_hinge, smoothed_hinge)
}


def find_loss(name: str | None, n_classes: int | None) -> Loss:
    """Return the loss of a name; for None the usual one for so many classes (None: a number)."""
    if name is None:
        name = "squared" if n_classes is None else "logistic" if n_classes == 2 else "softmax"
    check_name("--loss", name, tuple(LOSSES))
    return LOSSES[name]


__all__ = ["LOSSES", "Loss", "find_loss"]
