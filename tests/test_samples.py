"""The sample data: made by its script, and the same rows in every format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from craig_cli.dataset import as_dense
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.settings import InputSettings

SAMPLES = Path(__file__).parent.parent / "sample_data"
NAMES = (
    "sample.libsvm",
    "sample.libsvm.gz",
    "sample.csv",
    "sample.parquet",
    "sample.h5",
    "sample.csr.h5",
)


def read(path):
    return read_dataset(InputSettings((str(path),)))


@pytest.mark.parametrize("name", NAMES)
def test_every_format_holds_the_same_rows(name):
    first, other = read(SAMPLES / NAMES[0]), read(SAMPLES / name)
    np.testing.assert_array_equal(as_dense(first.rows), as_dense(other.rows))
    np.testing.assert_array_equal(first.labels, other.labels)
    assert other.labels.dtype == np.int64
    assert fingerprint(first) == fingerprint(other)


def test_the_script_makes_the_files_again(tmp_path):
    subprocess.run([sys.executable, SAMPLES / "make_samples.py", tmp_path], check=True)
    for name in (*NAMES, "sample.test.libsvm"):
        assert fingerprint(read(tmp_path / name)) == fingerprint(read(SAMPLES / name)), name
    name = "sample.embeddings.parquet"
    made, kept = (
        read_dataset(InputSettings((str(folder / name),), no_label=True))
        for folder in (tmp_path, SAMPLES)
    )
    assert fingerprint(made) == fingerprint(kept)
    assert (made.rows.dtype, made.n_columns) == (np.float32, 8)
    assert sum(path.stat().st_size for path in SAMPLES.iterdir() if path.is_file()) < 400_000
