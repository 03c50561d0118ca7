"""Selecting from cells on disk."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_lazy_greedy import KINDS, made

from craig_cli.dataset import Dataset
from craig_cli.errors import ResourceError
from craig_cli.readers.limited import as_rows
from craig_cli.selection import check_coreset, disk_cells, measure, select
from craig_cli.selection.disk_cells import DiskCells, DiskPoints
from craig_cli.selection.fixed_point import FixedPoint
from craig_cli.selection.outofcore import select_from_disk
from craig_cli.selection.scaling import Features
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.storage.spill import Spill
from craig_cli.threads import Workers

CASES = {kind: made(kind, n=1500) for kind in KINDS} | {
    "one row": np.array([[1.0, 2.0]]),
    "all rows equal": np.zeros((1500, 2)),
    "few different rows": np.arange(1500.0)[:, None] % 7,
    "constant columns": np.column_stack(
        [np.full(1500, 1e9), made("normal", n=1500)[:, :3], np.zeros(1500)]
    ),
    "heavy row": np.where(np.arange(1500)[:, None] % 3 > 0, 0.5, made("normal", n=1500)),
    "float32": made("clusters", n=1500).astype(np.float32),
    "lines close together, far apart": np.column_stack(
        [np.arange(1500) % 2 * 1e9, np.arange(1500.0)]
    ),
}


@pytest.fixture
def small_cells(monkeypatch):
    """Make cells of 256 rows or so."""
    monkeypatch.setattr(disk_cells, "CELL_BYTES", 0)
    monkeypatch.setattr(disk_cells, "CELL_ROWS_AT_LEAST", 256)
    monkeypatch.setattr(disk_cells, "SAMPLE_A_CELL", 64)


def from_disk(rows, size, labels=None, method="cells", **settings):
    with Spill() as spill:
        on_disk = spill.array(rows.shape[1], rows.dtype)
        on_disk.append(rows)
        chosen = SelectionSettings(
            Budget(size=size), method=method, **{"cell_size": 128, **settings}
        )
        coreset, _ = select_from_disk(Dataset(as_rows(on_disk), labels), on_disk, chosen, spill)
        assert spill.peak <= 2 * rows.nbytes
    assert spill.used == 0
    check_coreset(coreset)
    return coreset


def in_memory(rows, size, labels=None, method="cells", **settings):
    return select(
        Dataset(rows, labels),
        SelectionSettings(Budget(size=size), method=method, **{"cell_size": 128, **settings}),
    )


def assert_as_measured(coreset, rows, labels=None, **settings):
    """Assert that clusters, gains and epsilons are those that a computation in memory gives for the
    same picks.
    """
    measured = measure(
        Dataset(rows, labels), SelectionSettings(Budget(size=1), **settings), coreset.index
    )
    for name in ("cluster_size", "gain", "epsilon"):
        np.testing.assert_array_equal(getattr(coreset, name), getattr(measured, name), name)
    assert coreset.epsilon_total == pytest.approx(measured.epsilon_total, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("case", CASES)
def test_contracts_hold_and_measures_are_those_in_memory(case, small_cells):
    rows = CASES[case]
    for size in sorted({1, min(90, len(rows)), len(rows)}):
        coreset = from_disk(rows, size)
        assert len(coreset.index) == size
        assert_as_measured(coreset, rows)
    assert coreset.epsilon_total == 0


@pytest.mark.parametrize("kind", KINDS)
def test_epsilon_is_near_that_in_memory(kind, small_cells, monkeypatch):
    monkeypatch.setattr(disk_cells, "CELL_ROWS_AT_LEAST", 1000)
    rows = made(kind, n=4000)
    disk, cells, exact = (
        from_disk(rows, 300, cell_size=512),
        in_memory(rows, 300, cell_size=512),
        in_memory(rows, 300, method="exact"),
    )
    assert (
        disk.epsilon_total <= 1.05 * cells.epsilon_total + 1e-9
    )  # each cell on disk gives up the same share of its picks
    assert (
        disk.epsilon_total <= 1.05 * exact.epsilon_total + 1e-9
    )  # cells of 500 rows: larger ones are nearer


@pytest.mark.parametrize("method", ("cells", "random"))
def test_a_class_of_one_cell_is_selected_as_in_memory(method):
    rows, labels = made("clusters", n=900), np.array(["b", "a", "c"], object)[np.arange(900) % 3]
    disk, memory = (
        from_disk(rows, 80, labels, method=method),
        in_memory(rows, 80, labels, method=method),
    )
    for name in ("index", "weight", "cluster_size", "gain", "epsilon", "label"):
        np.testing.assert_array_equal(getattr(disk, name), getattr(memory, name), name)
    assert [c.label for c in disk.classes] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "settings",
    [{"scale": scale} for scale in ("none", "standard", "minmax", "unit")]
    + [{"metric": "cosine"}, {"task": "regression", "scale": "standard"}],
    ids=str,
)
def test_scales_metrics_and_targets(settings, small_cells):
    rows = made("normal", n=2000)
    rows = rows * np.linspace(0.1, 10, rows.shape[1])
    labels = rows[:, 0] * 2 if settings.get("task") == "regression" else np.arange(2000) % 2
    coreset = from_disk(rows, 150, labels, **settings)
    assert_as_measured(coreset, rows, labels, **settings)
    assert coreset.epsilon_total <= 1.06 * in_memory(rows, 150, labels, **settings).epsilon_total


def test_many_classes_of_very_unequal_size(small_cells):
    labels = np.minimum(np.random.default_rng(0).geometric(0.2, 3000), 40)
    rows = made("normal", n=3000)
    coreset = from_disk(rows, 300, labels)
    assert [(c.label, c.n_rows) for c in coreset.classes] == list(
        zip(*(v.tolist() for v in np.unique(labels, return_counts=True)), strict=True)
    )
    assert (labels[coreset.index] == coreset.label).all()
    assert_as_measured(coreset, rows, labels)


def test_same_bytes_for_any_number_of_threads(small_cells):
    rows, labels = made("clusters", n=3000), np.arange(3000) % 2
    one, three = (from_disk(rows, 200, labels, threads=threads) for threads in (1, 3))
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes(), name
    assert one.epsilon_total == three.epsilon_total


def test_equal_rows_are_shared_out_among_cells(small_cells):
    with Spill() as spill, Workers(1) as workers:
        rows = spill.array(2, np.dtype(np.float64))
        rows.append(np.zeros((4096, 2)))
        features = Features(np.zeros((0, 2)))
        points = DiskPoints(rows, 0, 4096, features, None)
        fixed_point = FixedPoint(1.0, 1.0, np.zeros(2), np.arange(2), 0.0, 2, False)
        cells = DiskCells(points, fixed_point, spill, workers)
        assert len(cells) == 16
        assert np.diff(cells.bounds).max() <= 300
        np.testing.assert_array_equal(np.sort(cells.order), np.arange(4096))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc: Linux")
def test_nothing_stays_in_the_folder_of_temporary_files(small_cells, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("craig_cli.selection.methods.cells.best_of_cells", lambda *_: 1 / 0)
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (a count)
    with pytest.raises(ZeroDivisionError):
        from_disk(made("normal", n=900), 20)
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == open_before  # noqa: PTH208


def test_scratch_arrays_read_what_was_written():
    rows = np.random.default_rng(0).normal(size=(100, 3))
    with Spill() as spill:
        array = spill.array(3, rows.dtype)
        array.append(rows[:40])
        array.append(rows[40:])
        places = np.random.default_rng(1).permutation(100)
        np.testing.assert_array_equal(array[10:90:7], rows[10:90:7])
        np.testing.assert_array_equal(array[95:], rows[95:])
        assert array[50:50].shape == (0, 3)
        np.testing.assert_array_equal(array.take(places), rows[places])
        array.put(places, rows)
        np.testing.assert_array_equal(array.take(places), rows)
        assert (spill.used, spill.peak) == (2400, 2400)


def test_a_disk_without_room_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=10_000_000))
    with Spill() as spill:
        spill.require(10_000_000)
        with pytest.raises(ResourceError) as error:
            spill.require(25_000_000)
    assert str(error.value) == (
        f"--memory-limit: 25 MB of temporary files are needed in {tmp_path}, where 10 MB are free. "
        "Set TMPDIR to a folder with more space, or give a higher --memory-limit."
    )


def test_a_disk_that_fills_up_is_no_internal_error(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with Spill() as spill:
        array = spill.array(3, np.dtype(np.float64))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(ResourceError, match=r"^The disk is full: temporary files of 0 MB in "):
            array.append(np.zeros((5, 3)))
