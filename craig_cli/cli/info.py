"""``craig info``."""

from __future__ import annotations

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session


@click.command(
    "info",
    cls=opt.Command,
    examples=(
        "craig select sample_data/sample.csv --fraction 0.1 -o cs.parquet",
        "craig info cs.parquet",
        "craig info cs.parquet --json",
    ),
)
@click.argument("manifest")
@opt.json_option
@opt.common_options
@click.pass_obj
def command(session: Session, /, manifest: str, json: bool) -> None:
    """Show what MANIFEST, a file written by craig select, says: picks a class, weights, epsilon,
    and what was asked of which data.

    - reads stdin.
    """
    from craig_cli.workflows.info import describe_manifest

    session.finish(describe_manifest(manifest), json)
