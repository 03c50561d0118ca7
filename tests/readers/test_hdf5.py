"""HDF5 files: what is read, in blocks of any size, the whole text of every error, and a library that crashes or hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_matrix, random_array

from craig_cli.blocks import SparseRows
from craig_cli.errors import InputError, UsageError
from craig_cli.readers import hdf5, hdf5_probe, parquet
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings

BLOCK_SIZES = [1, 100, 4096, 4 << 20]


def never(error: InputError) -> None:
    raise AssertionError(error)


def read(path: Path, **options) -> tuple[np.ndarray | csr_matrix, np.ndarray | None]:  # type: ignore[no-untyped-def]
    """Return all rows and labels of a file."""
    settings = InputSettings((str(path),), **options)
    (source,) = expand_sources(settings)
    blocks = list(hdf5.read_blocks(source, 3, settings, never, {}))
    assert all(block.file == 3 for block in blocks)
    if not blocks:
        return np.empty((0, 0)), None
    labels = None if blocks[0].labels is None else np.concatenate([block.labels for block in blocks])
    if not isinstance(blocks[0].rows, SparseRows):
        return np.concatenate([block.rows for block in blocks]), labels
    assert all([array.dtype for array in block.rows[:3]] == [np.int64, np.int32, np.float64] for block in blocks)
    indptr = np.concatenate([[0], *(np.diff(block.rows.indptr) for block in blocks)]).cumsum()
    parts = (np.concatenate([block.rows.values for block in blocks]), np.concatenate([block.rows.indices for block in blocks]), indptr)
    return csr_matrix(parts, shape=(len(indptr) - 1, blocks[0].rows.n_columns)), labels


def write(folder: Path, contents: dict[str, object]) -> Path:
    """Write datasets, links and, given as functions of the file, anything else."""
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        for name, content in contents.items():
            if isinstance(content, Callable):
                content(file, name)
            else:
                file[name] = content
    return path


def stored(**options) -> Callable[[h5py.File, str], object]:  # type: ignore[no-untyped-def]
    return lambda file, name: file.create_dataset(name, **options)


def sparse(**changes: object) -> dict[str, object]:
    """Return the parts of a 3 x 4 matrix, with labels."""
    parts = {"data": [1.0, 2, 3, 4], "indices": [0, 3, 1, 2], "indptr": [0, 2, 2, 4]} | changes
    return {f"m/{name}": value for name, value in parts.items() if value is not None} | {"y": [1, 2, 3]}


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_parquet_dense_and_sparse_agree(tmp_path: Path, block_bytes: int) -> None:
    rng = np.random.default_rng(2)
    matrix = csr_matrix(random_array((150, 12), density=0.3, rng=rng, format="csr"))
    matrix.sort_indices()
    labels = rng.integers(0, 3, 150)
    columns = {f"x{column}": values for column, values in enumerate(matrix.toarray().T)}
    pq.write_table(pa.table(columns | {"y": labels}), tmp_path / "rows.parquet")
    settings = InputSettings((str(tmp_path / "rows.parquet"),), block_bytes=block_bytes)
    blocks = list(parquet.read_blocks(expand_sources(settings)[0], 0, settings, never, {}))
    path = write(
        tmp_path,
        {
            "X": stored(data=matrix.toarray(), chunks=(40, 5), compression="gzip", shuffle=True, fletcher32=True),
            "s/data": stored(data=matrix.data, chunks=(50,), compression="lzf"),
            "s/indices": matrix.indices,
            "s/indptr": matrix.indptr,
            "s/shape": matrix.shape,
            "y": labels,
        },
    )
    dense, dense_labels = read(path, block_bytes=block_bytes)
    found, found_labels = read(path, rows_key="s", block_bytes=block_bytes)
    assert np.array_equal(np.concatenate([block.rows for block in blocks]), dense)
    assert np.array_equal(found.toarray(), dense)
    assert np.array_equal(dense, matrix.toarray())
    assert np.array_equal(found.indices, matrix.indices)
    for some in (dense_labels, found_labels, np.concatenate([block.labels for block in blocks])):
        assert some.dtype == np.int64
        assert np.array_equal(some, labels)


TYPES = [
    ("f8", np.float64),
    (">f8", np.float64),
    ("f4", np.float32),
    (">f4", np.float32),
    ("f2", np.float64),
    (np.longdouble, np.float64),
    ("i1", np.float64),
    (">u4", np.float64),
    ("i8", np.float64),
    ("u8", np.float64),
    (bool, np.float64),
]


@pytest.mark.parametrize(("kind", "expected"), TYPES)
def test_numeric_types(tmp_path: Path, kind: object, expected: type) -> None:
    rows, labels = read(write(tmp_path, {"X": np.array([[0, 1], [1, 0]], kind), "y": np.array([1, 0], kind)}))
    assert (rows.dtype, rows.tolist()) == (expected, [[0, 1], [1, 0]])
    assert (labels.dtype, labels.tolist()) == (np.float64 if np.dtype(kind).kind == "f" else np.int64, [1, 0])


TEXTS = [
    (np.array([b"a", b"bc"]), ["a", "bc"]),
    (stored(data=["a", "é"], dtype=h5py.string_dtype()), ["a", "é"]),
    (np.array([b"a", "é".encode()], h5py.string_dtype(length=3)), ["a", "é"]),
]


@pytest.mark.parametrize("block_bytes", [1, 4096])
@pytest.mark.parametrize(("content", "expected"), TEXTS)
def test_text_labels(tmp_path: Path, content: object, expected: list[str], block_bytes: int) -> None:
    labels = read(write(tmp_path, {"X": [[1.0], [2]], "y": content}), block_bytes=block_bytes)[1]
    assert (labels.dtype, labels.tolist()) == (object, expected)


def test_regression_targets_are_floats(tmp_path: Path) -> None:
    labels = read(write(tmp_path, {"X": [[1.0], [2]], "y": [1, 2]}), task="regression")[1]
    assert (labels.dtype, labels.tolist()) == (np.float64, [1, 2])


FOUND = [
    ({"X": [[1.0]], "other": [[2.0]], "y": [1]}, {}),
    ({"rows": [[1.0]], "features": [[2.0]], "y": [1]}, {}),
    ({"g/train": [[1.0]], "labels": [1]}, {}),
    ({"g/train": [[1.0]], "g/test": [[2.0]], "target": [1]}, {"rows_key": "/g/train"}),
    ({"g/train": [[1.0]], "g/classes": [1]}, {"label": "g/classes"}),
    ({"X": h5py.SoftLink("/g/train"), "g/train": [[1.0]], "g/test": [[2.0]], "class": h5py.SoftLink("g/z"), "g/z": [1]}, {}),
    ({"a": [[1.0]], "away": h5py.ExternalLink("other.h5", "/X"), "y": [1]}, {}),
    ({"a": [[1.0]], "b": h5py.SoftLink("/a"), "up": h5py.SoftLink("/"), "y": [1]}, {}),
]


@pytest.mark.parametrize(("contents", "options"), FOUND)
def test_rows_and_labels_are_found(tmp_path: Path, contents: dict[str, object], options: dict[str, str]) -> None:
    rows, labels = read(write(tmp_path, contents), **options)
    assert (rows.tolist(), labels.tolist()) == ([[1]], [1])


def test_groups_within_themselves_are_walked_once(tmp_path: Path) -> None:
    def knot(file: h5py.File, name: str) -> None:
        file[name] = file["g"]

    rows, labels = read(write(tmp_path, {"g/a": [[1.0]], "g/again": knot}), no_label=True)
    assert (rows.tolist(), labels) == ([[1]], None)


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_zeros_of_sparse_rows_are_dropped(tmp_path: Path, block_bytes: int) -> None:
    path = write(tmp_path, sparse(data=[0.0, 2, -0.0, 4]))
    rows, labels = read(path, block_bytes=block_bytes)
    assert (rows.nnz, rows.toarray().tolist()) == (2, [[0, 0, 0, 2], [0, 0, 0, 0], [0, 0, 4, 0]])
    assert labels.tolist() == [1, 2, 3]


def as_attribute(file: h5py.File, name: str) -> None:
    file["m"].attrs["shape"] = [3, 9]


def test_shape_of_sparse_rows(tmp_path: Path) -> None:
    assert read(write(tmp_path, sparse()))[0].shape == (3, 4)
    assert read(write(tmp_path, sparse(shape=[3, 7])))[0].shape == (3, 7)
    assert read(write(tmp_path, sparse(shape=as_attribute)))[0].shape == (3, 9)


@pytest.mark.parametrize("contents", [{"X": np.empty((0, 3)), "y": np.empty(0)}, {"m/data": [], "m/indices": np.empty(0, int), "m/indptr": [0]}])
def test_no_rows_yield_nothing(tmp_path: Path, contents: dict[str, object]) -> None:
    assert read(write(tmp_path, contents), no_label="y" not in contents)[0].shape == (0, 0)


def test_columns_have_no_names(tmp_path: Path) -> None:
    path = write(tmp_path, {"X": [[1.0]], "y": [1]})
    for option in ("drop", "one_hot"):
        with pytest.raises(UsageError) as caught:
            read(path, **{option: ("a",)})
        expected = f"--{option.replace('_', '-')}: columns of hdf5 files have no names. Convert the file to CSV or Parquet first."
        assert str(caught.value) == expected


def as_columns(file: h5py.File, name: str) -> None:
    file["m"].attrs["encoding-type"] = "csc_matrix"


def virtual(file: h5py.File, name: str) -> None:
    layout = h5py.VirtualLayout((1, 1), "f8")
    layout[0] = h5py.VirtualSource("other.h5", "X", (1,))
    file.create_virtual_dataset(name, layout)


def unknown_filter(file: h5py.File, name: str) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((1, 1))
    plan.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((1, 1)), plan)


BY_ROWS = "Store the matrix by rows (CSR), indices ascending within each row."
AGAIN = "Write the matrix again, indices ascending within each row."
CORRECT = "Correct it, or leave the row out."
RENAME = "Name another with --rows-key PATH or --label PATH."
INTO = "Copy the data into the file."
PATHS = "Check the path: h5ls -r lists the file."
HUGE = "is beyond 2^53, so a 64-bit float may not hold it"
ONE = {"y": [1]}
TWO = {"y": [1, 2]}

BAD_FILES = [
    (TWO | {"X": [[1, 2], [np.nan, 2]]}, {}, f":2:1: the value is not finite (value 'nan'). {CORRECT}"),
    (TWO | {"X": np.float32([[1, 2], [3, -np.inf]])}, {}, f":2:2: the value is not finite (value '-inf'). {CORRECT}"),
    (TWO | {"X": [[1, 2], [3, 2**53 + 1]]}, {}, f":2:2: the value {HUGE} (value '9007199254740993'). {CORRECT}"),
    (TWO | {"X": np.array([[0], [2**64 - 1]], np.uint64)}, {}, f":2:1: the value {HUGE} (value '18446744073709551615'). {CORRECT}"),
    ({"X": [[1.0], [2]], "y": [1, np.nan]}, {}, f":2: the label is not finite (value 'nan'). {CORRECT}"),
    ({"X": [[1.0], [np.nan]], "y": [np.inf, 2]}, {}, f":1: the label is not finite (value 'inf'). {CORRECT}"),
    (
        {"X": [[1.0]], "y": np.array([2**63], np.uint64)},
        {},
        f":1: the label is too large for a 64-bit integer (value '9223372036854775808'). {CORRECT}",
    ),
    ({"X": [[1.0]], "y": [2**60]}, {"task": "regression"}, f":1: the label {HUGE} (value '1152921504606846976'). {CORRECT}"),
    (
        {"X": [[1.0]], "y": np.array([b"a"])},
        {"task": "regression"},
        ": the labels are text, but regression needs numbers. Name other labels with --label PATH, or leave out --task regression.",
    ),
    ({"X": [[1.0], [2]], "y": np.array([b"a", b"\xff"])}, {}, ":2: the label is not UTF-8 text (value '\\xff'). Write it as UTF-8."),
    (
        ONE | {"X": [[1.0], [2]]},
        {},
        ": the lengths of '/y' and '/X' differ: 1 and 2. Name others with --label PATH or --rows-key PATH.",
    ),
    ({"X": [[1.0]], "y": [[1]]}, {}, f": '/y' is 2-dimensional, not 1-dimensional. {RENAME}"),
    ({"X": [[1.0]], "y": 1}, {}, f": '/y' is 0-dimensional, not 1-dimensional. {RENAME}"),
    ({"X": [[1.0]], "y": h5py.Empty("f8")}, {}, f": '/y' is 0-dimensional, not 1-dimensional. {RENAME}"),
    ({"X": [[1.0]], "y/a": 1}, {}, ": '/y' is not a dataset. Name a dataset."),
    (
        {"X": [[1.0]], "z": [1]},
        {},
        ": there is no labels dataset /label, /labels, /target, /class or /y; datasets with one dimension: /z."
        " Name it with --label PATH, or use --no-label.",
    ),
    ({"X": [[1.0]]}, {"label": "z"}, f": there is no '/z' in the file. {PATHS}"),
    (ONE | {"X": [1.0]}, {"rows_key": "X"}, f": '/X' is 1-dimensional, not 2-dimensional. {RENAME}"),
    (ONE | {"X": np.empty((1, 0))}, {}, ": '/X' has no columns. Name another dataset with --rows-key PATH."),
    (ONE | {"X": [[1.0]]}, {"rows_key": "X/a"}, f": there is no '/X/a' in the file. {PATHS}"),
    (
        ONE | {"g/a": [1.0]},
        {"rows_key": "g"},
        ": '/g' is neither a dataset nor a group with data, indices and indptr. Name another with --rows-key PATH.",
    ),
    (
        ONE | {"a": [1.0], "b": np.array([[b"x"]])},
        {},
        ": there are no rows: no dataset of numbers with two dimensions, no group with data, indices and indptr. Check the file.",
    ),
    (sparse() | {"b": [[1.0]]}, {}, ": several datasets or groups may be the rows: /b, /m. Choose one with --rows-key PATH."),
    (ONE | {"X": h5py.SoftLink("/none")}, {}, f": '/X' is a soft link to nothing. {PATHS}"),
    (ONE | {"X": h5py.SoftLink("/b"), "b": h5py.SoftLink("X")}, {}, ": '/X' is a soft link that leads in a circle. Name the dataset itself."),
    (ONE | {"X": h5py.ExternalLink("other.h5", "/X")}, {}, f": '/X' is a link out of the file, which craig does not follow. {INTO}"),
    (
        ONE | {"X": h5py.SoftLink("/b/X"), "b": h5py.ExternalLink("other.h5", "/")},
        {},
        f": '/X' is a link out of the file, which craig does not follow. {INTO}",
    ),
    (ONE | {"X": virtual}, {}, f": '/X' is a virtual dataset, made of others that craig does not open. {INTO}"),
    (
        ONE | {"X": stored(shape=(1, 1), dtype="f8", external=[("other.bin", 0, 8)])},
        {},
        f": '/X' keeps its data in another file, which craig does not open. {INTO}",
    ),
    (
        ONE | {"X": unknown_filter},
        {},
        ": '/X' is compressed by HDF5 filter 32015, which craig does not load. Compress it with gzip: h5repack -f GZIP=4.",
    ),
    (
        ONE | {"X": stored(data=[[1]], scaleoffset=4)},
        {},
        ": '/X' is compressed by HDF5 filter 6, which craig does not load. Compress it with gzip: h5repack -f GZIP=4.",
    ),
    *(
        (ONE | {"X": content}, {"rows_key": "X"}, f": '/X' is of {kind} type, not numbers. Write it as integers or floats.")
        for content, kind in (
            (np.zeros((1, 1), [("a", "f8")]), "a compound"),
            (np.zeros((1, 1), "V4"), "an opaque"),
            (np.zeros((1, 1), complex), "a compound"),
            (np.array([[b"x"]]), "a text"),
            (stored(shape=(1, 1), dtype=h5py.ref_dtype), "a reference"),
            (stored(shape=(1, 1), dtype=h5py.regionref_dtype), "a reference"),
            (stored(shape=(1, 1), dtype=h5py.vlen_dtype(float)), "a variable-length"),
            (stored(shape=(1, 1), dtype=np.dtype(("f8", (3,)))), "an array"),
            (stored(shape=(1, 1), dtype=h5py.enum_dtype({"a": 0, "b": 1})), "an enumeration"),
        )
    ),
    (
        {"X": [[1.0]], "y": stored(shape=(1,), dtype=h5py.ref_dtype)},
        {},
        ": '/y' is of a reference type, neither numbers nor text. Write the labels as integers, floats or text.",
    ),
    (sparse(indptr=[1, 2, 2, 4]), {}, f": '/m/indptr' does not start at 0 (value '1'). {BY_ROWS}"),
    (sparse(indptr=[0, 2, 1, 4]), {}, f":2: '/m/indptr' falls in this row (value '1'). {BY_ROWS}"),
    (sparse(indptr=[0, 2, 2, 3]), {}, f": '/m/indptr' does not end at the number of entries, 4 (value '3'). {BY_ROWS}"),
    (sparse(indptr=np.array([0, 2, 2**64 - 1, 4], np.uint64)), {}, f":2: '/m/indptr' falls in this row (value '-1'). {BY_ROWS}"),
    (sparse(indptr=[0.0, 2, 2, 4]), {}, f": '/m/indptr' does not hold whole numbers. {BY_ROWS}"),
    (sparse(indptr=np.empty(0, int)), {}, f": '/m/indptr' is empty. {BY_ROWS}"),
    (sparse(indices=[0, 3, 1]), {}, ": '/m' has 4 data but 3 indices. Write the file again."),
    (sparse(indices=[0, 3, 2, 1]), {}, f":3: the column index is not above the one before it (value '1'). {AGAIN}"),
    (sparse(indices=[0, 3, 2, 2]), {}, f":3: the column index is not above the one before it (value '2'). {AGAIN}"),
    (sparse(indices=[0, 3, -1, 2]), {}, f":3: the column index is not between 0 and 3 (value '-1'). {AGAIN}"),
    (sparse(shape=[3, 3]), {}, f":1: the column index is not between 0 and 2 (value '3'). {AGAIN}"),
    (sparse(shape=[4, 3]), {}, f": '/m' has 3 rows, but its shape tells 4. {BY_ROWS}"),
    (sparse(shape=[3]), {}, ": the shape of '/m' is not two whole numbers (value '[3]'). Write the number of rows and of columns."),
    (
        sparse(indices=[0, 2**31 - 1, 1, 2]),
        {},
        ": '/m' has more than 2147483647 columns (value '2147483648'). Renumber the columns.",
    ),
    (sparse(shape=as_columns), {}, f": '/m' is stored by columns (CSC). {BY_ROWS}"),
    (sparse(data=[1, 2, 3, np.nan]), {}, f":3:3: the value is not finite (value 'nan'). {CORRECT}"),
    (sparse(data=[1, 2**60, 3, 4]), {}, f":1:4: the value {HUGE} (value '1152921504606846976'). {CORRECT}"),
    (sparse(data=[[1.0, 2, 3, 4]]), {"rows_key": "m"}, f": '/m/data' is 2-dimensional, not 1-dimensional. {RENAME}"),
    (sparse(data=h5py.ExternalLink("other.h5", "/X")), {}, f": '/m/data' is a link out of the file, which craig does not follow. {INTO}"),
]


@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
@pytest.mark.parametrize(("contents", "options", "text"), BAD_FILES)
def test_bad_files(tmp_path: Path, contents: dict[str, object], options: dict[str, str], text: str, block_bytes: int) -> None:
    path = write(tmp_path, contents)
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=block_bytes, on_error="skip", **options)
    assert str(caught.value) == f"{path}{text}"


def test_too_many_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_probe, "MOST_LINKS", 2)
    with h5py.File(write(tmp_path, {"a": 1, "b": 2, "c": 3})) as file, pytest.raises(hdf5_probe.Fault) as caught:
        hdf5_probe.find_rows(h5py.h5g.open(file.id, b"/"), None, None)
    assert str(caught.value) == "the file has more than 2 links"


CANNOT = "the HDF5 library cannot read this file: .* Check that it is an undamaged HDF5 file; copy it or write it again."


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: b"label,a\n1,2\n", lambda data: data[:9], lambda data: data[: len(data) // 2]])
def test_damaged_files(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = write(tmp_path, {"X": np.ones((100, 5)), "y": np.ones(100)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=f"^{path}: {CANNOT}$"):
        read(path)


def test_a_row_that_takes_too_much_memory(tmp_path: Path) -> None:
    path = write(tmp_path, ONE | {"X": stored(shape=(1, 1 << 40), dtype="f8", chunks=(1, 1 << 20))})
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: reading it takes more than 4 GiB. Check that the file is not damaged."


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_escapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(hdf5, "SILENCE_SECONDS", 5.0)
    rng = np.random.default_rng(seed)
    path = write(tmp_path, sparse() | {"X": stored(data=rng.random((40, 3)), chunks=(8, 3), compression="gzip"), "labels": ["a", "b"] * 20})
    data = bytearray(path.read_bytes())
    for place in rng.integers(0, len(data), rng.integers(1, 40)):
        data[place] = rng.integers(256)
    path.write_bytes(data[: rng.integers(len(data) // 2, len(data))] if seed % 5 == 0 else data)
    for key in ("X", "m"):
        try:
            read(path, rows_key=key, label="labels" if key == "X" else "y", block_bytes=100)
        except InputError as error:
            assert str(error).startswith(f"{path}:")


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(hdf5, "COMMAND", (sys.executable, "-c", code))


@pytest.mark.parametrize("code", ["import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "import os; os.write(1, b'123'); os.abort()", "1 / 0"])
def test_a_crash_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    child(monkeypatch, f"import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); {code}")
    path = write(tmp_path, {})
    with pytest.raises(InputError) as caught:
        read(path)
    remedy = "It may be damaged or made to do harm: use a copy from a source you trust."
    assert str(caught.value) == f"{path}: the HDF5 library crashed reading this file. {remedy}"


def test_a_library_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(hdf5, "SILENCE_SECONDS", 0.2)
    path = write(tmp_path, {})
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        read(path)
    assert time.monotonic() - started < 10
    remedy = "Check that the file is not damaged and that its disk answers."
    assert str(caught.value) == f"{path}: the HDF5 library stood still for 0.2 s reading this file. {remedy}"


def test_an_interrupt_ends_the_wait(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    code = f"""
import os, sys
from craig_cli.readers import hdf5
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings
hdf5.COMMAND = (sys.executable, "-c", "import os, time; os.write(2, b'x'); time.sleep(60)")
settings = InputSettings(({str(path)!r},))
print("ready", flush=True)
list(hdf5.read_blocks(expand_sources(settings)[0], 0, settings, print, {{}}))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=10)[1]
        assert time.monotonic() - started < 5


def test_closing_early_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **options) -> None:  # type: ignore[no-untyped-def]
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    settings = InputSettings((str(write(tmp_path, {"X": np.ones((100_000, 10)), "y": np.ones(100_000)})),), block_bytes=4096)
    blocks = hdf5.read_blocks(expand_sources(settings)[0], 0, settings, never, {})
    next(blocks)
    assert started[0].poll() is None
    blocks.close()
    assert started[0].returncode == -signal.SIGKILL


def test_standard_input(tmp_path: Path) -> None:
    descriptor = os.open(write(tmp_path, {"X": [[1.0]], "y": [1]}), os.O_RDONLY)
    try:
        rows, labels = read(Path(f"/proc/{os.getpid()}/fd/{descriptor}"), format="hdf5")
    finally:
        os.close(descriptor)
    assert (rows.tolist(), labels.tolist()) == ([[1]], [1])


def test_control_characters_in_names_are_escaped(tmp_path: Path) -> None:
    path = write(tmp_path, ONE | {"a\x1b[2J": [[1.0]], "b": [[1.0]]})
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: several datasets or groups may be the rows: /a\\x1b[2J, /b. Choose one with --rows-key PATH."
