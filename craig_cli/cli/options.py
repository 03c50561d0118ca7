"""Options, each written once, and the command class that finds their values: command line over
environment over file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from craig_cli.cli.app import write_exit_codes
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError
from craig_cli.settings import BUDGETS, LABEL_COLUMNS, InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings, parse_pilot_l2
from craig_cli.settings.catalog import (
    FORMATS,
    LOSSES,
    METHODS,
    METRICS,
    PURPOSES,
    REPRESENTATIVES,
    SCALES,
    TASKS,
    WEIGHTINGS,
    Entry,
    Format,
    names,
)
from craig_cli.settings.purpose import PAPER, Purpose

Function = TypeVar("Function", bound=Callable[..., Any])
Table = tuple[Entry, ...] | tuple[Format, ...]

READING_TABLES = (("Formats", FORMATS), ("Tasks", TASKS))
SELECTION_TABLES = (
    ("Purposes", PURPOSES),
    ("Methods", METHODS),
    ("Representatives", REPRESENTATIVES),
    ("Weights", WEIGHTINGS),
    ("Metrics", METRICS),
    ("Scales", SCALES),
)
READING_OPTIONS = (
    *(
        "format",
        "label",
        "no_label",
        "task",
        "index_base",
        "on_error",
        "drop",
        "one_hot",
        "delimiter",
        "no_header",
        "rows_key",
    ),
    *("weight_column", "cost_column"),
)
EXCLUSIVE = (BUDGETS, ("label", "no_label"))
"""Options that exclude each other: one given with more authority displaces the others."""
PILOT_L2 = ",".join(f"{l2:g}" for l2 in CalibrationSettings.pilot_l2)
AUTHORITY = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)


class Option(click.Option):
    """An option that is also read from ``CRAIG_<COMMAND>_<OPTION>`` and, failing that,
    ``CRAIG_<OPTION>``.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        name = str(self.name).upper()
        return (
            os.environ.get(f"CRAIG_{str(ctx.info_name).upper()}_{name}")
            or os.environ.get(f"CRAIG_{name}")
            or None
        )


class ColumnName(click.types.StringParamType):
    """A column's name; an environment variable gives several with commas between."""

    envvar_list_splitter = ","


