"""``craig diff``."""

from __future__ import annotations

import json

import pytest

SELECT = ("--for", "local")


@pytest.fixture
def two(craig, data):
    """Select 3 and 4 rows of ``data.csv``: the three are 3, 9 and 5, and the fourth is 0."""
    for size in ("3", "4"):
        assert (
            craig(
                "select",
                "data.csv",
                "--size",
                size,
                "--method",
                "exact",
                *SELECT,
                "-o",
                f"{size}.parquet",
            ).code
            == 0
        )


def test_the_same_is_the_same(craig, two):
    result = craig("diff", "3.parquet", "3.parquet")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "picks    3 and 3, 3 shared (100.0% of all), the first 3 alike\n"
        "weights  sums 12 and 12, 0.0% moved; of shared picks by at most 0\n"
        "epsilon  20 and 20, the same\n"
        "         The manifests are the same.\n"
    )


def test_what_differs(craig, two):
    result = craig("diff", "3.parquet", "4.parquet", "--json")
    facts = json.loads(result.out)
    assert result.code == 1
    assert (facts["picks"], facts["shared"], facts["same"]) == ([3, 4], 3, False)
    assert facts["weight_moved"] == pytest.approx(
        2 / 12
    )  # the fourth pick, row 0, takes itself and row 1 from row 3
    assert facts["largest_weight_change"] == 2
    assert [(d["name"], d["first"], d["second"]) for d in facts["differences"]] == [
        ("request.budget.size", 3, 4),
        ("class 0 k", 2, 3),
        ("class 0 epsilon", 10, 6),
    ]
    said = craig("diff", "3.parquet", "4.parquet")
    assert said.out.endswith("The manifests differ.\n")
    assert "differs  request.budget.size: 3 and 4\n" in said.out


def test_the_method_is_told_once(craig, two):
    assert (
        craig(
            "select", "data.csv", "--size", "3", "--method", "random", *SELECT, "-o", "r.parquet"
        ).code
        == 0
    )
    names = [
        d["name"]
        for d in json.loads(craig("diff", "3.parquet", "r.parquet", "--json").out)["differences"]
    ]
    assert names[:2] == ["method", "weights"]
    assert "request.method" not in names


def test_trouble_is_not_a_difference(craig, two):
    assert craig("diff", "3.parquet", "data.csv").code == 3
    assert craig("diff", "-", "-").err == (
        "craig: error: FIRST and SECOND cannot both be read from stdin: name a file for one.\n"
    )
