"""Reading under a memory limit."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from craig_cli.errors import InputError, ResourceError
from craig_cli.readers import parquet, read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.limited import read_limited
from craig_cli.selection import memory
from craig_cli.settings import InputSettings
from craig_cli.storage.spill import Spill

N = 500


def write(path, rows, labels=None, dtype=np.float32):
    columns = {f"x{c}": rows[:, c].astype(dtype) for c in range(rows.shape[1])}
    pq.write_table(pa.table(columns | ({} if labels is None else {"label": labels})), path)
    return str(path)


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(N, 4))


@pytest.fixture
def tight(monkeypatch):
    """Leave memory for half of the rows."""
    monkeypatch.setattr(memory, "BASE_BYTES", 0)
    monkeypatch.setattr(memory, "ROW_BYTES", 0)
    monkeypatch.setattr(parquet, "READER", replace(parquet.READER, buffer_bytes=None))
    return memory.reading_bytes(N, N // 2 * 16)


@pytest.mark.parametrize(
    "labels", (None, np.arange(N) % 3, np.arange(N) / 2, np.array(["x", "y"])[np.arange(N) % 2])
)
def test_rows_on_disk_are_those_in_memory(tmp_path, rows, tight, labels):
    path = write(tmp_path / "a.parquet", rows, labels)
    for block_bytes in (1, 1000, 1 << 20):
        settings = InputSettings((path,), block_bytes=block_bytes, no_label=labels is None)
        whole = read_dataset(settings)
        with Spill() as spill:
            dataset, on_disk = read_limited(settings, tight, memory.reading_bytes, spill)
            assert on_disk is not None and on_disk.dtype == np.float32
            np.testing.assert_array_equal(on_disk[:], whole.rows)
            assert fingerprint(dataset) == fingerprint(whole)
            assert dataset.n_rows == N and dataset.column_names == whole.column_names
            if labels is not None:
                assert dataset.labels.dtype == whole.labels.dtype
                np.testing.assert_array_equal(dataset.labels, whole.labels)


def test_rows_that_fit_stay_in_memory(tmp_path, rows):
    with Spill() as spill:
        dataset, on_disk = read_limited(
            InputSettings((write(tmp_path / "a.parquet", rows, np.arange(N) % 3),)),
            10**9,
            memory.reading_bytes,
            spill,
        )
    assert on_disk is None and isinstance(dataset.rows, np.ndarray) and spill.peak == 0


def test_float64_rows_after_float32_ones(tmp_path, rows, tight):
    paths = [
        write(tmp_path / f"{name}.parquet", rows, dtype=kind)
        for name, kind in (("a", np.float32), ("b", np.float64))
    ]
    settings = InputSettings(tuple(paths), no_label=True, block_bytes=1000)
    with Spill() as spill:
        _, on_disk = read_limited(settings, tight, memory.reading_bytes, spill)
        assert on_disk is not None
        np.testing.assert_array_equal(on_disk[:], read_dataset(settings).rows)


def test_files_with_other_columns_are_refused_as_ever(tmp_path, rows, tight):
    svm = tmp_path / "b.svm"
    svm.write_text("1 1:2\n")
    settings = InputSettings((write(tmp_path / "a.parquet", rows, np.arange(N)), str(svm)))
    with pytest.raises(InputError) as expected:
        read_dataset(settings)
    with Spill() as spill, pytest.raises(InputError) as error:
        read_limited(settings, tight, memory.reading_bytes, spill)
    assert str(error.value) == str(expected.value)


def test_sparse_rows_beyond_the_limit_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.svm"
    path.write_text("1 1:2 5:3\n" * 1000)
    monkeypatch.setattr(memory, "BASE_BYTES", 0)
    monkeypatch.setattr(parquet, "READER", replace(parquet.READER, buffer_bytes=None))
    with (
        Spill() as spill,
        pytest.raises(
            ResourceError,
            match=r"^--memory-limit: sparse rows are "
            r"held in memory, and ",
        ),
    ):
        read_limited(InputSettings((str(path),)), 80_000, memory.reading_bytes, spill)


def test_a_full_disk_is_refused_before_it_fills(tmp_path, rows, tight, monkeypatch):
    path = write(tmp_path / "a.parquet", rows)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=3000))
    with (
        Spill() as spill,
        pytest.raises(
            ResourceError,
            match=r"Set TMPDIR to a folder with more "
            r"space",
        ),
    ):
        read_limited(
            InputSettings((path,), no_label=True, block_bytes=1000),
            tight,
            memory.reading_bytes,
            spill,
        )
