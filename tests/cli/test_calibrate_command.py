"""``craig calibrate``, and what ``craig select`` and ``craig train`` say of representatives and
weights.
"""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from commandline import write_csv

from craig_cli.files.manifest import read_manifest, write_manifest
from craig_cli.settings.calibration import CalibrationSettings


@pytest.fixture
def many(own_folder):
    """Write ``many.csv``, 400 rows of two classes that overlap."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 3)).round(3)
    labels = (rows @ [1, -1, 0.5] + rng.logistic(size=400) > 0).astype(int)
    write_csv(own_folder / "many.csv", labels.tolist(), rows)
    return own_folder


def after(text: str, word: str) -> str:
    """Return what a summary says in the line that begins with a word."""
    return next(
        line.removeprefix(word).strip() for line in text.splitlines() if line.startswith(word)
    )


def test_select_with_random_rows_and_calibrated_weights(craig, many):
    result = craig(
        "select",
        "many.csv",
        "--size",
        "60",
        "--representative",
        "random",
        "--weights",
        "calibrated",
        "-v",
        "-o",
        "cs.parquet",
    )
    assert result.code == 0
    assert "representatives: one random row per cluster" in result.err
    assert re.fullmatch(
        r"calibrated: gradients of all rows at 7 pilot models, by column \(28 constraints, error "
        r"[\d.e-]+ -> [\d.e-]+\)",
        after(result.err, "weights"),
    )
    said = after(result.err, "suboptimality")
    found = re.fullmatch(
        r"([\d.e-]+) on all rows at worst \(logistic loss, l2 [\d.e-]+\); of as many random "
        r"rows about ([\d.e-]+)",
        said,
    )
    assert found and float(found[1]) < float(found[2]) / 100
    assert said in craig("info", "cs.parquet").out
    manifest = read_manifest("cs.parquet")
    coreset = manifest.coreset
    assert (coreset.weights, coreset.representative, coreset.calibration["base_weights"]) == (
        "calibrated",
        "random",
        "cluster",
    )
    assert coreset.base_weight.tolist() == coreset.cluster_size.tolist()
    assert manifest.request["calibration"]["pilot_l2"] == list(CalibrationSettings.pilot_l2)
    assert pq.read_schema("cs.parquet").names[5:9] == ["gain", "epsilon", "medoid", "base_weight"]
    checked = craig("verify", "many.csv", "cs.parquet")
    assert checked.code == 0
    assert "base weights: the sizes of the clusters, before calibration" in checked.out


@pytest.mark.parametrize(
    ("purpose", "representative", "allocation"),
    [("any", "exchanged", "proportional"), ("linear", "exchanged", "power")],
)
def test_select_for_linear_models(craig, many, purpose, representative, allocation):
    by_hand = ("--representative", representative, "--weights", "auto", "--allocation", allocation)
    default = () if purpose == "any" else ("--for", purpose)
    for name, options in (("a", default), ("b", ("--for", purpose)), ("c", by_hand)):
        assert (
            craig("select", "many.csv", "--size", "60", *options, "-o", f"{name}.parquet").code == 0
        )
    assert len({(many / f"{name}.parquet").read_bytes() for name in "abc"}) == 1
    coreset = read_manifest("a.parquet").coreset
    assert (coreset.weights, coreset.representative) == ("calibrated", representative)
    assert craig("verify", "many.csv", "a.parquet").code == 0
    trained = craig(
        "train", "many.csv", "--coreset", "a.parquet", "--first", "30", "-o", "model.npz"
    )
    assert after(trained.err, "trained") == "on 30 rows of a.parquet"


def test_for_local_models_and_the_paper(craig, many):
    for name, options in (("a", ("--for", "local", "--method", "exact")), ("b", ("--paper",))):
        assert (
            craig("select", "many.csv", "--size", "60", *options, "-o", f"{name}.parquet").code == 0
        )
    assert (many / "a.parquet").read_bytes() == (many / "b.parquet").read_bytes()
    coreset = read_manifest("b.parquet").coreset
    assert (coreset.method, coreset.representative, coreset.weights, coreset.medoid) == (
        "exact",
        "medoid",
        "cluster",
        None,
    )


def test_an_epsilon_budget_and_rows_without_labels_have_medoids(craig, many):
    for options in (("--mean-epsilon", "0.8"), ("--size", "30", "--no-label", "--drop", "label")):
        assert craig("select", "many.csv", *options, "-o", "cs.parquet").code == 0
        coreset = read_manifest("cs.parquet").coreset
        assert (coreset.representative, coreset.weights, coreset.notes) == ("medoid", "cluster", ())


def test_too_many_coordinates_for_the_picks_are_left(craig, many):
    result = craig("select", "many.csv", "--size", "20", "--one-hot", "a", "-o", "cs.parquet")
    said = (
        r"note +The weights are not calibrated: \d+ coordinates of a gradient are too many for "
        r"20 picks to give much\."
    )
    assert re.search(said, result.err)
    assert read_manifest("cs.parquet").coreset.weights == "cluster"


def test_calibrate_and_its_prefix(craig, many):
    assert (
        craig(
            "select",
            "many.csv",
            "--size",
            "60",
            "--method",
            "random",
            "--weights",
            "cluster",
            "-o",
            "cs.parquet",
        ).code
        == 0
    )
    whole = craig("calibrate", "many.csv", "cs.parquet", "-o", "whole.parquet", "--json")
    facts = json.loads(whole.out)
    assert (facts["weights"], facts["selected"], facts["calibration"]["kept"]) == (
        "calibrated",
        60,
        True,
    )
    assert max(facts["calibration"]["residual_after"]) < 1e-3
    part = craig(
        "calibrate",
        "many.csv",
        "whole.parquet",
        "--first",
        "30",
        "--pilot-l2",
        "1e-2",
        "-o",
        "part.parquet",
    )
    assert after(part.err, "picks") == "30 (7.50%) written to part.parquet"
    manifest = read_manifest("part.parquet")
    assert manifest.request["first"] == 30
    assert (
        manifest.coreset.index.tolist() == read_manifest("cs.parquet").coreset.index[:30].tolist()
    )
    assert craig("verify", "many.csv", "part.parquet").code == 0
    trained = craig(
        "train", "many.csv", "--coreset", "whole.parquet", "--first", "30", "-o", "model.npz"
    )
    assert after(trained.err, "trained") == "on 30 rows of whole.parquet"


def test_the_same_bytes_from_select_and_calibrate(craig, many):
    for threads in ("1", "2"):
        options = ["--size", "60", "--representative", "random", "--threads", threads]
        assert (
            craig(
                "select",
                "many.csv",
                *options,
                "--weights",
                "calibrated",
                "-o",
                f"once{threads}.parquet",
            ).code
            == 0
        )
        assert (
            craig(
                "select", "many.csv", *options, "--weights", "cluster", "-o", "plain.parquet"
            ).code
            == 0
        )
        assert (
            craig(
                "calibrate",
                "many.csv",
                "plain.parquet",
                "--threads",
                threads,
                "-o",
                f"twice{threads}.parquet",
            ).code
            == 0
        )
    names = ("once1", "once2", "twice1", "twice2")
    assert len({(many / f"{name}.parquet").read_bytes() for name in names}) == 1


def test_a_representative_of_another_cluster_is_found_out(craig, many):
    assert (
        craig(
            "select", "many.csv", "--size", "60", "--representative", "random", "-o", "cs.parquet"
        ).code
        == 0
    )
    manifest = read_manifest("cs.parquet")
    index = manifest.coreset.index.copy()
    same = np.flatnonzero(manifest.coreset.label == manifest.coreset.label[0])
    index[same] = np.roll(index[same], 1)
    with (many / "cs.parquet").open("wb") as out:
        write_manifest(
            out,
            dataclasses.replace(
                manifest, coreset=dataclasses.replace(manifest.coreset, index=index)
            ),
        )
    result = craig("verify", "many.csv", "cs.parquet")
    assert result.code == 5
    assert "is not in the cluster that it represents" in after(result.out, "FAILED")


def test_importance_is_a_method(craig, many):
    assert (
        craig(
            "select",
            "many.csv",
            "--size",
            "60",
            "--method",
            "importance",
            "--weights",
            "cluster",
            "-o",
            "cs.parquet",
        ).code
        == 0
    )
    coreset = read_manifest("cs.parquet").coreset
    assert (coreset.method, coreset.weights, len(set(coreset.weight.tolist())) > 30) == (
        "importance",
        "inverse",
        True,
    )
    assert craig("verify", "many.csv", "cs.parquet").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["calibrate", "many.csv", "cs.parquet", "-o", "o.parquet", "--pilot-l2", "x"],
            "--pilot-l2: 'x' is not a number, or several with commas between.",
        ),
        (
            ["calibrate", "many.csv", "cs.parquet", "-o", "o.parquet", "--first", "99"],
            "--first: 99 is not between 1 and 20, the picks that there are.",
        ),
        (
            ["calibrate", "many.csv", "cs.parquet", "-o", "-", "--json"],
            "--json and --output - both write to stdout: choose one.",
        ),
        (
            ["train", "many.csv", "--first", "3", "-o", "m.npz"],
            "--first: it takes the first picks of a --coreset, and their weights anew from its "
            "data.",
        ),
        (
            [
                "select",
                "many.csv",
                "--size",
                "9",
                "--paper",
                "--method",
                "cells",
                "-o",
                "o.parquet",
            ],
            "--paper leaves no choice of --method: leave one of the two out.",
        ),
        (
            ["select", "many.csv", "--size", "9", "--paper", "--for", "local", "-o", "o.parquet"],
            "--paper leaves no choice of --for: leave one of the two out.",
        ),
        (
            ["select", "many.csv", "--mean-epsilon", "1", "--for", "linear", "-o", "o.parquet"],
            "--for linear: a budget of epsilon or of costs is kept by the picks themselves. Use "
            "--size, --fraction or --for local.",
        ),
        (
            [
                "select",
                "many.csv",
                "--mean-epsilon",
                "1",
                "--representative",
                "random",
                "-o",
                "o.parquet",
            ],
            "--representative random: an epsilon budget is kept by the picks themselves. Use "
            "--size or --fraction.",
        ),
        (
            [
                "calibrate",
                "many.csv",
                "cs.parquet",
                "-o",
                "o.parquet",
                "--pilot-loss",
                "softmax",
                "--no-label",
            ],
            "--weights calibrated: a pilot needs labels, and there are none. Leave it out, or name "
            "their column with --label.",
        ),
    ],
)
def test_what_is_refused(craig, many, arguments, message):
    if arguments[0] == "calibrate":
        extra = ["--no-label", "--drop", "label"] if "--no-label" in arguments else []
        assert craig("select", "many.csv", "--size", "20", *extra, "-o", "cs.parquet").code == 0
    result = craig(*arguments)
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")


def test_other_data_is_refused(craig, many, data):
    assert craig("select", "many.csv", "--size", "20", "-o", "cs.parquet").code == 0
    result = craig("calibrate", "data.csv", "cs.parquet", "-o", "out.parquet")
    assert result.code == 3
    assert result.err.startswith(
        "craig: error: cs.parquet: it was selected from other data (craig1:"
    )
    assert not (many / "out.parquet").exists()


@pytest.mark.parametrize(
    ("column", "said"), [("medoid", "representative random"), ("base_weight", "weights calibrated")]
)
def test_a_manifest_without_its_column_is_refused(craig, many, column, said):
    assert (
        craig(
            "select",
            "many.csv",
            "--size",
            "60",
            "--representative",
            "random",
            "--weights",
            "calibrated",
            "-o",
            "cs.parquet",
        ).code
        == 0
    )
    table = pq.read_table("cs.parquet").drop_columns([column])
    pq.write_table(
        table.replace_schema_metadata(pq.read_metadata("cs.parquet").metadata), "cut.parquet"
    )
    result = craig("info", "cut.parquet")
    assert (result.code, result.err) == (
        3,
        f"craig: error: cut.parquet: the footer states {said}, and column '{column}' is missing.\n",
    )
