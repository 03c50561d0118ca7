"""``craig calibrate``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError
from craig_cli.settings import SelectionSettings
from craig_cli.settings.catalog import LOSSES


@click.command(
    "calibrate",
    cls=opt.Command,
    tables=(("Losses", LOSSES), *opt.READING_TABLES),
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.2 --method stratified -o cs.parquet",
        "craig calibrate sample_data/sample.libsvm cs.parquet -o calibrated.parquet",
        "craig calibrate sample_data/sample.csv cs.parquet --first 60 --loss squared-hinge "
        "--pilot-l2 1e-3,1e-1 --json -o first.parquet",
    ),
)
@click.argument("data", nargs=-1, metavar="DATA...")
@click.argument("manifest")
@opt.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="Where the manifest goes (Parquet); - is stdout.",
)
@opt.option(
    "--force", is_flag=True, help="Replace an existing output that is not a craig manifest."
)
@opt.first_option
@opt.pilot_options
@opt.option(
    "--seed",
    type=int,
    default=SelectionSettings.seed,
    show_default=True,
    help="Seed of the rows that the first pilots are fitted on.",
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
    """Make the weights of MANIFEST anew: the nearest to those it has under which the picks give the
    gradients of all rows of DATA at pilot models, the class sums kept.

    Any method's picks can be calibrated, random rows too. A round is kept only if the loss on all
    rows of the models fitted on the picks fell; otherwise the weights stand, and the summary says
    so. DATA is read with the options that the manifest records.
    """
    if json and options["output"] == "-":
        raise UsageError("--json and --output - both write to stdout: choose one.")
    settings = opt.calibration_settings("calibrated", options)
    paths, overrides = opt.all_paths(ctx, data, files_from), opt.reading_overrides(ctx)
    session.detail(
        f"pilots at l2 {options['pilot_l2']}, {settings.rounds} rounds, seed "
        f"{settings.seed}, {settings.n_threads} threads"
    )
    from craig_cli.workflows.calibrate import CalibrateFiles, calibrate_to_file

    with session.progress() as progress:
        files = CalibrateFiles(
            paths, manifest, options["output"], options["first"], options["force"]
        )
        report = calibrate_to_file(files, settings, overrides, progress)
    session.finish(report, json, summary_only=True)
