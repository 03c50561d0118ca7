"""What the arguments of Python's functions say: where the data is, and how it is read."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp

from craig_cli.arrays import amounts_of, labels_of, rows_of
from craig_cli.dataset import Dataset, Encoding, Progress
from craig_cli.errors import UsageError
from craig_cli.readers import read_dataset
from craig_cli.readers.amounts import COST, WEIGHT
from craig_cli.readers.memory import as_table, read_table
from craig_cli.settings import InputSettings, SelectionSettings
from craig_cli.settings.purpose import PAPER, Purpose

Settings = TypeVar("Settings")

NO_READING = frozenset(
    {"paths", "label", "task", "weight_column", "cost_column", "proxy", "amounts_needed",
     "block_bytes", "memory_bytes", "task_given", "strict"}
)  # fmt: skip
READING = {field.name: field for field in fields(InputSettings) if field.name not in NO_READING}
"""How data is read: the arguments of these names, with the defaults of the command."""
FOR_FILES = frozenset(
    {"format", "index_base", "delimiter", "header", "rows_key", "decimal", "thousands",
     "partition_columns", "inline_weights"}
)  # fmt: skip
"""Those that mean nothing for what is in memory."""
ELSEWHERE = {
    "random_state": "seed",
    "n_jobs": "threads",
    "verbose": "progress",
    "n_samples": "size",
    "frac": "fraction",
}
"""What scikit-learn and pandas call an argument."""


@dataclass(frozen=True)
class Data:
    """Where the rows are: in files, still to be read, or in memory.

    Parameters
    ----------
    has_labels : bool
    inputs : InputSettings
        How they are read; of rows in memory what a file of them would be read by.
    dataset : Dataset or None
        None: they are in files.
    """

    has_labels: bool
    inputs: InputSettings
    dataset: Dataset | None = None


def make(kind: Callable[..., Settings], asked: Mapping[str, Any], **values: Any) -> Settings:
    """Return settings: `values`, and the arguments of the same names for all other fields."""
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name in asked:
            values.setdefault(field.name, asked[field.name])
        if field.name in values:
            values[field.name] = plain(values[field.name], str(field.type))
    return kind(**values)


def plain(value: Any, kind: str) -> Any:
    """Return a setting as the command would have it, which a manifest records: numbers of numpy as
    those of Python, and whole ones as floats where the setting is one.
    """
    if isinstance(value, tuple):
        return tuple(plain(one, kind.removeprefix("tuple[")) for one in value)
    if isinstance(value, np.generic):
        value = value.item()
    return float(value) if kind.startswith("float") and type(value) is int else value


def in_full(function: Callable[..., Any]) -> inspect.Signature:
    """Return a signature that names all arguments of reading, in place of ``**reading``."""
    signature = inspect.signature(function)
    given = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    named = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type
        )
        for name, field in READING.items()
    ]
    return signature.replace(parameters=[*given, *named])


def check_reading(reading: Mapping[str, Any], function: Callable[..., Any]) -> None:
    """Raise `TypeError`, as Python does, for an argument that a function does not have."""
    known = list(inspect.signature(function).parameters)
    for name in reading:
        if name not in READING:
            close = ELSEWHERE.get(name) or next(iter(difflib.get_close_matches(name, known)), "")
            meant = f". Did you mean '{close}'?" if close else ""
            raise TypeError(
                f"{function.__name__}() got an unexpected keyword argument '{name}'{meant}"
            )


def chosen(asked: Mapping[str, Any]) -> tuple[str, Purpose]:
    """Return the method, and the purpose with its choices; `paper` leaves none of them."""
    choices = ("representative", "weights", "allocation")
    options = {name: asked[name] for name in ("purpose", "method", *choices)}
    if asked["paper"]:
        defaults = {"method": SelectionSettings.method, "refine": False, "sample_rows": 0}
        defaults["allocation"] = Purpose.allocation
        for name in (*options, "refine", "sample_rows"):
            if asked[name] not in (defaults.get(name), PAPER.get(name)):
                raise UsageError(
                    f"paper=True leaves no choice of {name}: leave one of the two out."
                )
        options |= PAPER
    return options["method"], Purpose(options["purpose"], *(options[name] for name in choices))


def column_of_labels(asked: Mapping[str, Any]) -> Any:
    """Return `y`, or the name of its column that `label` gives."""
    if asked["label"] is None:
        return asked["y"]
    if asked["y"] is not None:
        raise UsageError("y and label are the same: give one of the two.")
    return asked["label"]


def data_of(asked: Mapping[str, Any], y: Any, trained: Dataset | None = None) -> Data:
    """Return the data that `X` is or names.

    `trained`: that of the models that it is to test; it has their columns, and needs neither
    weights nor costs.
    """
    X, reading = asked["X"], settings_of(asked["reading"])
    if names_files(X):
        inputs = replace(files_of(asked, y, reading), amounts_needed=trained is None)
        return Data(not inputs.no_label, inputs)
    for name in sorted(FOR_FILES & set(reading)):
        raise UsageError(f"{name}: it is for files, and X is in memory. Leave it out.")
    dataset, inputs = in_memory(asked, y, reading, trained)
    if dataset.labels is not None:
        inputs = replace(inputs, no_label=False, task=asked["task"])
    return Data(dataset.labels is not None, inputs, dataset)


def dataset_of(data: Data, progress: Progress, encoding: Encoding | None = None) -> Dataset:
    """Return rows in memory as they are, and read those in files."""
    if data.dataset is not None:
        return data.dataset
    return read_dataset(data.inputs, progress, encoding)


def recorded(request: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with those of the data that are not given as the request of a manifest
    records them.
    """
    X, then = asked["X"], request.get("input", {})
    found = {**asked, "task": then.get("task", InputSettings.task), "proxy": None}
    in_files = names_files(X)
    if not in_files and (sp.issparse(X) or as_table(X) is None):
        return found
    passed_over = frozenset() if in_files else FOR_FILES | {"no_label"}
    reading = {name: then[name] for name in READING if name in then and name not in passed_over}
    found["reading"] = reading | dict(asked["reading"])
    columns = {"y": "label", "sample_weight": "weight_column", "costs": "cost_column"}
    for name, option in columns.items():
        if asked[name] is None:
            found[name] = then.get(option)
    return found


