"""``--weight-column``, and ``--cost-column`` with ``--budget-cost``: from reading to every command
that reads the data again.
"""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from craig_cli.files.manifest import read_manifest
from craig_cli.files.model import read_model
from craig_cli.selection.methods import METHODS

ROWS = 120
WEIGHTS = ("--weight-column", "w", "--drop", "c")
COSTS = ("--cost-column", "c", "--drop", "w")
LOCAL = ("--for", "local", "--method", "exact")


@pytest.fixture
def table(own_folder: Path) -> dict[str, np.ndarray]:
    """Write rows with weights and costs as CSV, Parquet and HDF5."""
    rng = np.random.default_rng(0)
    label = np.arange(ROWS) % 2
    columns = {
        "a": np.round(rng.normal(size=ROWS) + label, 3),
        "w": rng.integers(0, 5, ROWS).astype(float),
        "b": np.round(rng.normal(size=ROWS), 3),
        "c": np.round(rng.uniform(0.5, 2, ROWS), 2),
        "label": label,
    }
    lines = [",".join(columns)] + [
        ",".join(repr(v.item()) for v in row) for row in zip(*columns.values(), strict=True)
    ]
    (own_folder / "d.csv").write_text("\n".join(lines) + "\n")
    pq.write_table(pa.table(columns), own_folder / "d.parquet")
    with h5py.File(own_folder / "d.h5", "w") as file:
        file["X"], file["label"] = np.column_stack([columns["a"], columns["b"]]), label
        file["w"], file["more/c"] = columns["w"], columns["c"]
    return columns


def test_all_formats_give_equal_manifests(craig, table):
    made = []
    for name, options in (
        ("d.csv", WEIGHTS),
        ("d.parquet", WEIGHTS),
        ("d.h5", ("--weight-column", "w")),
    ):
        done = craig("select", name, "--size", "12", *LOCAL, *options, "-v", "-o", "cs.parquet")
        assert done.code == 0, done.err
        assert f"their weights add up to {table['w'].sum():g}" in done.err
        assert craig("verify", name, "cs.parquet").code == 0
        made.append(read_manifest("cs.parquet"))
    assert {m.data_fingerprint for m in made} == {made[0].data_fingerprint}
    assert all(m.coreset.index.tolist() == made[0].coreset.index.tolist() for m in made)
    coreset, facts = made[0].coreset, made[0].facts()
    assert (coreset.n_columns, coreset.weight.sum(), coreset.cluster_size.sum()) == (
        2,
        table["w"].sum(),
        ROWS,
    )
    assert facts["row_weights"] == {"column": "w", "sum": table["w"].sum()}
    assert (
        facts["request"]["input"]["weight_column"] == "w"
        and "cost_column" not in facts["request"]["input"]
    )
    assert [c["weight_sum"] for c in facts["classes"]] == [
        table["w"][table["label"] == c].sum() for c in (0, 1)
    ]


def test_without_weights_nothing_is_said_of_them(craig, table):
    assert (
        craig(
            "select",
            "d.csv",
            "--size",
            "12",
            "--drop",
            "w",
            "--drop",
            "c",
            *LOCAL,
            "-o",
            "plain.parquet",
        ).code
        == 0
    )
    facts = read_manifest("plain.parquet").facts()
    assert (
        "row_weights" not in facts
        and "cost" not in facts
        and not {"weight_column", "cost_column"} & set(facts["request"]["input"])
    )
    assert "weight_sum" not in facts["classes"][0]
    assert (
        craig("select", "d.csv", "--size", "12", *LOCAL, *WEIGHTS, "-o", "weighted.parquet").code
        == 0
    )
    assert (
        read_manifest("weighted.parquet").data_fingerprint
        != read_manifest("plain.parquet").data_fingerprint
    )
    assert craig("diff", "plain.parquet", "weighted.parquet").code == 1
    assert "row_weights.column" in craig("diff", "plain.parquet", "weighted.parquet").out


@pytest.mark.parametrize("method", METHODS)
def test_linear_coresets_of_weighted_rows(craig, table, method):
    done = craig(
        "select", "d.csv", "--size", "30", "--method", method, *WEIGHTS, "-o", "cs.parquet"
    )
    assert done.code == 0, done.err
    coreset = read_manifest("cs.parquet").coreset
    assert coreset.weights == "calibrated" and coreset.weight.sum() == pytest.approx(
        table["w"].sum(), rel=1e-9
    )
    assert craig("verify", "d.csv", "cs.parquet").code == 0
    assert (
        craig("calibrate", "d.csv", "cs.parquet", "--first", "20", "-o", "less.parquet").code == 0
    )
    assert craig("verify", "d.csv", "less.parquet").code == 0


