"""Chosen rows as Vowpal Wabbit text."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

from craig_cli.errors import printable
from craig_cli.writers.subset import Subset, entries, number_text
from craig_cli.writers.target import Target, Writer

SPECIAL = re.compile(r"[\s:|]")


def write(out: BinaryIO, subset: Subset, target: Target) -> str:
    """Write label, weight as importance, id or row as tag, column:value; return what labels became.

    Two classes become -1 and 1 (``--loss_function logistic``), more 1, 2, ... (``--oaa``), each in
    sorted order; a target stays.
    """
    labels, told = label_texts(subset)
    names = [SPECIAL.sub("_", name) for name in subset.column_names()]
    named_by = subset.index if subset.ids is None else subset.ids
    tags = [SPECIAL.sub("_", str(tag)) for tag in named_by.tolist()]
    for label, weight, tag, row in zip(
        labels, subset.weight.tolist(), tags, entries(subset.rows), strict=True
    ):
        features = " ".join(f"{names[column]}:{number_text(value)}" for column, value in row)
        out.write(f"{label} {number_text(weight)} '{tag}| {features}\n".encode())
    return told


def label_texts(subset: Subset) -> tuple[list[str], str]:
    """Return labels as Vowpal Wabbit takes them, and what they were; empty where they stay."""
    if subset.labels is None:
        return [""] * len(subset.index), ""
    if subset.is_regression:
        return [number_text(label) for label in subset.labels.tolist()], ""
    values, codes = np.unique(subset.labels, return_inverse=True)
    numbers = ["-1", "1"] if len(values) == 2 else [str(code + 1) for code in range(len(values))]
    texts = [value if isinstance(value, str) else number_text(value) for value in values.tolist()]
    if texts == numbers:
        return [numbers[code] for code in codes], ""
    shown = ", ".join(
        f"{printable(text, 40)} is {number}"
        for text, number in list(zip(texts, numbers, strict=True))[:10]
    )
    return [numbers[code] for code in codes], f"labels: {shown}{' ...' if len(texts) > 10 else ''}"


WRITER = Writer(write)
