"""``craig describe``, the same report in errors, and the commands that both propose."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

N = 600


def raw_columns() -> dict[str, list[str]]:
    """Return the columns of a raw business table, as text."""
    rng = np.random.default_rng(1)
    ages = [str(v) for v in rng.integers(18, 90, N)]
    for row in range(0, N, 20):
        ages[row] = ""
    return {
        "customer_id": [f"C{row:06d}" for row in range(N)],
        "row": [str(row) for row in range(N)],
        "age": ages,
        "city": list(rng.choice(["Oslo", "Bergen", "San José", "a,b"], N)),
        "active": list(rng.choice(["Yes", "no"], N)),
        "balance": [f"{v:.3f}" for v in rng.normal(size=N)],
        "time_open": [f"2024-01-{day:02d}" for day in rng.integers(1, 29, N)],
        "time_close": [f"2024-02-{day:02d} 12:30" for day in rng.integers(1, 29, N)],
        "time_seen": ["12:00"] * N,
        "empty": [""] * N,
        "same": ["x"] * N,
        "street": [f"street {v}" for v in rng.integers(0, 200, N)],
        "churn": list(rng.choice(["stay", "leave"], N)),
    }


@pytest.fixture(params=["raw.csv", "raw.parquet"])
def raw(request: pytest.FixtureRequest, own_folder: Path) -> str:
    columns = raw_columns()
    if request.param.endswith(".csv"):
        quoted = [f'"{v}"' if "," in v else v for v in columns["city"]]
        rows = zip(*(columns | {"city": quoted}).values(), strict=True)
        text = "\n".join([",".join(columns), *map(",".join, rows)])
        Path("raw.csv").write_text(text + "\n")
        return "raw.csv"
    table = pa.table(columns)
    changed = {
        "row": pa.array(map(int, columns["row"])),
        "age": pa.array([int(v) if v else None for v in columns["age"]]),
        "active": pa.array([v == "Yes" for v in columns["active"]]),
        "balance": pa.array(map(float, columns["balance"])),
        "time_open": table["time_open"].combine_chunks().cast(pa.date32()),
        "time_close": pa.array([datetime(2024, 2, 1, 12, 30)] * N, pa.timestamp("us")),
        "time_seen": pa.array([0] * N, pa.time32("s")),
        "empty": pa.nulls(N),
    }
    for name, values in changed.items():
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(table, "raw.parquet")
    return "raw.parquet"


EXPECTED = {
    "customer_id": ("text", "looks like an id"),
    "row": ("whole number", "counts the rows"),
    "age": ("whole number", ""),
    "city": ("text", "--one-hot"),
    "active": ("truth value", "feature"),
    "balance": ("number", "feature"),
    "time_open": ("date or time", "--drop, or turn it into numbers beforehand"),
    "time_close": ("date or time", "--drop, or turn it into numbers beforehand"),
    "time_seen": ("date or time", "--drop, or turn it into numbers beforehand"),
    "empty": ("no values", "holds nothing: --drop"),
    "same": ("constant text", "the same in every row: --drop"),
    "street": ("text", "--drop, or 193 columns with --one-hot"),
    "churn": ("text", "label"),
}


def test_every_column_is_told_and_the_command_works(craig, raw):
    result = craig("describe", raw, "--label", "churn", "--json")
    facts = json.loads(result.out)
    assert (result.code, facts["rows"], facts["columns"]) == (0, N, len(EXPECTED))
    for column in facts["described"]:
        kind, use = EXPECTED[column["name"]]
        assert column["type"].removeprefix("constant ") == kind.removeprefix("constant ")
        assert use in column["use"], column
    by_name = {column["name"]: column for column in facts["described"]}
    assert by_name["age"]["missing"] == N // 20
    assert by_name["city"]["distinct"] == 4
    assert by_name["customer_id"]["is_unique"]
    assert not by_name["street"]["is_unique"]
    command = shlex.split(facts["command"])
    assert command[:3] == ["craig", "select", raw]
    selected = craig(*command[1:])
    assert selected.code == 0, selected.err
    as_text = craig("describe", raw, "--label", "churn")
    assert as_text.code == 0
    for name in EXPECTED:
        assert name in as_text.out
    assert facts["command"] in as_text.out


def test_the_same_report_is_the_error_of_select(craig, raw):
    described = craig("describe", raw, "--label", "churn").out
    for command in (
        ("select", raw, "--label", "churn", "--fraction", "0.1", "-o", "x.parquet"),
        ("select", raw, "--label", "churn", "--fraction", "0.1", "--dry-run"),
        ("train", raw, "--label", "churn", "-o", "m.npz"),
    ):
        result = craig(*command)
        assert result.code == 3
        lines = result.err.splitlines()
        assert len(lines) <= 25
        assert [line for line in described.splitlines() if line.startswith("  ")] == [
            line for line in lines if line.startswith("  ")
        ]
    told = craig("select", raw, "--fraction", "0.1", "-o", "x.parquet")
    assert told.code == 3
    assert "'churn' is a guess" in told.err
    command = next(line for line in told.err.splitlines() if line.startswith("  craig select"))
    assert craig(*shlex.split(command)[1:]).code == 0


def test_wide_tables_are_cut_with_a_count(craig, own_folder):
    names = [f"x{k}" for k in range(300)] + ["bad", "label"]
    rows = ["1," * 300 + f"word{row % 3},{row % 2}" for row in range(40)]
    Path("wide.csv").write_text("\n".join([",".join(names), *rows]) + "\n")
    result = craig("select", "wide.csv", "--fraction", "0.1", "-o", "x.parquet")
    assert result.code == 3
    assert len(result.err.splitlines()) <= 25
    assert "bad" in result.err
    assert "... and 287 more columns, 287 of them can be used as they are" in result.err
    assert "--one-hot bad" in result.err


def test_a_ragged_row_needs_no_report(craig, data):
    data.write_text(data.read_text() + "1,2,3\n")
    result = craig("select", "data.csv", "--fraction", "0.5", "-o", "x.parquet")
    assert result.code == 3
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("lines", "options", "column", "role"),
    [
        (["a,label"] + ["1.5,0", "x,1"] + ["2.5,0"] * 98, (), "a", "1 cell is no number ('x')"),
        (["id,label"] + [f"{v},{v % 2}" for v in range(50, 100)], (), "id", "counts the rows"),
        (["user_id,label"] + [f"{v * v},{v % 2}" for v in range(50)], (), "user_id", "an id"),
        (["c,label"] + ["7,0", "7,1"] * 9, (), "c", "the same in every row"),
        (["w,label"] + [f"w{v % 1200},{v % 2}" for v in range(2400)], (), "w", "too many values"),
        (["a;label"] + ["1,5;0", "2,5;1"] * 9, ("--decimal", ","), "a", "feature"),
        (["a,label"] + ["on,0", "OFF,1"] * 9, (), "a", "feature"),
        (["a,b,label"] + ["$5,1,0", "$6,2,1"] * 9, (), "a", "Take them out of the file"),
        (
            ["a,b,label"] + ['"1,500",1,0', '"2,500",2,1'] * 9,
            (),
            "a",
            "Read them with --thousands ,",
        ),
    ],
)
def test_what_becomes_of_a_column(craig, own_folder, lines, options, column, role):
    Path("d.csv").write_text("\n".join(lines) + "\n")
    result = craig("describe", "d.csv", *options, "--json")
    assert result.code == 0, result.err
    found = {entry["name"]: entry["use"] for entry in json.loads(result.out)["described"]}
    assert role in found[column]


def test_a_table_of_texts_alone(craig, own_folder):
    lines = [f"w{row % 150},{row % 2}" for row in range(600)]
    Path("d.csv").write_text("w,label\n" + "\n".join(lines) + "\n")
    facts = json.loads(craig("describe", "d.csv", "--json").out)
    assert "--one-hot w" in facts["command"]
    assert craig(*shlex.split(facts["command"])[1:]).code == 0
    Path("d.csv").write_text("when,label\n" + "2024-01-01,0\n2024-01-02,1\n" * 9)
    facts = json.loads(craig("describe", "d.csv", "--json").out)
    assert facts["command"] == ""
    assert "No column can be a feature" in craig("describe", "d.csv").out
    assert "craig select" not in craig("select", "d.csv", "--size", "2", "-o", "x.parquet").err


def test_a_target_of_many_values_is_a_number(craig, own_folder):
    rng = np.random.default_rng(0)
    lines = [f"{a:.3f},{y:.4f}" for a, y in rng.normal(size=(60, 2))]
    Path("d.csv").write_text("a,y\n" + "\n".join(lines) + "\n")
    facts = json.loads(craig("describe", "d.csv", "--json").out)
    assert "--task regression" in facts["command"]
    assert craig(*shlex.split(facts["command"])[1:]).code == 0


def test_odd_names_are_quoted(craig, own_folder):
    lines = [f"{row},x{row % 3},{row % 2}" for row in range(30)]
    Path("my data.csv").write_text('"it\'s, a",two words;$x,label\n' + "\n".join(lines) + "\n")
    facts = json.loads(craig("describe", "my data.csv", "--json").out)
    assert craig(*shlex.split(facts["command"])[1:]).code in (0, 3)
    result = craig(*shlex.split(facts["command"])[1:])
    assert "has no column" not in result.err


def test_matrices_are_told_in_short(craig, own_folder):
    Path("d.libsvm").write_text("1 1:2 3:4\n-1 2:0.5\n" * 8)
    with h5py.File("d.h5", "w") as file:
        file["data"] = np.arange(12.0).reshape(6, 2)
        file["labels"] = np.array([0, 1] * 3)
    facts = json.loads(craig("describe", "d.libsvm", "--json").out)
    assert (facts["rows"], facts["columns"]) == (16, 3)
    assert facts["numbers"] == {
        "low": 0,
        "high": 4,
        "density": 0.5,
        "labels": {"distinct": 2, "most": [[1, 8], [-1, 8]]},
    }
    text = craig("describe", "d.h5").out
    assert "6 rows, 2 columns" in text
    assert "0 to 11" in text
    assert "2 different: 0 (3), 1 (3)" in text
    assert craig(*shlex.split(facts["command"])[1:]).code == 0


def test_what_cannot_be_described(craig, own_folder):
    Path("empty.csv").write_text("a,b\n")
    assert craig("describe", "empty.csv").err == (
        "craig: error: empty.csv: there are no rows. Give at least one row of data.\n"
    )
    Path("latin.csv").write_bytes("a,b\n\xe4,1\n".encode("latin-1"))
    result = craig("describe", "latin.csv")
    assert (result.code, "iconv" in result.err) == (3, True)
    assert craig("describe").code == 2


@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_one_hot_of_thousands_of_values_is_refused_with_the_number(craig, own_folder, end):
    def write(n_values: int) -> None:
        words = pa.array([f"w{row % n_values}" for row in range(30_000)])
        labels = pa.array([row % 2 for row in range(30_000)])
        table = pa.table({"w": words, "a": labels, "label": labels})
        if end == "csv":
            pyarrow.csv.write_csv(table, "d.csv")
        else:
            pq.write_table(table, "d.parquet")

    options = ("--one-hot", "w", "--fraction", "0.1", "-o", "x.parquet")
    for n_values, number in ((1001, "1,001"), (10_001, "more than 10,000")):
        write(n_values)
        result = craig("select", f"d.{end}", *options)
        assert result.code == 3
        assert result.err.startswith(
            f"craig: error: d.{end}: column 'w' has {number} values, and --one-hot takes at most "
            f"1,000. Use --drop w, or group its values beforehand.\n"
        )
        assert "--one-hot" not in result.err.splitlines()[-1]