def test_a_changed_weight_is_noticed(craig, table, own_folder):
    assert craig("select", "d.csv", "--size", "12", *LOCAL, *WEIGHTS, "-o", "cs.parquet").code == 0
    lines = (own_folder / "d.csv").read_text().split("\n")
    fields = lines[5].split(",")
    lines[5] = ",".join([fields[0], "7.5", *fields[2:]])
    (own_folder / "d.csv").write_text("\n".join(lines))
    done = craig("verify", "d.csv", "cs.parquet")
    assert done.code == 5 and "FAILED" in done.out.split("\n")[0]
    assert (
        f"row weights: {table['w'].sum():g} in all stated, "
        f"{table['w'].sum() + 7.5 - float(fields[1]):g} from the data"
    ) in done.out
    assert craig("train", "d.csv", "--coreset", "cs.parquet", "-o", "m.npz").code == 3


def test_info(craig, table):
    assert craig("select", "d.csv", "--size", "12", *LOCAL, *WEIGHTS, "-o", "cs.parquet").code == 0
    assert f"weighted by column 'w', {table['w'].sum():g} in all" in craig("info", "cs.parquet").out
    assert json.loads(craig("info", "cs.parquet", "--json").out)["row_weights"]["column"] == "w"
    assert craig("plot", "d.csv", "cs.parquet").code == 0


def test_training_counts_rows_by_their_weights(craig, table, own_folder):
    assert (
        craig("train", "d.csv", *WEIGHTS, "--solver", "lbfgs", "--l2", "0.01", "-o", "w.npz").code
        == 0
    )
    repeated = np.repeat(np.arange(ROWS), table["w"].astype(int))
    lines = (own_folder / "d.csv").read_text().split("\n")
    (own_folder / "many.csv").write_text(
        "\n".join([lines[0], *(lines[1 + row] for row in repeated)]) + "\n"
    )
    assert (
        craig(
            "train",
            "many.csv",
            "--drop",
            "w",
            "--drop",
            "c",
            "--solver",
            "lbfgs",
            "--l2",
            "0.01",
            "-o",
            "m.npz",
        ).code
        == 0
    )
    np.testing.assert_allclose(read_model("w.npz").coef, read_model("m.npz").coef, rtol=1e-5)
    assert craig("predict", "d.csv", "w.npz", "--drop", "c", "-o", "p.parquet").code == 0
    text = (own_folder / "d.csv").read_text().split("\n")
    (own_folder / "new.csv").write_text(
        "\n".join(",".join(np.delete(line.split(","), 1)) for line in text if line) + "\n"
    )
    assert (
        craig("predict", "new.csv", "w.npz", "-o", "q.parquet").code == 0
    )  # the column of weights is not missed
    assert Path("p.parquet").read_bytes() == Path("q.parquet").read_bytes()
    assert (
        "--weight-column: a network counts all rows alike"
        in craig("train", "d.csv", *WEIGHTS, "--model", "mlp", "-o", "n.npz").err
    )


def test_a_coreset_of_weighted_rows_is_trained_on_and_evaluated(craig, table):
    assert craig("select", "d.csv", "--size", "40", *WEIGHTS, "-o", "cs.parquet").code == 0
    done = craig(
        "train",
        "d.csv",
        "--coreset",
        "cs.parquet",
        "--solver",
        "lbfgs",
        "--l2",
        "0.01",
        "--json",
        "-o",
        "m.npz",
    )
    assert done.code == 0, done.err
    assert (
        craig(
            "train",
            "d.csv",
            *WEIGHTS,
            "--solver",
            "lbfgs",
            "--l2",
            "0.01",
            "--json",
            "-o",
            "all.npz",
        ).code
        == 0
    )
    near, best = read_model("m.npz"), read_model("all.npz")
    assert np.linalg.norm(near.coef - best.coef) < 0.2 * np.linalg.norm(best.coef)
    done = craig(
        "evaluate",
        "d.csv",
        "--coreset",
        "cs.parquet",
        "--l2",
        "0.01",
        "--seeds",
        "2",
        "--test",
        "d.csv",
        "--json",
    )
    assert done.code == 0, done.err
    results = {r["name"]: r for r in json.loads(done.out)["comparisons"][0]["results"]}
    assert results["coreset"]["residual"]["mean"] < results["random"]["residual"]["mean"]


