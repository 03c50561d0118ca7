"""``--missing``: what becomes of cells without a number, on every road, and in later tables."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

N = 90


def holed(n: int = N, seed: int = 3) -> tuple[pa.Table, np.ndarray]:
    """Return a table with empty cells in a number and in a category, and the whole numbers."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 2)).round(4)
    hole = rng.random(n) < 0.2
    city = [None if k == 3 else "ABC"[k] for k in rng.integers(4, size=n)]
    label = (rows.sum(axis=1) > 0).astype(int)
    x = pa.array(rows[:, 0], mask=hole)
    table = pa.table({"x": x, "z": rows[:, 1], "city": city, "label": label})
    rows[hole, 0] = np.nan
    return table, rows


def write(table: pa.Table, name: str) -> str:
    """Write a table to the file of a name, CSV or Parquet."""
    (pa.csv.write_csv if name.endswith(".csv") else pq.write_table)(table, name)
    return name


def filled(table: pa.Table, rows: np.ndarray, value: float) -> pa.Table:
    """Return the table as somebody would fill it by hand."""
    x = np.where(np.isnan(rows[:, 0]), value, rows[:, 0])
    city = [name or "" for name in table["city"].to_pylist()]
    return table.set_column(0, "x", pa.array(x)).set_column(2, "city", pa.array(city))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("limit", [(), ("--memory-limit", "1G")])
@pytest.mark.parametrize("missing", ["mean", "zero"])
def test_filled_as_by_hand(craig, kind, limit, missing):
    table, rows = holed()
    value = float(np.nanmean(rows[:, 0])) if missing == "mean" else 0.0
    data, whole = write(table, f"t.{kind}"), write(filled(table, rows, value), "w.parquet")
    options = ("--one-hot", "city", "--size", "12", "--for", "local", *limit, "--json")
    result = craig("select", data, "--missing", missing, *options, "-o", "a.cs")
    assert result.code == 0, result.err
    assert craig("select", whole, *options, "-o", "b.cs").code == 0
    a, b = (pq.read_table(name)["index"].to_pylist() for name in ("a.cs", "b.cs"))
    assert a == b
    n = int(np.isnan(rows[:, 0]).sum())
    told = f"Filled in, by --missing {missing}: {n} in 'x' ({value:.6g})."
    assert told in json.loads(result.out)["notes"]
    assert craig("verify", data, "a.cs").code == 0


@pytest.mark.parametrize("block", [1, 4 << 20])
@pytest.mark.parametrize("missing", ["mean", "median"])
def test_means_and_medians_count_weights_and_no_blocks(tmp_path, missing, block):
    from craig_cli.readers import read_dataset
    from craig_cli.settings import InputSettings

    weights = [3, 1, 1, 0, 2]
    x = [1.0, None, 5.0, 100.0, 2.0]
    table = pa.table({"x": x, "z": [0.0] * 5, "w": weights, "label": [0, 1, 0, 1, 0]})
    path = tmp_path / "t.csv"
    pa.csv.write_csv(table, path)
    settings = InputSettings((str(path),), missing=missing, weight_column="w", block_bytes=block)
    repeated = [1.0, 1.0, 1.0, 5.0, 2.0, 2.0]
    expected = np.mean(repeated) if missing == "mean" else np.median(repeated)
    dataset = read_dataset(settings)
    assert dataset.rows[1, 0] == expected
    assert dataset.encoding.fills == {"x": expected, "z": 0.0}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_skipped_rows_keep_the_numbers_of_the_others(craig, kind):
    table, rows = holed()
    data = write(table, f"t.{kind}")
    options = ("--drop", "city", "--missing", "skip", "--size", "12", "--json")
    result = craig("select", data, *options, "-o", "a.cs")
    assert result.code == 0, result.err
    cs, bad = pq.read_table("a.cs"), np.flatnonzero(np.isnan(rows[:, 0]))
    assert json.loads(result.out)["skipped_rows"] == len(bad)
    index = cs["index"].to_numpy()
    assert not np.isin(index, bad).any()
    assert cs["label"].to_pylist() == table["label"].take(pa.array(index)).to_pylist()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_model_fills_as_its_data_was(craig, kind):
    table, _ = holed()
    data = write(table, f"t.{kind}")
    assert craig("train", data, "--one-hot", "city", "--missing", "mean", "-o", "m.npz").code == 0
    with np.load("m.npz") as m:
        mean = json.loads(str(m["craig"]))["encoding"]["fills"]["x"]
    other, others = holed(seed=4)
    batch = write(other, f"b.{kind}")
    whole = write(filled(other, others, mean), "w.parquet")
    for name, out in ((batch, "p.parquet"), (whole, "q.parquet")):
        result = craig("predict", name, "m.npz", "-o", out)
        assert result.code == 0, result.err
    p, q = (pq.read_table(name)["prediction"].to_pylist() for name in ("p.parquet", "q.parquet"))
    assert p == q


def test_what_is_refused(craig):
    table, _ = holed()
    data = write(table, "t.csv")
    for options, code, told in (
        (("--missing", "mean", "--parts", "2"), 2, "--missing mean: it needs all rows"),
        (("--missing", "median", "--memory-limit", "1G"), 4, "--missing median: all numbers"),
    ):
        result = craig("select", data, "--drop", "city", "--size", "9", *options, "-o", "a.cs")
        assert result.code == code and told in result.err
    empty = write(table.set_column(0, "x", pa.nulls(N, pa.float64())), "e.csv")
    options = ("--drop", "city", "--size", "9", "--missing", "mean", "-o", "a.cs")
    assert "column 'x' holds no number at all" in craig("select", empty, *options).err
