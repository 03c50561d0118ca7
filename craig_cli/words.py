"""Errors of Python's faces in the words of their arguments, not in those of the command's options.

What craig raises is worded for the command: ``--one-hot city``. The faces put their work in
`in_words_of`, which is the one place that says ``one_hot=['city']`` instead.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from craig_cli.errors import CraigError, InputError, TableError
from craig_cli.settings import catalog

ARGUMENTS = {
    "for": "purpose",
    "label": "y",
    "weight-column": "sample_weight",
    "cost-column": "costs",
    "id": "id_column",
}
"""Arguments that are not called as the option is."""
FLAGS = {
    "no-header": "header=False",
    "no-label": "no_label=True",
    "force": "force=True",
    "force-mismatch": "force_mismatch=True",
    "refine": "refine=True",
    "paper": "paper=True",
}
"""Options without a value, as arguments."""
FUNCTIONS = {"craig evaluate": "evaluate_coreset", "craig select": "select_coreset"}
"""Commands that are functions in Python."""
LISTS = ("drop", "one-hot", "features")
"""Options that are repeated, one value each time."""
IN_MEMORY = ("X", "proxy")
"""What errors call tables in memory."""
CHOICES: dict[str, tuple[str, ...]] = {
    "for": catalog.names(catalog.PURPOSES),
    "method": catalog.names(catalog.METHODS),
    "metric": catalog.names(catalog.METRICS),
    "scale": catalog.names(catalog.SCALES),
    "task": catalog.names(catalog.TASKS),
    "format": catalog.names(catalog.FORMATS),
    "representative": catalog.names(catalog.REPRESENTATIVES),
    "weights": catalog.names(catalog.WEIGHTINGS),
    "allocation": catalog.names(catalog.ALLOCATION_CHOICES),
    "pilot-loss": catalog.names(catalog.LOSSES),
    "partition": catalog.names(catalog.PARTITIONS),
    "engine": catalog.names(catalog.ENGINES),
    "reselect-method": catalog.names(catalog.RESELECTIONS),
    "on-error": ("stop", "skip"),
    "missing": ("refuse", "skip", "mean", "median", "zero"),
    "unseen": ("zeros", "refuse"),
}
"""What stands after an option as its value, where only some words may."""
NUMBER = re.compile(r"[0-9][0-9.e+-]*")
METAVAR = re.compile(r"[A-Z]+(\.[a-z0-9]+)?")
"""A word in a remedy that the user is to replace, as COLUMN."""
VALUE = r"'(?:[^']|'\"'\"')*'|[^\s,;:()']+"
REPEATED = re.compile(
    rf"(?<![\w-])--(?P<option>{'|'.join(LISTS)}) (?P<first>{VALUE})"
    rf"(?P<more>(?: --(?P=option) (?:{VALUE}))*)(?P<cut> \.\.\.)?"
)
OPTION = re.compile(
    rf"(?<![\w-])--(?P<option>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?: (?P<value>{VALUE}))?"
)


OUTER: ContextVar[dict[str, str]] = ContextVar("OUTER", default={})  # noqa: B039
"""The words of the face that is at work, and has called another."""


def in_arguments(text: str, arguments: Mapping[str, str] = ARGUMENTS) -> str:
    """Return a message with the options in it said as arguments.

    `arguments` has those names that are not the option's own with ``_`` for ``-``.
    """

    def said(option: str) -> str:
        return arguments.get(option) or ARGUMENTS.get(option) or option.replace("-", "_")

    def in_list(found: re.Match[str]) -> str:
        option, words = found["option"], found["first"] + found["more"]
        end = re.search(r"[.]*$", words)
        full_stop = "" if end is None or found["cut"] else end[0]
        words = words.removesuffix(full_stop) if full_stop else words
        values = shlex.split(words.replace(f" --{option} ", " "))
        if values == ["COLUMN"]:
            return f"{said(option)}=[...]{full_stop}"
        if option not in LISTS or any(is_prose(value) for value in values):
            return found[0].replace(f"--{option}", said(option))
        more = ", ..." if found["cut"] else ""
        return f"{said(option)}=[{', '.join(map(repr, values))}{more}]{full_stop}"

    def alone(found: re.Match[str]) -> str:
        option, value = found["option"], found["value"] or ""
        bare = value.rstrip(".")
        rest = value[len(bare) :]
        after = found[0][len(f"--{option}") :]
        if option in FLAGS and option not in arguments:
            return FLAGS[option] + after
        if NUMBER.fullmatch(bare):
            return f"{said(option)}={bare}{rest}"
        if bare in CHOICES.get(option, ()) or METAVAR.fullmatch(bare):
            return f"{said(option)}={bare!r}{rest}"
        return said(option) + after

    for command, function in FUNCTIONS.items():
        text = text.replace(command, function)
    return OPTION.sub(alone, REPEATED.sub(in_list, text))


def is_prose(word: str) -> bool:
    """Return whether a word after an option belongs to the sentence: ``--drop and --one-hot``."""
    return word in ("and", "or", "the", "both", "names", "leaves", "column", "those", "excludes")


def in_words(error: CraigError, arguments: Mapping[str, str] = ARGUMENTS) -> CraigError:
    """Return an error said in arguments; that of a table in memory counts rows from 0.

    The report on all columns is the command's: it ends in a line for the shell.
    """
    if isinstance(error, TableError):
        error = error.error
    if not isinstance(error, InputError):
        return type(error)(in_arguments(str(error), arguments))
    problem, row, column = error.problem, error.row, error.column
    if error.source in IN_MEMORY and row is not None:
        place = f"row {row - 1}, counted from 0"
        problem = (
            problem.replace("in this row", f"in {place}")
            if "in this row" in problem
            else f"{problem}, in {place}"
        )
        row = column = None
    return type(error)(
        error.source,
        in_arguments(problem, arguments),
        row=row,
        column=column,
        value=error.value,
        remedy=None if error.remedy is None else in_arguments(error.remedy, arguments),
    )


@contextmanager
def in_words_of(arguments: Mapping[str, str] = ARGUMENTS) -> Iterator[None]:
    """Raise what craig raises within, in the words of a face's arguments.

    Within another face, as that of scikit-learn, in the words of the outer one.
    """
    words = {**arguments, **OUTER.get()}
    token = OUTER.set(words)
    try:
        yield
    except CraigError as error:
        raise in_words(error, words).with_traceback(error.__traceback__) from error.__cause__
    finally:
        OUTER.reset(token)
