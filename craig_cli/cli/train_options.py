"""The options of ``craig train``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli.options import FIRST, FORCE_MISMATCH, NO_INTERCEPT, force_option
from craig_cli.cli.parameters import FileName, InputFile, Share, option
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
from craig_cli.settings.search import SearchSettings
from craig_cli.settings.training import TrainSettings

USUAL_L2 = "1e-5"
ROWS = (
    option(
        "-o",
        "--output",
        type=FileName(),
        metavar="FILE",
        required=True,
        help="Where the model goes (NumPy's .npz); - is stdout.",
    ),
    force_option("output that is not a craig model"),
    option(
        "--coreset",
        type=InputFile(),
        metavar="FILE",
        help="Train on the rows and weights of a manifest written by craig select. [default: all "
        "rows]",
    ),
    FIRST,
    FORCE_MISMATCH,
    option(
        "--weights-file",
        type=InputFile(),
        metavar="FILE",
        help="Train on the rows of a hand-made Parquet file with columns index (from 0) and "
        "weight.",
    ),
    option(
        "--init",
        type=InputFile(),
        metavar="FILE",
        help="Start from the model in FILE. [default: zero]",
    ),
)


class LossNames(click.Choice[str]):
    """A loss; several with commas between for a search."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        named = [super(LossNames, self).convert(v, param, ctx) for v in str(value).split(",")]
        return ",".join(named)


LOSS = (
    option(
        "--loss",
        type=LossNames(names(LOSSES)),
        help="[default: logistic for 2 classes, softmax for more, squared for regression; "
        "several with commas between for --search]",
    ),
    option(
        "--l2",
        metavar="L",
        help="Weight of the regulariser; several with commas between make a path. [default: "
        f"{USUAL_L2}; mlp: {NetworkSettings.l2:g}]",
    ),
    NO_INTERCEPT,
)
SOLVER = (
    option(
        "--solver",
        type=click.Choice(names(SOLVERS)),
        default=TrainSettings.solver,
        show_default=True,
        help="How the loss is minimised.",
    ),
    option(
        "--epochs",
        type=int,
        metavar="N",
        help="Most epochs. [default: 30; saga, svrg: more on few rows; lbfgs: 2000 iterations; "
        f"newton: 200; mlp: {NetworkSettings.epochs}]",
    ),
    option(
        "--tolerance",
        type=float,
        metavar="T",
        help="Stop when the gradient is T times as long as at zero. [default: 1e-6; lbfgs, newton: "
        "1e-9]",
    ),
    option(
        "--step",
        type=float,
        metavar="A",
        help="First step size a0. [default: by the solver, from the curvature of the loss; mlp: "
        "0.01]",
    ),
    option(
        "--schedule",
        type=click.Choice(names(SCHEDULES)),
        help="Step size of epoch k. [default: exponential; adagrad, saga, svrg: constant]",
    ),
    option(
        "--decay",
        type=float,
        metavar="B",
        help="b of the schedule. [default: 0.85 for exponential, 0.5 for k-inverse and power]",
    ),
    option(
        "--order",
        type=click.Choice(names(ORDERS)),
        help="Order of the rows. [default: shuffled; saga, svrg: sampled]",
    ),
    option(
        "--momentum",
        type=float,
        metavar="M",
        default=TrainSettings.momentum,
        show_default=True,
        help="Of solver momentum.",
    ),
    option(
        "--radius",
        type=float,
        metavar="R",
        default=TrainSettings.radius,
        help="Keep ||w|| <= R after each step of sgd. [default: no limit]",
    ),
    option(
        "--tune",
        is_flag=True,
        help="Try first steps (and decays) on a grid, and keep the model of the lowest training "
        "loss.",
    ),
    option(
        "--seed",
        type=int,
        default=TrainSettings.seed,
        show_default=True,
        help="Seed of random orders.",
    ),
)
SEARCH = (
    option(
        "--search",
        is_flag=True,
        help="Train only the best of several --l2 and --loss: each is fitted on a coreset of the "
        "rows of all folds but one, and scored on all rows of that one.",
    ),
    option(
        "--folds",
        type=int,
        metavar="N",
        default=SearchSettings.folds,
        show_default=True,
        help="Of --search.",
    ),
    option(
        "--search-fraction",
        type=Share(),
        metavar="F",
        default=SearchSettings.search_fraction,
        show_default=True,
        help="Of --search: share of the rows that each is fitted on.",
    ),
)
MODEL = option(
    "--model",
    type=click.Choice(names(MODELS)),
    default="linear",
    show_default=True,
    help="What is trained.",
)
NETWORK = (
    option(
        "--hidden",
        type=int,
        metavar="N",
        default=NetworkSettings.hidden,
        show_default=True,
        help="mlp: units of the hidden layer.",
    ),
    option(
        "--activation",
        type=click.Choice(names(ACTIVATIONS)),
        default=NetworkSettings.activation,
        show_default=True,
        help="mlp: of the hidden units.",
    ),
    option(
        "--batch",
        type=int,
        metavar="N",
        default=NetworkSettings.batch,
        show_default=True,
        help="mlp: rows a step.",
    ),
    option(
        "--fraction",
        type=Share(),
        metavar="F",
        help="mlp: train on this share of the rows, selected by their gradients. [default: all "
        "rows]",
    ),
    option(
        "--reselect-every",
        type=int,
        metavar="R",
        default=NetworkSettings.reselect_every,
        show_default=True,
        help="mlp: select anew every R epochs.",
    ),
    option(
        "--reselect-by",
        type=click.Choice(names(RESELECTION_PROXIES)),
        default=NetworkSettings.reselect_by,
        show_default=True,
        help="mlp: what distances are taken among.",
    ),
    option(
        "--reselect-method",
        type=click.Choice(names(RESELECTIONS)),
        default=NetworkSettings.method,
        show_default=True,
        help="mlp: how rows are selected.",
    ),
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
    *(str(o.name) for o in SEARCH),
)
NETWORK_ONLY = tuple(str(o.name) for o in NETWORK)
