"""Embeddings: columns of lists of numbers in Parquet and Arrow files, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from craig_cli.errors import CraigError, InputError
from craig_cli.readers import read_dataset
from craig_cli.readers.parts import Part, Piece, count_rows, read_part
from craig_cli.settings import InputSettings

N, WIDTH = 30, 4
ROWS = np.random.default_rng(2).integers(-50, 50, (N, WIDTH)) / 4.0
LABELS = np.arange(N) % 3
KINDS = {
    "list": lambda item: pa.list_(item),
    "large_list": lambda item: pa.large_list(item),
    "fixed_size_list": lambda item: pa.list_(item, WIDTH),
    "list_view": lambda item: pa.list_view(item),
}
"""Parquet writes views as lists."""
ITEMS = ("float16", "float32", "float64", "int8", "int64", "uint16")


def column(kind, item, rows=ROWS):
    """Return rows as a column of lists."""
    values = pa.array(rows.astype(item).reshape(-1))
    if kind == "list_view":
        starts = pa.array(np.arange(len(rows)) * WIDTH, pa.int32())
        lengths = pa.array(np.full(len(rows), WIDTH), pa.int32())
        return pa.ListViewArray.from_arrays(starts, lengths, values)
    fixed = pa.FixedSizeListArray.from_arrays(values, WIDTH)
    return fixed.cast(KINDS[kind](values.type))


def to_parquet(table, path):
    pq.write_table(table, path, row_group_size=7)


def to_stream(table, path):
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_stream(out, table.schema) as file:
        file.write_table(table, max_chunksize=7)


def to_feather(table, path):
    pa.feather.write_feather(table, path, compression="zstd", chunksize=7)


def to_file(table, path):
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as file:
        file.write_table(table)


WRITERS = {
    "d.parquet": to_parquet,
    "d.arrows": to_stream,
    "d.feather": to_feather,
    "d.arrow": to_file,
}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    """Give what writes a table in a format, and returns the name."""

    def write_table(columns):
        path = tmp_path / request.param
        WRITERS[request.param](pa.table(columns), path)
        return str(path)

    return write_table


def read(*names, **options):
    return read_dataset(InputSettings(names, **options))


@pytest.mark.thinned
@pytest.mark.parametrize("block_bytes", [1, 100, 4 << 20])
@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("kind", KINDS)
def test_lists_are_rows(write, kind, item, block_bytes):
    texts = [f"text {k}" for k in range(N)]
    name = write({"id": texts, "e": column(kind, item), "label": LABELS, "t": texts})
    found = read(name, block_bytes=block_bytes)
    assert found.rows.dtype == (np.float32 if item in ("float16", "float32") else np.float64)
    assert found.rows.tolist() == ROWS.astype(item).astype(float).tolist()
    assert found.labels.tolist() == LABELS.tolist()
    assert found.column_names == ("e[0]", "e[1]", "e[2]", "e[3]")
    assert found.notes == ("The features are column 'e'; left out: id, t.",)
    settings = InputSettings((name,), block_bytes=block_bytes)
    assert count_rows(settings, name) == N
    part = read_part(settings, Part((Piece(name, 5, 17),)))
    assert part.rows.tolist() == found.rows[5:17].tolist()


def test_tensors_of_a_fixed_shape(write):
    lists = column("fixed_size_list", "float32")
    tensors = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), [WIDTH]), lists)
    assert read(write({"e": tensors}), no_label=True).rows.tolist() == ROWS.tolist()


def test_features_are_those_that_are_named(write):
    columns = {"a": ROWS[:, 0], "e": column("list", "float32"), "b": LABELS, "y": LABELS,
               "c": ["x", "y", "z"] * 10}  # fmt: skip
    name = write(columns)
    for wanted, names in (
        (("e",), ("e[0]", "e[1]", "e[2]", "e[3]")),
        (("e", "a"), ("a", "e[0]", "e[1]", "e[2]", "e[3]")),
        (("b,a",), ("a", "b")),
    ):
        assert read(name, features=wanted).column_names == names
    assert read(name, features=("a",), one_hot=("c",)).column_names == ("a", "c=x", "c=y", "c=z")
    assert read(name, drop=("a", "b"), one_hot=("c",)).column_names[-3:] == ("c=x", "c=y", "c=z")
    for wanted, text in (
        ({}, f"{name}: column 'e' holds lists of numbers, and beside it a, b are numbers: which "
         "are the features is not clear. Use --features e for the lists alone, or --features e "
         "--features a --features b for all."),
        ({"features": ("f",)}, f"--features: {name} has no column 'f'. The columns are a, e, b, "
         "y, c."),
        ({"features": ("y",)}, "--features: 'y' is the label column. Name another with --label, or "
         "use --no-label."),
        ({"features": ("a",), "drop": ("a",)}, "--drop and --features both name 'a': leave one "
         "out."),
    ):  # fmt: skip
        with pytest.raises(CraigError) as caught:
            read(name, **wanted)
        assert str(caught.value).splitlines()[0] == text


def test_two_columns_of_lists(write):
    name = write({"e": column("list", "float32"), "f": column("list", "int8"), "y": LABELS})
    with pytest.raises(InputError) as caught:
        read(name)
    assert str(caught.value).splitlines()[0] == (
        f"{name}: columns e, f each hold lists of numbers, and one is to be the features. Name it, "
        "as --features e."
    )
    assert read(name, features=("f", "e")).column_names[4:] == ("f[0]", "f[1]", "f[2]", "f[3]")


DROP = "or drop the column with --drop e."


@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
@pytest.mark.parametrize(
    ("lists", "text"),
    [
        ([[1.0, 2.0], None, [3.0]],
         ":2:1: column 'e' has no value in this row. Fill it in, remove the row, " + DROP),
        ([[1.0, 2.0], [3.0], None],
         ":2:1: column 'e' holds 1 numbers in this row, not 2 as other rows. Fill it in, remove "
         "the row, " + DROP),
        ([[], [3.0]],
         ":1:1: column 'e' holds 0 numbers in this row, not 1 as other rows. Fill it in, remove "
         "the row, " + DROP),
        ([[], []],
         ":1:1: column 'e' holds 0 numbers in this row. Fill it in, remove the row, " + DROP),
        ([[1.0, 2.0], [4.0, None], [3.0]],
         ":2:1: column 'e' has no value at place 1 of its list. Fill it in, remove the row, "
         + DROP),
        ([[1.0, 2.0], [np.nan, 4.0], [3.0, None]],
         ":2:1: column 'e' is not finite at place 0 of its list (value 'nan'). Correct it, remove "
         "the row, " + DROP),
        ([[1, 2], [4, 2**53 + 1]],
         ":2:1: column 'e' is beyond 2^53, so a 64-bit float may not hold it at place 1 of its "
         "list (value '9007199254740993'). Correct it, remove the row, " + DROP),
        ([None, None], ":1:1: column 'e' has no value in this row. Fill it in, remove the row, "
         + DROP),
    ],
)  # fmt: skip
def test_bad_rows(write, lists, text, block_bytes):
    kind = None if any(lists) else pa.list_(pa.float64())
    name = write({"e": pa.array(lists, kind), "y": list(range(len(lists)))})
    with pytest.raises(InputError) as caught:
        read(name, block_bytes=block_bytes)
    assert str(caught.value).splitlines()[0] == f"{name}{text}"


def test_files_of_other_lengths(tmp_path):
    for name, width in (("a", 3), ("b", 2)):
        lists = pa.array([[0.5] * width] * 2)
        pq.write_table(pa.table({"e": lists, "y": [0, 1]}), tmp_path / f"{name}.parquet")
    with pytest.raises(
        InputError,
        match=r"b.parquet:1:1: column 'e' holds 2 numbers in this row, not 3 as other rows",
    ):
        read(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the file is empty. Copy or write the file again."),
        (b"FEA1" + bytes(20), "this is a Feather file of version 1, which has been given up. "
         "Write it again: pyarrow.feather.write_feather writes version 2."),
        (b"label,a\n1,2\n", "the Arrow file is damaged or cut short, or this is none: "),
        (b"ARROW1\0\0" + bytes(30), "the Arrow file is damaged or cut short, or this is none: "),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f",
         "the Arrow file is damaged or cut short, or this is none: "),
    ],
)  # fmt: skip
def test_files_that_are_no_arrow(tmp_path, content, text):
    path = tmp_path / "d.arrow"
    path.write_bytes(content)
    with pytest.raises(CraigError) as caught:
        read(str(path))
    assert str(caught.value).startswith(f"{path}: {text}")


@pytest.mark.parametrize("name", ["d.arrows", "d.feather", "d.arrow"])
def test_damaged_arrow_files_end_in_words(tmp_path, name):
    path = tmp_path / name
    table = {"t": ["some", "text", None] * 10, "e": column("list", "float32"), "y": LABELS}
    WRITERS[name](pa.table(table), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    for _ in range(150):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(256)
        path.write_bytes(bytes(data[: int(rng.integers(8, len(data) + 1))])
                         if rng.random() < 0.3 else bytes(data))  # fmt: skip
        try:
            read(str(path))
        except CraigError as error:
            assert "\n" not in str(error)
