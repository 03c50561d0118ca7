"""``craig train --model mlp`` and ``craig predict`` with its file."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from commandline import write_csv


@pytest.fixture
def clusters(own_folder):
    """Write 300 rows around three centres to ``rows.csv``, and 60 more to ``test.csv``."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 360)
    rows = (rng.normal(size=(3, 4))[labels] * 2 + rng.normal(size=(360, 4)) * 0.5).astype(
        np.float32
    )
    write_csv(own_folder / "rows.csv", (labels[:300] * 10).tolist(), rows[:300])
    write_csv(own_folder / "test.csv", (labels[300:] * 10).tolist(), rows[300:])


OPTIONS = ("--model", "mlp", "--hidden", "8", "--epochs", "8", "--step", "0.2")


def test_train_and_predict(craig, clusters, own_folder):
    result = craig(
        "train", "rows.csv", *OPTIONS, "--fraction", "0.3", "--reselect-every", "2", "-o", "net.npz"
    )
    assert result.code == 0
    lines = result.err.splitlines()
    assert lines[:4] == [
        "rows     300 read, 4 columns",
        "trained  on 90 rows, selected anew every 2 epochs by p - y (groups)",
        "model    4 - 8 sigmoid - softmax of 3, written to net.npz",
        "steps    batches of 10, step 0.2, l2 0.0001, 8 epochs, 2.4 passes",
    ]
    assert lines[4].startswith("loss     0.")
    with np.load(own_folder / "net.npz", allow_pickle=False) as file:
        assert {"first", "first_bias", "second", "second_bias", "classes", "trace", "craig"} == set(
            file.files
        )
        assert len(file["trace"]) == 9
    predicted = craig("predict", "test.csv", "net.npz", "--json", "-o", "p.parquet")
    facts = json.loads(predicted.out)
    assert (facts["loss"], facts["l2"]) == ("network", 0.0001)
    assert facts["error"] < 0.1
    table = pq.read_table(own_folder / "p.parquet")
    assert table.column_names == ["index", "prediction", "probability"]
    assert set(table["prediction"].to_pylist()) <= {0, 10, 20}
    again = craig(
        "train",
        "rows.csv",
        *OPTIONS,
        "--fraction",
        "0.3",
        "--reselect-every",
        "2",
        "--threads",
        "1",
        "-o",
        "again.npz",
    )
    assert again.code == 0
    with np.load(own_folder / "net.npz") as one, np.load(own_folder / "again.npz") as other:
        for name in ("first", "first_bias", "second", "second_bias"):
            assert one[name].tobytes() == other[name].tobytes()


def test_a_coreset_and_hand_made_weights(craig, clusters, own_folder):
    assert (
        craig("select", "rows.csv", "--size", "60", "--method", "exact", "-o", "cs.parquet").code
        == 0
    )
    result = craig(
        "train", "rows.csv", *OPTIONS, "--coreset", "cs.parquet", "--json", "-o", "net.npz"
    )
    facts = json.loads(result.out)
    assert (facts["model"], facts["trained_rows"], facts["chosen_by"]) == ("mlp", 60, "cs.parquet")
    assert (
        craig(
            "train", "rows.csv", *OPTIONS, "--weights-file", "cs.parquet", "-o", "by-hand.npz"
        ).code
        == 0
    )
    with np.load(own_folder / "net.npz") as one, np.load(own_folder / "by-hand.npz") as other:
        assert one["first"].tobytes() == other["first"].tobytes()
    assert (
        craig(
            "train",
            "rows.csv",
            *OPTIONS,
            "--coreset",
            "cs.parquet",
            "--first",
            "20",
            "-o",
            "net.npz",
        ).code
        == 0
    )
    assert (
        craig("train", "rows.csv", "-o", "net.npz").code == 2
    )  # a network is not replaced by chance by a linear model


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--model", "mlp", "--solver", "saga"), "--solver: it is an option of --model linear, not "
                                                 "of --model mlp."),
        (("--hidden", "3"), "--hidden: it is an option of --model mlp, not of --model linear."),
        (("--model", "mlp", "--l2", "1e-4,1e-3"), "--l2: a network is trained for one at a time."),
        (("--model", "mlp", "--task", "regression"), "--model mlp: it predicts classes. Leave out "
                                                     "--task regression, or use --model linear."),
        (("--model", "mlp", "--no-label", "--drop", "label"), "--no-label: training needs a label. "
                                                              "Name its column with --label."),
        (("--model", "mlp", "--fraction", "0.5", "--weights-file", "w.parquet"),
         "--fraction: --coreset and --weights-file say already which rows to train on. Leave one "
         "out."),
    ],
)  # fmt: skip
def test_refused(craig, clusters, arguments, text):
    result = craig("train", "rows.csv", *arguments, "-o", "net.npz")
    assert (result.code, result.err) == (2, f"craig: error: {text}\n")


def test_predict_checks_the_columns(craig, clusters, own_folder):
    craig("train", "rows.csv", *OPTIONS, "-o", "net.npz")
    write_csv(own_folder / "wide.csv", [0], np.zeros((1, 5)))
    result = craig("predict", "wide.csv", "net.npz", "-o", "p.parquet")
    assert result.code == 0
    assert "Passed over, as the model has no such columns: e.\n" in result.err
    result = craig("predict", "test.csv", "net.npz", "--l2", "0.5", "-o", "p.parquet")
    assert (result.code, result.err) == (
        2,
        "craig: error: --l2: 'net.npz' holds no model for 0.5; there is 0.0001.\n",
    )