def test_applying_leaves_the_weight_column_out_of_the_features(craig, table):
    assert craig("select", "d.csv", "--size", "12", *LOCAL, *WEIGHTS, "-o", "cs.parquet").code == 0
    assert craig("apply", "d.csv", "cs.parquet", "-o", "s.parquet").code == 0
    assert pq.read_table("s.parquet").column_names == ["a", "b", "label", "weight"]
    assert craig("apply", "d.csv", "cs.parquet", "-o", "s.csv").code == 0
    assert Path("s.csv").read_text().split("\n")[0] == "a,w,b,c,label,weight"
    done = craig("apply", "d.csv", "cs.parquet", "--weight-name", "w", "-o", "t.csv")
    assert done.code == 2 and "--weight-name" in done.err


def test_spending(craig, table):
    options = ("--budget-cost", "15", *COSTS)
    done = craig("select", "d.parquet", *options, "-v", "-o", "cs.parquet")
    assert done.code == 0, done.err
    manifest = read_manifest("cs.parquet")
    coreset, cost = manifest.coreset, manifest.facts()["cost"]
    assert (
        cost == {"column": "c", "budget": 15.0, "spent": table["c"][coreset.index].sum()}
        and cost["spent"] <= 15
    )
    assert (coreset.method, coreset.representative, coreset.weights, coreset.n_columns) == (
        "exact",
        "medoid",
        "cluster",
        2,
    )
    assert (
        f"cost      {cost['spent']:g} of 15 spent" in done.err
        and ("a budget of costs needs its greedy order") in done.err
    )
    assert craig("verify", "d.csv", "cs.parquet").code == 0
    assert f"{cost['spent']:g} of 15 spent, by column 'c'" in craig("info", "cs.parquet").out
    assert (
        craig("select", "d.csv", *options, "--weights", "calibrated", "-o", "cal.parquet").code == 0
    )
    assert read_manifest("cal.parquet").coreset.index.tolist() == coreset.index.tolist()
    assert (
        craig(
            "select",
            "d.csv",
            "--budget-cost",
            "15",
            "--cost-column",
            "c",
            "--weight-column",
            "w",
            "-o",
            "both.parquet",
        ).code
        == 0
    )
    assert craig("verify", "d.csv", "both.parquet").code == 0
    assert (
        craig("calibrate", "d.csv", "both.parquet", "--first", "10", "-o", "first.parquet").code
        == 0
    )
    assert craig("verify", "d.csv", "first.parquet").code == 0
    assert "as many as may cost 15" in craig("select", "d.csv", *options, "--dry-run").out
    assert (
        craig(
            "select", "d.h5", "--budget-cost", "15", "--cost-column", "more/c", "-o", "h.parquet"
        ).code
        == 0
    )
    assert read_manifest("h.parquet").coreset.index.tolist() == coreset.index.tolist()
    assert craig("evaluate", "d.csv", "--coreset", "cs.parquet", "--seeds", "1", "--json").code == 0


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (
            "1,-2,3,1,0",
            3,
            "d.csv:3:2: weight column 'w' is negative (value '-2'). Correct the row, "
            "or drop it with --on-error skip.",
        ),
        (
            "1,nan,3,1,0",
            3,
            "d.csv:3:2: weight column 'w' has no value in this row (value 'nan'). "
            "Fill it in, or drop the row with --on-error skip.",
        ),
        (
            "1,,3,1,0",
            3,
            "d.csv:3:2: weight column 'w' has no value in this row. Fill it in, or "
            "drop the row with --on-error skip.",
        ),
        (
            "1,inf,3,1,0",
            3,
            "d.csv:3:2: weight column 'w' is not finite (value 'inf'). Correct the "
            "row, or drop it with --on-error skip.",
        ),
        (
            "1,x,3,1,0",
            3,
            "d.csv:3:2: weight column 'w' holds text, not a number (value 'x'). "
            "Correct the row, or drop it with --on-error skip.",
        ),
        (
            "1,1e999,3,1,0",
            3,
            "d.csv:3:2: weight column 'w' is beyond 1e+140, too large to be squared and summed "
            "(value '1e999'). Divide the column by a constant (--scale comes too late for that), "
            "or drop the row with --on-error skip.",
        ),
        (
            "1,1,3,0,0",
            3,
            "d.csv:3:4: cost column 'c' is not above 0 (value '0'). Correct the row, "
            "or drop it with --on-error skip.",
        ),
    ],
)
def test_bad_amounts(craig, own_folder, line, code, message):
    (own_folder / "d.csv").write_text(f"a,w,b,c,label\n0,1,2,1,1\n{line}\n5,2,1,1,0\n")
    options = (
        "--budget-cost",
        "9",
        "--weight-column",
        "w",
        "--cost-column",
        "c",
        "-o",
        "o.parquet",
    )
    done = craig("select", "d.csv", *options)
    assert (done.code, done.err) == (code, f"craig: error: {message}\n")
    assert craig("select", "d.csv", *options, "--on-error", "skip").code == 0


