"""``craig evaluate``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session
from craig_cli.settings.catalog import LOSSES, SCHEDULES, SOLVERS, names
from craig_cli.settings.evaluation import (
    MEASURES,
    EvaluateFiles,
    EvaluateSettings,
    parse_losses,
    parse_threshold,
)
from craig_cli.settings.training import TrainSettings, parse_l2

TRAINING = ("solver", "epochs", "step", "schedule", "decay", "tune", "seed", "threads")
FILES = ("coreset", "weights", "test", "report", "plot", "force", "force_mismatch")

file_options = opt.combined(
    opt.option(
        "--coreset",
        metavar="FILE",
        help="Evaluate the rows and weights of a manifest written by craig select.",
    ),
    opt.option(
        "--force-mismatch",
        is_flag=True,
        help="Use the row numbers of a manifest even if it was selected from other data.",
    ),
    opt.option(
        "--weights",
        metavar="FILE",
        help="Evaluate a hand-made Parquet file with columns index (from 0) and weight.",
    ),
    opt.option("--test", metavar="FILE", help="Rows to measure the test error on."),
    opt.option(
        "--report",
        metavar="FILE",
        help="Write the report as one HTML page, which needs no network.",
    ),
    opt.option(
        "--plot",
        metavar="FILE",
        help="Write the curves as a picture (PNG; needs the extra craig-cli[plot]).",
    ),
    opt.option(
        "--force", is_flag=True, help="Replace an existing page or picture that craig has not made."
    ),
)
measure_options = opt.combined(
    opt.option(
        "--loss",
        metavar="NAMES",
        help="Several with commas between. [default: by the labels, as craig train]",
    ),
    opt.option(
        "--l2",
        metavar="L",
        default="1e-5",
        show_default=True,
        help="Weight of the regulariser; several with commas between.",
    ),
    opt.option("--no-intercept", is_flag=True, help="Scores are w.x, without a constant."),
    opt.option(
        "--seeds",
        type=int,
        metavar="S",
        default=EvaluateSettings.seeds,
        show_default=True,
        help="Random subsets of each kind.",
    ),
    opt.option(
        "--w-norm",
        type=float,
        metavar="R",
        help="The gradient error is bounded for ||w|| <= R. [default: the norm of the optimum]",
    ),
    opt.option(
        "--residual",
        type=float,
        metavar="E",
        help="Count passes and seconds to this f - f*. [default: 1.1 times the coreset's own, at "
        "most a tenth of that at w = 0, at least a "
        "millionth of f*]",
    ),
    opt.option(
        "--selection-seconds",
        type=float,
        metavar="S",
        help="What the selection took. [default: it is run again, and timed]",
    ),
    opt.option(
        "--fail-if",
        multiple=True,
        metavar="CONDITION",
        help=f"Exit 5 if it holds for a loss and l2: one of {', '.join(MEASURES)}, then > >= < or "
        f"<= and a number. May be repeated.",
    ),
)
solver_options = opt.combined(
    opt.option(
        "--solver",
        type=click.Choice(names(SOLVERS)),
        default=TrainSettings.solver,
        show_default=True,
        help="What the curves are of.",
    ),
    opt.option("--epochs", type=int, metavar="N", help="Most epochs. [default: as craig train]"),
    opt.option(
        "--step",
        type=float,
        metavar="A",
        help="First step size. [default: by the solver, for each subset]",
    ),
    opt.option(
        "--schedule",
        type=click.Choice(names(SCHEDULES)),
        help="Step size of epoch k. [default: by the solver]",
    ),
    opt.option(
        "--decay", type=float, metavar="B", help="b of the schedule. [default: by the schedule]"
    ),
    opt.option(
        "--tune",
        is_flag=True,
        help="Try first steps (and decays) on a grid for every subset; the time counts.",
    ),
    opt.option(
        "--seed",
        type=int,
        default=TrainSettings.seed,
        show_default=True,
        help="First seed of random subsets and orders.",
    ),
)


@click.command(
    "evaluate",
    cls=opt.Command,
    tables=(("Losses", LOSSES), ("Solvers", SOLVERS), *opt.READING_TABLES),
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.1 -o cs.parquet",
        "craig evaluate sample_data/sample.libsvm --coreset cs.parquet --test "
        "sample_data/sample.test.libsvm",
        "craig evaluate sample_data/sample.csv --coreset cs.parquet --l2 1e-3,1e-1 --report "
        "evaluation.html",
        "craig evaluate sample_data/sample.libsvm --coreset cs.parquet --l2 1e-2 --fail-if "
        "'residual > 0.1' --json",
    ),
)
@click.argument("data", nargs=-1, metavar="DATA...")
@file_options
@measure_options
@solver_options
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
    files_from: str | None,
    loss: str | None,
    l2: str,
    json: bool,
    **options: Any,
) -> None:
    """Compare the model that a coreset gives with those of all rows and of as many random,
    stratified and importance-sampled rows.

    Told are f - f* on all rows (the residual), after convergence and epoch by epoch; the test
    error; the gradient error and a bound on it; and the passes and seconds to a residual, with what
    the selection itself costs. All subsets get the same solver and tuning. DATA is read with the
    options that the manifest records; those given here are used instead.
    """
    train = TrainSettings(
        **{name: options[name] for name in TRAINING}, intercept=not options["no_intercept"]
    )
    strengths = parse_l2(l2)
    settings = EvaluateSettings(
        losses=parse_losses(loss),
        l2=tuple(TrainSettings(l2=strength).l2 for strength in strengths),
        seeds=options["seeds"],
        w_norm=options["w_norm"],
        residual=options["residual"],
        selection_seconds=options["selection_seconds"],
        thresholds=tuple(parse_threshold(text) for text in options["fail_if"]),
        train=train,
    )
    files = EvaluateFiles(
        opt.all_paths(ctx, data, files_from), **{name: options[name] for name in FILES}
    )
    overrides = opt.reading_overrides(ctx)
    session.detail(
        f"solver {train.solver}, l2 {l2}, seeds {train.seed} to "
        f"{train.seed + settings.seeds - 1}, {train.n_threads} threads"
    )
    from craig_cli.workflows.evaluate import evaluate

    with session.progress() as progress:
        report = evaluate(files, settings, overrides, progress)
    session.finish(report, json)
