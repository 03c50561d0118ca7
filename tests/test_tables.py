"""`select_coreset` of tables and files: the same coreset as of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tools import needs

from craig_cli import select_coreset
from craig_cli.errors import CraigError

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 3)).astype(np.float32)
LABELS = np.array(["no", "yes"])[(ROWS[:, 0] > 0).astype(int)]
OPTIONS = {"size": 9, "method": "exact", "weights": "cluster", "representative": "medoid"}


def columns():
    return {name: ROWS[:, place] for place, name in enumerate("abc")} | {"kind": LABELS.tolist()}


def pandas_frame():
    return needs("pandas").DataFrame(columns())


def polars_frame():
    return needs("polars").DataFrame(columns())


def arrow_table():
    return pa.table(columns())


FRAMES = [
    pytest.param("pandas", marks=pytest.mark.needs("pandas")),
    pytest.param("polars", marks=pytest.mark.needs("polars")),
    "pyarrow",
]
MAKERS = {"pandas": pandas_frame, "polars": polars_frame, "pyarrow": arrow_table}


def drop(table, name):
    return (
        table.drop(columns=name)
        if hasattr(table, "iloc")
        else table.drop_columns([name])
        if hasattr(table, "drop_columns")
        else table.drop(name)
    )


@pytest.mark.parametrize("maker", FRAMES)
def test_tables(maker):
    table = MAKERS[maker]()
    wanted = select_coreset(ROWS, LABELS, **OPTIONS)
    for X, y in (
        (table, "kind"),
        (drop(table, "kind"), table["kind"]),
        (drop(table, "kind"), LABELS),
    ):
        found = select_coreset(X, y, **OPTIONS)
        assert found.index.tolist() == wanted.index.tolist()
        assert found.label.tolist() == wanted.label.tolist()
        assert found.epsilon.tolist() == wanted.epsilon.tolist()
    assert select_coreset(drop(table, "kind"), **OPTIONS).label is None


@pytest.mark.parametrize("maker", FRAMES)
def test_columns_of_weights_and_costs(maker):
    table, options = (
        MAKERS[maker](),
        {name: value for name, value in OPTIONS.items() if name != "size"},
    )
    weights, costs = np.abs(ROWS[:, 1].astype(float)), np.abs(ROWS[:, 1].astype(float)) + 1
    is_float64 = pa.table(columns() | {"w": weights, "price": costs})
    is_float64 = (
        is_float64.to_pandas()
        if maker == "pandas"
        else type(table)(columns() | {"w": weights, "price": costs})
        if maker == "polars"
        else is_float64
    )
    wanted = select_coreset(
        ROWS, LABELS, sample_weight=weights, costs=costs, budget_cost=12, **options
    )
    found = select_coreset(
        is_float64, "kind", sample_weight="w", costs="price", budget_cost=12, **options
    )
    assert (found.index.tolist(), found.weight.tolist()) == (
        wanted.index.tolist(),
        wanted.weight.tolist(),
    )
    with pytest.raises(CraigError, match="sample_weight: X has no column 'v'"):
        select_coreset(is_float64, "kind", sample_weight="v", **OPTIONS)
    with pytest.raises(CraigError, match="column 'w' is named for something else, too"):
        select_coreset(is_float64, "w", sample_weight="w", **OPTIONS)


@pytest.mark.parametrize("maker", FRAMES)
def test_tables_that_are_refused(maker):
    table = MAKERS[maker]()
    for X, y, message in (
        (table, None, "X: kind: not numbers. Drop these columns, or encode them."),
        (table, "x", "y: X has no column 'x'. The columns are a, b, c, kind."),
    ):
        with pytest.raises(CraigError) as caught:
            select_coreset(X, y, size=9)
        assert str(caught.value) == message


def test_missing_cells():
    with pytest.raises(
        CraigError,
        match=r"^X: column 'b' has a value that is missing or not "
        r"finite in row 1 \(value 'nan'\)",
    ):
        select_coreset(pa.table({"a": [1.0, 2.0], "b": [1.0, None]}), size=1)


def test_whole_numbers_and_booleans():
    table = pa.table({"a": pa.array([0, 5, 9], pa.int8()), "b": pa.array([True, False, True])})
    assert select_coreset(table, size=3).n_columns == 2


def test_files(tmp_path):
    wanted = select_coreset(ROWS, LABELS, **OPTIONS)
    pq.write_table(arrow_table(), tmp_path / "d.parquet")
    pq.write_table(
        arrow_table().rename_columns(["a", "b", "c", "label"]), tmp_path / "usual.parquet"
    )
    found = (
        select_coreset(tmp_path / "d.parquet", "kind", **OPTIONS),
        select_coreset(str(tmp_path / "d.parquet"), "kind", **OPTIONS),
        select_coreset(tmp_path / "usual.parquet", **OPTIONS),
    )
    assert [c.index.tolist() for c in found] == [wanted.index.tolist()] * 3
    twice = select_coreset(
        [tmp_path / "d.parquet", Path(tmp_path / "d.parquet")], "kind", **OPTIONS
    )
    assert twice.n_rows == 120
    with pytest.raises(
        CraigError,
        match=r"^y: of a file it is the name of the label column, or "
        r"None\.$",
    ):
        select_coreset(tmp_path / "d.parquet", LABELS, size=9)


def test_extending_from_python():
    small = select_coreset(ROWS, LABELS, **OPTIONS)
    large = select_coreset(
        ROWS,
        LABELS,
        **(OPTIONS | {"size": 20}),
        extend=small,
        exclude=np.setdiff1d(np.arange(10), small.index),
    )
    assert large.index[:9].tolist() == small.index.tolist()
    assert select_coreset(ROWS, LABELS, **OPTIONS, include=[7, 3]).index[:2].tolist() == [7, 3]
