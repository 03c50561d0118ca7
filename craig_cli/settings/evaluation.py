"""Settings of an evaluation, and the only home of their defaults. Standard library only."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import LOSSES, Entry, names
from craig_cli.settings.checks import NOT_NEGATIVE, POSITIVE, Checked, Rule, check_name, refuse
from craig_cli.settings.training import TrainSettings

MEASURES = ("residual", "residual_ratio", "test_error", "gradient_error", "epsilon_mean", "speedup")
"""What ``--fail-if`` can name; `residual_ratio` is the residual over that of random rows."""
BASELINES = (
    Entry("random", "random rows of each class"),
    Entry("stratified", "a random row of each of as many cells"),
    Entry("importance", "rows drawn by the length of their gradient at a pilot model (OSMAC)"),
    Entry("lewis", "rows drawn by their l1 Lewis weights (Mai, Musco and Rao 2021)"),
    Entry("leverage", "rows drawn by the root of their leverage (Munteanu et al. 2018)"),
    Entry(
        "local-case-control",
        "rows drawn by how far a pilot model is from their label (Fithian and Hastie 2014)",
    ),
    Entry(
        "newton",
        "no subset: the model of random rows, after 1, 2 and 3 Newton steps with the gradient of "
        "all rows",
    ),
)
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Threshold:
    """A condition under which an evaluation fails, such as ``residual > 1e-3``."""

    measure: str
    relation: str
    limit: float

    def is_met(self, value: float) -> bool:
        """Return whether `value` is one to fail for."""
        return OPERATORS[self.relation](value, self.limit)

    def __str__(self) -> str:
        return f"{self.measure} {self.relation} {self.limit:g}"


def parse_threshold(text: str) -> Threshold:
    """Return the condition in a text: a name, an operator and a number; raises `UsageError`."""
    found = re.fullmatch(r"\s*(\w+)\s*(>=|<=|>|<)\s*(\S+)\s*", text)
    if found is None:
        raise UsageError(
            f"--fail-if: '{text}' is not NAME > NUMBER (or >=, <, <=), such as 'residual > 1e-3'."
        )
    check_name("--fail-if", found[1], MEASURES)
    try:
        limit = float(found[3])
    except ValueError as error:
        raise UsageError(f"--fail-if: '{found[3]}' is not a number.") from error
    if not math.isfinite(limit):
        raise UsageError(f"--fail-if: {found[3]} is not finite.")
    return Threshold(found[1], found[2], limit)


def parse_losses(text: str | None) -> tuple[str | None, ...]:
    """Return the names in a text with commas between; (None,) leaves the choice to the data."""
    if text is None:
        return (None,)
    losses = tuple(part.strip() for part in text.split(","))
    for loss in losses:
        check_name("--loss", loss, names(LOSSES))
    refuse(len(set(losses)) < len(losses), f"--loss: '{text}' names a loss twice.")
    return losses


def parse_baselines(text: str | None) -> tuple[str, ...] | None:
    """Return the names in a text with commas between; None stands for all that apply."""
    if text is None:
        return None
    found = tuple(part.strip() for part in text.split(","))
    for name in found:
        check_name("--baselines", name, names(BASELINES))
    refuse(len(set(found)) < len(found), f"--baselines: '{text}' names one twice.")
    return found


@dataclass(frozen=True)
class EvaluateFiles:
    """What an evaluation reads and writes.

    Parameters
    ----------
    paths : tuple of str
        The data.
    coreset, weights_file : str or None
        A manifest, or a hand-made Parquet file with columns index and weight: one of the two.
    test : str or None
        Rows for the test error.
    report, plot : str or None
        Where the page and the picture go.
    force : bool
        Replace files that are no pages or pictures of craig.
    force_mismatch : bool
        Use a manifest of other data.
    """

    paths: tuple[str, ...]
    coreset: str | None = None
    weights_file: str | None = None
    test: str | None = None
    report: str | None = None
    plot: str | None = None
    force: bool = False
    force_mismatch: bool = False

    def __post_init__(self) -> None:
        refuse(
            (self.coreset is None) == (self.weights_file is None),
            "Give what to evaluate: either --coreset or --weights-file.",
        )
        refuse(
            self.force_mismatch and self.coreset is None,
            "--force-mismatch: there is no --coreset to match.",
        )
        for option, name in (("--report", self.report), ("--plot", self.plot)):
            refuse(
                name == "-", f"{option}: name a file; stdout is for the report in words or JSON."
            )
        refuse(
            self.report is not None and self.report == self.plot,
            "--report and --plot name the same file.",
        )


@dataclass(frozen=True)
class EvaluateSettings(Checked):
    """What is compared, and how; see ``craig evaluate --help`` for each option.

    Parameters
    ----------
    losses : tuple of (str or None)
        None stands for the choice of the data.
    l2 : tuple of float
    seeds : int
        Subsets of each random kind.
    w_norm : float or None
        R, the radius of the ball of the bound; None: the norm of the model that all rows give.
    residual : float or None
        What passes and seconds are counted to; None: 1.1 times the coreset's own after convergence,
        and at least a millionth of f*.
    selection_seconds : float or None
        What the selection took; None: the recorded request is run again.
    thresholds : tuple of Threshold
    baselines : tuple of str or None
        What the coreset is compared with; None: all that apply.
    train : TrainSettings
        Of every competitor, but for loss and l2.
    """

    losses: tuple[str | None, ...] = (None,)
    l2: tuple[float, ...] = (1e-5,)
    seeds: int = 3
    w_norm: float | None = None
    residual: float | None = None
    selection_seconds: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    baselines: tuple[str, ...] | None = None
    train: TrainSettings = field(default_factory=TrainSettings)

    CHECKS: ClassVar = {
        "seeds": Rule("between 1 and 1000", lambda number: 1 <= number <= 1000),
        "w_norm": POSITIVE,
        "residual": POSITIVE,
        "selection_seconds": NOT_NEGATIVE,
    }

    def check_thresholds(self, *, has_test: bool, has_epsilon: bool) -> None:
        """Raise `UsageError` if a threshold names what will not be measured."""
        for threshold in self.thresholds:
            refuse(
                threshold.measure == "test_error" and not has_test,
                "--fail-if: test_error needs rows to test on: name them with --test.",
            )
            refuse(
                threshold.measure == "epsilon_mean" and not has_epsilon,
                "--fail-if: epsilon_mean is stated by a manifest: a --weights-file has none.",
            )
            refuse(
                threshold.measure == "residual_ratio"
                and self.baselines is not None
                and "random" not in self.baselines,
                "--fail-if: residual_ratio is over that of random rows: name random among "
                "--baselines.",
            )
