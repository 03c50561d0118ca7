"""`select_coreset` of tables and files: the same coreset as of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
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
def test_a_target_that_is_no_column_of_the_table(maker):
    target = ROWS[:, 0] + ROWS[:, 1]
    wanted = select_coreset(ROWS, target, size=9, task="regression")
    found = select_coreset(drop(MAKERS[maker](), "kind"), target, size=9, task="regression")
    assert (found.index.tolist(), found.task) == (wanted.index.tolist(), "regression")


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
    with pytest.raises(CraigError, match=r"^sample_weight: 'w' is the label column."):
        select_coreset(is_float64, "w", sample_weight="w", **OPTIONS)


@pytest.mark.parametrize("maker", FRAMES)
def test_tables_that_are_refused(maker):
    table = MAKERS[maker]()
    for X, y, message in (
        (
            table,
            None,
            "X: column 'kind' holds text or categories, not numbers. Use drop=['kind'], or "
            "one_hot=['kind'].",
        ),
        (table, "x", "y: X has no column 'x'. The columns are a, b, c, kind."),
    ):
        with pytest.raises(CraigError) as caught:
            select_coreset(X, y, size=9)
        assert str(caught.value) == message


def test_missing_cells():
    with pytest.raises(
        CraigError,
        match=r"^X: column 'b' has no value in row 1, counted from 0. Fill it in, remove the row, "
        r"or drop the column with drop=\['b'\]\.$",
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


@pytest.mark.parametrize("maker", FRAMES)
def test_reading_arguments(maker):
    wanted = select_coreset(ROWS[:, :2], LABELS, **OPTIONS)
    for arguments in ({"drop": "c"}, {"drop": ["c"]}, {"features": ("a", "b")}):
        found = select_coreset(MAKERS[maker](), label="kind", **arguments, **OPTIONS)
        assert found.index.tolist() == wanted.index.tolist()
    hot = np.column_stack([ROWS, LABELS == "no", LABELS == "yes"])
    assert (
        select_coreset(MAKERS[maker](), one_hot=["kind"], **OPTIONS).index.tolist()
        == select_coreset(hot, **OPTIONS).index.tolist()
    )


def embeddings(package):
    """Return a table of embeddings, and the column alone, as a package holds them."""
    rows = ROWS.tolist()
    if package == "pandas":
        frame = needs("pandas").DataFrame({"text": LABELS, "e": list(ROWS), "kind": LABELS})
        return frame, frame["e"]
    if package == "polars":
        pl = needs("polars")
        frame = pl.DataFrame({"text": LABELS.tolist(), "e": rows, "kind": LABELS.tolist()})
        return frame, frame["e"].cast(pl.Array(pl.Float32, 3))
    lists = pa.array(rows, pa.list_(pa.float32(), 3))
    return pa.table({"text": LABELS, "e": lists, "kind": LABELS}), pa.chunked_array([lists])


@pytest.mark.parametrize("maker", FRAMES)
def test_embeddings(maker):
    table, column = embeddings(maker)
    wanted = select_coreset(ROWS, LABELS, **OPTIONS).index.tolist()
    found = select_coreset(table, "kind", **OPTIONS)
    assert found.index.tolist() == wanted
    assert found.notes[0] == "The features are column 'e'; left out: text."
    assert select_coreset(column, LABELS, **OPTIONS).index.tolist() == wanted
    assert select_coreset(ROWS, LABELS, proxy=column, **OPTIONS).index.tolist() == wanted


def test_every_other_holder_of_embeddings():
    wanted = select_coreset(ROWS, LABELS, **OPTIONS).index.tolist()
    objects = np.empty(60, object)
    objects[:] = list(ROWS)
    halves = select_coreset(ROWS.astype(np.float16), LABELS, **OPTIONS)
    assert halves.n_columns == 3
    for held in (
        objects,
        ROWS.astype(object),
        pa.record_batch({"e": pa.array(ROWS.tolist())}),
        pa.array(ROWS.tolist()),
        np.ma.masked_array(ROWS, mask=False),
    ):
        assert select_coreset(held, LABELS, **OPTIONS).index.tolist() == wanted


@pytest.mark.needs("polars")
def test_lazy_frames_and_other_types_of_polars():
    pl = needs("polars")
    wanted = select_coreset(ROWS, LABELS, **OPTIONS).index.tolist()
    frame = polars_frame()
    assert select_coreset(frame.lazy(), "kind", **OPTIONS).index.tolist() == wanted
    for kind in (pl.Categorical, pl.Enum(["no", "yes"])):
        own = frame.with_columns(pl.col("kind").cast(kind))
        found = select_coreset(own, "kind", **OPTIONS)
        assert (found.index.tolist(), set(found.label)) == (wanted, {"no", "yes"})
        found = select_coreset(own.drop("kind"), own["kind"], **OPTIONS)
        assert found.index.tolist() == wanted
    with pytest.raises(CraigError, match=r"^y: row 1, counted from 0, has no value"):
        select_coreset(ROWS[:3], pl.Series([1, None, 2]), size=2)
    objects = pl.DataFrame({"a": pl.Series([object()] * 3, dtype=pl.Object)})
    with pytest.raises(CraigError, match=r"^X: column 'a' (holds values of|is of type)"):
        select_coreset(objects, size=2)


@pytest.mark.needs("pandas")
def test_types_of_pandas():
    pd = needs("pandas")
    frame = pandas_frame()
    wanted = select_coreset(ROWS, LABELS, **OPTIONS)
    for own in (
        frame.astype({"kind": "category"}),
        frame.astype({"kind": "string"}),
        frame.astype({"a": "Float32", "b": "Float32", "c": "Float32"}),
        frame.convert_dtypes(dtype_backend="pyarrow"),
        frame.set_index(np.arange(60)[::-1]),
    ):
        for X, y in ((own, "kind"), (own.drop(columns="kind"), own["kind"])):
            found = select_coreset(X, y, **OPTIONS)
            assert found.index.tolist() == wanted.index.tolist()
            assert found.label.tolist() == wanted.label.tolist()
    whole = pd.DataFrame({"a": [1, 5, 9], "b": [True, False, True]})
    for kinds in ({"a": "Int64", "b": "boolean"}, {"a": object, "b": object}):
        assert select_coreset(whole.astype(kinds), size=3).n_columns == 2
    assert select_coreset(whole["a"], size=2).n_columns == 1
    sparse = pd.DataFrame((ROWS > 0).astype(float)).astype(pd.SparseDtype(float, 0))
    dense = select_coreset((ROWS > 0).astype(float), **OPTIONS)
    assert select_coreset(sparse, **OPTIONS).index.tolist() == dense.index.tolist()
    sparse.columns = ["a", "b", "c"]
    mixed = sparse.assign(kind=LABELS)
    assert select_coreset(mixed, "kind", **OPTIONS).n_columns == 3


@pytest.mark.needs("pandas")
def test_what_pandas_holds_that_is_refused():
    pd = needs("pandas")
    a = pd.Series([1.0, 2, 3], name="a")
    for X, y, message in (
        ({"a": a, "b": pd.Series([1, None, 3], dtype="Int64")}, None,
         "X: column 'b' has no value in row 1, counted from 0. Fill it in, remove the row, or "
         "drop the column with drop=['b']."),
        ({"a": a, "b": [1.0, 2.0, np.inf]}, None,
         "X: column 'b' is not finite, in row 2, counted from 0 (value 'inf'). Correct it, remove "
         "the row, or drop the column with drop=['b']."),
        ({"a": a, "b": [1, "x", 2.5]}, None,
         "X: column 'b' holds values of several kinds, or of one that is not known (object). "
         "Convert it to numbers or text first."),
        ({"a": a, "b": [1j, 2, 3]}, None,
         "X: column 'b' holds values of several kinds, or of one that is not known (complex128). "
         "Convert it to numbers or text first."),
        ({"a": a, "t": pd.to_datetime([0, 1, 2], unit="s")}, None,
         "X: column 't' is of type timestamp[ns], not a number. Use drop=['t'], or convert it to "
         "numbers."),
        ({"a": a, "e": [[1.0], [1.0, 2.0], [3.0]]}, None,
         "X: column 'e' holds lists of numbers, and beside it a is a number: which are the "
         "features is not clear. Use features=['e'] for the lists alone, or features=['e', 'a'] "
         "for all."),
        ({"e": [[1.0], [1.0, 2.0], [3.0]]}, None,
         "X: column 'e' holds 2 numbers in row 1, counted from 0, not 1 as other rows. Fill it in, "
         "remove the row, or drop the column with drop=['e']."),
        ({"a": a}, pd.Series([1, pd.NA, 2], dtype="Int64"),
         "y: row 1, counted from 0, has no value. Remove or fill it first."),
        ({"a": a}, pd.Series(["a", None, "b"], dtype="category"),
         "y: row 1, counted from 0, has no value. Remove or fill it first."),
        ({"a": a}, pd.Series(pd.to_datetime([0, 1, 2], unit="s")),
         "y: holds timestamp[ns], not numbers or strings."),
        ({"a": a}, [1, pd.NA, 2],
         "y: row 1, counted from 0, has no label. Remove or fill it first."),
        ({"a": a}, "b", "y: X has no column 'b'. The columns are a."),
    ):  # fmt: skip
        with pytest.raises(CraigError) as caught:
            select_coreset(pd.DataFrame(X), y, size=2)
        assert str(caught.value).replace("[us]", "[ns]").replace("[s]", "[ns]") == message
    twice = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    with pytest.raises(CraigError, match=r"^X: two columns have the same name"):
        select_coreset(twice, size=1)


def test_masks_objects_and_other_arrays():
    mask = np.zeros(ROWS.shape, bool)
    mask[7, 2] = True
    words = np.array([[1.0, "x"], [2.0, 3.0]], object)
    ragged = np.empty(2, object)
    ragged[:] = [[1.0], [1.0, 2.0]]
    for X, y, message in (
        (np.ma.masked_array(ROWS, mask), None,
         "X: the value in row 7 and column 2, counted from 0, is masked. Remove or fill it first."),
        (ROWS, np.ma.masked_array(LABELS, mask[:, 2]),
         "y: the value in row 7, counted from 0, is masked. Remove or fill it first."),
        (words, None,
         "X: the value in row 0 and column 1, counted from 0, is of type str, no number (value "
         "'x'). Remove or fill it first."),
        (np.array([[1.0], [None]], object), None,
         "X: the value in row 1 and column 0, counted from 0, has no value. Remove or fill it "
         "first."),
        (ragged, None,
         "X: row 1, counted from 0, has 2 numbers, and the first row 1. Give rows of one length."),
        ([[1.0], [1.0, 2.0]], None,
         "X: is of type list, and is not made an array of numbers: setting an array element with a "
         "sequence."),
        (np.array([[2**60]]), None,
         "X: the value in row 0 and column 0, counted from 0, is beyond 2^53, so a 64-bit float "
         "may not hold it (value '1152921504606846976'). Remove or fill it first."),
        (np.array([["2020-01-01"]], "M8[D]"), None, "X: holds datetime64[D], not real numbers."),
        (ROWS, np.array([np.nan, *[0.0] * 59]),
         "y: the value in row 0, counted from 0, is not finite (value 'nan'). Remove or fill it "
         "first."),
        (ROWS, np.array(["a", None, *["b"] * 58], object),
         "y: row 1, counted from 0, has no label. Remove or fill it first."),
    ):  # fmt: skip
        with pytest.raises(CraigError) as caught:
            select_coreset(X, y, size=2)
        told = str(caught.value)
        assert told == message or told.startswith(message.removesuffix("."))


class Foreign:
    """An object that gives an array, or fails to."""

    def __init__(self, give):
        self.give = give

    def __array__(self, dtype=None, copy=None):
        return self.give()


def test_objects_that_make_arrays_of_themselves():
    wanted = select_coreset(ROWS, LABELS, **OPTIONS)
    found = select_coreset(Foreign(lambda: ROWS), Foreign(lambda: LABELS), **OPTIONS)
    assert found.index.tolist() == wanted.index.tolist()

    def fail():
        raise KeyError("no")

    with pytest.raises(CraigError, match=r"^X: is of type Foreign, and is not made an array"):
        select_coreset(Foreign(fail), size=2)
    Away = type("Array", (), {"__module__": "dask.array.core"})
    with pytest.raises(CraigError, match=r"^X: is of type Array of dask; .* Give X.compute\(\)"):
        select_coreset(Away(), size=2)
    with pytest.raises(CraigError, match=r"^y: is of type Array of dask; .* Give y.compute\(\)"):
        select_coreset(ROWS, Away(), size=2)


SPARSE = sp.random_array((60, 5), density=0.4, format="csr", rng=np.random.default_rng(3))


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_sparse_matrices(layout, kind):
    wanted = select_coreset(SPARSE, LABELS, **OPTIONS)
    held = getattr(sp, f"{layout}_{kind}")(SPARSE)
    found = select_coreset(held, LABELS, **OPTIONS)
    assert (found.index.tolist(), found.epsilon.tolist()) == (
        wanted.index.tolist(),
        wanted.epsilon.tolist(),
    )


def test_sparse_matrices_that_are_not_tidy():
    tidy = sp.csr_array(np.array([[3.0, 0, 1], [0, 2, 0], [5, 0, 0]]))
    untidy = sp.csr_array(
        (np.array([1.0, 1, 2, 0, 2, 5]), np.array([2, 0, 0, 1, 1, 0]), np.array([0, 3, 5, 6])),
        shape=(3, 3),
    )
    wanted, found = select_coreset(tidy, size=2), select_coreset(untidy, size=2)
    assert (found.index.tolist(), found.epsilon.tolist()) == (
        wanted.index.tolist(),
        wanted.epsilon.tolist(),
    )
    broken = sp.csr_array(tidy)
    broken.indices = broken.indices.copy()
    broken.indices[0] = 10**6
    for X, text in (
        (broken, "X: the sparse matrix contradicts itself: "),
        (tidy.astype(complex), "X: holds complex128, not real numbers."),
        (sp.coo_array(np.arange(3.0)), "X: has 1 dimensions, not 2 (rows, columns)."),
    ):
        with pytest.raises(CraigError) as caught:
            select_coreset(X, size=2)
        assert str(caught.value).startswith(text)


@pytest.mark.needs("torch")
def test_tensors_of_torch():
    torch = needs("torch")
    wanted = select_coreset(ROWS, LABELS, **OPTIONS).index.tolist()
    tensor = torch.tensor(ROWS, requires_grad=True)
    assert select_coreset(tensor, LABELS, **OPTIONS).index.tolist() == wanted
    rounded = tensor.to(torch.bfloat16)
    found = select_coreset(rounded, LABELS, **OPTIONS)
    assert (
        found.index.tolist()
        == select_coreset(rounded.float().detach().numpy(), LABELS, **OPTIONS).index.tolist()
    )


def test_files_are_read_as_the_command_reads_them(tmp_path):
    lines = ["id;town;a;b;c;kind", *(f"{k};T{k % 2};{a!r};{b!r};{c!r};{kind}" for k, (a, b, c), kind
             in zip(range(60), ROWS.astype(float).tolist(), LABELS, strict=True))]  # fmt: skip
    (tmp_path / "d.txt").write_text("\n".join(lines) + "\n")
    reading = {"format": "csv", "delimiter": ";", "drop": ["id", "town"]}
    rows = ROWS.astype(float)
    wanted = select_coreset(rows, LABELS, **OPTIONS).index.tolist()
    name = str(tmp_path / "d.txt")
    assert select_coreset(name, label="kind", **reading, **OPTIONS).index.tolist() == wanted
    assert select_coreset([name], "kind", **reading, **OPTIONS).index.tolist() == wanted
    found = select_coreset(name, "kind", features="a,b,c", format="csv", **OPTIONS,
                           delimiter=";", memory_limit="2G")  # fmt: skip
    assert found.index.tolist() == wanted
    (tmp_path / "n.csv").write_text("\n".join(line.replace(";", ",") for line in lines[1:]) + "\n")
    found = select_coreset(tmp_path / "n.csv", "6", header=False, drop=("1", "2"), **OPTIONS)
    assert found.index.tolist() == wanted
    found = select_coreset(tmp_path / "n.csv", header=False, drop=("1", "6"), one_hot="2",
                           no_label=True, **OPTIONS)  # fmt: skip
    assert (found.label, found.n_columns) == (None, 5)
    with pytest.raises(CraigError) as caught:
        select_coreset(name, "kind", format="csv", delimiter=";", drop=["idd"], size=3)
    assert str(caught.value).startswith(f"drop: {name} has no column 'idd'. Did you mean 'id'?")
    with pytest.raises(CraigError) as caught:
        select_coreset(name, "kind", format="csv", delimiter=";", size=3)
    assert str(caught.value).endswith(
        "Use drop=['town'] or one_hot=['town'], or drop the row with on_error='skip'."
    )


def test_options_of_selection(tmp_path):
    np.save(tmp_path / "X.npy", ROWS)
    np.save(tmp_path / "y.npy", LABELS)
    np.save(tmp_path / "p.npy", ROWS[:, ::-1].copy() ** 2)
    X = tmp_path / "X.npy"
    whole = select_coreset(X, "y.npy", **OPTIONS)
    assert whole.index.tolist() == select_coreset(ROWS, LABELS, **OPTIONS).index.tolist()
    paper = select_coreset(ROWS, LABELS, size=9, paper=True)
    assert (paper.index.tolist(), paper.method) == (whole.index.tolist(), "exact")
    assert select_coreset(X, "y.npy", size=9, parts=2).parts == (30, 30)
    assert select_coreset(X, "y.npy", size=9, parts="files").parts == (60,)
    for proxy in (tmp_path / "p.npy", ROWS[:, ::-1] ** 2, ROWS[:, ::-1].tolist()):
        held = np.asarray(ROWS if isinstance(proxy, list) else ROWS**2)[:, ::-1]
        found = select_coreset(ROWS, LABELS, proxy=proxy, **OPTIONS)
        by_hand = select_coreset(held, LABELS, **OPTIONS)
        assert found.index.tolist() == by_hand.index.tolist()
    refined = select_coreset(ROWS, LABELS, size=9, purpose="local", refine=True)
    assert refined.epsilon_total <= whole.epsilon_total
    assert select_coreset(ROWS, LABELS, size=9, sample_rows=20, purpose="local").sample_rows == 20
    limited = select_coreset(X, "y.npy", memory_limit="4G", **OPTIONS)
    assert limited.index.tolist() == whole.index.tolist()
    assert select_coreset(ROWS, size=9, method="stochastic", delta=0.5).method == "stochastic"
    assert select_coreset(ROWS, size=9, method="cells", cell_size=128).method == "cells"


def test_the_help_names_every_argument():
    import inspect

    from craig_cli.cli.app import load_command
    from craig_cli.cli.options import READING

    named = set(inspect.signature(select_coreset).parameters)
    renamed = {"for": "purpose", "no_header": "header", "weight_column": "sample_weight",
               "cost_column": "costs"}  # fmt: skip
    of_command_alone = {"data", "output", "force", "files_from", "dry_run", "partial", "json",
                        "quiet", "verbose", "debug", "config", "help", "help_all"}  # fmt: skip
    options = {str(p.name) for p in load_command("select").params} | {str(o.name) for o in READING}
    missing = {renamed.get(name, name) for name in options - of_command_alone} - named
    assert missing == set()
    assert "features" in named
    assert "reading" not in named