class Command(click.Command):
    """A command whose help ends with tables of names, runnable examples and the exit codes.

    Parameters
    ----------
    examples : sequence of str
        Command lines that run in this order where ``sample_data/`` is.
    tables : sequence of (str, table)
        Title and names with their help.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        tables: Sequence[tuple[str, Table]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples, self.tables = tuple(examples), tuple(tables)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for group in EXCLUSIVE:
            given = [name for name in group if is_given(ctx, name)]
            most = min((AUTHORITY.index(source_of(ctx, name)) for name in given), default=0)
            for name in given:
                if AUTHORITY.index(source_of(ctx, name)) > most:
                    ctx.params[name] = False if ctx.params[name] is True else None
        return rest

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, table in self.tables:
            with formatter.section(title):
                formatter.write_dl([(entry.name, entry.help) for entry in table])
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}$ {example}\n")
        with formatter.section("Settings"):
            formatter.write_text(
                f"Every option can also be set by CRAIG_{str(ctx.info_name).upper()}_<OPTION> or "
                f"CRAIG_<OPTION> in the environment, or in a "
                "file (--config). The command line wins over the environment, and that over the "
                "file."
            )
        write_exit_codes(formatter)


def source_of(ctx: click.Context, name: str) -> ParameterSource:
    """Return where the value of a parameter comes from."""
    return ctx.get_parameter_source(name) or ParameterSource.DEFAULT


def is_given(ctx: click.Context, name: str) -> bool:
    """Return whether somebody has given a parameter a value, and not just its default."""
    value = ctx.params.get(name)
    return (
        source_of(ctx, name) in AUTHORITY and value is not None and value is not False
    )  # 0 is a value


def option(*declarations: str, **attributes: Any) -> Callable[[Function], Function]:
    """Return a decorator that adds an `Option`."""
    return click.option(*declarations, cls=Option, **attributes)


def combined(*decorators: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Return the decorator that adds several options, in this order in the help."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def reading_options(show_default: bool) -> Callable[[Function], Function]:
    """Return a decorator with the options that say how data is read; defaults are hidden where a
    manifest gives them.
    """
    labels = ", ".join(LABEL_COLUMNS[:-1]) + " or " + LABEL_COLUMNS[-1]
    return combined(
        option(
            "--files-from",
            metavar="FILE",
            help="Read more names of data files from FILE, one a line.",
        ),
        option(
            "--format",
            type=click.Choice(names(FORMATS)),
            help="Format of the data; by the file name's extension if not given.",
        ),
        option(
            "--label",
            metavar="COLUMN",
            help=f"Column (HDF5: dataset; IDX: file beside) of the "
            f"labels. [default: the one named {labels}]",
        ),
        option(
            "--no-label",
            is_flag=True,
            help="There are no labels: select from all rows as one group.",
        ),
        option(
            "--task",
            type=click.Choice(names(TASKS)),
            default=InputSettings.task,
            show_default=show_default,
            help="What the label is.",
        ),
        option(
            "--index-base",
            type=int,
            default=InputSettings.index_base,
            show_default=show_default,
            help="First column in LIBSVM text: 0 or 1.",
        ),
        option(
            "--on-error",
            type=click.Choice(("stop", "skip")),
            default=InputSettings.on_error,
            show_default=show_default,
            help="Stop at a bad row of text, or skip it.",
        ),
        option(
            "--drop",
            multiple=True,
            type=ColumnName(),
            metavar="COLUMN",
            help="Leave a column out. May be repeated.",
        ),
        option(
            "--one-hot",
            multiple=True,
            type=ColumnName(),
            metavar="COLUMN",
            help="Make a column one of 0 and 1 for each of its values. May be repeated.",
        ),
        option(
            "--delimiter",
            metavar="CHARACTER",
            help="What separates the fields of CSV text; by the format if not given.",
        ),
        option(
            "--no-header",
            is_flag=True,
            help="The first line of CSV text is a row; columns are named 1, 2, 3, ...",
        ),
        option("--rows-key", metavar="NAME", help="HDF5 dataset or CSR group of the rows."),
        option(
            "--weight-column",
            metavar="COLUMN",
            help="Column (HDF5: dataset) of how much each "
            "row counts, of at least 0; it is no "
            "feature.",
        ),
        option(
            "--cost-column",
            metavar="COLUMN",
            help="Column (HDF5: dataset) of what each row costs, above 0; it is no feature.",
        ),
    )


budget_options = combined(
    option(
        "--fraction",
        type=float,
        metavar="F",
        help="Select this share of the rows, above 0 and at most 1.",
    ),
    option("--size", type=int, metavar="K", help="Select this many rows."),
    option(
        "--epsilon",
        type=float,
        metavar="E",
        help="Select the fewest greedy picks with an epsilon of at most E.",
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
selection_options = combined(
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
        help="Let greedy see only R random rows; clusters, weights and epsilon are still over all. "
        "[default: all]",
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
given_options = combined(
    option(
        "--include",
        metavar="FILE",
        help="Pick the rows in FILE first (numbers from 0, one a line); for exact and stochastic.",
    ),
    option(
        "--exclude",
        metavar="FILE",
        help="Never pick the rows in FILE; they are still stood for, and count in epsilon.",
    ),
    option(
        "--extend",
        metavar="MANIFEST",
        help="Go on from the picks of a manifest of the same data: they stay (--for local).",
    ),
)
first_option = option(
    "--first",
    type=int,
    metavar="R",
    help="Take the first R picks of the manifest, with clusters "
    "and weights made anew. [default: all]",
)
pilot_options = combined(
    option(
        "--loss",
        type=click.Choice(names(LOSSES)),
        help="Of pilot models. [default: logistic for 2 classes, softmax for more, squared for "
        "regression]",
    ),
    option(
        "--pilot-l2",
        metavar="L",
        default=PILOT_L2,
        show_default=True,
        help="Strength of the regulariser of each pilot, commas between.",
    ),
    option(
        "--rounds",
        type=int,
        metavar="N",
        default=CalibrationSettings.rounds,
        show_default=True,
        help="Most rounds of calibration.",
    ),
)
weights_options = combined(
    option(
        "--for",
        type=click.Choice(names(PURPOSES)),
        help="What the coreset is to train; it "
        "sets the next two. [default: "
        "linear, if that can be]",
    ),
    option(
        "--representative",
        type=click.Choice(names(REPRESENTATIVES)),
        help="Which row stands for a cluster. [default: by --for]",
    ),
    option(
        "--weights",
        type=click.Choice(names(WEIGHTINGS)),
        help="How picks are weighted. [default: by --for]",
    ),
    option(
        "--paper",
        is_flag=True,
        help="Exactly the paper's choices: --method exact "
        "--representative medoid --weights cluster.",
    ),
    pilot_options,
)
threads_option = option(
    "--threads",
    type=int,
    default=SelectionSettings.threads,
    show_default="the CPUs this process may use",
    help="Threads to compute with; they change no result.",
)
proxy_option = option(
    "--proxy",
    metavar="FILE",
    help="Rows to take distances among instead, one for each row of DATA, such as gradients from "
    "your own trainer: .npy, FILE.h5:/DATASET, Parquet "
    "or another format.",
)
memory_option = option(
    "--memory-limit",
    metavar="SIZE",
    help="Most memory to use, such as 2G: rows that do not fit are kept in temporary files "
    "(TMPDIR), or the run is refused; of --engine dask "
    "the memory of each local worker. [default: none]",
)
output_options = combined(
    option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where the manifest goes (Parquet); - is stdout. Required but for --dry-run.",
    ),
    option(
        "--force", is_flag=True, help="Replace an existing output that is not a craig manifest."
    ),
)
dry_run_option = option(
    "--dry-run",
    is_flag=True,
    help="Read the data, and say what would be done, how long and how much memory it would take.",
)
json_option = option("--json", is_flag=True, help="Report as one JSON object on stdout.")


def keep(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Keep a flag that all commands have in the session."""
    session = ctx.find_object(Session)
    if session is not None:
        setattr(session, str(parameter.name), value)


