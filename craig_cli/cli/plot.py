"""``craig plot``."""

from __future__ import annotations

import click

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import MANIFEST, READING, READING_TABLES, force_option
from craig_cli.cli.parameters import FileName, InputFile, option
from craig_cli.reports.base import Report


@reporting(
    "plot",
    click.Argument(["data"], nargs=-1, metavar="[DATA...]", type=InputFile()),
    MANIFEST,
    option(
        "-o",
        "--output",
        type=FileName(),
        metavar="FILE",
        help="Write a picture instead of text: .svg, or .png (needs the extra craig-cli[plot]).",
    ),
    force_option("picture"),
    option(
        "--width", type=int, metavar="N", default=72, show_default=True, help="Columns of the text."
    ),
    *READING,
    tables=READING_TABLES,
    examples=(
        "craig select sample_data/sample.csv --fraction 0.1 -o cs.parquet",
        "craig plot cs.parquet",
        "craig plot sample_data/sample.csv cs.parquet --width 100",
    ),
)
def command(run: Run) -> Report:
    """Show what coverage costs by picks, what share of the gain comes with what share of them, and
    the weights of each class; and, given DATA, rows and picks in the plane.

    The plane is that of the two directions in which the rows spread most, scaled as for the
    distances. Plain text by default, a picture with -o.
    """
    from craig_cli.workflows.plot import plot_manifest

    return plot_manifest(
        run.paths if run["data"] or run["files_from"] else (),
        run["manifest"],
        overrides=run.overrides,
        progress=run.progress,
        **run.only("output", "force", "width"),
    )
