"""``craig describe``."""

from __future__ import annotations

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import DATA, READING_TABLES, READING_WITH_DEFAULTS
from craig_cli.reports.base import Report
from craig_cli.settings import InputSettings


@reporting(
    "describe",
    DATA,
    sections=(("How data is read", READING_WITH_DEFAULTS),),
    usual=("format", "label", "drop", "one_hot", "missing", "json"),
    tables=READING_TABLES,
    examples=(
        "craig describe sample_data/sample.csv",
        "craig describe sample_data/sample.libsvm",
        "craig describe sample_data/sample.parquet --json",
    ),
)
def command(run: Run) -> Report:
    """Show what the columns of DATA hold: types, distinct and missing values, what craig does with
    each, and a craig select command that works.

    Of LIBSVM, HDF5 and IDX, which have no columns with names: rows, columns, the range of the
    numbers and the labels.
    """
    from craig_cli.workflows.describe import describe_data

    inputs = run.make(InputSettings, paths=run.paths, header=not run["no_header"])
    return describe_data(inputs, run.progress)
