"""HDF5 files: what is read, in blocks of any size."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hdf5_files import never, read, sparse, stored, write
from scipy.sparse import csr_matrix, random_array

from craig_cli.errors import UsageError
from craig_cli.readers import parquet
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings

BLOCK_SIZES = [1, 100, 4096, 4 << 20]


@pytest.mark.slow
@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_parquet_dense_and_sparse_agree(tmp_path: Path, block_bytes: int) -> None:
    rng = np.random.default_rng(2)
    matrix = csr_matrix(random_array((150, 12), density=0.3, rng=rng, format="csr"))
    matrix.sort_indices()
    labels = rng.integers(0, 3, 150)
    columns = {f"x{column}": values for column, values in enumerate(matrix.toarray().T)}
    pq.write_table(pa.table(columns | {"y": labels}), tmp_path / "rows.parquet")
    settings = InputSettings((str(tmp_path / "rows.parquet"),), block_bytes=block_bytes)
    blocks = list(parquet.READER.read_blocks(expand_sources(settings)[0], 0, settings, never, None))
    path = write(
        tmp_path,
        {
            "X": stored(
                data=matrix.toarray(),
                chunks=(40, 5),
                compression="gzip",
                shuffle=True,
                fletcher32=True,
            ),
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
    rows, labels = read(
        write(tmp_path, {"X": np.array([[0, 1], [1, 0]], kind), "y": np.array([1, 0], kind)})
    )
    assert (rows.dtype, rows.tolist()) == (expected, [[0, 1], [1, 0]])
    assert (labels.dtype, labels.tolist()) == (
        np.float64 if np.dtype(kind).kind == "f" else np.int64,
        [1, 0],
    )


TEXTS = [
    (np.array([b"a", b"bc"]), ["a", "bc"]),
    (stored(data=["a", "é"], dtype=h5py.string_dtype()), ["a", "é"]),
    (np.array([b"a", "é".encode()], h5py.string_dtype(length=3)), ["a", "é"]),
]


@pytest.mark.parametrize("block_bytes", [1, 4096])
@pytest.mark.parametrize(("content", "expected"), TEXTS)
def test_text_labels(
    tmp_path: Path, content: object, expected: list[str], block_bytes: int
) -> None:
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
    (
        {
            "X": h5py.SoftLink("/g/train"),
            "g/train": [[1.0]],
            "g/test": [[2.0]],
            "class": h5py.SoftLink("g/z"),
            "g/z": [1],
        },
        {},
    ),
    ({"a": [[1.0]], "away": h5py.ExternalLink("other.h5", "/X"), "y": [1]}, {}),
    ({"a": [[1.0]], "b": h5py.SoftLink("/a"), "up": h5py.SoftLink("/"), "y": [1]}, {}),
]


@pytest.mark.parametrize(("contents", "options"), FOUND)
def test_rows_and_labels_are_found(
    tmp_path: Path, contents: dict[str, object], options: dict[str, str]
) -> None:
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


@pytest.mark.parametrize(
    "contents",
    [
        {"X": np.empty((0, 3)), "y": np.empty(0)},
        {"m/data": [], "m/indices": np.empty(0, int), "m/indptr": [0]},
    ],
)
def test_no_rows_yield_nothing(tmp_path: Path, contents: dict[str, object]) -> None:
    assert read(write(tmp_path, contents), no_label="y" not in contents)[0].shape == (0, 0)


def test_columns_have_no_names(tmp_path: Path) -> None:
    path = write(tmp_path, {"X": [[1.0]], "y": [1]})
    for option in ("drop", "one_hot"):
        with pytest.raises(UsageError) as caught:
            read(path, **{option: ("a",)})
        expected = (
            f"--{option.replace('_', '-')}: columns of hdf5 files have no names. Convert "
            f"the file to CSV or Parquet first."
        )
        assert str(caught.value) == expected


def test_standard_input(tmp_path: Path) -> None:
    descriptor = os.open(write(tmp_path, {"X": [[1.0]], "y": [1]}), os.O_RDONLY)
    try:
        rows, labels = read(Path(f"/proc/{os.getpid()}/fd/{descriptor}"), format="hdf5")
    finally:
        os.close(descriptor)
    assert (rows.tolist(), labels.tolist()) == ([[1]], [1])
