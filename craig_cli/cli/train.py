"""``craig train``."""

from __future__ import annotations

from click.core import ParameterSource

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import DATA, READING, READING_TABLES, THREADS
from craig_cli.cli.parameters import source_of
from craig_cli.cli.train_options import (
    LINEAR_ONLY,
    LOSS,
    MODEL,
    NETWORK,
    NETWORK_ONLY,
    ROWS,
    SEARCH,
    SOLVER,
    USUAL_L2,
)
from craig_cli.reports.base import Report
from craig_cli.settings.catalog import (
    LOSSES,
    MODELS,
    ORDERS,
    RESELECTION_PROXIES,
    RESELECTIONS,
    SCHEDULES,
    SOLVERS,
)
from craig_cli.settings.checks import refuse
from craig_cli.settings.network import NetworkSettings
from craig_cli.settings.search import SearchSettings
from craig_cli.settings.training import TrainFiles, TrainSettings, parse_l2


@reporting(
    "train",
    DATA,
    sections=(
        ("Rows, and where to", ROWS),
        ("Loss", LOSS),
        ("Search", SEARCH),
        ("Solver", (*SOLVER, THREADS)),
        ("Model", (MODEL, *NETWORK)),
        ("How data is read", READING),
    ),
    usual=(
        *("output", "coreset", "weights_file", "loss", "l2", "search", "solver", "epochs", "step"),
        *("task", "model", "json"),
    ),
    tables=(
        ("Models", MODELS),
        ("Losses", LOSSES),
        ("Solvers", SOLVERS),
        ("Schedules", SCHEDULES),
        ("Orders", ORDERS),
        ("Gradients (--reselect-by)", RESELECTION_PROXIES),
        ("Methods (--reselect-method)", RESELECTIONS),
        *READING_TABLES,
    ),
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.1 -o cs.parquet",
        "craig train sample_data/sample.libsvm --coreset cs.parquet -o model.npz",
        "craig train sample_data/sample.csv --loss squared-hinge --solver lbfgs --l2 "
        "1e-4,1e-3,1e-2 -o path.npz",
        "craig train sample_data/sample.csv --search --l2 1e-4,1e-2,1 -o best.npz",
        "craig train sample_data/sample.libsvm --solver sgd --tune --epochs 10 --json -o sgd.npz",
        "craig train sample_data/sample.csv --task regression --init sgd.npz -o ridge.npz",
        "craig train sample_data/sample.csv --model mlp --hidden 20 --fraction 0.5 -o network.npz",
    ),
)
def command(run: Run) -> Report:
    """Train a linear model, or a network, on the rows of DATA or on a coreset of them, and write it
    to a file.

    Minimised is the weighted mean of the losses of the rows plus l2/2 ||w||^2; s is the score w.x +
    b of a row. Losses for two classes are one against the rest where there are more. A network of
    one hidden layer (--model mlp) may select its own coreset, anew as it learns. DATA is read with
    the options that the manifest records, if there is one; those given here are used instead.
    """
    check_model_options(run)
    files = run.make(TrainFiles, paths=run.paths)
    if run["model"] == "mlp":
        network = network_settings(run)
        run.detail(
            f"batches of {network.batch}, step {network.step:g}, seed {network.seed}, "
            f"{network.n_threads} threads"
        )
        from craig_cli.workflows.train_network import train_network_to_file

        return train_network_to_file(files, network, run.overrides, run.progress)
    path = USUAL_L2 if run["l2"] is None else run["l2"]
    strengths = parse_l2(path)
    losses = () if run["loss"] is None else tuple(run["loss"].split(","))
    loss = losses[0] if losses else None
    settings = run.make(
        TrainSettings, l2=strengths[0], loss=loss, intercept=not run["no_intercept"]
    )
    search = run.make(SearchSettings, losses=losses)
    how = search if run["search"] else None
    refuse(len(losses) > 1 and how is None, "--loss: several losses are for --search. Name one.")
    refuse(
        how is not None and len(strengths) * max(1, len(losses)) < 2,
        "--search: there is nothing to choose from. Give several --l2, with commas between.",
    )
    run.detail(
        f"solver {settings.solver}, l2 {path}, seed {settings.seed}, {settings.n_threads} threads"
    )
    from craig_cli.workflows.train import train_to_file

    return train_to_file(files, settings, strengths, run.overrides, how, run.progress)


def check_model_options(run: Run) -> None:
    """Raise `UsageError` for an option on the command line that is of the other model."""
    model = run["model"]
    of, others = ("linear", LINEAR_ONLY) if model == "mlp" else ("mlp", NETWORK_ONLY)
    for name in others:
        refuse(
            source_of(run.ctx, name) is ParameterSource.COMMANDLINE,
            f"--{name.replace('_', '-')}: it is an option of --model {of}, not of --model {model}."
            + (" --search has --search-fraction." if run["search"] and name == "fraction" else ""),
        )


def network_settings(run: Run) -> NetworkSettings:
    """Return the settings of a network; what the options leave open are its defaults."""
    strengths = () if run["l2"] is None else parse_l2(run["l2"])
    refuse(len(strengths) > 1, "--l2: a network is trained for one at a time.")
    return run.make(
        NetworkSettings,
        l2=strengths[0] if strengths else NetworkSettings.l2,
        epochs=run["epochs"] if run["epochs"] is not None else NetworkSettings.epochs,
        step=run["step"] if run["step"] is not None else NetworkSettings.step,
        method=run["reselect_method"],
    )
