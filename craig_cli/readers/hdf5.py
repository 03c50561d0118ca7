"""HDF5 files, to dense or sparse blocks.

This process never opens one itself: `hdf5_probe` does, in a process of its own that may crash.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, Labels, SparseRows, take_from_block
from craig_cli.errors import InputError, printable
from craig_cli.platform import available_bytes
from craig_cli.readers.amounts import AMOUNTS, unfit
from craig_cli.readers.formats import NAMELESS, Reader
from craig_cli.readers.libsvm import without_zeros
from craig_cli.readers.numbers import CORRECT, BlockCheck, as_floats, unusable
from craig_cli.readers.skipped import Skipped
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("hdf5_probe.py")))
ENVIRONMENT = {"HDF5_PLUGIN_PRELOAD": "::", "HDF5_PLUGIN_PATH": "", "OPENBLAS_NUM_THREADS": "1"}
"""No plugins, which are foreign code, and no threads, whose stacks count as memory."""
SILENCE_SECONDS = 60.0


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, encoding: Encoding | None
) -> Iterator[Block]:
    """Yield the rows of one HDF5 file, in blocks of about ``settings.block_bytes``.

    Dense rows are float32 if they are stored so, else float64; sparse rows are without explicit
    zeros. Labels are int64, float64 or str objects. Uses rows_key, label, no_label, weight_column,
    cost_column, task, on_error and block_bytes of `settings`.
    """
    request = {
        name: getattr(settings, name) for name in ("rows_key", "label", "no_label", "block_bytes")
    }
    amounts = [amount for amount in AMOUNTS if settings.amounts_needed and amount.column(settings)]
    request["memory"] = settings.memory_bytes or available_bytes()
    request["amounts"] = {amount.field: amount.column(settings) for amount in amounts}
    first_row = 0
    with start_probe(request | {"path": source.location.path}) as probe:
        for header, arrays in messages(probe, source.name):
            check = BlockCheck(source.name, first_row)
            rows = (
                sparse_rows(check, header["n_columns"], arrays)
                if "indptr" in arrays
                else check.rows(arrays["rows"])
            )
            labels: Labels | None = None
            if "texts" in header:
                labels = text_labels(check, header["texts"], settings.task)
            elif "labels" in arrays:
                labels = check.labels(arrays["labels"], settings.task)
            for name, lacking in header.get("missing", {}).items():
                without, called = np.array(lacking, np.int64), name.removesuffix("s")
                check.add(f"the {called} has no value in this row", without, None)
            beside = {amount.field: as_floats(arrays[amount.field]) for amount in amounts}
            for amount in amounts:
                numbers, called = beside[amount.field], amount.field.removesuffix("s")
                for bad, problem in unfit(numbers, amount):
                    wrong = np.flatnonzero(bad)
                    check.add(f"the {called} {problem}", wrong, numbers[wrong])
            n_rows = rows.shape[0]
            kept = check.settle(n_rows, settings.on_error, skipped)
            weights, costs = (
                None if numbers is None else numbers.astype(np.float64)
                for numbers in map(beside.get, ("weights", "costs"))
            )
            if kept is None or len(kept):
                yield take_from_block(Block(rows, labels, file, weights, costs), kept)
            first_row += n_rows


@contextmanager
def start_probe(request: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """Give the process that reads the file, killed at the end whatever it does."""
    with subprocess.Popen(
        [*COMMAND, json.dumps(request)],
        stdin=subprocess.PIPE,  # nothing is written: it ends when this process does
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
    """Yield the header and the arrays of each block that the process sends.

    Raises the errors it tells of, and those of its end.
    """
    while True:
        length = int.from_bytes(receive(probe, np.empty(8, np.uint8), name).tobytes(), "little")
        header = json.loads(receive(probe, np.empty(length, np.uint8), name).tobytes())
        if "end" in header:
            return
        if "error" in header:
            words = {key: printable(header["error"][key]) for key in ("problem", "remedy")}
            raise InputError(name, **header["error"] | words)
        arrays = {
            key: receive(probe, np.empty(shape, dtype), name)
            for key, dtype, shape in header["arrays"]
        }
        if arrays:
            yield header, arrays


def receive(probe: subprocess.Popen[bytes], array: NDArray, name: str) -> NDArray:
    """Fill `array` with the next bytes that the process sends; it is ended if they do not come."""
    assert probe.stdout is not None
    space = array.reshape(-1).view(np.uint8).data
    is_given_up = threading.Event()

    def give_up() -> None:
        is_given_up.set()
        probe.kill()

    # No system's word for it: Windows waits for sockets, and not for pipes.
    timer = threading.Timer(SILENCE_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    try:
        while space:
            n_read = probe.stdout.readinto(space)  # type: ignore[attr-defined]
            if not n_read:
                break
            space = space[n_read:]
    finally:
        timer.cancel()
    if not space:
        return array
    problem = "the HDF5 library crashed reading this file"
    remedy = "It may be damaged or made to do harm: use a copy from a source you trust."
    if is_given_up.is_set():
        problem = f"the HDF5 library stood still for {SILENCE_SECONDS:g} s reading this file"
        remedy = "Check that the file is not damaged and that its disk answers."
    raise InputError(name, problem, remedy=remedy)


def sparse_rows(check: BlockCheck, n_columns: int, arrays: dict[str, NDArray]) -> SparseRows:
    """Return sparse rows without explicit zeros; the first bad entry of a row is its fault."""
    indptr, indices = arrays["indptr"], arrays["indices"].astype(np.int64)
    values = as_floats(arrays["values"])
    is_falling = np.zeros(len(indices), bool)
    is_falling[1:] = indices[1:] <= indices[:-1]
    is_falling[indptr[indptr < len(indices)]] = False
    rewrite = "Write the matrix again, indices ascending within each row."
    outside = f"the column index is not between 0 and {n_columns - 1}"
    found = [
        ((indices < 0) | (indices >= n_columns), outside, indices, rewrite),
        (is_falling, "the column index is not above the one before it", indices, rewrite),
    ]
    found += [(bad, f"the value {problem}", values, CORRECT) for bad, problem in unusable(values)]
    is_taken = np.zeros(len(indptr) - 1, bool)
    entries = np.flatnonzero(np.any([bad for bad, *_ in found], axis=0))
    rows, first = np.unique(np.searchsorted(indptr, entries, "right") - 1, return_index=True)
    entries = entries[first]
    for bad, problem, seen, remedy in found:
        own = bad[entries] & ~is_taken[rows]
        is_taken[rows[own]] = True
        columns = None if seen is indices else indices[entries[own]]
        check.add(problem, rows[own], seen[entries[own]], columns, remedy)
    return without_zeros(
        SparseRows(indptr, indices.astype(np.int32), values.astype(np.float64), n_columns)
    )


def text_labels(check: BlockCheck, texts: list[str], task: str) -> NDArray[np.object_]:
    """Return labels of text; those that are not UTF-8 are faults, and for regression any."""
    if task == "regression":
        remedy = "Name other labels with --label PATH, or leave out --task regression."
        raise InputError(
            check.name, "the labels are text, but regression needs numbers", remedy=remedy
        )
    bad = [row for row, text in enumerate(texts) if not is_whole_text(text)]
    seen = [
        texts[row].encode(errors="surrogateescape").decode(errors="backslashreplace") for row in bad
    ]
    wrong = np.array(bad, np.int64)
    check.add("the label is not UTF-8 text", wrong, seen, remedy="Write it as UTF-8.")
    labels = np.empty(len(texts), object)
    labels[:] = texts
    return labels


def is_whole_text(text: str) -> bool:
    """Return whether no byte of `text` was escaped in decoding it."""
    return not any("\udc80" <= character <= "\udcff" for character in text)


READER = Reader(
    read_blocks,
    {
        option: NAMELESS[option]
        for option in ("--drop", "--one-hot", "--features", "--id", "--missing")
    },
    needs_path=True,
)
