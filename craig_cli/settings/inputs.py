"""Where rows come from, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import FORMATS, INLINE_WEIGHTS, MISSING, TASKS, names
from craig_cli.settings.checks import check_name

LABEL_COLUMNS = ("label", "target", "class", "y")
"""Columns taken for the label when ``--label`` is not given, in this order."""


def fills_missing(settings: InputSettings) -> bool:
    """Return whether something stands for missing cells."""
    return settings.missing in ("mean", "median", "zero")


@dataclass(frozen=True)
class InputSettings:
    """Where the rows come from and how they are read; see ``craig select --help`` for each option.

    Where no `amounts_needed`, columns of weights, costs and ids, and weights after labels, are
    passed over if they are there, and they and the label may be missing: the rows are for a model,
    which needs none of them. An `index_base` of auto is found as rows are read, and
    `Dataset.index_base` says which it is.
    `memory_bytes` are those that the run may take; 0: what the machine has free.
    `task_given`: the user has named the task, and labels that look like no classes are not
    questioned. `strict`: settings whose columns must be there all the same.
    """

    paths: tuple[str, ...]
    format: str | None = None
    label: str | None = None
    no_label: bool = False
    task: str = "classification"
    index_base: int | str = "auto"
    on_error: str = "stop"
    drop: tuple[str, ...] = ()
    one_hot: tuple[str, ...] = ()
    delimiter: str | None = None
    header: bool = True
    rows_key: str | None = None
    proxy: str | None = None
    weight_column: str | None = None
    cost_column: str | None = None
    id_column: str | None = None
    unseen: str = "refuse"
    missing: str = "refuse"
    decimal: str = "."
    thousands: str | None = None
    partition_columns: bool = False
    amounts_needed: bool = True
    inline_weights: str = "auto"
    task_given: bool = False
    strict: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    block_bytes: int = 4 << 20
    memory_bytes: int = 0

    def __post_init__(self) -> None:
        if self.format is not None:
            check_name("--format", self.format, names(FORMATS))
        check_name("--task", self.task, names(TASKS))
        check_name("--on-error", self.on_error, ("stop", "skip"))
        check_name("--missing", self.missing, names(MISSING))
        check_name("--unseen", self.unseen, ("refuse", "zeros"))
        check_name("--inline-weights", self.inline_weights, names(INLINE_WEIGHTS))
        if self.index_base not in ("auto", 0, 1):
            raise UsageError(f"--index-base: {self.index_base} is not auto, 0 or 1.")
        if self.no_label and self.label is not None:
            raise UsageError("--no-label and --label exclude each other: leave one out.")
        if self.no_label and self.task == "regression":
            raise UsageError("--task regression needs a target: leave out --no-label.")
        if self.weight_column is not None and self.weight_column == self.cost_column:
            raise UsageError(
                f"--weight-column and --cost-column both name '{self.weight_column}': "
                f"leave one out."
            )
        if self.delimiter is not None and not (
            len(self.delimiter) == 1 and self.delimiter.isascii()
        ):
            raise UsageError(f"--delimiter: '{self.delimiter}' is not one ASCII character.")
        self.check_numbers()
        if self.block_bytes < 1:
            raise UsageError("block_bytes: must be positive.")

    def check_numbers(self) -> None:
        """Raise `UsageError` where numbers could not be told from what stands around them."""
        if self.decimal not in (".", ","):
            raise UsageError(f"--decimal: '{self.decimal}' is not '.' or ','.")
        if self.delimiter == self.decimal:
            raise UsageError(
                f"--delimiter and --decimal are both '{self.decimal}': name another delimiter."
            )
        if self.thousands is None:
            return
        if len(self.thousands) != 1 or self.thousands.isalnum() or self.thousands in '+-"\r\n\t\0':
            raise UsageError(
                f"--thousands: '{self.thousands}' is not one character that may separate "
                f"thousands, such as ',' or ' '."
            )
        if self.thousands == self.decimal:
            raise UsageError(
                f"--thousands and --decimal are both '{self.decimal}'. Where a comma is the "
                f"decimal point, give --decimal , too."
            )
