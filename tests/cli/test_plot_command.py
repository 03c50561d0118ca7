"""``craig plot``, as text, JSON, PNG and SVG."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from commandline import write_csv
from tools import needs

from craig_cli import select_coreset
from craig_cli.dataset import Dataset
from craig_cli.readers import read_dataset
from craig_cli.reports.panel import GREY, PALETTE
from craig_cli.reports.projection import plane_view
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.workflows.plot import view_of

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
    assert {
        "Coverage: more picks, nearer to every row",
        "coverage cost a row (epsilon / rows)",
        "Gain: 90% of it with the first 84% of the picks",
    } <= set(lines)
    assert f"{'picks':>60}" in lines and f"{'share of the picks':>60}" in lines
    assert (
        "Rows (shades) and picks (A 0, B 1) in the two directions of the largest spread, 100% "
        "of the variance; 12 rows and 6 picks"
    ) in lines
    drawn = "".join(
        lines[lines.index(next(line for line in lines if line.startswith("Rows (shades)"))) + 1 :]
    )
    assert set(drawn) <= set(" .:-=+*#%@AB") and {"A", "B"} <= set(drawn)


def test_no_gain_after_the_first_picks(craig, data):
    assert craig("select", "data.csv", "--size", "2", *SELECT, "-o", "two.parquet").code == 0
    result = craig("plot", "two.parquet")
    assert result.code == 0 and "\nGain: none\n" in result.out


@pytest.mark.parametrize("name", ["p.png", "p.svg"])
def test_pictures(craig, coreset, own_folder, name):
    if name.endswith("png"):
        needs("matplotlib")
    result = craig("plot", "data.csv", "cs.parquet", "-o", name)
    assert (result.code, result.err) == (0, f"picture  of 6 picks written to {name}\n")
    picture = (own_folder / name).read_bytes()
    assert picture.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
    assert craig("plot", "data.csv", "cs.parquet", "-o", name, "--force", "-q").code == 0
    assert (own_folder / name).read_bytes() == picture


def test_what_the_picture_says(craig, coreset, own_folder, no_matplotlib):
    assert craig("plot", "data.csv", "cs.parquet", "-o", "p.svg").code == 0
    tree = ET.parse(own_folder / "p.svg")
    texts = [e.text for e in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "6 of 12 rows, exact, weights cluster"
    for words in (
        "coverage cost a row (epsilon / rows)",
        "picks",
        "share of the fall in coverage cost",
        "share of the picks",
        "weight",
        "0 (4)",
        "1 (2)",
        "first principal direction; 12 rows and 6 picks",
        "second principal direction (both: 100% of the variance)",
    ):
        assert words in texts
    result = craig("plot", "cs.parquet", "-o", "p.png")
    assert (result.code, result.err) == (
        2,
        "craig: error: --output: a PNG needs matplotlib, which is not installed. Run: pip install "
        "'craig-cli[plot]'.\n",
    )


def test_classes_beyond_the_palette_are_told_together(craig, own_folder):
    labels = [number % 9 for number in range(45)]
    write_csv(own_folder / "many.csv", labels, np.random.default_rng(0).normal(size=(45, 2)))
    assert craig("select", "many.csv", "--size", "18", *SELECT, "-o", "many.parquet").code == 0
    assert craig("plot", "many.csv", "many.parquet", "-o", "p.svg").code == 0
    text = (own_folder / "p.svg").read_text()
    assert ">5 (2)<" in text and ">6 (2)<" not in text and ">3 more (6)<" in text
    colours = set(re.findall(r'stroke="(#\w+)"', text))
    assert colours == {*PALETTE, GREY}


def test_rows_in_a_cycle_are_all_shown(craig, own_folder):
    """Evenly taken rows would all be of one kind."""
    rows = np.array([[10 * (number % 2), number % 3] for number in range(20_000)], float)
    shown = view_of(
        Dataset(rows, None),
        SelectionSettings(Budget(size=2)),
        select_coreset(rows, size=2, purpose="local"),
    )
    assert (len(shown.rows), shown.n_picks) == (5_000, 2)
    right = sum(x > 0 for x, _ in shown.rows)
    assert 2_300 < right < 2_700


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