def settings_of(reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of reading that are not the defaults; names of columns as a tuple."""
    given = {}
    for name, value in reading.items():
        default = READING[name].default
        if default == ():
            value = (value,) if isinstance(value, str) else tuple(map(str, value or ()))
        if value != default:
            given[name] = value
    return given


def names_files(X: Any) -> bool:
    """Return whether `X` is the name of a file, or a list of names."""
    return isinstance(X, (str, os.PathLike)) or (
        isinstance(X, (list, tuple))
        and len(X) > 0
        and all(isinstance(x, (str, os.PathLike)) for x in X)
    )


def files_of(asked: Mapping[str, Any], y: Any, reading: Mapping[str, Any]) -> InputSettings:
    """Return how files are read; `y` of None is the usual label."""
    X, weight, cost = asked["X"], asked["sample_weight"], asked["costs"]
    for name, value, what in (
        ("y", y, "label"),
        ("sample_weight", weight, "weight"),
        ("costs", cost, "cost"),
    ):
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{name}: of a file it is the name of the {what} column, or None.")
    paths = (X,) if isinstance(X, (str, os.PathLike)) else X
    proxy = asked["proxy"]
    return InputSettings(
        tuple(os.fspath(path) for path in paths),
        label=y,
        task=asked["task"],
        weight_column=weight,
        cost_column=cost,
        proxy=os.fspath(proxy) if isinstance(proxy, (str, os.PathLike)) else None,
        **reading,
    )


def in_memory(
    asked: Mapping[str, Any], y: Any, reading: Mapping[str, Any], trained: Dataset | None = None
) -> tuple[Dataset, InputSettings]:
    """Return rows in memory, with their labels, weights and costs, as a data set; and how they were
    read.
    """
    X, argument = asked["X"], "X" if trained is None else "X_test"
    columns = {"y": y, "sample_weight": asked["sample_weight"], "costs": asked["costs"]}
    named = {name: value for name, value in columns.items() if isinstance(value, str)}
    if not named and not reading and is_sparse_frame(X):
        X = X.sparse.to_coo()
    table = None if sp.issparse(X) else as_table(X, argument)
    settings = {"no_label": "y" not in named} | dict(reading)
    inputs = InputSettings(
        ("X",),
        label=named.get("y"),
        task=asked["task"] if "y" in named else InputSettings.task,
        weight_column=named.get("sample_weight"),
        cost_column=named.get("costs"),
        amounts_needed=trained is None,
        **settings,
    )
    if table is None:
        for name in (*named, *reading):
            raise UsageError(
                f"{name}: the columns of {argument} have no names. Give a table, or the name of a "
                "file."
            )
        dataset = Dataset(rows_of(X, argument), None)
    else:
        encoding = None if trained is None else trained.encoding
        dataset = read_table(table, inputs, argument, encoding)
    given = {name: value for name, value in columns.items() if name not in named}
    if trained is None:
        return with_columns(dataset, given), inputs
    return replace(with_columns(dataset, given, "y_test"), files=(argument,)), inputs


def is_sparse_frame(X: Any) -> bool:
    """Return whether a table of pandas is sparse in all columns, zeros left out."""
    kinds = list(getattr(X, "dtypes", ())) if hasattr(X, "iloc") and hasattr(X, "columns") else []
    return bool(kinds) and all(getattr(kind, "fill_value", None) == 0 for kind in kinds)


def with_columns(dataset: Dataset, given: Mapping[str, Any], y: str = "y") -> Dataset:
    """Return a data set with the labels, weights and costs that are given as arrays; `y` is what
    errors call the labels.
    """
    n = dataset.n_rows
    found: dict[str, Any] = {}
    if given.get("y") is not None:
        found["labels"] = labels_of(given["y"], n, y)
    if given.get("sample_weight") is not None:
        found["weights"] = amounts_of("sample_weight", given["sample_weight"], n, WEIGHT)
    if given.get("costs") is not None:
        found["costs"] = amounts_of("costs", given["costs"], n, COST)
    return replace(dataset, **found)
