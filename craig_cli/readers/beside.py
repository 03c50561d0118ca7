"""Files of labels that lie beside those of the rows."""

from __future__ import annotations

from pathlib import Path

from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.sources import Source, make_source


def check_not_piped(source: Source) -> None:
    """Raise `InputError` where rows come from a pipe, which nothing lies beside."""
    if source.name == "<stdin>":
        raise InputError(
            source.name,
            "labels lie in a file beside the rows, and these come from a pipe",
            remedy="Name the file, or use --no-label.",
        )


def named_beside(source: Source, wanted: str, format_name: str) -> Source:
    """Return the file of labels that ``--label`` names, in the folder of the rows.

    Raises `UsageError` where it is not the name of a file there.
    """
    beside = source.location.beside(wanted)
    if Path(wanted).name != wanted or not beside.exists():
        raise UsageError(
            f"--label: '{printable(wanted)}' is not a file in the folder of "
            f"{printable(source.name)}."
        )
    return make_source(beside, format_name)


def check_as_many(labels: str, n_labels: int, rows: str, n_rows: int) -> None:
    """Raise `InputError` unless there is one label a row."""
    if n_labels != n_rows:
        problem = f"it has {n_labels} labels, and {printable(rows)} {n_rows} rows"
        raise InputError(labels, problem, remedy="Name another file with --label FILE.")
