"""``craig apply``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError
from craig_cli.settings.apply import ApplySettings
from craig_cli.settings.catalog import EXPORTS, PICK_ORDERS, WEIGHT_PLACES, names

OPTIONS = (
    "output",
    "to",
    "order",
    "weight_as",
    "weight_name",
    "first",
    "force",
    "force_mismatch",
    "threads",
)


@click.command(
    "apply",
    cls=opt.Command,
    tables=(
        ("Output formats", EXPORTS),
        ("Places of weights", WEIGHT_PLACES),
        ("Orders", PICK_ORDERS),
        *opt.READING_TABLES,
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
@click.argument("data", nargs=-1, metavar="DATA...")
@click.argument("manifest")
@opt.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="Where the rows go; the extension tells the format. - is stdout.",
)
@opt.option(
    "--to",
    type=click.Choice(names(EXPORTS)),
    help="Format of the output; by its extension if not given.",
)
@opt.option(
    "--order",
    type=click.Choice(names(PICK_ORDERS)),
    default=ApplySettings.order,
    show_default=True,
    help="Order of the rows in the output.",
)
@opt.option(
    "--weight-as",
    type=click.Choice(names(WEIGHT_PLACES)),
    default=ApplySettings.weight_as,
    show_default=True,
    help="Where the weights go; vw and npz have a place of their own.",
)
@opt.option(
    "--weight-name",
    metavar="NAME",
    default=ApplySettings.weight_name,
    show_default=True,
    help="Name of the column of weights.",
)
@opt.option(
    "--first",
    type=int,
    metavar="R",
    help="Only the first R picks, their weights made "
    "anew; takes all rows in memory. [default: all]",
)
@opt.option("--force", is_flag=True, help="Replace an existing output.")
@opt.option(
    "--force-mismatch",
    is_flag=True,
    help="Use the row numbers of a manifest even if it was selected from other data.",
)
@opt.threads_option
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
    files_from: str | None,
    json: bool,
    **options: Any,
) -> None:
    """Write the rows of DATA that MANIFEST has chosen, with their weights, for another trainer.

    Where the output is of the data's own format (CSV and TSV count as one, HDF5 does not), rows are
    copied as they stand: all columns, names and digits. Otherwise the numbers that craig read are
    written, without columns that were dropped. DATA is read block by block: memory is for a block
    and the chosen rows (but for --first).
    """
    if json and options["output"] == "-":
        raise UsageError("--json and --output - both write to stdout: choose one.")
    settings = ApplySettings(**{name: options[name] for name in OPTIONS})
    from craig_cli.workflows.apply import apply_to_file
    from craig_cli.writers import target_of

    target = target_of(settings)
    paths, overrides = opt.all_paths(ctx, data, files_from), opt.reading_overrides(ctx)
    session.detail(f"format {target.format}, order {settings.order}, weights: {target.place}")
    with session.progress() as progress:
        report = apply_to_file(paths, manifest, settings, target, overrides, progress)
    session.finish(report, json, summary_only=True)
