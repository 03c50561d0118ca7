"""``craig calibrate``."""

from __future__ import annotations

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import (
    DATA,
    FIRST,
    MANIFEST,
    MANIFEST_OUTPUT,
    READING,
    READING_TABLES,
    THREADS,
)
from craig_cli.cli.parameters import option
from craig_cli.cli.selection_options import PILOTS, calibration_settings
from craig_cli.reports.base import Report
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.catalog import LOSSES


@reporting(
    "calibrate",
    DATA,
    MANIFEST,
    *MANIFEST_OUTPUT,
    FIRST,
    *PILOTS,
    option(
        "--seed",
        type=int,
        default=CalibrationSettings.seed,
        show_default=True,
        help="Seed of the random rows that pilots start from.",
    ),
    THREADS,
    sections=(("How data is read", READING),),
    tables=(("Losses", LOSSES), *READING_TABLES),
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.2 --method stratified -o cs.parquet",
        "craig calibrate sample_data/sample.libsvm cs.parquet -o calibrated.parquet",
        "craig calibrate sample_data/sample.csv cs.parquet --first 60 --pilot-loss squared-hinge "
        "--pilot-l2 1e-3,1e-1 --json -o first.parquet",
    ),
)
def command(run: Run) -> Report:
    """Make the weights of MANIFEST anew: the nearest to those it has, within bounds, under which
    the picks give the gradients of all rows of DATA at pilot models, the class sums kept.

    Any method's picks can be calibrated, random rows too. Weights are kept only if the loss on all
    rows of the models fitted on the picks fell; otherwise those from before stand, and the summary
    says so. DATA is read with the options that the manifest records.
    """
    settings = calibration_settings("calibrated", run)
    run.detail(
        f"pilots at l2 {run['pilot_l2']}, seed {settings.seed}, {settings.n_threads} threads"
    )
    from craig_cli.workflows.calibrate import CalibrateFiles, calibrate_to_file

    files = run.make(CalibrateFiles, paths=run.paths)
    return calibrate_to_file(files, settings, run.overrides, run.progress)
