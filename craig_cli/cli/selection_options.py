"""The options of a selection and of a calibration, and the settings that they make."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli.command import Run
from craig_cli.cli.options import force_option
from craig_cli.cli.parameters import FileName, InputFile, RowCount, Share, is_given, option
from craig_cli.settings import SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.catalog import (
    ALLOCATION_CHOICES,
    LOSSES,
    METHODS,
    METRICS,
    PURPOSES,
    REPRESENTATIVES,
    SCALES,
    WEIGHTINGS,
    names,
)
from craig_cli.settings.checks import parse_numbers, refuse
from craig_cli.settings.purpose import PAPER, Purpose

SELECTION_TABLES = (
    ("Purposes", PURPOSES),
    ("Methods", METHODS),
    ("Representatives", REPRESENTATIVES),
    ("Weights", WEIGHTINGS),
    ("Allocations", ALLOCATION_CHOICES),
    ("Metrics", METRICS),
    ("Scales", SCALES),
)
OUTPUT = (
    option(
        "-o",
        "--output",
        type=FileName(),
        metavar="FILE",
        help="Where the manifest goes (Parquet); - is stdout. Required but for --dry-run.",
    ),
    force_option("output that is not a craig manifest"),
)
BUDGET = (
    option(
        "--fraction",
        type=Share(),
        metavar="F",
        help="Select this share of the rows, above 0 and at most 1.",
    ),
    option("--size", type=RowCount(), metavar="K", help="Select this many rows."),
    option(
        "--epsilon",
        type=float,
        metavar="E",
        help="Select the fewest greedy picks with an epsilon (coverage cost) of at most E.",
    ),
    option(
        "--mean-epsilon",
        type=float,
        metavar="E",
        help="The same with epsilon divided by the number of rows (or the sum of their weights).",
    ),
    option(
        "--budget-cost",
        type=float,
        metavar="B",
        help="Select rows that cost at most B in all, by --cost-column.",
    ),
)
SELECTION = (
    option(
        "--method",
        type=click.Choice(names(METHODS)),
        default=SelectionSettings.method,
        show_default=True,
        help="How rows are selected.",
    ),
    option(
        "--metric",
        type=click.Choice(names(METRICS)),
        default=SelectionSettings.metric,
        show_default=True,
        help="Distance between rows.",
    ),
    option(
        "--scale",
        type=click.Choice(names(SCALES)),
        default=SelectionSettings.scale,
        show_default=True,
        help="What rows are scaled by, for distances only.",
    ),
    option(
        "--sample-rows",
        type=int,
        metavar="R",
        default=SelectionSettings.sample_rows,
        help="Let greedy see only R random rows; clusters, weights and epsilon are still over "
        "all. [default: all]",
    ),
    option(
        "--cell-size",
        type=int,
        metavar="M",
        default=SelectionSettings.cell_size,
        show_default=True,
        help="Most rows in a cell of method cells.",
    ),
    option(
        "--delta",
        type=float,
        metavar="D",
        default=SelectionSettings.delta,
        show_default=True,
        help="Loss of method stochastic: (1 - 1/e - D) in expectation.",
    ),
    option(
        "--refine",
        is_flag=True,
        help="Swap picks after greedy until no single swap lowers epsilon (dense rows; slower).",
    ),
    option(
        "--seed",
        type=int,
        default=SelectionSettings.seed,
        show_default=True,
        help="Seed of the methods that draw rows at random.",
    ),
)
CONSTRAINTS = (
    option(
        "--include",
        type=InputFile(),
        metavar="FILE",
        help="Pick the rows in FILE first (numbers from 0, one a line); for exact and stochastic.",
    ),
    option(
        "--exclude",
        type=InputFile(),
        metavar="FILE",
        help="Never pick the rows in FILE; they are still represented, and count in epsilon.",
    ),
    option(
        "--extend",
        type=InputFile(),
        metavar="MANIFEST",
        help="Go on from the picks of a manifest of the same data: they stay (--for local).",
    ),
)
PILOTS = (
    option(
        "--pilot-loss",
        type=click.Choice(names(LOSSES)),
        help="Of pilot models. [default: logistic for 2 classes, softmax for more, squared for "
        "regression]",
    ),
    option(
        "--pilot-l2",
        metavar="L",
        default=",".join(f"{l2:g}" for l2 in CalibrationSettings.pilot_l2),
        show_default=True,
        help="Strength of the regulariser of each pilot, commas between.",
    ),
)
WEIGHTS = (
    option(
        "--for",
        type=click.Choice(names(PURPOSES)),
        help="What the coreset is to train; it sets the next three. [default: any, if that can be]",
    ),
    option(
        "--representative",
        type=click.Choice(names(REPRESENTATIVES)),
        help="Which row represents a cluster. [default: by --for]",
    ),
    option(
        "--weights",
        type=click.Choice(names(WEIGHTINGS)),
        help="How picks are weighted. [default: by --for]",
    ),
    option(
        "--allocation",
        type=click.Choice(names(ALLOCATION_CHOICES)),
        default=Purpose.allocation,
        show_default=True,
        help="How many picks each class gets: at least one, at most all its rows.",
    ),
    option(
        "--paper",
        is_flag=True,
        help="Exactly the paper's choices: --method exact --representative medoid --weights "
        "cluster --allocation proportional.",
    ),
    *PILOTS,
)
MEMORY_LIMIT = option(
    "--memory-limit",
    metavar="SIZE",
    help="Most memory to use, such as 2G: rows that do not fit are kept in temporary files "
    "(TMPDIR), or the run is refused; of --engine dask the memory of each local worker. "
    "[default: none]",
)
DRY_RUN = option(
    "--dry-run",
    is_flag=True,
    help="Read the data, and say what would be done, how long and how much memory it would take.",
)


def constraints_of(run: Run) -> dict[str, tuple[int, ...]]:
    """Return the rows to include and to exclude, under their names in `SelectionSettings`."""
    constraints: dict[str, tuple[int, ...]] = {"include": (), "exclude": ()}
    for name in constraints:
        if run[name] is not None:
            from craig_cli.readers.row_numbers import read_row_numbers

            constraints[name] = read_row_numbers(run[name])
    return constraints


def calibration_settings(weights: str, run: Run) -> CalibrationSettings:
    """Return the settings that the options of pilots, seed and threads make."""
    return run.make(
        CalibrationSettings,
        weights=weights,
        loss=run["pilot_loss"],
        pilot_l2=parse_numbers("--pilot-l2", run["pilot_l2"]),
    )


def choices_of(run: Run) -> tuple[str, Purpose]:
    """Return the method, and the purpose with its choices; ``--paper`` leaves none of them."""
    options: dict[str, Any] = run.only("for", "method", "representative", "weights", "allocation")
    if run["paper"]:
        for name in (*options, "refine", "sample_rows"):
            refuse(
                is_given(run.ctx, name) and run[name] != PAPER.get(name),
                f"--paper leaves no choice of --{name.replace('_', '-')}: leave one of the two "
                "out.",
            )
        options |= PAPER
    chosen = (options[name] for name in ("for", "representative", "weights", "allocation"))
    return options["method"], Purpose(*chosen)
