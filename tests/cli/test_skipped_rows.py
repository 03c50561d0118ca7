"""Rows skipped as bad: row numbers stay those of the file, for every format, road and command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_array
from tools import slow

N, D = 120, 4
BAD = np.array([0, 1, 7, 40, 41, 42, 77, 118, 119])
RNG = np.random.default_rng(0)
RAW = RNG.normal(size=(N, D)).round(3) + 3 * (np.arange(N) % 3)[:, None]
LABELS = np.arange(N) % 3
GOOD = np.setdiff1d(np.arange(N), BAD)
FORMATS = ("libsvm", "csv", "tsv", "parquet", "hdf5", "csr.hdf5")
SELECT = ("--on-error", "skip", "--fraction", "0.2", "--json")


def write(path, rows, labels, bad=()):
    """Write rows in the format that the name ends with, those of `bad` spoilt.

    Text has comments, blank lines and rows that span two lines, which are no rows of their own.
    """
    bad = set(np.asarray(bad, int).tolist())
    kind = path.suffix[1:]
    if kind in ("csv", "tsv"):
        separator = "," if kind == "csv" else "\t"
        lines = [separator.join(["label", "note", *"abcd"])]
        for number, (label, row) in enumerate(zip(labels, rows, strict=True)):
            texts = [repr(float(v)) for v in row]
            if number in bad:
                texts[number % D] = ("", "nan", "text")[number % 3]
            note = '"two\nlines"' if number % 5 == 0 else "x"
            lines.append(separator.join([str(label), note, *texts]) + "\n" * (number % 7 == 0))
        path.write_text("\n".join(lines) + "\n")
    elif kind == "libsvm":
        lines = ["# a comment"]
        for number, (label, row) in enumerate(zip(labels, rows, strict=True)):
            entries = [f"{c + 1}:{float(v)!r}" for c, v in enumerate(row)]
            if number in bad:
                entries[number % D] = f"{number % D + 1}:nan"
            lines.append(f"{label} {' '.join(entries)}" + "\n\n# so" * (number % 7 == 0))
        path.write_text("\n".join(lines) + "\n")
    else:
        write_binary(path, rows.copy(), labels, sorted(bad))


def write_binary(path, rows, labels, bad):
    rows[bad, np.array(bad, int) % D] = np.nan
    if path.suffix == ".parquet":
        columns = {name: pa.array(rows[:, c], from_pandas=c < 2) for c, name in enumerate("abcd")}
        note = pa.array(["x"] * len(rows))
        pq.write_table(
            pa.table({"label": labels, "note": note, **columns}), path, row_group_size=25
        )
        return
    with h5py.File(path, "w") as file:
        file["label"] = labels
        if not path.name.endswith("csr.hdf5"):
            file["rows"] = rows
            return
        matrix = csr_array(rows)
        group = file.create_group("rows")
        group.attrs["shape"] = matrix.shape
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)


def options(name):
    """Return how a file of `write` is read."""
    return ("--drop", "note") if name.endswith(("csv", "tsv", "parquet")) else ()


def picks_of(path):
    """Return the columns of a manifest, and its footer."""
    table = pq.read_table(path)
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    return columns, json.loads(table.schema.metadata[b"craig"])


ROADS = {
    "memory": (),
    "disk": ("--memory-limit", "1G", "--method", "cells"),
    "rows": ("--parts", "5", "--partition", "rows"),
    "cells": ("--parts", "5", "--partition", "cells"),
}


@pytest.mark.thinned
@pytest.mark.thinned
@pytest.mark.parametrize(
    ("road", "kind"),
    [
        (road, kind)
        for road in ROADS
        for kind in FORMATS
        if road != "disk" or kind not in ("libsvm", "csr.hdf5")  # sparse rows are held in memory
    ],
)
def test_index_is_the_row_of_the_file(craig, tmp_path, monkeypatch, kind, road):
    monkeypatch.chdir(tmp_path)
    dirty, clean = f"dirty.{kind}", f"clean.{kind}"
    write(tmp_path / dirty, RAW, LABELS, BAD)
    write(tmp_path / clean, RAW[GOOD], LABELS[GOOD])
    if road == "disk":
        monkeypatch.setattr("craig_cli.workflows.select.plan", lambda *a: (True, 1))
    for name in (dirty, clean):
        result = craig("select", name, *options(name), *SELECT, *ROADS[road], "-o", name + ".cs")
        assert result.code == 0, result.err
    (found, facts), (wanted, clean_facts) = picks_of(dirty + ".cs"), picks_of(clean + ".cs")
    assert found["label"].tolist() == LABELS[found["index"]].tolist()
    assert facts["n"] == len(GOOD) and facts["skipped"]["rows"] == len(BAD)
    assert "skipped" not in clean_facts
    assert facts["data_fingerprint"] == clean_facts["data_fingerprint"] or road in ("rows", "cells")
    if road in ("memory", "disk"):  # parts are cut elsewhere
        assert found["index"].tolist() == GOOD[wanted["index"]].tolist()
        for name in wanted.keys() - {"index", "medoid"}:
            np.testing.assert_array_equal(found[name], wanted[name])
        if "medoid" in wanted:
            assert found["medoid"].tolist() == GOOD[wanted["medoid"]].tolist()
    assert craig("verify", dirty, dirty + ".cs").code == 0


def write_two(folder, kind):
    """Write the rows in two files, and without the bad ones in two more; return their names."""
    names = []
    for number, (first, last) in enumerate(((0, 45), (45, N))):
        own = slice(first, last)
        bad = BAD[(first <= BAD) & (last > BAD)] - first
        good = GOOD[(first <= GOOD) & (last > GOOD)]
        write(folder / f"d{number}.{kind}", RAW[own], LABELS[own], bad)
        write(folder / f"c{number}.{kind}", RAW[good], LABELS[good])
        names.append((f"d{number}.{kind}", f"c{number}.{kind}"))
    return zip(*names, strict=True)


@pytest.mark.thinned
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("road", ["memory", "merge", "merge without rows", "parts"])
def test_several_files(craig, tmp_path, kind, road):
    for pair in write_two(tmp_path, kind):
        output = pair[0] + ".cs"
        if road in ("memory", "parts"):
            more = () if road == "memory" else ("--partition", "rows", "--oversampling", "3")
            result = craig("select", *pair, *options(pair[0]), *SELECT, *more, "-o", output)
        else:
            for name in pair:
                partial = ("--partial", "-o", name + ".part")
                result = craig("select", name, *options(name), *SELECT, *partial)
                assert result.code == 0, result.err
            no_assign = () if road == "merge" else ("--no-assign",)
            result = craig("merge", *(n + ".part" for n in pair), *no_assign, "-o", output)
        assert result.code == 0, result.err
    (found, facts), (wanted, _) = picks_of(f"d0.{kind}.cs"), picks_of(f"c0.{kind}.cs")
    assert found["index"].tolist() == GOOD[wanted["index"]].tolist()
    assert found["label"].tolist() == LABELS[found["index"]].tolist()
    np.testing.assert_array_equal(found["weight"], wanted["weight"])
    assert [entry["rows"] for entry in facts["files"]] == [45, N - 45]
    assert (found["row_in_file"] + 45 * (found["file"] == f"d1.{kind}")).tolist() == (
        found["index"].tolist()
    )
    result = craig("verify", f"d0.{kind}", f"d1.{kind}", f"d0.{kind}.cs")
    assert result.code == 0, result.out + result.err


@pytest.mark.parametrize("kind", ["csv", *slow(*sorted({*FORMATS} - {"csv"}))])
def test_every_command_means_the_same_rows(craig, tmp_path, kind):
    dirty, clean = f"d.{kind}", f"c.{kind}"
    first, more = (
        ("--first", "9", "--to", "npz"),
        ("--on-error", "skip", "--size", "30", "--extend"),
    )
    write(tmp_path / dirty, RAW, LABELS, BAD)
    write(tmp_path / clean, RAW[GOOD], LABELS[GOOD])
    outputs = {}
    for name in (dirty, clean):
        steps = {
            "select": ("select", name, *options(name), *SELECT, "-o", name + ".cs"),
            "apply": ("apply", name, name + ".cs", "--to", "npz", "-o", name + ".npz"),
            "first": ("apply", name, name + ".cs", *first, "-o", name + ".first.npz"),
            "train": ("train", name, "--coreset", name + ".cs", "-o", name + ".model"),
            "predict": ("predict", name, name + ".model", "-o", name + ".predictions"),
            "evaluate": ("evaluate", name, "--coreset", name + ".cs", "--seeds", "1"),
            "calibrate": ("calibrate", name, name + ".cs", "--first", "12", "-o", name + ".cal"),
            "extend": ("select", name, *options(name), *more, name + ".cs", "-o", name + ".more"),
            "dry run": ("select", name, *options(name), *SELECT, "--dry-run", "-o", "none"),
            "plot": ("plot", name, name + ".cs"),
        }
        for step, arguments in steps.items():
            result = craig(*arguments, *(() if "--json" in arguments else ("--json",)))
            assert result.code == 0, (step, result.err)
            said = json.loads(result.out)
            assert ("skipped" in said) == (name == dirty), step
            outputs[name, step] = said
        assert craig("verify", name, name + ".cal").code == 0
        assert craig("info", name + ".cs").code == 0
    for file in ("npz", "first.npz"):
        found, wanted = (np.load(f"{name}.{file}") for name in (dirty, clean))
        assert found["index"].tolist() == GOOD[wanted["index"]].tolist()
        assert found["weight"].tolist() == wanted["weight"].tolist()
    for file in ("cs", "cal", "more"):
        found, wanted = (picks_of(f"{name}.{file}")[0] for name in (dirty, clean))
        assert found["index"].tolist() == GOOD[wanted["index"]].tolist()
    index, prediction = (
        pq.read_table(dirty + ".predictions")[column].to_pylist()
        for column in ("index", "prediction")
    )
    assert index == GOOD.tolist()
    assert prediction == pq.read_table(clean + ".predictions")["prediction"].to_pylist()
    for step, fact in (("train", "models"), ("evaluate", "comparisons")):
        found, wanted = (outputs[name, step][fact][0] for name in (dirty, clean))
        assert without_times(found) == without_times(wanted)


def without_times(facts):
    """Return nested facts but for what depends on the clock."""
    if isinstance(facts, dict):
        return {
            key: without_times(value)
            for key, value in facts.items()
            if not any(word in key for word in ("second", "pays", "speedup"))
        }
    return [without_times(value) for value in facts] if isinstance(facts, list) else facts


def test_apply_copies_the_rows_as_they_stand(craig, tmp_path):
    for kind in ("libsvm", "csv", "parquet"):
        name = f"d.{kind}"
        write(tmp_path / name, RAW, LABELS, BAD)
        assert craig("select", name, *options(name), *SELECT, "-o", "cs").code == 0
        assert craig("apply", name, "cs", "--weight-as", "none", "-o", f"out.{kind}").code == 0
        found, _ = picks_of("cs")
        if kind == "parquet":
            table = pq.read_table("out.parquet")
            np.testing.assert_array_equal(table["a"].to_numpy(), RAW[found["index"], 0])
            assert table["note"].to_pylist() == ["x"] * len(found["index"])
        else:
            text = Path(f"out.{kind}").read_text()
            place = 1 if kind == "libsvm" else 3
            assert all(repr(float(v)) in text for v in RAW[found["index"], place - 1])


def test_rows_that_the_user_names_are_those_of_the_file(craig, tmp_path):
    write(tmp_path / "d.csv", RAW, LABELS, BAD)
    arguments = ("select", "d.csv", *options("d.csv"), *SELECT, "-o", "cs", "--for", "local")
    Path("in").write_text("117\n2\n")
    Path("out").write_text("3\n43\n")
    assert craig(*arguments, "--include", "in", "--exclude", "out").code == 0
    found, facts = picks_of("cs")
    assert found["index"][:2].tolist() == [117, 2]
    assert not {3, 43} & set(found["index"].tolist())
    assert facts["request"]["include"] == [117, 2]
    for rows, problem in (
        ("41", "row 41, counted from 0, was skipped as bad (--on-error skip)"),
        ("120", "there is no row 120, counted from 0, but 120 in all"),
    ):
        Path("in").write_text(rows)
        for more in ((), ("--dry-run",)):
            result = craig(*arguments, "--include", "in", "--force", *more)
            assert (result.code, result.err) == (2, f"craig: error: --include: {problem}.\n")


def test_hand_made_weights_name_rows_of_the_file(craig, tmp_path):
    write(tmp_path / "d.csv", RAW, LABELS, BAD)
    write(tmp_path / "c.csv", RAW[GOOD], LABELS[GOOD])
    objectives = []
    for name, index in (("d.csv", GOOD[::4]), ("c.csv", np.arange(len(GOOD))[::4])):
        pq.write_table(pa.table({"index": index, "weight": np.ones(len(index))}), "w")
        read = (*options(name), "--on-error", "skip", "--weights-file", "w", "--json")
        result = craig("train", name, *read, "-o", name + ".model")
        assert result.code == 0, result.err
        objectives.append(json.loads(result.out)["models"][0]["objective_all_rows"])
    assert objectives[0] == objectives[1]
    pq.write_table(pa.table({"index": [2, 41], "weight": [1, 1]}), "w")
    read = (*options("d.csv"), "--on-error", "skip", "--weights-file", "w")
    result = craig("train", "d.csv", *read, "-o", "m")
    assert (result.code, result.err) == (
        3,
        "craig: error: w: row 41, counted from 0, was skipped as bad (--on-error skip). Give the "
        "data it belongs to.\n",
    )


@pytest.mark.parametrize("kind", ["csv", *slow("npy", "hdf5")])
def test_a_proxy_has_a_row_for_skipped_ones_too(craig, tmp_path, kind):
    write(tmp_path / "d.csv", RAW, LABELS, BAD)
    write(tmp_path / "c.csv", RAW[GOOD], LABELS[GOOD])
    proxy = RNG.normal(size=(N, 2))
    proxy[BAD[::2]] = np.nan  # a trainer has nothing to say of a bad row
    for name, rows in (("d.csv", proxy), ("c.csv", proxy[GOOD])):
        file = tmp_path / f"{name}.proxy.{kind}"
        if kind == "npy":
            np.save(file, rows)
        elif kind == "csv":
            file.write_text("u,v\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows.tolist()))
        else:
            with h5py.File(file, "w") as out:
                out["x"] = rows
        read = (*options(name), *SELECT, "--proxy", file.name)
        result = craig("select", name, *read, "-o", name + ".cs")
        assert result.code == 0, result.err
        assert craig("verify", name, name + ".cs", "--proxy", file.name).code == 0
    found, wanted = (picks_of(name + ".cs")[0] for name in ("d.csv", "c.csv"))
    assert found["index"].tolist() == GOOD[wanted["index"]].tolist()
    read = (*options("d.csv"), *SELECT, "--proxy", f"c.csv.proxy.{kind}")
    result = craig("select", "d.csv", *read, "-o", "x.cs")
    assert result.code == 3
    assert "it has 111 rows, and the data 120, 9 of them skipped" in result.err


def test_a_manifest_and_data_where_other_rows_were_skipped(craig, tmp_path):
    write(tmp_path / "d.csv", RAW, LABELS, BAD)
    write(tmp_path / "c.csv", RAW[GOOD], LABELS[GOOD])
    other = np.concatenate([GOOD, [0, 0]])  # the same rows, and bad ones at the end
    write(tmp_path / "o.csv", RAW[other], LABELS[other], [len(GOOD), len(GOOD) + 1])
    for name in ("d.csv", "c.csv"):
        assert craig("select", name, *options(name), *SELECT, "-o", name + ".cs").code == 0
    # What was selected from clean rows is good for the same rows with bad ones between them.
    skip = ("--on-error", "skip")
    assert craig("verify", "d.csv", "c.csv.cs", *skip).code == 0
    assert craig("apply", "d.csv", "c.csv.cs", *skip, "--to", "npz", "-o", "n.npz").code == 0
    found, _ = picks_of("d.csv.cs")
    assert np.load("n.npz")["index"].tolist() == found["index"].tolist()
    # Numbers of a file with bad rows are not those of a file without, or with others.
    for name, words in (("c.csv", "none is skipped"), ("o.csv", "these are others")):
        problem = f"it was selected where 9 rows were skipped as bad, and {words} here"
        for arguments in (
            ("apply", name, "d.csv.cs", "--to", "npz", "-o", "x.npz"),
            ("train", name, "--coreset", "d.csv.cs", "-o", "x.model"),
            ("calibrate", name, "d.csv.cs", "-o", "x.cs"),
        ):
            result = craig(*arguments)
            assert result.code == 3 and problem in result.err
        result = craig("verify", name, "d.csv.cs")
        assert result.code == 5 and f"FAILED   row numbers: {problem}" in result.out + result.err


def test_the_summary_says_how_many_and_why(craig, tmp_path):
    write(tmp_path / "d.csv", RAW, LABELS, BAD)
    arguments = ("select", "d.csv", *options("d.csv"), "--on-error", "skip", "--size", "9")
    result = craig(*arguments, "-o", "cs")
    assert (
        "skipped   9 of 120 rows (7.50%): in 2 column 'a' has no value, in 2 column 'b' holds "
        "text, not a number, in 2 column 'c' has no value, in 1 column 'b' has no value, in 1 "
        "column 'd' has no value, in 1 column 'd' holds text, not a number\n"
        "WARNING   7.5% of the rows were skipped as bad, and what is left may differ from the "
        "whole: mend the data, or --drop the columns at fault.\n"
    ) in result.err
    said = json.loads(craig(*arguments, "-o", "cs", "--json").out)
    assert said["skipped_rows"] == 9
    assert said["skipped"][0] == {
        "rows": 2,
        "problem": "column 'a' has no value in this row",
        "column": "a",
    }
    assert said["notes"][-1].startswith("7.5% of the rows were skipped as bad")
    write(tmp_path / "d.csv", np.tile(RAW, (8, 1)), np.tile(LABELS, 8), BAD)
    result = craig(*arguments, "-o", "cs")
    assert (
        re.search(r"skipped +9 of 960 rows \(0\.94%\)", result.err) and "WARNING" not in result.err
    )


def test_all_faults_of_stored_numbers_are_skipped(craig, tmp_path):
    rows, labels = RAW[:12].copy(), LABELS[:12].astype(float)
    weights, costs = np.ones(12), np.ones(12)
    rows[1, 2], rows[2, 1], labels[3], weights[5], costs[7] = np.nan, np.inf, np.nan, -1, 0
    columns = {"label": labels, "w": weights, "cost": costs}
    table = {**columns, **{name: rows[:, c] for c, name in enumerate("abcd")}}
    pq.write_table(pa.table(table), "d.parquet")
    with h5py.File("d.hdf5", "w") as file:
        for name, values in {**columns, "rows": rows}.items():
            file[name] = values
    reasons = []
    for name in ("d.parquet", "d.hdf5"):
        read = ("--weight-column", "w", "--cost-column", "cost", "--on-error", "skip", "--json")
        result = craig("select", name, *read, "--budget-cost", "7", "-o", "cs", "--for", "local")
        assert result.code == 0, result.err
        assert sorted(picks_of("cs")[0]["index"].tolist()) == [0, 4, 6, 8, 9, 10, 11]
        reasons.append([(r["problem"], r["column"]) for r in json.loads(result.out)["skipped"]])
    assert reasons == [
        [
            ("column 'b' is not finite", "b"),
            ("column 'c' is not finite", "c"),
            ("cost column 'cost' is not above 0", "cost"),
            ("label column 'label' is not finite", "label"),
            ("weight column 'w' is negative", "w"),
        ],
        [
            ("the cost is not above 0", None),
            ("the label is not finite", None),
            ("the value is not finite", "2"),
            ("the value is not finite", "3"),
            ("the weight is negative", None),
        ],
    ]
