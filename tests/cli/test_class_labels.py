"""Labels that look like amounts or ids are refused right after reading, on every road; who says
that they are classes is believed.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

OPTIONS = ("--fraction", "0.2", "--for", "local")
AMOUNTS = "the labels look like amounts, not classes: "
ROADS = {
    "memory": "select d.csv {} -o cs.parquet",
    "disk": "select d.csv {} --memory-limit 600M -o cs.parquet",
    "plan": "select d.csv {} --dry-run",
    "plan of parts": "select d.csv {} --parts 2 --dry-run",
    "parts": "select d.csv {} --parts 2 -o cs.parquet",
    "cells": "select d.csv {} --parts 2 --partition cells -o cs.parquet",
}


def write_labels(path, labels):
    """Write a file of two columns with these labels."""
    rows = np.random.default_rng(0).normal(size=(len(labels), 2)).round(3)
    lines = [f"{label},{a},{b}" for label, (a, b) in zip(labels, rows.tolist(), strict=True)]
    path.write_text("label,a,b\n" + "\n".join(lines) + "\n")


def rings():
    """Return 22 whole numbers, of which those in the middle are many and the last few."""
    counts = (200 * np.exp(-0.5 * ((np.arange(1, 30) - 9) / 4) ** 2)).astype(int)
    labels = np.repeat(np.arange(1, 30), counts)
    return np.random.default_rng(1).permutation(labels).tolist()


@pytest.fixture(params=["rings", "prices"])
def amounts(request, own_folder):
    """Write ``d.csv``: whole numbers that look like amounts, or numbers with fractions."""
    prices = np.random.default_rng(2).normal(10, 2, 200).round(2).tolist()
    write_labels(own_folder / "d.csv", rings() if request.param == "rings" else prices)


@pytest.mark.thinned
@pytest.mark.parametrize("road", ROADS)
def test_amounts_are_no_classes(craig, amounts, road, monkeypatch):
    line = ROADS[road].format(" ".join(OPTIONS)).split()
    with monkeypatch.context() as patch:
        work = ("craig_cli.workflows.select.make_coreset", "craig_cli.workflows.plan.make_features")
        for name in work:
            patch.setattr(name, lambda *_, **__: pytest.fail("work was done"))
        result = craig(*line)
    assert result.code == 3, result.err
    assert AMOUNTS in result.err
    assert result.err.endswith(
        "Give --task regression to predict a number, or --task classification if each is a class.\n"
    )
    for task in ("regression", "classification"):
        budget = ("--fraction", "1") if task == "classification" else ()
        result = craig(*line, "--task", task, *budget)
        assert result.code == 0, result.err


def test_training_and_evaluating_ask_as_well(craig, own_folder):
    write_labels(own_folder / "d.csv", rings())
    for model in ("linear", "mlp"):
        result = craig("train", "d.csv", "--model", model, "--epochs", "1", "-o", "m.npz")
        assert (result.code, AMOUNTS in result.err) == (3, True)
    assert craig("train", "d.csv", "--task", "classification", "-o", "m.npz").code == 0
    options = (*OPTIONS, "--task", "classification", "-o", "cs.parquet")
    assert craig("select", "d.csv", *options).code == 0
    # The manifest says that they are classes.
    assert craig("verify", "d.csv", "cs.parquet").code == 0
    assert craig("train", "d.csv", "--coreset", "cs.parquet", "-o", "m.npz").code == 0


def test_shards_are_believed_one_by_one(craig, own_folder):
    """A shard may have few rows of each of many classes: only the whole can tell."""
    for name in ("a", "b"):
        write_labels(own_folder / f"{name}.csv", [*range(1, 31)] * 8)
        result = craig("select", f"{name}.csv", *OPTIONS, "--partial", "-o", f"{name}.partial")
        assert result.code == 0, result.err
    assert craig("merge", "a.partial", "b.partial", "-o", "cs.parquet").code == 0
    assert craig("select", "a.csv", "b.csv", *OPTIONS, "--parts", "6", "-o", "p.parquet").code == 0


def test_a_column_of_ids(craig, own_folder):
    write_labels(own_folder / "d.csv", [f"user-{k}" for k in range(60)])
    result = craig("select", "d.csv", *OPTIONS, "-o", "cs.parquet")
    assert (result.code, result.err) == (
        3,
        "craig: error: d.csv: the labels look like ids, not classes: 60 different ones in 60 rows, "
        "such as 'user-0'. Name the column of the classes with --label, or use --no-label; or give "
        "--task classification if each is a class.\n",
    )


def test_the_environment_names_the_task_as_well(craig, own_folder, monkeypatch):
    write_labels(own_folder / "d.csv", rings())
    monkeypatch.setenv("CRAIG_TASK", "classification")
    assert craig("select", "d.csv", *OPTIONS, "--dry-run").code == 0


def test_a_plan_says_that_a_calibration_cannot_help(craig, own_folder):
    write_labels(own_folder / "d.csv", [f"class {k % 30}" for k in range(300)])
    line = ("select", "d.csv", "--size", "40", "--for", "linear")
    told = json.loads(craig(*line, "--dry-run", "--json").out)["notes"]
    result = json.loads(craig(*line, "--json", "-o", "cs.parquet").out)
    note = "90 coordinates of a gradient are too many for 40 picks to give much."
    assert told == result["notes"] == [f"The weights are not calibrated: {note}"]
