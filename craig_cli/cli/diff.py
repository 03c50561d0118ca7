"""``craig diff``."""

from __future__ import annotations

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session


@click.command(
    "diff",
    cls=opt.Command,
    examples=(
        "craig select sample_data/sample.csv --fraction 0.1 -o a.parquet",
        "craig select sample_data/sample.csv --fraction 0.1 --method cells -o b.parquet",
        "craig diff a.parquet b.parquet || true",
        "craig diff a.parquet a.parquet --json",
    ),
)
@click.argument("first")
@click.argument("second")
@opt.json_option
@opt.common_options
@click.pass_obj
def command(session: Session, /, first: str, second: str, json: bool) -> None:
    """Compare the manifests FIRST and SECOND: picks they share, weights, epsilon, and the settings
    that differ.

    Exit code 0 if they are the same, 1 if they differ, as of diff; 3 if one cannot be read.
    """
    from craig_cli.workflows.diff import diff_manifests

    session.finish(diff_manifests(first, second), json)
