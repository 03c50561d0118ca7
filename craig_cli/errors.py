"""Errors that end a command, one class per cause, each with its exit code."""

from __future__ import annotations

from functools import partial
from typing import Any


class CraigError(Exception):
    """Base of every error that craig raises on purpose; its text is shown as it stands."""

    exit_code = 1


class CraigWarning(UserWarning):
    """What the user should know of a result, and the commands print as a note."""


class UsageError(CraigError):
    """The options contradict each other or name something that does not exist."""

    exit_code = 2


class InputError(CraigError):
    """The input data cannot be used.

    Parameters
    ----------
    source : str
        The file as the user named it, or ``<stdin>``.
    problem : str
        What is wrong, without a final full stop.
    row, column : int, optional
        Position of the fault, both counted from 1. For text formats `row` is the line, so that an
        editor can jump there; for Parquet and HDF5 it is the row. For LIBSVM `column` is the
        character in the line, else the field.
    value : str, optional
        The offending text; long values are cut.
    remedy : str, optional
        What the user can do, as one sentence with its full stop.
    """

    exit_code = 3

    def __init__(
        self,
        source: str,
        problem: str,
        *,
        row: int | None = None,
        column: int | None = None,
        value: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.source, self.problem, self.row, self.column, self.value, self.remedy = (
            source,
            problem,
            row,
            column,
            value,
            remedy,
        )
        super().__init__(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error be sent from one process to another as it stands."""
        return partial(
            type(self), row=self.row, column=self.column, value=self.value, remedy=self.remedy
        ), (self.source, self.problem)

    def __str__(self) -> str:
        place = printable(self.source)
        if self.row is not None:
            place += f":{self.row}"
            if self.column is not None:
                place += f":{self.column}"
        seen = "" if self.value is None else f" (value '{printable(self.value, 60)}')"
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{place}: {self.problem}{seen}.{remedy}"


class TableError(InputError):
    """A table cannot be used as it is: what is wrong first, and below it a report of all columns.

    Parameters
    ----------
    error : InputError
        What is wrong first.
    report : str
        Lines on all columns.
    """

    def __init__(self, error: InputError, report: str) -> None:
        self.error, self.report = error, report
        super().__init__(
            error.source,
            error.problem,
            row=error.row,
            column=error.column,
            value=error.value,
            remedy=error.remedy,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error, self.report)

    def __str__(self) -> str:
        return f"{super().__str__()}\n\n{self.report}"


class ManifestError(InputError):
    """A file given as a manifest is not one, or cannot be read."""


class ResourceError(CraigError):
    """Memory or disk does not suffice."""

    exit_code = 4


class CheckError(CraigError):
    """A check that the user asked for has failed (verify, thresholds)."""

    exit_code = 5


class ContractError(CraigError):
    """A result broke one of craig's own promises: a defect of craig, caught before anything was
    written.
    """

    exit_code = 1


def printable(text: str, limit: int | None = None) -> str:
    """Return `text` on one line: control characters and undecodable bytes escaped, cut to `limit`
    characters.
    """
    if limit is not None and len(text) > limit:
        text = text[:limit] + "..."
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text
    )
