"""Names of outputs that promise another format than what is written are refused."""

from __future__ import annotations

import pytest

from craig_cli.errors import UsageError
from craig_cli.storage.file_names import KINDS, check_name
from craig_cli.storage.location import Location


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (
            "manifest",
            "out/x.csv",
            "--output: 'out/x.csv' promises CSV, and a manifest is a Parquet file. Name it "
            "x.parquet; craig apply DATA x.parquet -o x.csv then writes the rows.",
        ),
        (
            "manifest",
            "x.LibSVM",
            "--output: 'x.LibSVM' promises LIBSVM, and a manifest is a Parquet file. Name it "
            "x.parquet; craig apply DATA x.parquet -o x.LibSVM then writes the rows.",
        ),
        (
            "manifest",
            "x.tsv.gz",
            "--output: 'x.tsv.gz' promises TSV, and a manifest is a Parquet file. Name it "
            "x.parquet; craig apply DATA x.parquet -o x.tsv.gz then writes the rows.",
        ),
        (
            "manifest",
            "s3://b/x.npy",
            "--output: 's3://b/x.npy' promises NPY, and a manifest is a Parquet file. "
            "Name it x.parquet.",
        ),
        (
            "manifest",
            "cs.parquet.gz",
            "--output: 'cs.parquet.gz' promises compressed data, and a manifest is a Parquet "
            "file. Name it cs.parquet.",
        ),
        (
            "partial manifest",
            "a.h5",
            "--output: 'a.h5' promises HDF5, and a partial manifest is a Parquet file. Name it "
            "a.partial.",
        ),
        (
            "model",
            "m.pkl",
            "--output: 'm.pkl' promises a pickle, and a model is an .npz file. Name it m.npz.",
        ),
        (
            "model",
            "m.parquet",
            "--output: 'm.parquet' promises Parquet, and a model is an .npz file. Name it m.npz.",
        ),
        (
            "file of predictions",
            "p.csv",
            "--output: 'p.csv' promises CSV, and predictions are a Parquet file. Name it "
            "p.parquet.",
        ),
    ],
)
def test_names_that_promise_something_else(kind, name, message):
    with pytest.raises(UsageError) as error:
        check_name(Location.of(name), kind, "--output")
    assert str(error.value) == message


@pytest.mark.parametrize("end", [".svm", ".npz", ".hdf5", ".json", ".txt", ".feather", ".xlsx"])
def test_every_end_that_people_would_try(end):
    with pytest.raises(UsageError, match="promises"):
        check_name(Location.of(f"x{end}"), "manifest", "--output")


@pytest.mark.parametrize("kind", [*KINDS, "picture"])
@pytest.mark.parametrize("name", ["x", "out.craig", "x.manifest", "v1.2", "a.b.c", ".csv"])
def test_names_that_promise_nothing(kind, name):
    check_name(Location.of(name), kind, "--output")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("manifest", "cs.parquet"),
        ("manifest", "CS.PQ"),
        ("partial manifest", "shard.partial"),
        ("model", "m.npz"),
        ("file of predictions", "p.pq"),
        ("picture", "x.csv"),
        ("csv output", "x.csv"),
    ],
)
def test_names_of_their_own_kind(kind, name):
    check_name(Location.of(name), kind, "--output")
