"""Chosen rows as LIBSVM text."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Lines
from craig_cli.errors import InputError, UsageError
from craig_cli.writers.subset import Subset, entries, number_text
from craig_cli.writers.target import Target, Writer

LABEL = re.compile(rb"[ \t]*([^ \t\r\n#:]+)(:[ \t]*[^ \t\r\n#]*)?")
"""The label of a line, and its weight if it has one."""


def write(out: BinaryIO, subset: Subset, target: Target) -> str:
    """Write ``label index:value ...`` lines, indices from 1; inline: ``label:weight ...``."""
    for label, weight, row in zip(
        label_texts(subset), subset.weight.tolist(), entries(subset.rows), strict=True
    ):
        start = f"{label}:{number_text(weight)}" if target.place == "inline" else label
        words = [start, *(f"{column + 1}:{number_text(value)}" for column, value in row)]
        out.write((" ".join(words) + "\n").encode())
    return ""


def label_texts(subset: Subset) -> list[str]:
    """Return labels as LIBSVM takes them, 0 where there are none; raises `InputError` for text."""
    if subset.labels is None:
        return ["0"] * len(subset.index)
    if subset.labels.dtype == object:
        remedy = "Write --to csv, parquet, hdf5 or vw, or make them numbers first."
        raise InputError(
            "--to libsvm",
            "labels are text, and LIBSVM takes numbers",
            value=str(subset.labels[0]),
            remedy=remedy,
        )
    return [number_text(label) for label in subset.labels.tolist()]


def copy(
    out: BinaryIO,
    lines: Lines,
    by: NDArray[np.int64],
    weight: NDArray[np.float64],
    target: Target,
) -> None:
    """Write lines as they stand; inline: with the weight after the label, in the place of one that
    is there; file: without such a one, as it counts no more.
    """
    for place, value in zip(by.tolist(), weight.tolist(), strict=True):
        record = lines.records[place]
        found = LABEL.match(record)
        label, old = found.groups() if found else (b"", None)
        if target.place == "inline":
            if found is None or (old is not None and not lines.has_labels):
                raise UsageError(
                    "--weight-as inline: a row has no label to put its weight after. Use "
                    "--weight-as file."
                )
            record = label + f":{number_text(value)}".encode() + record[found.end() :]
        elif target.place == "file" and found is not None and old is not None and lines.has_labels:
            record = label + record[found.end() :]
        out.write(record)


WRITER = Writer(write, ("file", "inline", "none"), copy, "libsvm")
