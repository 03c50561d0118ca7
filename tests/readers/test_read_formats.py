"""The table of formats: each reads the same rows, and none is imported before it is needed."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from craig_cli.errors import UsageError
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.formats import NAMELESS, reader_of
from craig_cli.readers.parts import count_rows
from craig_cli.settings import InputSettings
from craig_cli.settings.catalog import ALL_FORMATS, FORMATS, names

ROWS = np.array([[1.5, 0.0, -3.0], [0.0, 2.0, 1e-3], [4.0, 0.25, 6.0], [7.0, 8.0, 9.0]])
LABELS = np.array([3, 1, 3, 2])


def delimited(path: Path, delimiter: str) -> None:
    lines = [["a", "b", "c", "label"]]
    lines += [
        [*map(repr, row), str(label)] for row, label in zip(ROWS.tolist(), LABELS, strict=True)
    ]
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))


def write_libsvm(path: Path) -> None:
    rows = (" ".join(f"{j + 1}:{x!r}" for j, x in enumerate(row) if x) for row in ROWS.tolist())
    path.write_text("".join(f"{label} {row}\n" for label, row in zip(LABELS, rows, strict=True)))


def write_parquet(path: Path) -> None:
    columns = {name: ROWS[:, j] for j, name in enumerate("abc")}
    pq.write_table(pa.table({**columns, "label": LABELS}), path)


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["X"], file["label"] = ROWS, LABELS


def write_idx(path: Path) -> None:
    for name, values, code in (
        (path, ROWS.astype(">f8"), 0x0E),
        (path.with_name("labels-idx1-ubyte"), LABELS.astype("u1"), 0x08),
    ):
        head = bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
        name.write_bytes(head + values.tobytes())


def write_arrow(path: Path) -> None:
    columns = {name: ROWS[:, j] for j, name in enumerate("abc")}
    pyarrow.feather.write_feather(pa.table({**columns, "label": LABELS}), path)


def write_npz(path: Path) -> None:
    np.savez_compressed(path, X=ROWS, y=LABELS)


def write_npy(path: Path) -> None:
    np.save(path, ROWS)
    np.save(path.with_name("labels.npy"), LABELS)


LABEL_FILES = {"npy": "labels.npy"}
"""What ``--label`` has to name, of formats that have no usual place for labels."""
SAMPLES = {
    "libsvm": write_libsvm,
    "csv": lambda path: delimited(path, ","),
    "tsv": lambda path: delimited(path, "\t"),
    "parquet": write_parquet,
    "arrow": write_arrow,
    "hdf5": write_hdf5,
    "npy": write_npy,
    "npz": write_npz,
    "idx": write_idx,
}
"""What writes the rows in each format that is read: a new one needs a sample here."""


@pytest.fixture(params=FORMATS, ids=lambda entry: entry.name)
def sample(request, tmp_path):
    """Write the rows in a format; give its row of the table and the file."""
    entry = request.param
    path = tmp_path / f"images{entry.extensions[0]}"
    SAMPLES[entry.name](path)
    return entry, path


def test_every_format_has_a_sample_and_a_line_of_its_own():
    assert set(SAMPLES) == set(names(FORMATS))
    extensions = [extension for entry in ALL_FORMATS for extension in entry.extensions]
    assert len(set(names(ALL_FORMATS))) == len(ALL_FORMATS)
    assert len(set(extensions)) == len(extensions)
    assert all(entry.reader or entry.writer for entry in ALL_FORMATS)


@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
def test_every_format_reads_the_same_rows(sample, tmp_path, block_bytes):
    entry, path = sample
    label = LABEL_FILES.get(entry.name)
    settings = InputSettings((str(path),), label=label, block_bytes=block_bytes)
    dataset = read_dataset(settings)
    expected = tmp_path / "expected.csv"
    delimited(expected, ",")
    whole = read_dataset(InputSettings((str(expected),)))
    assert fingerprint(dataset) == fingerprint(whole)
    assert dataset.labels.tolist() == LABELS.tolist()
    rows = dataset.rows if isinstance(dataset.rows, np.ndarray) else dataset.rows.dense()
    assert rows.tolist() == ROWS.tolist()
    assert count_rows(settings, str(path)) == len(ROWS)
    has_names = reader_of(entry.name).choose_columns is not None
    assert dataset.column_names == (("a", "b", "c") if has_names else None)


@pytest.mark.parametrize("option", [*NAMELESS, "--label"])
def test_options_that_a_format_refuses(sample, option):
    entry, path = sample
    given = {
        "--drop": {"drop": ("a",)},
        "--one-hot": {"one_hot": ("a",)},
        "--features": {"features": ("a",)},
        "--weight-column": {"weight_column": "b"},
        "--cost-column": {"cost_column": "c"},
        "--id": {"id_column": "b"},
        "--missing": {"missing": "mean"},
        "--partition-columns": {"partition_columns": True},
        "--label": {"label": "label"},
    }[option]
    settings = InputSettings((str(path),), **given)
    text = reader_of(entry.name).refused.get(option)
    if text is not None:
        with pytest.raises(UsageError) as caught:
            read_dataset(settings)
        assert str(caught.value) == f"{option}: {text.format(format=entry.name)}"
    elif option == "--drop":
        assert read_dataset(settings).column_names == ("b", "c")


def test_an_unknown_format_is_an_error():
    for name in ("", "vw", "csv "):
        with pytest.raises(UsageError) as caught:
            reader_of(name)
        assert str(caught.value) == f"--format: '{name}' is not one of {', '.join(names(FORMATS))}."


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import craig_cli.readers", ("numba", "pyarrow", "h5py")),
        ("import craig_cli.writers", ("numba", "pyarrow", "h5py")),
        ("import craig_cli.readers.hdf5_csr", ("pyarrow", "craig_cli.readers.gather")),
        ("from craig_cli.cli import main; main(['select', {csv!r}, '--size', '3', '-o', {out!r}])",
         ("h5py", "craig_cli.readers.parquet", "craig_cli.readers.hdf5", "craig_cli.readers.idx")),
    ],
    ids=("readers", "writers", "process of HDF5", "select"),
)  # fmt: skip
def test_formats_are_imported_when_they_are_needed(tmp_path, code, heavy):
    delimited(tmp_path / "rows.csv", ",")
    code = code.format(csv=str(tmp_path / "rows.csv"), out=str(tmp_path / "cs.parquet"))
    code = f"import sys; {code}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
