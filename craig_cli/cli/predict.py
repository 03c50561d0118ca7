"""``craig predict``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError


@click.command(
    "predict",
    cls=opt.Command,
    tables=opt.READING_TABLES,
    examples=(
        "craig train sample_data/sample.libsvm -o model.npz",
        "craig predict sample_data/sample.test.libsvm model.npz -o predictions.parquet",
        "craig predict sample_data/sample.test.libsvm model.npz --json -o predictions.parquet",
    ),
)
@click.argument("data", nargs=-1, metavar="DATA...")
@click.argument("model")
@opt.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="Where the predictions go (Parquet); - is stdout.",
)
@opt.option(
    "--force", is_flag=True, help="Replace an existing output that is not a file of predictions."
)
@opt.option("--l2", type=float, metavar="L", help="Which model of a path to use.")
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
    model: str,
    files_from: str | None,
    output: str,
    force: bool,
    l2: float | None,
    threads: int,
    json: bool,
    **options: Any,
) -> None:
    """Predict the class, or the number, of each row of DATA by MODEL, a file written by craig
    train. Writes the columns index, prediction and probability (score for losses that give none;
    neither for numbers).

    DATA is read with the options that the model records; those given here are used instead. If it
    has labels, the summary says how many predictions are wrong.
    """
    if json and output == "-":
        raise UsageError("--json and --output - both write to stdout: choose one.")
    paths = opt.all_paths(ctx, data, files_from)
    overrides = opt.reading_overrides(ctx)
    session.detail(f"reading options given here: {overrides or 'none'}")
    from craig_cli.workflows.predict import predict_to_file

    with session.progress() as progress:
        report = predict_to_file(
            paths,
            model,
            output,
            l2=l2,
            force=force,
            overrides=overrides,
            threads=threads,
            progress=progress,
        )
    session.finish(report, json, summary_only=True)
