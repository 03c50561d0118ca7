"""No command writes what the name of its output does not promise."""

from __future__ import annotations

import pytest


@pytest.fixture
def made(craig, data):
    """Make a manifest, a partial and a model of ``data.csv``."""
    assert craig("select", "data.csv", "--size", "3", "-o", "cs.parquet").code == 0
    assert craig("select", "data.csv", "--size", "3", "--partial", "-o", "a.partial").code == 0
    assert craig("train", "data.csv", "--epochs", "2", "-o", "m.npz").code == 0


@pytest.mark.parametrize(
    ("command", "name", "remedy"),
    [
        ("select data.csv --size 3", "x.csv", "craig apply DATA x.parquet -o x.csv"),
        ("select data.csv --size 3 --force", "x.csv", "Name it x.parquet"),
        ("select data.csv --size 3 --parts 2", "x.libsvm", "craig apply"),
        ("select data.csv --size 3 --partial", "x.npy", "Name it x.partial"),
        ("merge a.partial", "x.h5", "craig apply"),
        ("calibrate data.csv cs.parquet", "x.tsv", "craig apply"),
        ("train data.csv", "x.pkl", "Name it x.npz"),
        ("train data.csv --model mlp", "x.onnx", "Name it x.npz"),
        ("predict data.csv m.npz", "p.csv", "Name it p.parquet"),
    ],
)
def test_the_name_must_fit(craig, made, own_folder, command, name, remedy):
    result = craig(*command.split(), "-o", name)
    assert result.code == 2, result.err
    assert result.err.startswith(f"craig: error: --output: '{name}' promises ")
    assert remedy in result.err
    assert result.err.count("\n") == 1
    assert not (own_folder / name).exists()
