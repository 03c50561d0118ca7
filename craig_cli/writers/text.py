"""Chosen rows as lines of text: LIBSVM, CSV, TSV and Vowpal Wabbit."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.writers.subset import Subset, check_width, entries, number_text

VW_SPECIAL = re.compile(r"[\s:|]")
LINE_END = re.compile(rb"\r?\n\Z")


@contextmanager
def compressed(out: BinaryIO, codec: str | None) -> Iterator[BinaryIO]:
    """Give a stream whose bytes go to `out` compressed; equal bytes give equal bytes, as no clock
    or name is stored.
    """
    if codec is None:
        yield out
    elif codec == "gzip":
        with gzip.GzipFile("", "wb", fileobj=out, mtime=0) as stream:
            yield cast(BinaryIO, stream)
    elif codec in ("bz2", "xz"):
        with bz2.BZ2File(out, "wb") if codec == "bz2" else lzma.LZMAFile(out, "wb") as stream:
            yield cast(BinaryIO, stream)
    else:
        import pyarrow

        buffer = (
            pyarrow.BufferOutputStream()
        )  # the stream closes what it writes to, and `out` is not its own
        with pyarrow.CompressedOutputStream(buffer, codec) as stream:
            yield cast(BinaryIO, stream)
        out.write(buffer.getvalue())


def write_weights(out: BinaryIO, weight: NDArray[np.float64]) -> None:
    """Write one weight a line, as LightGBM reads from a file of the data's name and ``.weight``."""
    out.write(b"".join(f"{number_text(value)}\n".encode() for value in weight.tolist()))


def libsvm_labels(subset: Subset) -> list[str]:
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


def write_libsvm(out: BinaryIO, subset: Subset, inline: bool) -> None:
    """Write ``label index:value ...`` lines, indices from 1; `inline`: ``label:weight index:value
    ...``.
    """
    for label, weight, row in zip(
        libsvm_labels(subset), subset.weight.tolist(), entries(subset.rows), strict=True
    ):
        start = f"{label}:{number_text(weight)}" if inline else label
        out.write(
            (
                " ".join([start, *(f"{column + 1}:{number_text(value)}" for column, value in row)])
                + "\n"
            ).encode()
        )


def copy_libsvm(
    out: BinaryIO, records: Sequence[bytes], weight: NDArray[np.float64], inline: bool
) -> None:
    """Write LIBSVM lines as they stand; `inline`: with the weight after the label."""
    for record, value in zip(records, weight.tolist(), strict=True):
        if not inline:
            out.write(record)
            continue
        body = record.lstrip(b" \t")
        label = re.split(rb"[ \t\r\n#]", body, maxsplit=1)[0]
        if b":" in label:
            raise UsageError(
                "--weight-as inline: a row has no label to put its weight after. Use "
                "--weight-as file."
            )
        out.write(label + f":{number_text(value)}".encode() + body[len(label) :])


def write_delimited(out: BinaryIO, subset: Subset, delimiter: str, weight_name: str | None) -> None:
    """Write a header and a row a line: columns, label, weight. Memory: a row, zeros and all."""
    check_width(subset.rows, "csv" if delimiter == "," else "tsv")
    names = [*subset.column_names(), *([] if subset.labels is None else [subset.label_name])]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")

    def write(fields: Sequence[str]) -> None:
        writer.writerow(fields)
        out.write(text.getvalue().encode())
        text.seek(0)
        text.truncate()

    write(with_weight_name(names, weight_name))
    for place in range(len(subset.index)):
        fields = [number_text(value) for value in dense_row(subset, place).tolist()]
        if subset.labels is not None:
            label = subset.labels[place]
            fields.append(label if isinstance(label, str) else number_text(label))
        write(fields if weight_name is None else [*fields, number_text(subset.weight[place])])


def dense_row(subset: Subset, place: int) -> NDArray[np.floating]:
    """Return one row, zeros and all."""
    rows = subset.rows
    if not isinstance(rows, SparseRows):
        whole: NDArray[np.floating] = rows[place]
        return whole
    row = np.zeros(rows.n_columns)
    span = slice(int(rows.indptr[place]), int(rows.indptr[place + 1]))
    row[rows.indices[span]] = rows.values[span]
    return row


def with_weight_name(names: Sequence[str], weight_name: str | None) -> list[str]:
    """Return the names of the columns and that of the weight after them; raises `UsageError` if it
    is taken.
    """
    if weight_name is None:
        return list(names)
    if weight_name in names:
        raise UsageError(
            f"--weight-name: there is a column '{printable(weight_name)}' already. "
            f"Choose another name, or --weight-as none."
        )
    return [*names, weight_name]


def copy_delimited(
    out: BinaryIO,
    names: Sequence[str] | None,
    records: Sequence[bytes],
    delimiters: tuple[str, str],
    weight: NDArray[np.float64],
    name: str | None,
) -> None:
    """Write delimited rows as they stand, the weight after the last field.

    Parameters
    ----------
    out : BinaryIO
    names : sequence of str or None
        Of all columns, for the header; None for no header.
    records : sequence of bytes
        Each with its newline.
    delimiters : (str, str)
        Of the records, and to write. Where they differ, fields are quoted anew and keep their
        texts.
    weight : ndarray of float64
    name : str or None
        Of the column of weights; None for none.
    """
    old, new = delimiters
    if names is not None:
        text = io.StringIO()
        csv.writer(text, delimiter=new, lineterminator="\n").writerow(with_weight_name(names, name))
        out.write(text.getvalue().encode())
    for record, value in zip(records, weight.tolist(), strict=True):
        line = record if old == new else requoted(record, old, new)
        if name is None:
            out.write(line)
            continue
        end = LINE_END.search(line)
        stop = len(line) if end is None else end.start()
        out.write(line[:stop] + f"{new}{number_text(value)}".encode() + line[stop:])


def requoted(record: bytes, old: str, new: str) -> bytes:
    """Return a row with another delimiter, its fields' texts as they are."""
    text = io.StringIO()
    source = io.StringIO(record.decode(errors="surrogateescape"), newline="")
    csv.writer(text, delimiter=new, lineterminator="\n").writerows(
        csv.reader(source, delimiter=old, skipinitialspace=True)
    )
    return text.getvalue().encode(errors="surrogateescape")


def write_vw(out: BinaryIO, subset: Subset) -> str:
    """Write Vowpal Wabbit lines: label, weight as importance, row as tag, and column:value. Return
    what the labels have become.

    Two classes become -1 and 1 (``--loss_function logistic``), more 1, 2, ... (``--oaa``), each in
    sorted order; a target stays.
    """
    labels, told = vw_labels(subset)
    names = [VW_SPECIAL.sub("_", name) for name in subset.column_names()]
    for label, weight, index, row in zip(
        labels, subset.weight.tolist(), subset.index.tolist(), entries(subset.rows), strict=True
    ):
        features = " ".join(f"{names[column]}:{number_text(value)}" for column, value in row)
        out.write(f"{label} {number_text(weight)} '{index}| {features}\n".encode())
    return told


def vw_labels(subset: Subset) -> tuple[list[str], str]:
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
