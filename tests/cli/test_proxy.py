"""``craig select --proxy``: distances among rows that a trainer wrote, labels from the data."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import write_csv

from craig_cli import select_coreset
from craig_cli.files.manifest import read_manifest

N = 40


@pytest.fixture
def proxy(own_folder):
    """Write rows to ``rows.csv`` in two classes, and other rows that stand for their gradients in
    every format there is.
    """
    rng = np.random.default_rng(5)
    labels = np.arange(N) % 3 // 2
    write_csv(own_folder / "rows.csv", labels.tolist(), rng.normal(size=(N, 2)))
    grads = rng.normal(size=(N, 3)).astype(np.float32)
    np.save(own_folder / "grads.npy", grads)
    with h5py.File(own_folder / "grads.h5", "w") as file:
        file["deep/g"], file["deep/other"] = grads, grads[::-1]
    pq.write_table(
        pa.table({name: grads[:, k] for k, name in enumerate(("g0", "g1", "label"))}),
        own_folder / "grads.parquet",
    )
    lists = pa.array(grads.tolist(), pa.list_(pa.float32()))
    pq.write_table(pa.table({"n": range(N), "g": lists}), own_folder / "lists.parquet")
    return grads, labels


@pytest.mark.parametrize(
    "name", ["grads.npy", "grads.h5:/deep/g", "grads.parquet", "lists.parquet:g"]
)
def test_distances_are_those_of_the_proxy(craig, proxy, name):
    grads, labels = proxy
    result = craig(
        "select",
        "rows.csv",
        "--size",
        "8",
        "--proxy",
        name,
        "--method",
        "exact",
        "-o",
        "cs.parquet",
    )
    assert result.code == 0
    assert (
        "note      Distances are among the rows of the proxy, 3 columns." in result.err.splitlines()
    )
    manifest = read_manifest("cs.parquet")
    expected = select_coreset(grads, labels, size=8, method="exact", purpose="local")
    np.testing.assert_array_equal(manifest.coreset.index, expected.index)
    np.testing.assert_array_equal(manifest.coreset.weight, expected.weight)
    np.testing.assert_array_equal(manifest.coreset.label, labels[expected.index])
    assert manifest.coreset.n_columns == 2
    assert manifest.facts()["proxy"] == "file"
    assert manifest.request["proxy"].keys() == {"fingerprint", "columns"}
    checked = craig("verify", "rows.csv", "cs.parquet", "--proxy", name)
    assert (checked.code, checked.err) == (0, "")
    assert any(
        line.startswith("ok  proxy fingerprint: craig1:") for line in checked.out.splitlines()
    )
    assert craig("train", "rows.csv", "--coreset", "cs.parquet", "-o", "model.npz").code == 0


def test_all_formats_give_the_same_bytes(craig, proxy, own_folder):
    for number, name in enumerate(("grads.npy", "grads.h5:/deep/g", "grads.parquet")):
        assert (
            craig(
                "select", "rows.csv", "--size", "8", "--proxy", name, "-o", f"{number}.parquet"
            ).code
            == 0
        )
    assert len({(own_folder / f"{number}.parquet").read_bytes() for number in range(3)}) == 1


def test_a_dry_run_and_random_representatives(craig, proxy):
    planned = craig(
        "select", "rows.csv", "--size", "8", "--proxy", "grads.npy", "--dry-run", "--json"
    )
    assert json.loads(planned.out)["columns"] == 2
    assert (
        craig(
            "select",
            "rows.csv",
            "--size",
            "8",
            "--proxy",
            "grads.npy",
            "--representative",
            "random",
            "-o",
            "cs.parquet",
        ).code
        == 0
    )
    assert craig("verify", "rows.csv", "cs.parquet", "--proxy", "grads.npy").code == 0


def test_importance_draws_by_the_length_of_the_proxy(craig, proxy):
    grads, _ = proxy
    grads[7] *= 1e6
    np.save("long.npy", grads)
    for seed in range(5):
        options = ("--method", "importance", "--seed", str(seed), "--proxy", "long.npy")
        assert craig("select", "rows.csv", "--size", "8", *options, "-o", "cs.parquet").code == 0
        assert 7 in read_manifest("cs.parquet").coreset.index


def test_regression_takes_the_proxy_alone(craig, proxy):
    grads, labels = proxy
    options = ("--task", "regression", "--size", "8", "--proxy", "grads.npy", "--method", "exact")
    assert craig("select", "rows.csv", *options, "-o", "cs.parquet").code == 0
    coreset = read_manifest("cs.parquet").coreset
    np.testing.assert_array_equal(
        coreset.index, select_coreset(grads, size=8, method="exact").index
    )
    assert coreset.task == "regression"
    np.testing.assert_array_equal(coreset.label, labels[coreset.index])
    assert craig("verify", "rows.csv", "cs.parquet", "--proxy", "grads.npy").code == 0


def test_another_proxy_is_found_out(craig, proxy):
    assert (
        craig("select", "rows.csv", "--size", "8", "--proxy", "grads.npy", "-o", "cs.parquet").code
        == 0
    )
    result = craig("verify", "rows.csv", "cs.parquet", "--proxy", "grads.h5:/deep/other")
    assert result.code == 5
    assert any(
        line.startswith("FAILED   proxy fingerprint: the manifest says craig1:")
        for line in result.out.splitlines()
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("select", "rows.csv", "--size", "8", "--proxy", "short.npy", "-o", "x.parquet"), 3,
         "short.npy: it has 39 rows, and the data 40. Write one row of the proxy for each row of "
         "the data, in the same order."),
        (("select", "rows.csv", "--size", "8", "--proxy", "nan.npy", "-o", "x.parquet"), 3,
         "nan.npy:3:2: the value is not finite (value 'nan'). Correct it, or leave the row out."),
        (("select", "rows.csv", "--size", "8", "--proxy", "flat.npy", "-o", "x.parquet"), 3,
         "flat.npy: it holds 1-dimensional float64 of shape (40,), not rows and columns of "
         "numbers. Save an array of shape (rows, columns)."),
        (("select", "rows.csv", "--size", "8", "--proxy", "objects.npy", "-o", "x.parquet"), 3,
         "objects.npy: it holds Python objects (a pickle), which craig never reads. Save an array "
         "of numbers, or of text for labels."),
        (("select", "rows.csv", "--size", "8", "--proxy", "none.npy", "-o", "x.parquet"), 3,
         "none.npy: no such file. Check the name."),
        (("select", "rows.csv", "--size", "8", "--proxy", "-", "-o", "x.parquet"), 2,
         "--proxy: it is not read from stdin. Name a file."),
        (("select", "rows.csv", "--size", "8", "--proxy", "grads.npy", "--memory-limit", "2G",
          "-o", "x.parquet"), 4,
         "--proxy: its rows are held in memory. Leave out --memory-limit."),
        (("select", "rows.csv", "--size", "8", "--proxy", "grads.npy", "--force",
          "-o", "grads.npy"), 2, None),
        (("verify", "rows.csv", "cs.parquet"), 2,
         "--proxy: 'cs.parquet' was selected by a proxy: name its file."),
        (("verify", "rows.csv", "plain.parquet", "--proxy", "grads.npy"), 2,
         "--proxy: 'plain.parquet' was selected by the columns of the data. Leave it out."),
        (("train", "rows.csv", "--coreset", "cs.parquet", "--first", "4", "-o", "m.npz"), 2,
         "--first: 'cs.parquet' was selected by a proxy, and new clusters need its rows. Select so "
         "many with --proxy instead."),
    ],
)  # fmt: skip
def test_refused(craig, proxy, arguments, code, text):
    grads, _ = proxy
    np.save("short.npy", grads[1:])
    np.save("flat.npy", np.zeros(N))
    np.save("objects.npy", np.array([[None]] * N), allow_pickle=True)
    grads[2, 1] = np.nan
    np.save("nan.npy", grads)
    craig("select", "rows.csv", "--size", "8", "--proxy", "grads.npy", "-o", "cs.parquet")
    craig("select", "rows.csv", "--size", "8", "-o", "plain.parquet")
    result = craig(*arguments)
    assert result.code == code
    if text is not None:
        assert result.err.splitlines()[-1] == f"craig: error: {text}"
