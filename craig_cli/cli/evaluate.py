"""``craig evaluate``."""

from __future__ import annotations

import click

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import (
    DATA,
    FORCE_MISMATCH,
    NO_INTERCEPT,
    READING,
    READING_TABLES,
    THREADS,
    force_option,
)
from craig_cli.cli.parameters import FileName, InputFile, option
from craig_cli.reports.base import Report
from craig_cli.settings.catalog import LOSSES, SCHEDULES, SOLVERS, names
from craig_cli.settings.evaluation import (
    BASELINES,
    MEASURES,
    EvaluateFiles,
    EvaluateSettings,
    parse_baselines,
    parse_losses,
    parse_threshold,
)
from craig_cli.settings.training import TrainSettings, parse_l2

FILES = (
    option(
        "--coreset",
        type=InputFile(),
        metavar="FILE",
        help="Evaluate the rows and weights of a manifest written by craig select.",
    ),
    FORCE_MISMATCH,
    option(
        "--weights-file",
        type=InputFile(),
        metavar="FILE",
        help="Evaluate a hand-made Parquet file with columns index (from 0) and weight.",
    ),
    option("--test", type=InputFile(), metavar="FILE", help="Rows to measure the test error on."),
    option(
        "--report",
        type=FileName(),
        metavar="FILE",
        help="Write the report as one HTML page, which needs no network.",
    ),
    option(
        "--plot",
        type=FileName(),
        metavar="FILE",
        help="Write the curves as a picture (PNG; needs the extra craig-cli[plot]).",
    ),
    force_option("page or picture that craig has not made"),
)
MEASURING = (
    option(
        "--loss",
        metavar="NAMES",
        help="Several with commas between. [default: by the labels, as craig train]",
    ),
    option(
        "--l2",
        metavar="L",
        default="1e-5",
        show_default=True,
        help="Weight of the regulariser; several with commas between.",
    ),
    NO_INTERCEPT,
    option(
        "--baselines",
        metavar="NAMES",
        help="What the coreset is compared with; several with commas between. [default: all that "
        "apply]",
    ),
    option(
        "--seeds",
        type=int,
        metavar="S",
        default=EvaluateSettings.seeds,
        show_default=True,
        help="Random subsets of each kind.",
    ),
    option(
        "--w-norm",
        type=float,
        metavar="R",
        help="The gradient error is bounded for ||w|| <= R. [default: the norm of the optimum]",
    ),
    option(
        "--residual",
        type=float,
        metavar="E",
        help="Count passes and seconds to this f - f*. [default: 1.1 times the coreset's own, at "
        "most a tenth of that at w = 0, at least a millionth of f*]",
    ),
    option(
        "--selection-seconds",
        type=float,
        metavar="S",
        help="What the selection took. [default: it is run again, and timed]",
    ),
    option(
        "--fail-if",
        multiple=True,
        metavar="CONDITION",
        help=f"Exit 5 if it holds for a loss and l2: one of {', '.join(MEASURES)}, then > >= < "
        "or <= and a number. May be repeated.",
    ),
)
SOLVER = (
    option(
        "--solver",
        type=click.Choice(names(SOLVERS)),
        default=TrainSettings.solver,
        show_default=True,
        help="What the curves are of.",
    ),
    option("--epochs", type=int, metavar="N", help="Most epochs. [default: as craig train]"),
    option(
        "--step",
        type=float,
        metavar="A",
        help="First step size. [default: by the solver, for each subset]",
    ),
    option(
        "--schedule",
        type=click.Choice(names(SCHEDULES)),
        help="Step size of epoch k. [default: by the solver]",
    ),
    option(
        "--decay", type=float, metavar="B", help="b of the schedule. [default: by the schedule]"
    ),
    option(
        "--tune",
        is_flag=True,
        help="Try first steps (and decays) on a grid for every subset; the time counts.",
    ),
    option(
        "--seed",
        type=int,
        default=TrainSettings.seed,
        show_default=True,
        help="First seed of random subsets and orders.",
    ),
)


@reporting(
    "evaluate",
    DATA,
    sections=(
        ("Files", FILES),
        ("What is measured", MEASURING),
        ("Solver", (*SOLVER, THREADS)),
        ("How data is read", READING),
    ),
    usual=(
        *("coreset", "weights_file", "test", "loss", "l2", "baselines", "seeds"),
        *("selection_seconds", "report", "plot", "fail_if", "json"),
    ),
    tables=(("Losses", LOSSES), ("Baselines", BASELINES), ("Solvers", SOLVERS), *READING_TABLES),
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
def command(run: Run) -> Report:
    """Compare the model that a coreset gives with those of all rows, and of as many rows drawn in
    other ways.

    Told are f - f* on all rows (the residual), after convergence and epoch by epoch; the test
    error; the gradient error and a bound on it; and the passes and seconds to a residual, with what
    the selection itself costs. All subsets get the same solver and tuning. DATA is read with the
    options that the manifest records; those given here are used instead.
    """
    train = run.make(
        TrainSettings, loss=None, l2=TrainSettings.l2, intercept=not run["no_intercept"]
    )
    settings = run.make(
        EvaluateSettings,
        losses=parse_losses(run["loss"]),
        l2=parse_l2(run["l2"]),
        baselines=parse_baselines(run["baselines"]),
        thresholds=tuple(map(parse_threshold, run["fail_if"])),
        train=train,
    )
    files = run.make(EvaluateFiles, paths=run.paths)
    run.detail(
        f"solver {train.solver}, l2 {run['l2']}, seeds {train.seed} to "
        f"{train.seed + settings.seeds - 1}, {train.n_threads} threads"
    )
    from craig_cli.workflows.evaluate import evaluate

    return evaluate(files, settings, run.overrides, run.progress, run.typed)
