"""Parameters that several commands have, each written once."""

from __future__ import annotations

from copy import copy

import click

from craig_cli.cli.parameters import (
    EXCLUSIVE,
    ColumnName,
    FileName,
    IndexBase,
    InputFile,
    Option,
    option,
)
from craig_cli.cli.session import Session
from craig_cli.settings import LABEL_COLUMNS, InputSettings, SelectionSettings
from craig_cli.settings.catalog import FORMATS, INLINE_WEIGHTS, MISSING, TASKS, names

READING_TABLES = (
    ("Formats", FORMATS),
    ("Tasks", TASKS),
    ("Missing", MISSING),
    ("Weights in LIBSVM text", INLINE_WEIGHTS),
)


def without_default(shown: Option) -> Option:
    """Return an option whose help does not tell its default."""
    hidden = copy(shown)
    hidden.show_default = False
    return hidden


def force_option(what: str) -> Option:
    """Return the option to replace an output, in words of what is replaced."""
    return option("--force", is_flag=True, help=f"Replace an existing {what}.")


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

    commands = {
        name: command
        for name in group.list_commands(ctx)
        if (command := group.get_command(ctx, name)) is not None
    }
    ctx.default_map = load_config(value, ctx.command, commands, EXCLUSIVE)


LABEL_WORDS = ", ".join(LABEL_COLUMNS[:-1]) + " or " + LABEL_COLUMNS[-1]
READING_WITH_DEFAULTS = (
    option(
        "--files-from",
        type=InputFile(),
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
        help="Column (HDF5, npz: dataset; IDX, npy: file beside) of the labels. [default: the one "
        f"named {LABEL_WORDS}]",
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
        show_default=True,
        help="What the label is. What looks like amounts or ids is taken for classes only if this "
        "says so.",
    ),
    option(
        "--index-base",
        type=IndexBase(),
        metavar="auto|0|1",
        default=InputSettings.index_base,
        show_default=True,
        help="First column in LIBSVM text; auto: 0 if index 0 occurs in any file, else 1.",
    ),
    option(
        "--on-error",
        type=click.Choice(("stop", "skip")),
        default=InputSettings.on_error,
        show_default=True,
        help="Stop at a bad row, or skip it; row numbers count it.",
    ),
    option(
        "--drop",
        multiple=True,
        type=ColumnName(),
        metavar="COLUMN",
        help="Leave a column out. May be repeated; also a,b,c and patterns such as 'time_*'.",
    ),
    option(
        "--features",
        multiple=True,
        type=ColumnName(),
        metavar="COLUMN",
        help="Take these columns alone: of numbers, or of lists of numbers (embeddings). May be "
        "repeated, or several with commas between. [default: all that are left, or the only one "
        "of lists]",
    ),
    option(
        "--one-hot",
        multiple=True,
        type=ColumnName(),
        metavar="COLUMN",
        help="Make a column one of 0 and 1 for each of its values. May be repeated; also a,b,c and "
        "patterns.",
    ),
    option(
        "--missing",
        type=click.Choice(names(MISSING)),
        default=InputSettings.missing,
        show_default=True,
        help="What becomes of cells without a number.",
    ),
    option(
        "--unseen",
        type=click.Choice(("refuse", "zeros")),
        default=InputSettings.unseen,
        show_default=True,
        help="Of a --one-hot column, a value that the model, or the data, has not: refuse the row, "
        "or let it count for nothing.",
    ),
    option(
        "--delimiter",
        metavar="CHARACTER",
        help="What separates the fields of CSV text; by the first line if not given.",
    ),
    option(
        "--no-header",
        is_flag=True,
        help="The first line of CSV text is a row; columns are named 1, 2, 3, ...",
    ),
    option(
        "--decimal",
        metavar="CHARACTER",
        default=InputSettings.decimal,
        show_default=True,
        help="Decimal point of the numbers in CSV text: . or a comma.",
    ),
    option(
        "--thousands",
        metavar="CHARACTER",
        help="What stands between the thousands of numbers in CSV text, such as ',' or ' '.",
    ),
    option(
        "--partition-columns",
        is_flag=True,
        help="Make columns of the folders that files are in, such as year=2024/month=5.",
    ),
    option(
        "--rows-key", metavar="NAME", help="HDF5 dataset or CSR group, or npz array, of the rows."
    ),
    option(
        "--weight-column",
        metavar="COLUMN",
        help="Column (HDF5, npz: dataset) of how much each row counts, of at least 0; it is no "
        "feature.",
    ),
    option(
        "--inline-weights",
        type=click.Choice(names(INLINE_WEIGHTS)),
        default=InputSettings.inline_weights,
        show_default=True,
        help="What label:weight of LIBSVM text is.",
    ),
    option(
        "--cost-column",
        metavar="COLUMN",
        help="Column (HDF5, npz: dataset) of what each row costs, above 0; it is no feature.",
    ),
    option(
        "--id",
        "id_column",
        metavar="COLUMN",
        help="Column that names each row: no feature, but kept in the manifest and in exports.",
    ),
)
READING = tuple(map(without_default, READING_WITH_DEFAULTS))
"""Of commands that read a manifest or a model, which gives the defaults."""
DATA = click.Argument(["data"], nargs=-1, metavar="DATA...", type=InputFile())
MANIFEST = click.Argument(["manifest"], type=InputFile())
MANIFEST_OUTPUT = (
    option(
        "-o",
        "--output",
        type=FileName(),
        metavar="FILE",
        required=True,
        help="Where the manifest goes (Parquet); - is stdout.",
    ),
    force_option("output that is not a craig manifest"),
)
FIRST = option(
    "--first",
    type=int,
    metavar="R",
    help="Take the first R picks of the manifest, with clusters and weights made anew. [default: "
    "all]",
)
FORCE_MISMATCH = option(
    "--force-mismatch",
    is_flag=True,
    help="Use the row numbers of a manifest even if it was selected from other data.",
)
NO_INTERCEPT = option("--no-intercept", is_flag=True, help="Scores are w.x, without a constant.")
THREADS = option(
    "--threads",
    type=int,
    default=SelectionSettings.threads,
    show_default="the CPUs this process may use",
    help="Threads to compute with; they change no result.",
)
PROXY = option(
    "--proxy",
    type=InputFile(),
    metavar="FILE",
    help="Rows to take distances among instead, one for each row of DATA (skipped ones too), such "
    "as gradients from your own trainer: .npy, FILE.h5:/DATASET, FILE.parquet:COLUMN or another "
    "format.",
)
JSON = option("--json", is_flag=True, help="Report as one JSON object on stdout.")
COMMON = (
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
        type=FileName(),
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=read_config,
        help="Read options from a TOML file.",
    ),
)
