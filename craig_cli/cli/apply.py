"""``craig apply``."""

from __future__ import annotations

import click

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import (
    DATA,
    FORCE_MISMATCH,
    MANIFEST,
    READING,
    READING_TABLES,
    THREADS,
    force_option,
)
from craig_cli.cli.parameters import FileName, option
from craig_cli.reports.base import Report
from craig_cli.settings.apply import ApplySettings
from craig_cli.settings.catalog import EXPORTS, PICK_ORDERS, WEIGHT_PLACES, names


@reporting(
    "apply",
    DATA,
    MANIFEST,
    option(
        "-o",
        "--output",
        type=FileName(),
        metavar="FILE",
        required=True,
        help="Where the rows go; the extension tells the format. - is stdout.",
    ),
    option(
        "--to",
        type=click.Choice(names(EXPORTS)),
        help="Format of the output; by its extension if not given.",
    ),
    option(
        "--order",
        type=click.Choice(names(PICK_ORDERS)),
        default=ApplySettings.order,
        show_default=True,
        help="Order of the rows in the output.",
    ),
    option(
        "--weight-as",
        type=click.Choice(names(WEIGHT_PLACES)),
        default=ApplySettings.weight_as,
        show_default=True,
        help="Where the weights go; vw and npz have a place of their own.",
    ),
    option(
        "--weight-name",
        metavar="NAME",
        default=ApplySettings.weight_name,
        show_default=True,
        help="Name of the column of weights.",
    ),
    option(
        "--first",
        type=int,
        metavar="R",
        help="Only the first R picks, their weights made anew; takes all rows in memory. "
        "[default: all]",
    ),
    force_option("output"),
    FORCE_MISMATCH,
    THREADS,
    sections=(("How data is read", READING),),
    tables=(
        ("Output formats", EXPORTS),
        ("Places of weights", WEIGHT_PLACES),
        ("Orders", PICK_ORDERS),
        *READING_TABLES,
    ),
    examples=(
        "craig select sample_data/sample.csv --fraction 0.1 -o cs.parquet",
        "craig apply sample_data/sample.csv cs.parquet -o subset.csv",
        "craig apply sample_data/sample.csv cs.parquet --order row -o subset.libsvm",
        "craig apply sample_data/sample.libsvm cs.parquet --weight-as inline --to libsvm -o - > "
        "inline.libsvm",
        "craig apply sample_data/sample.libsvm cs.parquet --first 30 --json -o first.vw.gz",
    ),
)
def command(run: Run) -> Report:
    """Write the rows of DATA that MANIFEST has chosen, with their weights, for another trainer.

    Where the output is of the data's own format (CSV and TSV count as one, HDF5 does not), rows are
    copied as they stand: all columns, names and digits. Otherwise the numbers that craig read are
    written, without columns that were dropped. DATA is read block by block: memory is for a block
    and the chosen rows (but for --first).
    """
    settings = run.make(ApplySettings)
    from craig_cli.workflows.apply import apply_to_file
    from craig_cli.writers import target_of

    target = target_of(settings)
    run.detail(f"format {target.format}, order {settings.order}, weights: {target.place}")
    return apply_to_file(run.paths, run["manifest"], settings, target, run.overrides, run.progress)