def test_bad_amounts_of_other_formats(craig, table, own_folder):
    for values, told in (
        ([1.0, -1.0, 2.0], "is negative (value '-1.0')"),
        ([1.0, float("nan"), 2.0], "is not finite (value 'nan')"),
    ):
        pq.write_table(
            pa.table({"label": [0, 1, 0], "a": [1.0, 2.0, 3.0], "w": values}),
            own_folder / "e.parquet",
        )
        done = craig(
            "select", "e.parquet", "--size", "2", "--weight-column", "w", "-o", "o.parquet"
        )
        assert (done.code, done.err.splitlines()[0]) == (
            3,
            f"craig: error: e.parquet:2:3: weight column 'w' {told}. Correct it or remove the row.",
        )
    pq.write_table(
        pa.table({"label": [0, 1], "a": [1.0, 2.0], "w": pa.array([1.0, None])}),
        own_folder / "e.parquet",
    )
    done = craig("select", "e.parquet", "--size", "2", "--weight-column", "w", "-o", "o.parquet")
    assert done.err.splitlines()[0] == (
        "craig: error: e.parquet:2:3: weight column 'w' has no value in this row. "
        "Fill it in or remove the row."
    )
    pq.write_table(
        pa.table({"label": [0, 1], "a": [1.0, 2.0], "w": ["x", "y"]}), own_folder / "e.parquet"
    )
    done = craig("select", "e.parquet", "--size", "2", "--weight-column", "w", "-o", "o.parquet")
    said = (
        "e.parquet: weight column 'w' is of type string, not a number. Convert it, or name "
        "another with --weight-column COLUMN."
    )
    assert done.err.splitlines()[0] == f"craig: error: {said}"
    with h5py.File(own_folder / "e.h5", "w") as file:
        file["X"], file["label"], file["w"], file["short"] = (
            np.ones((3, 2)),
            [0, 1, 0],
            [1.0, 2.0, -3.0],
            [1.0],
        )
    done = craig("select", "e.h5", "--size", "2", "--weight-column", "w", "-o", "o.parquet")
    assert done.err == (
        "craig: error: e.h5:3: the weight is negative (value '-3.0'). Correct it, "
        "or leave the row out.\n"
    )
    done = craig("select", "e.h5", "--size", "2", "--weight-column", "short", "-o", "o.parquet")
    assert done.err == (
        "craig: error: e.h5: the lengths of '/short' and '/X' differ: 1 and 3. "
        "Name "
        "a dataset of one number a row.\n"
    )
    done = craig("select", "e.h5", "--size", "2", "--weight-column", "none", "-o", "o.parquet")
    assert done.code == 3 and "there is no '/none' in the file" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--size", "4", "--weight-column", "x"],
            "--weight-column: d.csv has no column 'x'. The columns are a, w, b, c, label.",
        ),
        (
            ["--size", "4", "--weight-column", "label"],
            "--weight-column: 'label' is the label "
            "column. Name another with --label, or use "
            "--no-label.",
        ),
        (
            ["--size", "4", "--weight-column", "w", "--drop", "w"],
            "--weight-column and --drop both name 'w': leave one out.",
        ),
        (
            ["--budget-cost", "4", "--weight-column", "w", "--cost-column", "w"],
            "--weight-column and --cost-column both name 'w': leave one out.",
        ),
        (
            ["--size", "4", "--cost-column", "c"],
            "--budget-cost and --cost-column go together: give both, or neither (--drop leaves a "
            "column out).",
        ),
        (
            ["--budget-cost", "4"],
            "--budget-cost and --cost-column go together: give both, or "
            "neither (--drop leaves a column out).",
        ),
        (
            ["--budget-cost", "-1", "--cost-column", "c"],
            "--budget-cost: -1.0 is not a finite number above 0.",
        ),
        (
            ["--budget-cost", "4", "--size", "4", "--cost-column", "c"],
            "--size and --budget-cost exclude each other: give exactly one of --fraction, --size, "
            "--epsilon, --mean-epsilon or --budget-cost.",
        ),
        (
            ["--budget-cost", "4", "--cost-column", "c", "--for", "linear"],
            "--for linear: a budget of epsilon or of costs is kept by the picks themselves. Use "
            "--size, --fraction or --for local.",
        ),
        (
            ["--size", "4", "--weight-column", "w", "--refine", "--for", "local"],
            "--refine: it counts all rows alike. Leave out --weight-column.",
        ),
    ],
)
def test_what_is_refused(craig, table, arguments, message):
    done = craig("select", "d.csv", *arguments, "-o", "o.parquet")
    assert (done.code, done.err) == (2, f"craig: error: {message}\n")


