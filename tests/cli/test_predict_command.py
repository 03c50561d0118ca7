"""``craig predict``, whole: what it writes, says, and refuses."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from commandline import Result, listing, write_csv

from craig_cli.files.model import TRACE_TYPE, Model, write_model


def write_hand_made(path, coef, intercept, classes, loss, l2=(1.0,), columns=("a",)):
    coef = np.array(coef, float).reshape(len(l2), -1, len(columns) or 1)
    labels = (
        None
        if classes is None
        else np.array(classes, object if isinstance(classes[0], str) else None)
    )
    facts = {
        "loss": loss,
        "input": {"task": "regression"} if classes is None else {},
        "columns": list(columns),
    }
    with path.open("wb") as out:
        write_model(
            out,
            Model(
                coef,
                np.array(intercept, float).reshape(coef.shape[:2]),
                np.array(l2),
                labels,
                facts,
                np.zeros(0, TRACE_TYPE),
            ),
        )


def predictions():
    return pq.read_table("p.parquet").to_pydict()


@pytest.fixture
def points(own_folder):
    """Write ``points.csv``: five points on a line."""
    write_csv(own_folder / "points.csv", [0, 0, 1, 1, 0], np.array([[-2.0], [-1], [0], [1], [2]]))


def test_two_classes_by_hand(craig, points, own_folder):
    write_hand_made(own_folder / "m.npz", [np.log(3)], [0], [0, 1], "logistic")
    result = craig("predict", "points.csv", "m.npz", "-o", "p.parquet")
    assert (result.code, result.out) == (0, "")
    text = re.sub(r"(read|predict|write) \S+ s", r"\1 _ s", result.err)
    assert re.sub(r"[\d,]+ MB", "_ MB", text) == (
        "rows     5 read, 1 column\n"
        "model    logistic, l2 1\n"
        "output   predictions written to p.parquet\n"
        "quality  40.00% wrong\n"
        "time     read _ s, predict _ s, write _ s\n"
    )
    table = predictions()
    assert (table["index"], table["prediction"]) == ([0, 1, 2, 3, 4], [0, 0, 0, 1, 1])
    assert table["probability"] == pytest.approx([0.9, 0.75, 0.5, 0.75, 0.9])


def test_several_classes_of_text_by_hand(craig, points, own_folder):
    write_hand_made(own_folder / "m.npz", [-1, 0, 1], [0, 0.5, 0], ["x", "y", "z"], "softmax")
    without = ("--no-label", "--drop", "label")
    assert craig("predict", "points.csv", "m.npz", *without, "-o", "p.parquet").code == 0
    assert predictions()["prediction"] == ["x", "x", "y", "z", "z"]
    assert predictions()["probability"][2] == pytest.approx(np.exp(0.5) / (2 + np.exp(0.5)))


def test_a_hinge_gives_scores(craig, points, own_folder):
    write_hand_made(own_folder / "m.npz", [2], [1], [0, 1], "squared-hinge")
    assert craig("predict", "points.csv", "m.npz", "-o", "p.parquet").code == 0
    assert predictions()["prediction"] == [0, 0, 1, 1, 1]
    assert "probability" not in predictions()
    assert predictions()["score"] == [-3, -1, 1, 3, 5]


def test_a_number_by_hand(craig, points, own_folder):
    write_hand_made(own_folder / "m.npz", [2], [1], None, "squared")
    result = craig("predict", "points.csv", "m.npz", "-o", "p.parquet", "--json")
    assert predictions() == {"index": [0, 1, 2, 3, 4], "prediction": [-3, -1, 1, 3, 5]}
    facts = json.loads(result.out)
    assert facts["is_regression"] is True
    assert facts["error"] == pytest.approx(np.sqrt((9 + 1 + 0 + 4 + 25) / 5))


def test_predictions_are_those_the_training_counted(craig, data):
    facts = json.loads(craig("train", "data.csv", "-o", "m.npz", "--json").out)
    again = json.loads(craig("predict", "data.csv", "m.npz", "-o", "p.parquet", "--json").out)
    assert again["error"] == facts["models"][0]["error"]
    assert craig("predict", "data.csv", "m.npz", "-o", "p.parquet", "-q") == Result(0, "", "")


def test_rows_without_labels(craig, own_folder, data):
    assert craig("train", "data.csv", "-o", "m.npz").code == 0
    (own_folder / "new.csv").write_text("a\n0\n12\n")
    result = craig("predict", "new.csv", "m.npz", "--no-label", "-o", "p.parquet")
    assert result.code == 0, result.err
    assert "quality  no labels to compare with\n" in result.err
    assert len(predictions()["prediction"]) == 2


def test_which_model_of_a_path(craig, points, own_folder):
    write_hand_made(own_folder / "m.npz", [1, -1], [0, 0], [0, 1], "logistic", l2=(1.0, 0.1))
    result = craig("predict", "points.csv", "m.npz", "-o", "p.parquet")
    assert (result.code, result.err) == (
        2,
        "craig: error: --l2: 'm.npz' holds 2 models, for 1, 0.1. Name one.\n",
    )
    result = craig("predict", "points.csv", "m.npz", "--l2", "3", "-o", "p.parquet")
    assert (result.code, result.err) == (
        2,
        "craig: error: --l2: 'm.npz' holds no model for 3; there are 1, 0.1.\n",
    )
    assert craig("predict", "points.csv", "m.npz", "--l2", "0.1", "-o", "p.parquet").code == 0
    assert predictions()["prediction"] == [1, 1, 0, 0, 0]


def test_other_columns_are_refused(craig, points, own_folder):
    write_hand_made(own_folder / "m.npz", [1, 1], [0], [0, 1], "logistic", columns=("a", "b"))
    result = craig("predict", "points.csv", "m.npz", "-o", "p.parquet")
    message = (
        "points.csv: its columns differ from those of the model (the first difference: one "
        "column more or less)."
    )
    remedy = "Give data with the same columns in the same order, or --drop those that differ."
    assert (result.code, result.err) == (3, f"craig: error: {message} {remedy}\n")


def test_sparse_rows_may_have_fewer_columns_or_more(craig, own_folder):
    write_hand_made(own_folder / "m.npz", [1], [0], [0, 1], "logistic", columns=())
    (own_folder / "d.libsvm").write_text("1 1:1 3:5\n0 2:1\n")
    result = craig("predict", "d.libsvm", "m.npz", "-o", "p.parquet")
    assert result.code == 0, result.err
    assert (
        "note     Columns 2 to 3 are none of the model's: they count for nothing.\n" in result.err
    )
    assert predictions()["prediction"] == [1, 0]
    assert predictions()["probability"] == pytest.approx([1 / (1 + np.exp(-1)), 0.5])


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("points.csv", "'points.csv' is one of the inputs."),
        ("m.npz", "'m.npz' is one of the inputs."),
        (
            "notes",
            "'notes' exists and is not a craig file of predictions. Choose another "
            "name, or replace it with --force.",
        ),
        ("no/p.parquet", "the folder of 'no/p.parquet' does not exist."),
    ],
)
def test_outputs_refused(craig, points, own_folder, output, message):
    write_hand_made(own_folder / "m.npz", [1], [0], [0, 1], "logistic")
    (own_folder / "notes").write_text("dear diary")
    result = craig("predict", "points.csv", "m.npz", "-o", output)
    assert (result.code, result.err) == (2, f"craig: error: --output: {message}\n")
    assert listing(own_folder) == ["m.npz", "notes", "points.csv"]


def test_other_refusals(craig, points):
    result = craig("predict", "-", "-", "-o", "p.parquet")
    assert (result.code, result.err) == (
        2,
        "craig: error: DATA and MODEL cannot both be read from stdin: name a file for one.\n",
    )
    result = craig("predict", "points.csv", "points.csv", "-o", "p.parquet")
    assert (result.code, result.err) == (
        3,
        "craig: error: points.csv: not a model file, or cut short. Give a file written by craig "
        "train.\n",
    )
    result = craig("predict", "points.csv", "m.npz", "-o", "-", "--json")
    assert (result.code, result.err) == (
        2,
        "craig: error: --json and --output - both write to stdout: choose one.\n",
    )
