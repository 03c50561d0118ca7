"""`--allocation`: what it resolves to, and what manifests, summaries and commands make of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from commandline import write_csv
from reference import largest_remainder

from craig_cli import select_coreset
from craig_cli.files.manifest import read_manifest

COUNTS = (270, 30)
POWER = "picks of a class in proportion to the square root of its rows (power allocation)"
LOCAL = ("--for", "local", "--method", "exact")


@pytest.fixture
def rare(own_folder):
    """Write ``rare.csv``: 300 rows, a tenth of class 1, with a column of prices."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1], COUNTS))
    rows = rng.normal(size=(300, 3)) + labels[:, None]
    write_csv(own_folder / "rare.csv", labels.tolist(), rows)
    return rows, labels


def selected(craig, *options, data="rare.csv"):
    """Select, verify, and return the manifest and the summary."""
    result = craig("select", data, *options, "-v", "--force", "-o", "cs.parquet")
    assert result.code == 0, result.err
    manifest = read_manifest("cs.parquet")
    if "--no-label" not in options:
        verified = craig("verify", data, "cs.parquet")
        assert verified.code == 0, verified.out
    return manifest, result.err


def sizes_of(manifest):
    return [summary.n_selected for summary in manifest.coreset.classes]


@pytest.mark.parametrize(
    ("options", "allocation"),
    [
        ((), "proportional"),
        (("--for", "linear"), "power"),
        (("--for", "linear", "--weights", "cluster"), "power"),
        (("--for", "local"), "proportional"),
        (("--paper",), "proportional"),
        (("--method", "random"), "proportional"),
        (("--method", "stratified"), "proportional"),
        (("--method", "importance"), "proportional"),
        (("--no-label",), "proportional"),
        (("--task", "regression"), "proportional"),
        (("--parts", "2"), "proportional"),
        (("--parts", "2", "--for", "linear", "--representative", "medoid"), "proportional"),
        (("--parts", "2", "--allocation", "power"), "power"),
        (("--allocation", "proportional"), "proportional"),
        (("--for", "local", "--allocation", "equal"), "equal"),
        (("--method", "random", "--allocation", "power"), "power"),
    ],
)
def test_auto_is_resolved(craig, rare, options, allocation):
    manifest, said = selected(craig, "--size", "40", *options)
    is_default = allocation == "proportional"
    if len(manifest.coreset.classes) == 2:
        assert sizes_of(manifest) == largest_remainder(40, COUNTS, allocation)
        assert ("allocation)" in said) is not is_default
    assert manifest.coreset.allocation == allocation
    facts = manifest.facts()
    assert facts.get("allocation") == facts["request"].get("allocation")
    assert facts.get("allocation") == (None if is_default else allocation)


def test_budgets_that_are_open(craig, rare):
    manifest, _ = selected(craig, "--mean-epsilon", "0.8")
    assert "allocation" not in manifest.facts()
    result = craig("select", "rare.csv", "--mean-epsilon", "1", "--allocation", "equal", "-o", "x")
    assert (result.code, result.err.startswith("craig: error: --allocation equal: a budget")) == (
        2,
        True,
    )
    result = craig(
        "select", "rare.csv", "--size", "9", "--paper", "--allocation", "power", "-o", "x"
    )
    assert result.code == 2 and "--paper leaves no choice of --allocation" in result.err


def test_what_is_told(craig, rare):
    manifest, said = selected(craig, "--size", "40", *LOCAL, "--allocation", "power")
    assert sizes_of(manifest) == [30, 10]
    assert POWER in said
    told = craig("info", "cs.parquet")
    assert POWER in told.out
    assert json.loads(craig("info", "cs.parquet", "--json").out)["allocation"] == "power"
    plan = craig("select", "rare.csv", "--size", "40", *LOCAL, "--allocation", "power", "--dry-run")
    assert "30 of 270" in plan.out and "10 of 30" in plan.out and POWER in plan.out
    plan = craig("select", "rare.csv", "--size", "40", "--for", "linear", "--dry-run", "--json")
    assert json.loads(plan.out)["allocation"] == "power"
    craig("select", "rare.csv", "--size", "40", *LOCAL, "-o", "plain.parquet")
    assert (
        "differs  allocation: power and proportional\n"
        in craig("diff", "cs.parquet", "plain.parquet").out
    )


def test_it_is_kept_by_what_goes_on_from_a_manifest(craig, rare):
    selected(craig, "--size", "40", *LOCAL, "--allocation", "equal")
    for command in (
        ("calibrate", "rare.csv", "cs.parquet", "--first", "30", "-o", "first.parquet"),
        ("select", "rare.csv", "--size", "50", *LOCAL, "--allocation", "equal", "--extend",
         "cs.parquet", "-o", "more.parquet"),
    ):  # fmt: skip
        result = craig(*command)
        assert result.code == 0, result.err
    first, more = read_manifest("first.parquet"), read_manifest("more.parquet")
    assert first.coreset.allocation == more.coreset.allocation == "equal"
    assert sizes_of(more) == [25, 25]
    assert craig("verify", "rare.csv", "first.parquet").code == 0
    result = craig("apply", "rare.csv", "cs.parquet", "-o", "subset.csv", "--first", "30")
    assert result.code == 0, result.err
    result = craig("evaluate", "rare.csv", "--coreset", "cs.parquet", "--json", "--seeds", "1")
    assert result.code == 0, result.err


def test_shards(craig, rare, own_folder):
    rows, labels = rare
    for name, own in (("a", slice(0, 150)), ("b", slice(150, 300))):
        write_csv(own_folder / f"{name}.csv", labels[own].tolist(), rows[own])
        options = ("--partial", "--fraction", "0.1", "--allocation", "equal")
        result = craig("select", f"{name}.csv", *options, "-o", f"{name}.partial")
        assert result.code == 0, result.err
    assert craig("merge", "a.partial", "b.partial", "-o", "cs.parquet").code == 0
    manifest = read_manifest("cs.parquet")
    assert (sizes_of(manifest), manifest.coreset.allocation) == ([15, 15], "equal")
    assert craig("verify", "a.csv", "b.csv", "cs.parquet").code == 0


@pytest.mark.parametrize("allocation", ["auto", "proportional", "power", "equal"])
def test_the_command_and_python_are_one(craig, rare, allocation):
    rows, labels = rare
    manifest, _ = selected(craig, "--size", "40", "--allocation", allocation)
    coreset = select_coreset(rows, labels, size=40, allocation=allocation)
    assert coreset.index.tolist() == manifest.coreset.index.tolist()
    assert coreset.allocation == manifest.coreset.allocation
    assert select_coreset(rows, size=40).allocation == "proportional"
    paper = select_coreset(rows, labels, size=40, paper=True)
    assert paper.allocation == "proportional"