def test_what_needs_all_rows_in_one_place(craig, table, own_folder):
    for more in (("--parts", "2"), ("--partial",)):
        done = craig("select", "d.csv", "--size", "12", *WEIGHTS, *more, "-o", "o.parquet")
        assert done.code == 2 and "--weight-column" in done.err
    done = craig(
        "select", "d.csv", "--size", "12", *WEIGHTS, "--memory-limit", "2G", "-o", "o.parquet"
    )
    assert (done.code, done.err) == (
        4,
        "craig: error: --weight-column: its rows are held in memory. Leave out --memory-limit.\n",
    )
    (own_folder / "d.libsvm").write_text("1 1:1\n0 1:2\n")
    done = craig("select", "d.libsvm", "--size", "2", "--weight-column", "w", "-o", "o.parquet")
    said = (
        "--weight-column: columns of libsvm files have no names. Convert the file to CSV or "
        "Parquet first."
    )
    assert (done.code, done.err) == (2, f"craig: error: {said}\n")


def test_a_class_of_weight_zero(craig, own_folder):
    (own_folder / "d.csv").write_text("a,w,label\n0,1,x\n1,2,x\n2,0,y\n3,0,y\n")
    done = craig("select", "d.csv", "--size", "2", "--weight-column", "w", "-o", "o.parquet")
    said = (
        "d.csv: all rows of class 'y' have zero weight. Give a row of each class a weight "
        "above "
        "0, or leave the class out."
    )
    assert (done.code, done.err) == (3, f"craig: error: {said}\n")


def test_by_proxy_and_without_labels(craig, table, own_folder):
    np.save(own_folder / "p.npy", np.column_stack([table["a"], table["b"]]))
    assert (
        craig(
            "select", "d.csv", "--size", "12", *WEIGHTS, "--proxy", "p.npy", "-o", "p.parquet"
        ).code
        == 0
    )
    assert craig("verify", "d.csv", "p.parquet", "--proxy", "p.npy").code == 0
    assert craig("select", "d.csv", "--size", "12", *LOCAL, *WEIGHTS, "-o", "cs.parquet").code == 0
    assert (
        read_manifest("p.parquet").coreset.index.tolist()
        == read_manifest("cs.parquet").coreset.index.tolist()
    )
    assert (
        craig(
            "select",
            "d.csv",
            "--size",
            "12",
            "--no-label",
            "--drop",
            "label",
            *WEIGHTS,
            "-o",
            "n.parquet",
        ).code
        == 0
    )
    assert craig("verify", "d.csv", "n.parquet").code == 0
    assert (
        craig(
            "select", "d.csv", "--size", "20", "--extend", "cs.parquet", *WEIGHTS, "-o", "x.parquet"
        ).code
        == 0
    )
    assert (
        read_manifest("x.parquet").coreset.index[:12].tolist()
        == read_manifest("cs.parquet").coreset.index.tolist()
    )


def test_by_environment_and_file(craig, table, own_folder, monkeypatch):
    monkeypatch.setenv("CRAIG_WEIGHT_COLUMN", "w")
    (own_folder / "craig.toml").write_text('[select]\ncost-column = "c"\nbudget-cost = 8\n')
    assert craig("select", "d.csv", "--config", "craig.toml", "-o", "cs.parquet").code == 0
    facts = read_manifest("cs.parquet").facts()
    assert (facts["cost"]["budget"], facts["row_weights"]["column"]) == (8.0, "w")
