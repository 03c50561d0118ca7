"""Parts of an input: whole files or ranges of their rows, the same as cut from the whole."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import write_csv

from craig_cli.dataset import Block, Dataset, as_dense
from craig_cli.errors import UsageError
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import (
    PARTS,
    fingerprint,
    fingerprint_of_parts,
    hashes_of_rows,
    joined_fingerprint,
    running_fingerprint,
)
from craig_cli.readers.parts import Part, Piece, count_rows, equal_parts, file_names, read_part
from craig_cli.settings import InputSettings

ROWS, LABELS = np.random.default_rng(0).normal(size=(100, 3)).round(3), np.arange(100) % 3


def rows_between(dataset, first, last):
    """Return some consecutive rows as a data set."""
    return Dataset(dataset.rows[first:last], dataset.labels[first:last])


@pytest.fixture(params=("csv", "libsvm", "parquet", "parquet of many groups"))
def files(request, tmp_path, monkeypatch):
    """Write the rows in two files of one format; 60 and 40."""
    monkeypatch.chdir(tmp_path)
    names = []
    for number, own in enumerate((slice(0, 60), slice(60, 100))):
        kind = request.param.split()[0]
        names.append(f"{number}.{kind}")
        if kind == "csv":
            write_csv(tmp_path / names[-1], LABELS[own].tolist(), ROWS[own])
        elif kind == "libsvm":
            lines = [
                f"{label} " + " ".join(f"{c + 1}:{v!r}" for c, v in enumerate(row.tolist()))
                for label, row in zip(LABELS[own], ROWS[own], strict=True)
            ]
            (tmp_path / names[-1]).write_text("\n".join(lines) + "\n")
        else:
            table = pa.table({"label": LABELS[own], **{f"x{c}": ROWS[own, c] for c in range(3)}})
            pq.write_table(
                table, names[-1], row_group_size=7 if "groups" in request.param else None
            )
    return InputSettings(tuple(names), block_bytes=200)


@pytest.mark.parametrize("n_parts", (1, 2, 3, 7, 100))
def test_parts_are_cut_from_the_whole(files, n_parts):
    names = file_names(files)
    assert names == files.paths
    counts = [count_rows(files, name) for name in names]
    assert counts == [60, 40]
    parts = equal_parts(names, counts, n_parts)
    read = [read_part(files, part) for part in parts]
    assert max(d.n_rows for d in read) - min(d.n_rows for d in read) <= 1
    np.testing.assert_array_equal(np.concatenate([as_dense(d.rows) for d in read]), ROWS)
    np.testing.assert_array_equal(np.concatenate([d.labels for d in read]), LABELS)
    for part, dataset in zip(parts, read, strict=True):
        assert dataset.files == tuple(piece.name for piece in part.pieces)
        assert np.diff(dataset.file_starts).tolist() == [
            piece.last - piece.first for piece in part.pieces
        ]


def test_whole_files(files):
    dataset = read_part(files, Part((Piece(files.paths[1]),)))
    np.testing.assert_array_equal(as_dense(dataset.rows), ROWS[60:])


def test_more_parts_than_rows(files):
    with pytest.raises(UsageError) as error:
        equal_parts(files.paths, [60, 40], 101)
    assert str(error.value) == (
        "--parts: 101 parts are more than the 100 rows. Use --parts 100 or less."
    )


def test_fingerprints_of_parts(files):
    whole = read_dataset(files)
    parts = [rows_between(whole, 0, 60), rows_between(whole, 60, 100)]
    assert joined_fingerprint(
        100, [hashes_of_rows(parts[0]), hashes_of_rows(parts[1], 60)]
    ) == fingerprint(whole)
    made = fingerprint_of_parts([fingerprint(part) for part in parts])
    assert made.startswith(PARTS)
    assert fingerprint(whole, made, (60, 40)) == made
    assert fingerprint(whole, made, (59, 41)) != made
    assert fingerprint(whole, made, (60, 41)) == fingerprint(whole)


@pytest.mark.parametrize("sizes", [(60, 40), (1, 98, 1), (100,), (30, 30, 20)], ids=str)
@pytest.mark.parametrize("step", [7, 30, 100])
def test_a_running_fingerprint_of_parts(files, sizes, step):
    whole = read_dataset(files)
    running = running_fingerprint(PARTS, sizes)
    for start in range(0, 100, step):
        block = rows_between(whole, start, min(start + step, 100))
        running.add(Block(block.rows, block.labels, 0))
    assert running.n_rows == 100
    ends = np.cumsum(
        (*sizes[:-1], 100 - sum(sizes[:-1]))
    ).tolist()  # rows beyond the parts make the last one another
    parts = [
        rows_between(whole, first, last) for first, last in zip([0, *ends[:-1]], ends, strict=True)
    ]
    assert running.text() == fingerprint_of_parts([fingerprint(part) for part in parts])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (InputSettings(("-",), format="csv"), "- (standard input) is read only once, and parts of "
                                              "the data are read again: name files."),
        (InputSettings(("a.csv",), one_hot=("a",)),
         "--one-hot: other parts of the data may hold other values. Make the columns of 0 and 1 "
         "beforehand."),
    ],
)  # fmt: skip
def test_what_cannot_be_cut(settings, message):
    with pytest.raises(UsageError) as error:
        file_names(settings)
    assert str(error.value) == message


@pytest.mark.parametrize("kind", ("csv", "parquet"))
@pytest.mark.parametrize("n_parts", (1, 3, 10))
def test_parts_are_cut_by_rows_as_they_lie(tmp_path, monkeypatch, kind, n_parts):
    """Bad rows count: each part knows its own, and their numbers within it."""
    monkeypatch.chdir(tmp_path)
    bad = np.array([0, 9, 10, 11, 55, 98, 99])
    rows = ROWS.copy()
    rows[bad, 1] = np.nan
    if kind == "csv":
        write_csv(tmp_path / "d.csv", LABELS.tolist(), rows)
    else:
        table = pa.table({"label": LABELS, **{f"x{c}": rows[:, c] for c in range(3)}})
        pq.write_table(table, "d.parquet", row_group_size=7)
    settings = InputSettings((f"d.{kind}",), block_bytes=200, on_error="skip")
    count = count_rows(settings, f"d.{kind}")
    assert count == 100
    parts = equal_parts(settings.paths, [count], n_parts)
    start = 0
    for part in parts:
        dataset = read_part(settings, part)
        own = np.arange(start, start + dataset.n_input_rows)
        kept = np.setdiff1d(own, bad)
        assert dataset.rows.tolist() == ROWS[kept].tolist()
        assert dataset.skipped.rows.tolist() == (np.intersect1d(own, bad) - start).tolist()
        assert dataset.file_starts.tolist() == [0, len(own)]
        start += len(own)
    assert start == 100


def test_a_pipe_cannot_be_cut(tmp_path):
    os.mkfifo(tmp_path / "rows.csv")
    with pytest.raises(UsageError) as error:
        file_names(InputSettings((str(tmp_path / "rows.csv"),)))
    assert str(error.value) == (
        f"{tmp_path / 'rows.csv'}: a pipe is read only once, and parts of the data are read again: "
        "name files."
    )
