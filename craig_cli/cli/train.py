"""``craig train``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.catalog import LOSSES, ORDERS, SCHEDULES, SOLVERS, names
from craig_cli.cli import options as opt
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError
from craig_cli.train_settings import TrainFiles, TrainSettings, parse_l2

SETTINGS = ("loss", "solver", "epochs", "tolerance", "step", "schedule", "decay", "order", "momentum", "radius", "tune", "seed", "threads")

rows_options = opt.combined(
    opt.option("-o", "--output", metavar="FILE", required=True, help="Where the model goes (NumPy's .npz); - is stdout."),
    opt.option("--force", is_flag=True, help="Replace an existing output that is not a craig model."),
    opt.option("--coreset", metavar="FILE", help="Train on the rows and weights of a manifest written by craig select. [default: all rows]"),
    opt.first_option,
    opt.option("--force-mismatch", is_flag=True, help="Use the row numbers of a manifest even if it was selected from other data."),
    opt.option("--weights", metavar="FILE", help="Train on the rows of a hand-made Parquet file with columns index (from 0) and weight."),
    opt.option("--init", metavar="FILE", help="Start from the model in FILE. [default: zero]"),
)
loss_options = opt.combined(
    opt.option("--loss", type=click.Choice(names(LOSSES)), help="[default: logistic for 2 classes, softmax for more, squared for regression]"),
    opt.option("--l2", metavar="L", default="1e-5", show_default=True, help="Weight of the regulariser; several with commas between make a path."),
    opt.option("--no-intercept", is_flag=True, help="Scores are w.x, without a constant."),
)
solver_options = opt.combined(
    opt.option("--solver", type=click.Choice(names(SOLVERS)), default=TrainSettings.solver, show_default=True, help="How the loss is minimised."),
    opt.option("--epochs", type=int, metavar="N", help="Most epochs. [default: 30; saga, svrg: more on few rows; lbfgs: 2000 iterations]"),
    opt.option("--tolerance", type=float, metavar="T", help="Stop when the gradient is T times as long as at zero. [default: 1e-6; lbfgs: 1e-9]"),
    opt.option("--step", type=float, metavar="A", help="First step size a0. [default: by the solver, from the curvature of the loss]"),
    opt.option("--schedule", type=click.Choice(names(SCHEDULES)), help="Step size of epoch k. [default: exponential; adagrad, saga, svrg: constant]"),
    opt.option("--decay", type=float, metavar="B", help="b of the schedule. [default: 0.85 for exponential, 0.5 for k-inverse and power]"),
    opt.option("--order", type=click.Choice(names(ORDERS)), help="Order of the rows. [default: shuffled; saga, svrg: sampled]"),
    opt.option("--momentum", type=float, metavar="M", default=TrainSettings.momentum, show_default=True, help="Of solver momentum."),
    opt.option("--radius", type=float, metavar="R", default=TrainSettings.radius, help="Keep ||w|| <= R after each step of sgd. [default: no limit]"),
    opt.option("--tune", is_flag=True, help="Try first steps (and decays) on a grid, and keep the model of the lowest training loss."),
    opt.option("--seed", type=int, default=TrainSettings.seed, show_default=True, help="Seed of random orders."),
)


@click.command(
    "train",
    cls=opt.Command,
    tables=(("Losses", LOSSES), ("Solvers", SOLVERS), ("Schedules", SCHEDULES), ("Orders", ORDERS), *opt.READING_TABLES),
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.1 -o cs.parquet",
        "craig train sample_data/sample.libsvm --coreset cs.parquet -o model.npz",
        "craig train sample_data/sample.csv --loss squared-hinge --solver lbfgs --l2 1e-4,1e-3,1e-2 -o path.npz",
        "craig train sample_data/sample.libsvm --solver sgd --tune --epochs 10 --json -o sgd.npz",
        "craig train sample_data/sample.csv --task regression --init sgd.npz -o ridge.npz",
    ),
)
@click.argument("data", nargs=-1, metavar="DATA...")
@rows_options
@loss_options
@solver_options
@opt.threads_option
@opt.reading_options(show_default=False)
@opt.json_option
@opt.common_options
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context, session: Session, /, data: tuple[str, ...], files_from: str | None, l2: str, no_intercept: bool, json: bool, **options: Any
) -> None:
    """Train a linear model on the rows of DATA, or on a coreset of them, and write it to a file.

    Minimised is the weighted mean of the losses of the rows plus l2/2 ||w||^2; s is the score w.x + b of a row. Losses for two classes are one
    against the rest where there are more. DATA is read with the options that the manifest records, if there is one; those given here are used
    instead.
    """
    if json and options["output"] == "-":
        raise UsageError("--json and --output - both write to stdout: choose one.")
    strengths = parse_l2(l2)
    settings = [TrainSettings(**{name: options[name] for name in SETTINGS}, l2=strength, intercept=not no_intercept) for strength in strengths]
    kinds = ("output", "coreset", "weights", "init", "force", "force_mismatch", "first")
    files = TrainFiles(opt.all_paths(ctx, data, files_from), **{name: options[name] for name in kinds})
    overrides = opt.reading_overrides(ctx)
    session.detail(f"solver {settings[0].solver}, l2 {l2}, seed {settings[0].seed}, {settings[0].n_threads} threads")
    from craig_cli.workflows.train import train_to_file

    with session.progress() as progress:
        report = train_to_file(files, settings[0], strengths, overrides, progress)
    session.finish(report, json, summary_only=True)
