"""``craig plot``, as text, JSON, PNG and SVG."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commandline import write_csv
from tools import needs

from craig_cli.dataset import Dataset
from craig_cli.readers import read_dataset
from craig_cli.reports.plot import line_plot
from craig_cli.reports.projection import plane_view
from craig_cli.settings import Budget, InputSettings, SelectionSettings

SELECT = ("--method", "exact", "--weights", "cluster", "--representative", "medoid")


@pytest.fixture
def coreset(craig, data):
    assert craig("select", "data.csv", "--size", "6", *SELECT, "-o", "cs.parquet").code == 0


def test_curves_that_a_hand_can_check(craig, coreset):
    facts = json.loads(craig("plot", "cs.parquet", "--json").out)
    # Class 0 is 0 1 2 3 10 11 12 13, class 1 is 0 1 2 9: each has a pick at the second, and epsilon
    # is then that of two medoids.
    assert [point["picks"] for point in facts["curve"]] == [1, 2, 3, 4, 5, 6]
    assert [point["epsilon"] is None for point in facts["curve"]] == [True] + [False] * 5
    assert facts["curve"][1]["epsilon"] == 40 + 10
    assert facts["curve"][2]["epsilon"] == 40 + 10 - facts["curve"][2]["gain"]
    weights = [
        (w["label"], w["picks"], w["smallest"], w["largest"], sum(w["bins"]))
        for w in facts["weights"]
    ]
    assert weights == [("0", 4, 2, 2, 4), ("1", 2, 1, 3, 2)]
    assert facts["view"] is None


def test_text(craig, coreset):
    result = craig("plot", "data.csv", "cs.parquet", "--width", "60")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "cs.parquet: 6 of 12 rows, method exact, weights cluster"
    assert max(map(len, lines)) <= 130 and result.out.isascii()
    assert "epsilon against picks" in lines
    assert (
        "rows (shades) and picks (A 0, B 1) in the two directions of the largest spread, 100% "
        "of the variance"
    ) in lines
    drawn = "".join(
        lines[lines.index(next(line for line in lines if line.startswith("rows (shades)"))) + 1 :]
    )
    assert set(drawn) <= set(" .:-=+*#%@AB") and {"A", "B"} <= set(drawn)


def test_a_line_plot():
    lines = line_plot([(1, 100), (2, 10), (3, 1)], 21).splitlines()
    assert len(lines) == 14
    assert (lines[0], lines[11]) == ("      100 |*", "        1 |         *")
    assert lines[-1] == "           1        3"
    assert line_plot([(1, 0)], 21).splitlines()[11] == "        0 |*"


@pytest.mark.parametrize("name", ["p.png", "p.svg"])
def test_pictures(craig, coreset, own_folder, name):
    needs("matplotlib")
    result = craig("plot", "data.csv", "cs.parquet", "-o", name)
    assert (result.code, result.err) == (0, f"picture  of 6 picks written to {name}\n")
    picture = (own_folder / name).read_bytes()
    assert picture.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
    assert craig("plot", "data.csv", "cs.parquet", "-o", name, "--force", "-q").code == 0
    assert (own_folder / name).read_bytes() == picture
    if name.endswith("svg"):
        text = picture.decode()
        assert all(
            f">{word}<" in text
            for word in ("epsilon, all classes", "gain of the pick", "weight", "0 (4)", "1 (2)")
        )


def test_the_view_is_that_of_principal_components():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 5)) * [5, 0.1, 3, 0.2, 0.3] + 7
    places, share = plane_view(
        Dataset(rows, None), SelectionSettings(Budget(size=1)), np.arange(300)
    )
    centred = rows - rows.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)
    wanted = centred @ np.linalg.svd(centred)[2][:2].T
    wanted *= np.sign((wanted * places).sum(axis=0))
    assert np.allclose(places, wanted, atol=1e-6)
    assert share == pytest.approx((values[:2] ** 2).sum() / (values**2).sum())


def test_sparse_rows_are_seen_as_dense_ones(own_folder):
    rows = np.random.default_rng(1).normal(size=(40, 300)) * (
        np.random.default_rng(2).random((40, 300)) < 0.01
    )
    table = np.column_stack([rows, rows[:, 0] + 1])
    lines = [
        " ".join(["1", *(f"{c + 1}:{float(row[c])!r}" for c in np.flatnonzero(row))])
        for row in table
    ]
    Path("d.libsvm").write_text("\n".join(lines) + "\n")
    sparse = read_dataset(InputSettings(("d.libsvm",)))
    dense = Dataset(table, None)
    settings = SelectionSettings(Budget(size=1))
    found, wanted = (plane_view(dataset, settings, np.arange(40)) for dataset in (sparse, dense))
    assert np.allclose(found[0], wanted[0], atol=1e-6) and found[1] == pytest.approx(wanted[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "p.pdf"), "--output: 'p.pdf' does not end in .png or .svg."),
        (("--width", "9"), "--width: 9 is not between 40 and 10000."),
        (
            ("-o", "there.png"),
            "--output: 'there.png' exists. Choose another name, or replace it with --force.",
        ),
    ],
)
def test_what_is_refused(craig, coreset, own_folder, options, message):
    (own_folder / "there.png").write_text("mine")
    result = craig("plot", "cs.parquet", *options)
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")


def test_other_data_is_refused(craig, coreset, own_folder):
    write_csv(own_folder / "other.csv", [0, 1], np.zeros((2, 1)))
    result = craig("plot", "other.csv", "cs.parquet")
    assert result.code == 3
    assert "cs.parquet: it was selected from other data" in result.err
