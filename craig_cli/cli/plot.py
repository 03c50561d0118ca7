"""``craig plot``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session


@click.command(
    "plot",
    cls=opt.Command,
    tables=opt.READING_TABLES,
    examples=(
        "craig select sample_data/sample.csv --fraction 0.1 -o cs.parquet",
        "craig plot cs.parquet",
        "craig plot sample_data/sample.csv cs.parquet --width 100",
    ),
)
@click.argument("data", nargs=-1, metavar="[DATA...]")
@click.argument("manifest")
@opt.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write a picture, .png or .svg, instead of text (needs the extra plot).",
)
@opt.option("--force", is_flag=True, help="Replace an existing picture.")
@opt.option(
    "--width", type=int, metavar="N", default=72, show_default=True, help="Columns of the text."
)
@opt.reading_options(show_default=False)
@opt.json_option
@opt.common_options
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    /,
    data: tuple[str, ...],
    manifest: str,
    output: str | None,
    force: bool,
    width: int,
    files_from: str | None,
    json: bool,
    **options: Any,
) -> None:
    """Show epsilon and gain against picks, and the weights of each class; and, given DATA, rows and
    picks in the plane.

    The plane is that of the two directions in which the rows spread most, scaled as for the
    distances. Plain text by default, a picture with -o.
    """
    paths = opt.all_paths(ctx, data, files_from) if data or files_from else ()
    overrides = opt.reading_overrides(ctx)
    from craig_cli.workflows.plot import plot_manifest

    with session.progress() as progress:
        report = plot_manifest(
            paths,
            manifest,
            output,
            overrides=overrides,
            force=force,
            width=width,
            progress=progress,
        )
    session.finish(report, json, summary_only=output is not None)
