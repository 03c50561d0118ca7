"""``craig diff``."""

from __future__ import annotations

import click

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.parameters import InputFile
from craig_cli.reports.base import Report


@reporting(
    "diff",
    click.Argument(["first"], type=InputFile()),
    click.Argument(["second"], type=InputFile()),
    examples=(
        "craig select sample_data/sample.csv --fraction 0.1 -o a.parquet",
        "craig select sample_data/sample.csv --fraction 0.1 --method cells -o b.parquet",
        "craig diff a.parquet b.parquet || true",
        "craig diff a.parquet a.parquet --json",
    ),
)
def command(run: Run) -> Report:
    """Compare the manifests FIRST and SECOND: picks they share, weights, epsilon, and the settings
    that differ.

    Exit code 0 if they are the same, 1 if they differ, as of diff; 3 if one cannot be read.
    """
    from craig_cli.workflows.diff import diff_manifests

    return diff_manifests(**run.only("first", "second"))
