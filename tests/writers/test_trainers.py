"""What ``craig apply`` writes, opened and trained on by the programs it is for; the weights show in
what they learn.
"""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from commandline import write_csv
from tools import needs

from craig_cli.cli import main
from craig_cli.files.manifest import read_manifest

LINES = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Select 40 of 400 rows and write them in all the ways, in one folder."""
    path = tmp_path_factory.mktemp("trainers")
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(LINES, 4)).round(3)
    labels = (rows @ [2, -1, 0.5, 0] + rng.logistic(size=LINES) > 0.5).astype(int)
    write_csv(path / "data.csv", labels.tolist(), rows)
    before = Path.cwd()
    os.chdir(path)
    try:
        options = [
            "--size",
            "40",
            "--method",
            "exact",
            "--weights",
            "cluster",
            "--representative",
            "medoid",
        ]
        assert main(["select", "data.csv", *options, "-o", "cs.parquet", "--quiet"]) == 0
        for output, *more in (
            ("s.csv",),
            ("s.libsvm",),
            ("inline.libsvm", "--weight-as", "inline"),
            ("plain.libsvm", "--weight-as", "none"),
            ("s.vw",),
            ("s.parquet",),
            ("s.h5",),
        ):
            assert main(["apply", "data.csv", "cs.parquet", "-o", output, "--quiet", *more]) == 0
    finally:
        os.chdir(before)
    return path


@pytest.fixture(scope="module")
def coreset(folder):
    return read_manifest(str(folder / "cs.parquet")).coreset


def data_of(folder):
    table = np.loadtxt(folder / "data.csv", delimiter=",", skiprows=1)
    return table[:, 1:], table[:, 0]


def test_scikit_learn(folder, coreset):
    linear, datasets = needs("scikit-learn", ".linear_model"), needs("scikit-learn", ".datasets")
    rows, labels = data_of(folder)
    model = linear.LogisticRegression(C=10)
    wanted = model.fit(
        rows[coreset.index], labels[coreset.index], sample_weight=coreset.weight
    ).coef_.copy()
    plain = model.fit(rows[coreset.index], labels[coreset.index]).coef_.copy()
    table = np.genfromtxt(folder / "s.csv", delimiter=",", names=True)
    from_csv = model.fit(
        np.column_stack([table[name] for name in "abcd"]),
        table["label"],
        sample_weight=table["weight"],
    ).coef_.copy()
    sparse, targets = datasets.load_svmlight_file(str(folder / "s.libsvm"), n_features=4)
    from_libsvm = model.fit(
        sparse.toarray(), targets, sample_weight=np.loadtxt(folder / "s.libsvm.weight")
    ).coef_.copy()
    assert np.array_equal(from_csv, wanted)
    assert np.array_equal(from_libsvm, wanted)
    assert abs(plain - wanted).max() > 0.01


@pytest.mark.filterwarnings("ignore")
@pytest.mark.needs("xgboost")
def test_xgboost(folder, coreset):
    xgboost = needs("xgboost")
    rows, labels = data_of(folder)
    options = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "seed": 0}
    arrays = xgboost.DMatrix(
        rows[coreset.index], labels[coreset.index], weight=coreset.weight, missing=0.0
    )
    everything = xgboost.DMatrix(rows)
    wanted = xgboost.train(options, arrays, 5).predict(everything)
    matrix = xgboost.DMatrix(
        f"{folder / 'inline.libsvm'}?format=libsvm&indexing_mode=1"
    )  # 3.2 reads no file of weights beside the data
    assert matrix.get_weight().tolist() == coreset.weight.tolist()
    assert np.allclose(xgboost.train(options, matrix, 5).predict(everything), wanted, atol=1e-6)
    unweighted = xgboost.DMatrix(f"{folder / 'plain.libsvm'}?format=libsvm&indexing_mode=1")
    assert abs(xgboost.train(options, unweighted, 5).predict(everything) - wanted).max() > 0.01


@pytest.mark.filterwarnings("ignore")
@pytest.mark.needs("lightgbm")
def test_lightgbm(folder, coreset):
    lightgbm = needs("lightgbm")
    rows, labels = data_of(folder)
    options = {
        "objective": "binary",
        "min_data_in_leaf": 2,
        "num_threads": 1,
        "verbose": -1,
        "deterministic": True,
        "seed": 0,
    }
    table = {"header": True, "label_column": "name:label", "weight_column": "name:weight"}
    nothing = np.zeros(
        LINES
    )  # LightGBM counts columns of LIBSVM text from 0, and the column of weights among the others
    from_one, before_weight = np.column_stack([nothing, rows]), np.column_stack([rows, nothing])
    predictions = {}
    for name, more in (("s.libsvm", {}), ("s.csv", table), ("plain.libsvm", {})):
        inputs = before_weight if name == "s.csv" else from_one
        weight = None if name == "plain.libsvm" else coreset.weight
        arrays = lightgbm.Dataset(
            inputs[coreset.index], labels[coreset.index], weight=weight, params=options
        )
        found = lightgbm.Dataset(str(folder / name), params=options | more)
        found_weight = found.construct().get_weight()
        assert (found_weight is None) == (weight is None)
        assert weight is None or found_weight.tolist() == weight.tolist()
        predictions[name] = lightgbm.train(options | more, found, 5).predict(inputs)
        assert np.allclose(
            predictions[name], lightgbm.train(options, arrays, 5).predict(inputs), atol=1e-6
        )
    assert abs(predictions["plain.libsvm"] - predictions["s.libsvm"]).max() > 0.01


@pytest.mark.needs("vowpalwabbit")
def test_vowpal_wabbit(folder, coreset):
    vw = needs("vowpalwabbit")
    rows, labels = data_of(folder)
    text = (folder / "s.vw").read_text()

    def learn(lines):
        with vw.Workspace("--loss_function logistic --quiet") as model:
            for _ in range(5):
                for line in lines:
                    model.learn(line)
            total = model.get_weighted_examples()
            return total, np.array(
                [
                    model.predict(
                        "| " + " ".join(f"{n}:{v}" for n, v in zip("abcd", row, strict=True))
                    )
                    for row in rows
                ]
            )

    lines = text.splitlines()
    total, weighted = learn(lines)
    assert total == 5 * LINES
    _, plain = learn(
        [line.replace(line.split("'")[0], line.split()[0] + " 1 ", 1) for line in lines]
    )
    assert abs(weighted - plain).max() > 0.01
    assert np.mean((weighted > 0) == (labels == 1)) > 0.7


@pytest.mark.needs("pandas", "polars")
def test_pandas_and_polars_and_h5py(folder, coreset):
    pandas, polars = needs("pandas"), needs("polars")
    rows, labels = data_of(folder)
    fixed_point = pandas.read_parquet(folder / "s.parquet")
    assert fixed_point.columns.tolist() == ["a", "b", "c", "d", "label", "weight"]
    assert np.array_equal(fixed_point[list("abcd")], rows[coreset.index])
    assert polars.read_parquet(folder / "s.parquet")["weight"].to_list() == coreset.weight.tolist()
    with h5py.File(folder / "s.h5") as file:
        assert np.array_equal(file["X"], rows[coreset.index])
        assert np.array_equal(file["label"], labels[coreset.index])
