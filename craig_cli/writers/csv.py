"""Chosen rows as delimited text: CSV and TSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Lines, as_dense
from craig_cli.writers.subset import Subset, check_width, number_text, with_weight_name
from craig_cli.writers.target import Target, Writer

DELIMITERS = {"csv": ",", "tsv": "\t"}
LINE_END = re.compile(rb"\r?\n\Z")


def write(out: BinaryIO, subset: Subset, target: Target) -> str:
    """Write a header and a row a line: columns, label, weight. Memory: a row, zeros and all."""
    check_width(subset.rows, target.format)
    names = [*subset.column_names(), *([] if subset.labels is None else [subset.label_name])]
    if subset.ids is not None:
        names = [subset.id_name, *names]
    delimiter = DELIMITERS[target.format]
    out.write(line(with_weight_name(names, target.column), delimiter))
    for place in range(len(subset.index)):
        row = as_dense(subset.rows[place : place + 1])[0]
        fields = [number_text(value) for value in row.tolist()]
        if subset.ids is not None:
            fields = [str(subset.ids[place]), *fields]
        if subset.labels is not None:
            label = subset.labels[place]
            fields.append(label if isinstance(label, str) else number_text(label))
        if target.column is not None:
            fields.append(number_text(subset.weight[place]))
        out.write(line(fields, delimiter))
    return ""


def line(fields: Sequence[str], delimiter: str, line_end: bytes = b"\n") -> bytes:
    """Return one line of fields, quoted where they have to be."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end.decode()).writerow(fields)
    return text.getvalue().encode()


def copy(
    out: BinaryIO,
    lines: Lines,
    by: NDArray[np.int64],
    weight: NDArray[np.float64],
    target: Target,
) -> None:
    """Write rows as they stand, the weight after the last field.

    Between CSV and TSV fields are quoted anew, and keep their texts. Rows keep their line ends; the
    header has that of the first file.
    """
    new = DELIMITERS[target.format] if lines.format != target.format else lines.delimiter
    if lines.names is not None:
        out.write(line(with_weight_name(lines.names, target.column), new, lines.line_end))
    for place, value in zip(by.tolist(), weight.tolist(), strict=True):
        record = lines.records[place]
        if lines.delimiter != new:
            record = requoted(record, lines.delimiter, new)
        if target.column is not None:
            end = LINE_END.search(record)
            stop = len(record) if end is None else end.start()
            record = record[:stop] + f"{new}{number_text(value)}".encode() + record[stop:]
        out.write(record)


def requoted(record: bytes, old: str, new: str) -> bytes:
    """Return a row with another delimiter, its fields' texts and its line end as they are."""
    text, end = io.StringIO(), LINE_END.search(record)
    source = io.StringIO(record.decode(errors="surrogateescape"), newline="")
    line_end = "\n" if end is None else end[0].decode()
    csv.writer(text, delimiter=new, lineterminator=line_end).writerows(
        csv.reader(source, delimiter=old, skipinitialspace=True)
    )
    return text.getvalue().encode(errors="surrogateescape")


WRITER = Writer(write, ("column", "file", "none"), copy, "delimited")
