"""Bad rows of stored numbers under ``--on-error skip``: which, and why, in blocks of any size."""

from __future__ import annotations

import struct

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from craig_cli.errors import InputError
from craig_cli.readers import read_dataset
from craig_cli.settings import InputSettings

BLOCK_SIZES = (1, 40, 4 << 20)


def read(name, **options):
    return read_dataset(InputSettings((name,), on_error="skip", **options))


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_parquet(tmp_path, block_bytes, kind):
    values = pa.array(np.array([0, 1, np.nan, 3, np.inf, 5], kind))
    holes = pa.array(np.ones(6, kind), mask=np.array([1, 0, 0, 0, 0, 0], bool))
    colour = ["red", "blue", "odd", "red", None, "blue"]
    table = {"x": values, "h": holes, "colour": colour, "label": list("aabbab")}
    path = str(tmp_path / "d.parquet")
    pq.write_table(pa.table(table), path, row_group_size=2)
    data = read(path, one_hot=("colour",), block_bytes=block_bytes)
    # A value that only a bad row has makes no column, as where the row is not there.
    assert data.column_names == ("x", "h", "colour=blue", "colour=red")
    assert data.rows.tolist() == [[1, 1, 1, 0], [3, 1, 0, 1], [5, 1, 1, 0]]
    assert data.labels.tolist() == ["a", "b", "b"]
    assert data.skipped.rows.tolist() == [0, 2, 4]
    # Of a row with several faults that of the first column counts.
    assert data.skipped.reasons == (
        ("column 'x' is not finite", "x", 2),
        ("column 'h' has no value in this row", "h", 1),
    )
    assert data.skipped.examples[0].startswith(f"{path}:1:2: column 'h' has no value in this row.")


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_sparse_hdf5(tmp_path, block_bytes):
    """Rows whose indices fall, leave the matrix, or whose values are none."""
    path = str(tmp_path / "d.h5")
    with h5py.File(path, "w") as file:
        group = file.create_group("rows")
        group.attrs["shape"] = (6, 4)
        group["indptr"] = [0, 2, 4, 5, 7, 7, 9]
        group["indices"] = [0, 3, 2, 1, 9, 0, 1, 2, 3]
        group["data"] = [1.0, 2, 3, 4, 5, 6, np.nan, 7, 8]
        file["label"] = [0, 1, 2, 3, 4, 5]
    data = read(path, block_bytes=block_bytes)
    assert data.rows.dense().tolist() == [[1, 0, 0, 2], [0, 0, 0, 0], [0, 0, 7, 8]]
    assert data.labels.tolist() == [0, 4, 5]
    assert data.skipped.rows.tolist() == [1, 2, 3]
    assert sorted(data.skipped.reasons) == [
        ("the column index is not above the one before it", "", 1),
        ("the column index is not between 0 and 3", "", 1),
        ("the value is not finite", "2", 1),
    ]


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_text_labels_of_hdf5(tmp_path, block_bytes):
    path = str(tmp_path / "d.h5")
    with h5py.File(path, "w") as file:
        file["rows"] = [[0.0], [1], [2], [np.nan]]
        file["label"] = np.array([b"a", b"\xff", b"b", b"\xff"])
    data = read(path, block_bytes=block_bytes)
    assert (data.rows.tolist(), data.labels.tolist()) == ([[0], [2]], ["a", "b"])
    assert data.skipped.reasons == (("the label is not UTF-8 text", "", 2),)


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_idx(tmp_path, block_bytes):
    for name, array in (
        ("images.idx", np.array([[0, 1], [2, np.nan], [4, 5], [6, 7]], ">f4")),
        ("labels.idx", np.array([0, 1, np.inf, 3], ">f8")),
    ):
        code = 0x0D if array.itemsize == 4 else 0x0E
        head = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (tmp_path / name).write_bytes(head + array.tobytes())
    data = read(str(tmp_path / "images.idx"), block_bytes=block_bytes)
    assert (data.rows.tolist(), data.labels.tolist()) == ([[0, 1], [6, 7]], [0, 3])
    assert data.skipped.rows.tolist() == [1, 2]
    assert data.skipped.examples[1].startswith(f"{tmp_path / 'labels.idx'}:3: the label is not")


def test_nothing_is_left(tmp_path):
    path = str(tmp_path / "d.parquet")
    pq.write_table(pa.table({"x": [np.nan, np.nan], "label": [0, 1]}), path)
    with pytest.raises(
        InputError, match=r"all 2 rows were skipped as bad, the first: .*d.parquet:1"
    ):
        read(path)
