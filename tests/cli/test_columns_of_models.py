"""Columns that a model knows, those that are no features, and ids that are carried along."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

CITIES = np.array(["Bern", "Oslo", "Rome"], object)


def table(n: int = 60, cities: np.ndarray = CITIES, seed: int = 0) -> pa.Table:
    """Return rows of two numbers, a city and a label that depends on all."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n)).round(3)
    city = rng.integers(len(cities), size=n)
    label = (x + z + (city == 1) > 0.3).astype(int)
    named = [f"row-{row:03}" for row in range(n)]
    return pa.table({"key": named, "x": x, "city": cities[city].tolist(), "z": z, "label": label})


def write(rows: pa.Table, name: str) -> str:
    """Write a table to the file of a name, CSV or Parquet."""
    (pa.csv.write_csv if name.endswith(".csv") else pq.write_table)(rows, name)
    return name


READING = ("--one-hot", "city", "--drop", "key")


@pytest.fixture(params=["csv", "parquet"])
def model(request, craig):
    """Train a model of one-hot columns; return the format of its data."""
    kind = request.param
    data = write(table(), f"train.{kind}")
    assert craig("train", data, *READING, "-o", "m.npz").code == 0
    return kind


def predictions(craig, data: str, *options: str):
    result = craig("predict", data, "m.npz", "-o", "p.parquet", "--json", "--force", *options)
    assert result.code == 0, result.err
    return pq.read_table("p.parquet")["prediction"].to_pylist(), json.loads(result.out)["notes"]


def test_a_batch_without_a_category_has_zeros_for_it(craig, model):
    whole, _ = predictions(craig, f"train.{model}")
    rows = table()
    few = np.flatnonzero(np.array(rows["city"].to_pylist()) == "Oslo")
    found, notes = predictions(craig, write(rows.take(few), f"few.{model}"))
    assert found == [whole[row] for row in few] and notes == []


def test_columns_in_another_order_with_more_and_without_the_label(craig, model):
    whole, _ = predictions(craig, f"train.{model}")
    rows = table().select(["z", "city", "x"]).append_column("more", pa.array(range(60)))
    found, notes = predictions(craig, write(rows, f"other.{model}"))
    assert found == whole
    assert notes[0] == "Passed over, as the model has no such columns: more."


def test_a_batch_that_lacks_a_column_is_refused(craig, model):
    data = write(table().drop_columns(["z"]), f"lacks.{model}")
    result = craig("predict", data, "m.npz", "-o", "p.parquet")
    assert result.code == 3
    assert result.err == (
        f"craig: error: lacks.{model}: it lacks column 'z', of m.npz. Its columns are key, x, "
        "city, label.\n"
    )


def test_unseen_values(craig, model):
    other = table(cities=np.array(["Bern", "Oslo", "Graz"], object))
    data = write(other, f"other.{model}")
    result = craig("predict", data, "m.npz", "-o", "p.parquet")
    assert result.code == 3
    assert "column 'city' holds a value that m.npz does not know" in result.err
    assert "Graz" in result.err
    assert "--unseen zeros" in result.err
    found, notes = predictions(craig, data, "--unseen", "zeros")
    n = other["city"].to_pylist().count("Graz")
    assert notes == [
        f"Column 'city': the model does not know 'Graz' in {n} rows; they count for nothing."
    ]
    with np.load("m.npz") as m:
        coef, intercept = m["coef"][0], m["intercept"][0]
        assert json.loads(str(m["craig"]))["encoding"] == {
            "features": ["x", "city", "z"],
            "categories": {"city": CITIES.tolist()},
        }
    city = np.array([[name == c for c in CITIES] for name in other["city"].to_pylist()], float)
    rows = np.column_stack([other["x"], city, other["z"]])
    assert found == (rows @ coef + intercept > 0).astype(int).tolist()


def test_evaluate_reads_test_rows_by_the_columns_of_the_data(craig, model):
    data, options = f"train.{model}", ("--size", "20", "-o", "cs.parquet")
    assert craig("select", data, *READING, *options).code == 0
    shuffled = table().select(["label", "z", "key", "city", "x"])
    few = np.flatnonzero(np.array(shuffled["city"].to_pylist()) != "Rome")
    errors = []
    for name, rows in (("same", table()), ("few", shuffled)):
        test = write(rows.take(few), f"{name}.{model}")
        result = craig("evaluate", data, "--coreset", "cs.parquet", "--test", test, "--json")
        assert result.code == 0, result.err
        errors.append(json.loads(result.out)["comparisons"][0])
    same, few_of = ({k: v for k, v in e.items() if "error" in k} for e in errors)
    assert same == few_of