def read_config(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Make the values in a file the defaults of the command."""
    group = None if ctx.parent is None else ctx.parent.command
    if value is None or ctx.resilient_parsing or not isinstance(group, click.Group):
        return
    from craig_cli.cli.config import load_config

    names_of_commands = group.list_commands(ctx)
    commands = {
        name: command
        for name in names_of_commands
        if (command := group.get_command(ctx, name)) is not None
    }
    ctx.default_map = load_config(value, ctx.command, commands, EXCLUSIVE)


common_options = combined(
    option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="No progress and no summary; errors are still shown.",
    ),
    option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="Also say which settings are used and when a stage begins.",
    ),
    option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="Show the traceback of an error.",
    ),
    option(
        "--config",
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=read_config,
        help="Read options from a TOML file.",
    ),
)


def input_settings(paths: tuple[str, ...], options: dict[str, Any]) -> InputSettings:
    """Return the settings that reading options make."""
    return InputSettings(
        paths, **reading_settings({name: options[name] for name in READING_OPTIONS})
    )


def pick_constraints(include: str | None, exclude: str | None) -> dict[str, tuple[int, ...]]:
    """Return the rows in the files of rows to include and to exclude, under their names in
    `SelectionSettings`.
    """
    if include is None and exclude is None:
        return {}
    from craig_cli.readers.row_numbers import read_row_numbers

    return {
        name: read_row_numbers(path)
        for name, path in (("include", include), ("exclude", exclude))
        if path is not None
    }


def calibration_settings(weights: str, options: dict[str, Any]) -> CalibrationSettings:
    """Return the settings that the options of pilots, seed and threads make."""
    return CalibrationSettings(
        weights,
        options["loss"],
        parse_pilot_l2(options["pilot_l2"]),
        options["rounds"],
        seed=options["seed"],
        threads=options["threads"],
    )


def chosen(ctx: click.Context, options: dict[str, Any]) -> tuple[dict[str, Any], Purpose]:
    """Return the options of `ctx` with the paper's choices in their place under ``--paper``, and
    the purpose that they state.
    """
    if options["paper"]:
        for name in ("for", *PAPER, "refine", "sample_rows"):
            if is_given(ctx, name) and options[name] != PAPER.get(name):
                raise UsageError(
                    f"--paper leaves no choice of --{name.replace('_', '-')}: leave "
                    f"one of the two out."
                )
        options = {**options, **PAPER}
    return options, Purpose(options["for"], options["representative"], options["weights"])


def reading_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return reading options under their names in `InputSettings`."""
    settings = dict(options)
    if "no_header" in settings:
        settings["header"] = not settings.pop("no_header")
    return settings


def reading_overrides(ctx: click.Context) -> dict[str, Any]:
    """Return the reading options that somebody has given, under their names in `InputSettings`."""
    return reading_settings(
        {name: ctx.params[name] for name in READING_OPTIONS if is_given(ctx, name)}
    )


def all_paths(ctx: click.Context, data: tuple[str, ...], files_from: str | None) -> tuple[str, ...]:
    """Return the names of the data files: those given, then those listed in a file."""
    if files_from is not None:
        from craig_cli.readers import read_file_list

        data += read_file_list(files_from)
    if not data:
        raise click.UsageError("Missing argument 'DATA...': name a data file, or - for stdin.", ctx)
    return data
