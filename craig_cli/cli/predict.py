"""``craig predict``."""

from __future__ import annotations

import click

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import DATA, READING, READING_TABLES, THREADS, force_option
from craig_cli.cli.parameters import FileName, InputFile, option
from craig_cli.reports.base import Report


@reporting(
    "predict",
    DATA,
    click.Argument(["model"], type=InputFile()),
    option(
        "-o",
        "--output",
        type=FileName(),
        metavar="FILE",
        required=True,
        help="Where the predictions go (Parquet); - is stdout.",
    ),
    force_option("output that is not a file of predictions"),
    option("--l2", type=float, metavar="L", help="Which model of a path to use."),
    THREADS,
    sections=(("How data is read", READING),),
    tables=READING_TABLES,
    examples=(
        "craig train sample_data/sample.libsvm -o model.npz",
        "craig predict sample_data/sample.test.libsvm model.npz -o predictions.parquet",
        "craig predict sample_data/sample.test.libsvm model.npz --json -o predictions.parquet",
    ),
)
def command(run: Run) -> Report:
    """Predict the class, or the number, of each row of DATA by MODEL, a file written by craig
    train. Writes the columns index, prediction and probability (score for losses that give none;
    neither for numbers).

    DATA is read with the options that the model records; those given here are used instead. If it
    has labels, the summary says how many predictions are wrong.
    """
    run.detail(f"reading options given here: {run.overrides or 'none'}")
    from craig_cli.workflows.predict import predict_to_file

    return predict_to_file(
        run.paths,
        run["model"],
        run["output"],
        overrides=run.overrides,
        progress=run.progress,
        **run.only("l2", "force", "threads"),
    )
