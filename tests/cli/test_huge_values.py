"""Numbers that cannot be squared and summed, on every road of the command."""

import json

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tools import slow

VALUES = ("1.8e308", "1e308", "-1e200", "1e155", "1e154", "1.1e140")
BEYOND = "is beyond 1e+140, too large to be squared and summed"
CSV_REMEDY = (
    "Divide the column by a constant (--scale comes too late for that), or drop the row with "
    "--on-error skip."
)


def rows_of(value, n=60):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, 3))
    rows[7, 1] = value
    return rows, (rows[:, 0] > 0).astype(int)


def write(path, rows, labels, cells=()):
    lines = ["a,b,c,label"]
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        texts = [repr(float(v)) for v in row]
        for place, text in cells:
            if place[0] == number:
                texts[place[1]] = text
        lines.append(",".join([*texts, str(label)]))
    path.write_text("\n".join(lines) + "\n")


ROADS = {
    "memory": ("select", "d.csv", "--size", "6"),
    "cells": ("select", "d.csv", "--size", "6", "--method", "cells"),
    "scaled": ("select", "d.csv", "--size", "6", "--scale", "standard"),
    "cosine": ("select", "d.csv", "--size", "6", "--metric", "cosine"),
    "disk": ("select", "d.csv", "--size", "6", "--method", "cells", "--memory-limit", "2GB"),
    "parts": ("select", "d.csv", "--size", "6", "--parts", "2"),
    "partial": ("select", "d.csv", "--size", "6", "--partial"),
    "plan": ("select", "d.csv", "--size", "6", "--dry-run"),
    "train": ("train", "d.csv"),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("road", ["memory", "train"])
def test_csv_names_row_column_and_value(craig, own_folder, value, road):
    write(own_folder / "d.csv", *rows_of(0.0), cells=[((7, 1), value)])
    ran = craig(*ROADS[road], "-o", "out")
    assert ran.code == 3
    assert ran.err.splitlines()[0].endswith(
        f"d.csv:9:2: column 'b' {BEYOND} (value '{value}'). {CSV_REMEDY}"
    )
    assert not (own_folder / "out").exists()


@pytest.mark.parametrize("road", ROADS)
def test_every_road_refuses(craig, own_folder, road):
    write(own_folder / "d.csv", *rows_of(0.0), cells=[((7, 1), "1e200")])
    output = () if road == "plan" else ("-o", "out")
    ran = craig(*ROADS[road], *output)
    assert ran.code == 3, ran.err
    assert f"d.csv:9:2: column 'b' {BEYOND}" in ran.err


def test_skipping_leaves_the_row_out_as_an_infinite_one(craig, own_folder):
    write(own_folder / "d.csv", *rows_of(0.0), cells=[((7, 1), "1e308")])
    ran = craig(*ROADS["memory"], "--on-error", "skip", "-o", "out.parquet", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["skipped_rows"] == 1


def test_libsvm_parquet_and_hdf5_say_the_same(craig, own_folder):
    rows, labels = rows_of(1e200)
    lines = [
        f"{label} " + " ".join(f"{k + 1}:{float(v)!r}" for k, v in enumerate(row))
        for row, label in zip(rows, labels, strict=True)
    ]
    (own_folder / "d.libsvm").write_text("\n".join(lines) + "\n")
    columns = {name: rows[:, k] for k, name in enumerate("abc")}
    pq.write_table(pa.table({**columns, "label": labels}), "d.parquet")
    with h5py.File("d.h5", "w") as file:
        file["X"], file["label"] = rows, labels
    for name, place in (("d.libsvm", ":8:"), ("d.parquet", ":8:2: "), ("d.h5", ":8:2: ")):
        ran = craig("select", name, "--size", "6", "-o", "out")
        assert ran.code == 3
        assert f"{name}{place}" in ran.err
        assert f"{BEYOND} (value '1e+200')" in ran.err


@pytest.mark.parametrize("column", ["w", "p", "label"])
def test_weights_costs_and_targets(craig, own_folder, column):
    lines = ["a,w,p,label"] + [f"{k}.5,1,1,{k}" for k in range(9)]
    cells = dict(zip(["a", "w", "p", "label"], ("1", "1", "1", "1"), strict=True)) | {
        column: "1e300"
    }
    (own_folder / "d.csv").write_text("\n".join([*lines, ",".join(cells.values())]) + "\n")
    ran = craig(
        "select", "d.csv", "--task", "regression", "--budget-cost", "3", "--weight-column", "w",
        "--cost-column", "p", "-o", "out",
    )  # fmt: skip
    assert ran.code == 3
    assert f"'{column}' {BEYOND} (value '1e300')" in ran.err


def test_a_value_beside_which_the_others_are_lost(craig, own_folder):
    write(own_folder / "d.csv", *rows_of(-1e30))
    for road in ("memory", "cells", "partial"):
        ran = craig(*ROADS[road], "-o", "out")
        assert ran.code == 3, ran.err
        assert (
            "d.csv: row 7, from 0, lies so far off in column 'b' that distances of the other rows "
            "are lost beside it. Correct it, leave the row out, or use --scale minmax."
        ) in ran.err
    ran = craig(*ROADS["parts"], "-o", "out")
    assert ran.code == 3
    assert "row 7, from 0, lies so far off in column" in ran.err
    assert craig(*ROADS["memory"], "--scale", "minmax", "-o", "out.parquet").code == 0


@pytest.mark.parametrize("size", [1e100, *slow(1e30, 1e-200)])
def test_huge_columns_are_trained_on_and_evaluated(craig, own_folder, size):
    rows, labels = rows_of(0.0)
    rows[:, 1] *= size
    write(own_folder / "d.csv", rows, labels)
    assert craig("select", "d.csv", "--size", "10", "--scale", "standard", "-o", "cs").code == 0
    ran = craig("train", "d.csv", "--solver", "lbfgs", "-o", "model.npz")
    assert ran.code == 0, ran.err
    with np.load("model.npz") as model:
        assert np.isfinite(model["coef"]).all()
        assert np.isfinite(model["intercept"]).all()
    ran = craig("evaluate", "d.csv", "--coreset", "cs", "--epochs", "2", "--json")
    assert ran.code == 0, ran.err


def test_scores_beyond_the_largest_number_are_refused(craig, own_folder):
    rows, labels = rows_of(0.0)
    write(own_folder / "d.csv", rows, labels)
    assert craig("train", "d.csv", "-o", "m.npz").code == 0
    with np.load("m.npz") as model:
        arrays = dict(model)
    np.savez("huge.npz", **{**arrays, "coef": np.full_like(arrays["coef"], 1e300)})
    rows[7, 1] = 1e100
    write(own_folder / "huge.csv", rows, labels)
    ran = craig("predict", "huge.csv", "huge.npz", "-o", "p.parquet")
    assert ran.code == 3
    assert ran.err.endswith(
        "<rows>: the score of row 7, from 0, is beyond the largest number (1.8e308). Correct the "
        "row, or leave it out.\n"
    )
    assert not (own_folder / "p.parquet").exists()


def test_a_network_names_what_float32_does_not_hold(craig, own_folder):
    write(own_folder / "d.csv", *rows_of(1e39))
    ran = craig("train", "d.csv", "--model", "mlp", "-o", "m.npz")
    assert ran.code == 3
    assert "row 7, column 1, from 0, is beyond 3.4e38, and networks are of float32" in ran.err