def test_files_may_have_their_columns_in_any_order(craig):
    rows = table()
    write(rows[:30], "a.csv")
    write(rows[30:].select(["label", "z", "key", "city", "x"]), "b.csv")
    write(rows, "whole.csv")
    for data, out in ((("a.csv", "b.csv"), "two.parquet"), (("whole.csv",), "one.parquet")):
        assert craig("select", *data, *READING, "--size", "9", "-o", out).code == 0
    two, one = (pq.read_table(name)["index"].to_pylist() for name in ("two.parquet", "one.parquet"))
    assert two == one


def test_patterns_and_lists_of_columns(craig):
    data = write(table().rename_columns(["key", "x", "city, old", "time_z", "label"]), "t.csv")
    for options, left in (
        (("--drop", "key,time_*", "--one-hot", "city*"), 4),
        (("--drop", "key", "--one-hot", "city, old"), 5),
    ):
        result = craig("select", data, *options, "--size", "9", "--dry-run", "--json")
        assert json.loads(result.out)["columns"] == left
    result = craig("select", data, "--drop", "key,tame_*", "--dry-run", "--size", "9")
    assert result.code == 2
    assert "--drop: t.csv has no column 'tame_*'" in result.err


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_index_is_no_feature(craig, kind):
    rows = table().select(["x", "z", "label"])
    write(rows, f"plain.{kind}")
    counted = pa.table(
        {"": list(range(60)), **dict(zip(rows.column_names, rows.columns, strict=True))}
    )
    if kind == "parquet":
        about = {"index_columns": ["__index_level_0__", "day"]}
        counted = counted.rename_columns(["__index_level_0__", "x", "z", "label"])
        counted = counted.append_column("day", pa.array(range(60)))
        counted = counted.replace_schema_metadata({"pandas": json.dumps(about)})
    write(counted, f"counted.{kind}")
    found = []
    for name in ("plain", "counted"):
        result = craig("select", f"{name}.{kind}", "--size", "9", "--json", "-o", f"{name}.cs")
        found.append(pq.read_table(f"{name}.cs")["index"].to_pylist())
        told = json.loads(result.out)["notes"]
    shown = "''" if kind == "csv" else "'__index_level_0__', 'day'"
    assert f"Left out: {shown}, an index that only numbers the rows." in told
    assert found[0] == found[1]


def test_columns_that_tell_the_label_or_count_the_rows_are_named(craig):
    rows = table().select(["x", "z", "label"])
    rows = rows.append_column("target", rows["label"]).append_column("n", pa.array(range(1, 61)))
    rows = rows.append_column("opposite", pa.array(1 - rows["label"].to_numpy()))
    result = craig("select", write(rows, "t.csv"), "--size", "9", "--json", "-o", "cs.parquet")
    notes = json.loads(result.out)["notes"]
    assert (
        "Columns 'target', 'opposite' tell the label of every row, as copies of it would: use "
        "--drop target --drop opposite, unless they are features." in notes
    )
    assert "Column 'n' only counts the rows: use --drop n, unless it is a feature." in notes


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("limit", [(), ("--memory-limit", "1G")])
def test_ids_are_carried_along(craig, kind, limit):
    data = write(table(), f"t.{kind}")
    reading = ("--id", "key", "--one-hot", "city")
    options = ("--size", "9", *limit, "-o", "cs.parquet")
    assert craig("select", data, *reading, *options).code == 0
    cs = pq.read_table("cs.parquet")
    expected = [f"row-{row:03}" for row in cs["index"].to_pylist()]
    assert cs["id"].to_pylist() == expected
    assert "ok  ids: those of the data" in craig("verify", data, "cs.parquet").out
    for output, ids in (
        ("s.parquet", lambda: pq.read_table("s.parquet")["key"].to_pylist()),
        ("s.csv", lambda: pa.csv.read_csv("s.csv")["key"].to_pylist()),
        ("s.npz", lambda: np.load("s.npz")["id"].tolist()),
        ("s.h5", lambda: [name.decode() for name in h5py.File("s.h5")["id"][:]]),
        ("s.vw", lambda: re.findall(r"'([^|]*)", Path("s.vw").read_text())),
    ):
        assert craig("apply", data, "cs.parquet", "-o", output).code == 0
        assert ids() == expected, output


def test_ids_that_are_whole_numbers_stay_such(craig):
    rows = table().drop_columns(["city"]).set_column(0, "key", pa.array(range(100, 160)))
    data = write(rows, "t.parquet")
    assert craig("select", data, "--id", "key", "--size", "9", "-o", "cs.parquet").code == 0
    cs = pq.read_table("cs.parquet")
    assert cs["id"].to_pylist() == [100 + row for row in cs["index"].to_pylist()]
