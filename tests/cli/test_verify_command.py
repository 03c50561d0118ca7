"""``craig info`` and ``craig verify``."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from commandline import write_csv

from craig_cli.files.manifest import read_manifest, write_manifest


@pytest.fixture
def manifest(craig, data, own_folder):
    """Write ``cs.parquet``, three picks of ``data.csv``."""
    assert (
        craig("select", "data.csv", "--size", "3", "--for", "local", "-o", "cs.parquet").code == 0
    )
    return own_folder / "cs.parquet"


def change(path, **columns):
    """Rewrite a manifest with other columns, as a hand would."""
    old = read_manifest(str(path))
    with path.open("wb") as out:
        write_manifest(
            out, dataclasses.replace(old, coreset=dataclasses.replace(old.coreset, **columns))
        )


def test_info_as_text(craig, manifest):
    from craig_cli import __version__

    result = craig("info", "cs.parquet")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[:6] == [
        f"manifest  cs.parquet, schema 1, written by craig {__version__}",
        "picks     3 of 12 rows (25.00%), 1 column",
        "class     0  2 of 8, coverage cost 1.25 a row",
        "          1  1 of 4, coverage cost 2.5 a row",
        "method    exact, metric euclidean, scale none, task classification, seed 0",
        "weights   cluster: smallest 4, median 4, largest 4",
    ]
    assert lines[6] == "coverage  cost 1.66667 a row, 20 in all (epsilon)"
    assert lines[-2] == (
        "request   size 3, header True, index_base 1, on_error stop, task classification"
    )


def test_info_as_json(craig, manifest):
    facts = json.loads(craig("info", "cs.parquet", "--json").out)
    assert (facts["n"], facts["k"], facts["epsilon"]["total"], facts["weight"]) == (
        12,
        3,
        20.0,
        {"min": 4.0, "median": 4.0, "max": 4.0},
    )


def test_info_on_what_is_no_manifest(craig, data):
    remedy = "Give a file written by craig select."
    assert craig("info", "data.csv").err == (
        f"craig: error: data.csv: not a Parquet file, or cut short. {remedy}\n"
    )
    result = craig("info", "no.parquet")
    assert (result.code, result.err) == (
        3,
        f"craig: error: no.parquet: cannot be read: No such file or directory. {remedy}\n",
    )


def test_verify_holds(craig, manifest):
    result = craig("verify", "data.csv", "cs.parquet")
    assert (result.code, result.err) == (0, "")
    fingerprint = read_manifest(str(manifest)).data_fingerprint
    assert result.out == (
        f"ok  data fingerprint: {fingerprint}\n"
        "ok  shape: 12 rows, 1 column\n"
        "ok  labels: those of the data, 2 classes\n"
        "ok  contracts: no row twice, weights sum to the rows of each class, epsilon never rises\n"
        "ok  clusters: each pick has the rows nearest to it\n"
        "ok  epsilon: 20 stated, 20 from the data\n"
        "ok  epsilon column: of each pick, on the way\n"
        "ok  gain column: of each pick\n"
        "    cs.parquet: the manifest belongs to the data and holds\n"
    )


@pytest.mark.parametrize("method", ["random", "stratified"])
@pytest.mark.parametrize(
    "reading",
    [(), ("--no-label",), ("--task", "regression"), ("--drop", "b", "--scale", "standard")],
)
def test_verify_holds_for_every_way_to_select(craig, own_folder, method, reading):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    write_csv(own_folder / "d.csv", [i % 3 for i in range(60)], rows)
    for extra in ((), ("--method", method)):
        assert (
            craig(
                "select",
                "d.csv",
                "--size",
                "9",
                "--for",
                "local",
                "-o",
                "cs.parquet",
                *reading,
                *extra,
            ).code
            == 0
        )
        result = craig("verify", "d.csv", "cs.parquet")
        assert result.code == 0, result.out


def test_verify_on_other_data(craig, manifest, data):
    data.write_text(data.read_text().replace("13.0", "13.5"))
    result = craig("verify", "data.csv", "cs.parquet", "--json")
    assert (result.code, result.err) == (5, "")
    report = json.loads(result.out)
    failed = [check["name"] for check in report["checks"] if not check["passed"]]
    assert (report["passed"], failed) == (
        False,
        ["data fingerprint", "epsilon", "epsilon column", "gain column"],
    )


def test_verify_on_fewer_rows(craig, manifest, data):
    data.write_text("\n".join(data.read_text().splitlines()[:-1]) + "\n")
    result = craig("verify", "data.csv", "cs.parquet")
    assert result.code == 5
    assert result.out.splitlines()[1:3] == [
        "FAILED   shape: the manifest says 12 rows, 1 column, the data has 11 rows, 1 column",
        "not run  labels: the shape must hold first",
    ]


def test_verify_with_other_reading_options(craig, manifest):
    result = craig("verify", "data.csv", "cs.parquet", "--no-label")
    assert result.code == 5
    assert (
        "FAILED   shape: the manifest says 12 rows, 1 column, the data has 12 rows, 2 columns\n"
        in result.out
    )


@pytest.mark.parametrize(
    ("columns", "check"),
    [
        ({"weight": np.array([5.0, 4, 3])}, "contracts"),
        ({"weight": np.array([3.5, 4, 4.5])}, "contracts"),
        ({"label": np.array([1, 0, 0])}, "labels"),
        ({"cluster_size": np.array([1, 4, 7]), "weight": np.array([1.0, 4, 7])}, "clusters"),
        ({"epsilon": np.array([41.0, 10, 10])}, "epsilon column"),
        ({"index": np.array([4, 9, 5])}, "clusters"),
    ],
)
def test_verify_notices_what_a_hand_has_changed(craig, manifest, columns, check):
    change(manifest, **columns)
    result = craig("verify", "data.csv", "cs.parquet", "--json")
    assert result.code == 5
    assert check in [c["name"] for c in json.loads(result.out)["checks"] if c["passed"] is False], (
        result.out
    )


def test_verify_reads_both_from_one_stdin(craig):
    result = craig("verify", "-", "-")
    assert (result.code, result.err) == (
        2,
        "craig: error: DATA and MANIFEST cannot both be read from stdin: name a file for one.\n",
    )
