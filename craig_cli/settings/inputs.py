"""Where rows come from, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import FORMATS, TASKS, names
from craig_cli.settings.checks import check_name

LABEL_COLUMNS = ("label", "target", "class", "y")
"""Columns taken for the label when ``--label`` is not given, in this order."""


@dataclass(frozen=True)
class InputSettings:
    """Where the rows come from and how they are read; see ``craig select --help`` for each option.

    Where no `amounts_needed`, columns of weights and costs are passed over if they are there, and
    may be missing.
    """

    paths: tuple[str, ...]
    format: str | None = None
    label: str | None = None
    no_label: bool = False
    task: str = "classification"
    index_base: int = 1
    on_error: str = "stop"
    drop: tuple[str, ...] = ()
    one_hot: tuple[str, ...] = ()
    delimiter: str | None = None
    header: bool = True
    rows_key: str | None = None
    proxy: str | None = None
    weight_column: str | None = None
    cost_column: str | None = None
    amounts_needed: bool = True
    features: tuple[str, ...] = ()
    block_bytes: int = 4 << 20

    def __post_init__(self) -> None:
        if self.format is not None:
            check_name("--format", self.format, names(FORMATS))
        check_name("--task", self.task, names(TASKS))
        check_name("--on-error", self.on_error, ("stop", "skip"))
        if self.index_base not in (0, 1):
            raise UsageError(f"--index-base: {self.index_base} is not 0 or 1.")
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
        if self.block_bytes < 1:
            raise UsageError("block_bytes: must be positive.")
