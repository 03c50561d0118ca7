"""HDF5 files, to dense or sparse blocks. This process never opens one itself: `hdf5_probe` does, in
a process of its own that may crash.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Labels, Rows, SparseRows
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.amounts import AMOUNTS, Amount, first_unfit
from craig_cli.readers.libsvm import without_zeros
from craig_cli.readers.numbers import (
    first_fault,
    first_unusable,
    first_unusable_label,
    numeric_labels,
)
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("hdf5_probe.py")))
ENVIRONMENT = {"HDF5_PLUGIN_PRELOAD": "::", "HDF5_PLUGIN_PATH": "", "OPENBLAS_NUM_THREADS": "1"}
"""No plugins, which are foreign code, and no threads, whose stacks count as memory."""
SILENCE_SECONDS = 60.0
CORRECT = "Correct it, or leave the row out."


def read_blocks(
    source: Source,
    file: int,
    settings: InputSettings,
    skipped: Callable[[InputError], None],
    categories: Mapping[str, tuple[str, ...]],
) -> Iterator[Block]:
    """Yield the rows of one HDF5 file, in blocks of about ``settings.block_bytes``.

    Parameters
    ----------
    source : Source
        The file.
    file : int
        Its position among the inputs.
    settings : InputSettings
        Uses rows_key, label, no_label, weight_column, cost_column, task and block_bytes.
    skipped : callable
        Never called: ``--on-error skip`` is for rows of text, so a bad row of HDF5 is an error all
        the same.
    categories : mapping
        Empty: HDF5 columns have no names, so none is a ``--one-hot`` column.

    Yields
    ------
    Block
        Dense rows, float32 if they are stored so, else float64; or sparse rows without explicit
        zeros. Labels are int64, float64 or str objects.
    """
    for option, given in (("--drop", settings.drop), ("--one-hot", settings.one_hot)):
        if given:
            raise UsageError(
                f"{option}: columns of hdf5 files have no names. Convert the file to "
                f"CSV or Parquet first."
            )
    request = {
        name: getattr(settings, name) for name in ("rows_key", "label", "no_label", "block_bytes")
    }
    request["amounts"] = {
        amount.field: amount.column(settings)
        for amount in AMOUNTS
        if settings.amounts_needed and amount.column(settings)
    }
    first_row = 0
    with start_probe(request | {"path": source.path}) as probe:
        for header, arrays in messages(probe, source.name):
            rows: Rows | InputError
            if "indptr" in arrays:
                rows = sparse_rows(header["n_columns"], arrays, source.name, first_row)
            else:
                rows = dense_rows(arrays["rows"], source.name, first_row)
            labels = block_labels(header, arrays, source.name, first_row, settings.task)
            amounts = [block_amount(amount, arrays, source.name, first_row) for amount in AMOUNTS]
            faults = [part for part in (rows, labels, *amounts) if isinstance(part, InputError)]
            if isinstance(rows, InputError) or isinstance(labels, InputError) or faults:
                raise first_fault(faults)
            weights, costs = (None if isinstance(part, InputError) else part for part in amounts)
            yield Block(rows, labels, file, weights, costs)
            first_row += rows.shape[0]


@contextmanager
def start_probe(request: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """Give the process that reads the file, killed at the end whatever it does."""
    with subprocess.Popen(
        [*COMMAND, json.dumps(request)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | ENVIRONMENT,
        bufsize=0,
    ) as probe:
        try:
            yield probe
        finally:
            probe.kill()


def messages(
    probe: subprocess.Popen[bytes], name: str
) -> Iterator[tuple[dict[str, Any], dict[str, NDArray]]]:
    """Yield the header and the arrays of each block that the process sends; raises the errors it
    tells of, and those of its end.
    """
    while True:
        length = int.from_bytes(receive(probe, np.empty(8, np.uint8), name).tobytes(), "little")
        header = json.loads(receive(probe, np.empty(length, np.uint8), name).tobytes())
        if "end" in header:
            return
        if "error" in header:
            raise InputError(
                name, **header["error"] | {"problem": printable(header["error"]["problem"])}
            )
        arrays = {
            key: receive(probe, np.empty(shape, dtype), name)
            for key, dtype, shape in header["arrays"]
        }
        if arrays:
            yield header, arrays


def receive(probe: subprocess.Popen[bytes], array: NDArray, name: str) -> NDArray:
    """Fill `array` with the next bytes that the process sends."""
    assert probe.stdout is not None
    space = array.reshape(-1).view(np.uint8).data
    with selectors.DefaultSelector() as selector:
        selector.register(probe.stdout, selectors.EVENT_READ)
        while space:
            if not selector.select(SILENCE_SECONDS):
                problem = (
                    f"the HDF5 library stood still for {SILENCE_SECONDS:g} s reading this file"
                )
                raise InputError(
                    name,
                    problem,
                    remedy="Check that the file is not damaged and that its disk answers.",
                )
            n_read = probe.stdout.readinto(space)  # type: ignore[attr-defined]
            if not n_read:
                remedy = "It may be damaged or made to do harm: use a copy from a source you trust."
                raise InputError(name, "the HDF5 library crashed reading this file", remedy=remedy)
            space = space[n_read:]
    return array


def dense_rows(stored: NDArray, name: str, first_row: int) -> NDArray | InputError:
    """Return dense rows, or the error of the first number that cannot be used."""
    values = as_floats(stored)
    found = first_unusable(values)
    if found is None:
        return values if values.dtype == np.float32 else values.astype(np.float64)
    row, column = divmod(found[0], values.shape[1])
    return InputError(
        name,
        f"the value {found[1]}",
        row=first_row + row + 1,
        column=column + 1,
        value=str(values[row, column]),
        remedy=CORRECT,
    )


def sparse_rows(
    n_columns: int, arrays: dict[str, NDArray], name: str, first_row: int
) -> SparseRows | InputError:
    """Return sparse rows without explicit zeros, or the error of the first entry that cannot be
    used.
    """
    indptr, indices, values = (
        arrays["indptr"],
        arrays["indices"].astype(np.int64),
        as_floats(arrays["values"]),
    )
    is_falling = np.zeros(len(indices), bool)
    is_falling[1:] = indices[1:] <= indices[:-1]
    is_falling[indptr[indptr < len(indices)]] = False
    unusable = first_unusable(values)
    bad_indices = (
        (
            (indices < 0) | (indices >= n_columns),
            f"the column index is not between 0 and {n_columns - 1}",
        ),
        (is_falling, "the column index is not above the one before it"),
    )
    found = [
        (
            int(bad.argmax()),
            problem,
            indices,
            "Write the matrix again, indices ascending within each row.",
        )
        for bad, problem in bad_indices
        if bad.any()
    ]
    if unusable is not None:
        found.append((unusable[0], f"the value {unusable[1]}", values, CORRECT))
    if not found:
        return without_zeros(
            SparseRows(indptr, indices.astype(np.int32), values.astype(np.float64), n_columns)
        )
    entry, problem, wrong, remedy = min(found, key=lambda fault: fault[0])
    row = first_row + int(np.searchsorted(indptr, entry, "right"))
    column = None if wrong is indices else int(indices[entry]) + 1
    return InputError(name, problem, row=row, column=column, value=str(wrong[entry]), remedy=remedy)


def as_floats(values: NDArray) -> NDArray:
    """Return floats as float32 if they are, else as float64; other numbers as they are, so that too
    large ones can be told.
    """
    with np.errstate(over="ignore"):
        return (
            values.astype(np.float64)
            if values.dtype.kind == "f" and values.dtype != np.float32
            else values
        )


def block_labels(
    header: dict[str, Any], arrays: dict[str, NDArray], name: str, first_row: int, task: str
) -> Labels | InputError | None:
    """Return the labels of a block, or the error of the first that cannot be used."""
    if "texts" in header:
        texts: list[str] = header["texts"]
        labels = np.empty(len(texts), object)
        labels[:] = texts
        if task == "regression":
            remedy = "Name other labels with --label PATH, or leave out --task regression."
            return InputError(
                name, "the labels are text, but regression needs numbers", remedy=remedy
            )
        bad = next((row for row, text in enumerate(texts) if not is_whole_text(text)), None)
        if bad is None:
            return labels
        value = texts[bad].encode(errors="surrogateescape").decode(errors="backslashreplace")
        return InputError(
            name,
            "the label is not UTF-8 text",
            row=first_row + bad + 1,
            value=value,
            remedy="Write it as UTF-8.",
        )
    if "labels" not in arrays:
        return None
    numbers = as_floats(arrays["labels"])
    found = first_unusable_label(numbers, task)
    if found is None:
        return numeric_labels(numbers, task)
    row, problem = found
    return InputError(
        name,
        f"the label {problem}",
        row=first_row + row + 1,
        value=str(numbers[row]),
        remedy=CORRECT,
    )


def block_amount(
    amount: Amount, arrays: dict[str, NDArray], name: str, first_row: int
) -> NDArray[np.float64] | InputError | None:
    """Return the weights or the costs of a block, or the error of the first that cannot be used;
    None where there are none.
    """
    if amount.field not in arrays:
        return None
    numbers = as_floats(arrays[amount.field])
    found = first_unfit(numbers, amount)
    if found is None:
        return numbers.astype(np.float64)
    row, problem = found
    return InputError(
        name,
        f"the {amount.field.removesuffix('s')} {problem}",
        row=first_row + row + 1,
        value=str(numbers[row]),
        remedy=CORRECT,
    )


def is_whole_text(text: str) -> bool:
    """Return whether no byte of `text` was escaped in decoding it."""
    return not any("\udc80" <= character <= "\udcff" for character in text)
