"""``craig info``."""

from __future__ import annotations

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import MANIFEST
from craig_cli.reports.base import Report


@reporting(
    "info",
    MANIFEST,
    examples=(
        "craig select sample_data/sample.csv --fraction 0.1 -o cs.parquet",
        "craig info cs.parquet",
        "craig info cs.parquet --json",
    ),
)
def command(run: Run) -> Report:
    """Show what MANIFEST, a file written by craig select, says: picks a class, weights, epsilon,
    and what was asked of which data.

    - reads stdin.
    """
    from craig_cli.workflows.info import describe_manifest

    return describe_manifest(run["manifest"])
