"""``craig train``."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError
from craig_cli.settings.catalog import (
    ACTIVATIONS,
    LOSSES,
    MODELS,
    ORDERS,
    RESELECTION_PROXIES,
    RESELECTIONS,
    SCHEDULES,
    SOLVERS,
    names,
)
from craig_cli.settings.network import NetworkSettings
from craig_cli.settings.training import TrainFiles, TrainSettings, parse_l2

SETTINGS = (
    "loss",
    "solver",
    "epochs",
    "tolerance",
    "step",
    "schedule",
    "decay",
    "order",
    "momentum",
    "radius",
    "tune",
    "seed",
    "threads",
)

LINEAR_ONLY = (
    "init",
    "loss",
    "no_intercept",
    "solver",
    "tolerance",
    "schedule",
    "decay",
    "order",
    "momentum",
    "radius",
    "tune",
)
NETWORK_ONLY = (
    "hidden",
    "activation",
    "batch",
    "fraction",
    "reselect_every",
    "reselect_by",
    "reselect_method",
)
USUAL_L2 = "1e-5"

rows_options = opt.combined(
    opt.option(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="Where the model goes (NumPy's .npz); - is stdout.",
    ),
    opt.option(
        "--force", is_flag=True, help="Replace an existing output that is not a craig model."
    ),
    opt.option(
        "--coreset",
        metavar="FILE",
        help="Train on the rows and weights of a manifest "
        "written by craig select. [default: all rows]",
    ),
    opt.first_option,
    opt.option(
        "--force-mismatch",
        is_flag=True,
        help="Use the row numbers of a manifest even if it was selected from other data.",
    ),
    opt.option(
        "--weights",
        metavar="FILE",
        help="Train on the rows of a hand-made Parquet file "
        "with columns index (from 0) and weight.",
    ),
    opt.option("--init", metavar="FILE", help="Start from the model in FILE. [default: zero]"),
)
loss_options = opt.combined(
    opt.option(
        "--loss",
        type=click.Choice(names(LOSSES)),
        help="[default: logistic for 2 classes, softmax for more, squared for regression]",
    ),
    opt.option(
        "--l2",
        metavar="L",
        help=f"Weight of the regulariser; several with commas between make a path. [default: "
        f"{USUAL_L2}; mlp: {NetworkSettings.l2:g}]",
    ),
    opt.option("--no-intercept", is_flag=True, help="Scores are w.x, without a constant."),
)
solver_options = opt.combined(
    opt.option(
        "--solver",
        type=click.Choice(names(SOLVERS)),
        default=TrainSettings.solver,
        show_default=True,
        help="How the loss is minimised.",
    ),
    opt.option(
        "--epochs",
        type=int,
        metavar="N",
        help=f"Most epochs. [default: 30; saga, svrg: more on few rows; lbfgs: 2000 iterations; "
        f"mlp: {NetworkSettings.epochs}]",
    ),
    opt.option(
        "--tolerance",
        type=float,
        metavar="T",
        help="Stop when the gradient is T times as long as at zero. [default: 1e-6; lbfgs: 1e-9]",
    ),
    opt.option(
        "--step",
        type=float,
        metavar="A",
        help="First step size a0. [default: by the "
        "solver, from the curvature of the loss; "
        "mlp: 0.01]",
    ),
    opt.option(
        "--schedule",
        type=click.Choice(names(SCHEDULES)),
        help="Step size of epoch k. [default: exponential; adagrad, saga, svrg: constant]",
    ),
    opt.option(
        "--decay",
        type=float,
        metavar="B",
        help="b of the schedule. [default: 0.85 for exponential, 0.5 for k-inverse and power]",
    ),
    opt.option(
        "--order",
        type=click.Choice(names(ORDERS)),
        help="Order of the rows. [default: shuffled; saga, svrg: sampled]",
    ),
    opt.option(
        "--momentum",
        type=float,
        metavar="M",
        default=TrainSettings.momentum,
        show_default=True,
        help="Of solver momentum.",
    ),
    opt.option(
        "--radius",
        type=float,
        metavar="R",
        default=TrainSettings.radius,
        help="Keep ||w|| <= R after each step of sgd. [default: no limit]",
    ),
    opt.option(
        "--tune",
        is_flag=True,
        help="Try first steps (and decays) on a grid, and keep the "
        "model of the lowest training loss.",
    ),
    opt.option(
        "--seed",
        type=int,
        default=TrainSettings.seed,
        show_default=True,
        help="Seed of random orders.",
    ),
)

network_options = opt.combined(
    opt.option(
        "--model",
        type=click.Choice(names(MODELS)),
        default="linear",
        show_default=True,
        help="What is trained.",
    ),
    opt.option(
        "--hidden",
        type=int,
        metavar="N",
        default=NetworkSettings.hidden,
        show_default=True,
        help="mlp: units of the hidden layer.",
    ),
    opt.option(
        "--activation",
        type=click.Choice(names(ACTIVATIONS)),
        default=NetworkSettings.activation,
        show_default=True,
        help="mlp: of the hidden units.",
    ),
    opt.option(
        "--batch",
        type=int,
        metavar="N",
        default=NetworkSettings.batch,
        show_default=True,
        help="mlp: rows a step.",
    ),
    opt.option(
        "--fraction",
        type=float,
        metavar="F",
        help="mlp: train on this share of the rows, "
        "selected by their gradients. "
        "[default: all rows]",
    ),
    opt.option(
        "--reselect-every",
        type=int,
        metavar="R",
        default=NetworkSettings.reselect_every,
        show_default=True,
        help="mlp: select anew every R epochs.",
    ),
    opt.option(
        "--reselect-by",
        type=click.Choice(names(RESELECTION_PROXIES)),
        default=NetworkSettings.reselect_by,
        show_default=True,
        help="mlp: what distances are taken among.",
    ),
    opt.option(
        "--reselect-method",
        type=click.Choice(names(RESELECTIONS)),
        default=NetworkSettings.method,
        show_default=True,
        help="mlp: how rows are selected.",
    ),
)


@click.command(
    "train",
    cls=opt.Command,
    tables=(
        ("Models", MODELS),
        ("Losses", LOSSES),
        ("Solvers", SOLVERS),
        ("Schedules", SCHEDULES),
        ("Orders", ORDERS),
        ("Gradients (--reselect-by)", RESELECTION_PROXIES),
        ("Methods (--reselect-method)", RESELECTIONS),
        *opt.READING_TABLES,
    ),
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.1 -o cs.parquet",
        "craig train sample_data/sample.libsvm --coreset cs.parquet -o model.npz",
        "craig train sample_data/sample.csv --loss squared-hinge --solver lbfgs --l2 "
        "1e-4,1e-3,1e-2 -o path.npz",
        "craig train sample_data/sample.libsvm --solver sgd --tune --epochs 10 --json -o sgd.npz",
        "craig train sample_data/sample.csv --task regression --init sgd.npz -o ridge.npz",
        "craig train sample_data/sample.csv --model mlp --hidden 20 --fraction 0.5 -o network.npz",
    ),
)
@click.argument("data", nargs=-1, metavar="DATA...")
@rows_options
@loss_options
@solver_options
@network_options
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
    model: str,
    l2: str | None,
    no_intercept: bool,
    json: bool,
    **options: Any,
) -> None:
    """Train a linear model, or a network, on the rows of DATA or on a coreset of them, and write it
    to a file.

    Minimised is the weighted mean of the losses of the rows plus l2/2 ||w||^2; s is the score w.x +
    b of a row. Losses for two classes are one against the rest where there are more. A network of
    one hidden layer (--model mlp) may select its own coreset, anew as it learns. DATA is read with
    the options that the manifest records, if there is one; those given here are used instead.
    """
    if json and options["output"] == "-":
        raise UsageError("--json and --output - both write to stdout: choose one.")
    check_model_options(ctx, model)
    kinds = ("output", "coreset", "weights", "init", "force", "force_mismatch", "first")
    files = TrainFiles(
        opt.all_paths(ctx, data, files_from), **{name: options[name] for name in kinds}
    )
    overrides = opt.reading_overrides(ctx)
    if model == "mlp":
        network = network_settings(l2, options)
        session.detail(
            f"batches of {network.batch}, step {network.step:g}, seed {network.seed}, "
            f"{network.n_threads} threads"
        )
        from craig_cli.workflows.train_network import train_network_to_file

        with session.progress() as progress:
            trained = train_network_to_file(files, network, overrides, progress)
        session.finish(trained, json, summary_only=True)
        return
    strengths = parse_l2(l2 or USUAL_L2)
    settings = [
        TrainSettings(
            **{name: options[name] for name in SETTINGS}, l2=strength, intercept=not no_intercept
        )
        for strength in strengths
    ]
    session.detail(
        f"solver {settings[0].solver}, l2 {l2 or USUAL_L2}, seed {settings[0].seed}, "
        f"{settings[0].n_threads} threads"
    )
    from craig_cli.workflows.train import train_to_file

    with session.progress() as progress:
        report = train_to_file(files, settings[0], strengths, overrides, progress)
    session.finish(report, json, summary_only=True)


def check_model_options(ctx: click.Context, model: str) -> None:
    """Raise `UsageError` for an option on the command line that is of the other model."""
    for name, of in (
        (name, "mlp" if name in NETWORK_ONLY else "linear")
        for name in (*LINEAR_ONLY, *NETWORK_ONLY)
    ):
        if of != model and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--{name.replace('_', '-')}: it is an option of --model {of}, not of "
                f"--model {model}."
            )


def network_settings(l2: str | None, options: dict[str, Any]) -> NetworkSettings:
    """Return the settings that the options of a network make; what they leave open are its
    defaults.
    """
    strengths = () if l2 is None else parse_l2(l2)
    if len(strengths) > 1:
        raise UsageError("--l2: a network is trained for one at a time.")
    kept = (
        "hidden",
        "activation",
        "batch",
        "fraction",
        "reselect_every",
        "reselect_by",
        "seed",
        "threads",
    )
    given = {name: options[name] for name in ("epochs", "step") if options[name] is not None}
    if strengths:
        given["l2"] = strengths[0]
    return NetworkSettings(
        **{name: options[name] for name in kept}, **given, method=options["reselect_method"]
    )
