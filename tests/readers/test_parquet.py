"""Parquet files: what is read, in batches of any size, and the whole text of every error."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tools import slow

from craig_cli.dataset import Encoding
from craig_cli.errors import CraigError, InputError
from craig_cli.readers import parquet
from craig_cli.readers.arrow import BatchReader
from craig_cli.readers.encodings import agreed_encoding
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings

BLOCK_SIZES = [1, 100, 4096, 4 << 20]


def never(error: InputError) -> None:
    raise AssertionError(error)


def read(path: Path, **options) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:  # type: ignore[no-untyped-def]
    """Return all rows, labels and column names of a file."""
    settings = InputSettings((str(path),), **options)
    (source,) = expand_sources(settings)
    encoding, _ = agreed_encoding((source,), settings, None)
    assert encoding is not None
    names = encoding.column_names
    blocks = list(parquet.READER.read_blocks(source, 3, settings, never, encoding))
    assert all(block.file == 3 and block.rows.flags.c_contiguous for block in blocks)
    if not blocks:
        return np.empty((0, len(names))), None, names
    labels = (
        None if blocks[0].labels is None else np.concatenate([block.labels for block in blocks])
    )
    rows = np.concatenate([block.rows for block in blocks])
    assert rows.dtype == blocks[0].rows.dtype
    return rows, labels, names


def write(folder: Path, columns: dict[str, object] | pa.Table, **options) -> Path:  # type: ignore[no-untyped-def]
    path = folder / "rows.parquet"
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
    return path


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_all_numeric_types(tmp_path: Path, block_bytes: int) -> None:
    rng = np.random.default_rng(1)
    n_rows = 300
    integers = [np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32)]
    columns = {
        kind.name: rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, n_rows, kind, endpoint=True)
        for kind in integers
    }
    columns |= {
        f"{name}64": rng.integers(0, 2**53, n_rows).astype(f"{name}64") for name in ("int", "uint")
    }
    columns |= {
        f"float{bits}": rng.standard_normal(n_rows).astype(f"float{bits}") for bits in (16, 32, 64)
    }
    columns["bool"] = rng.random(n_rows) < 0.5
    columns["y"] = np.arange(n_rows)
    path = write(tmp_path, columns, row_group_size=70)
    rows, labels, names = read(path, block_bytes=block_bytes)
    assert names == tuple(columns)[:-1]
    assert rows.dtype == np.float64
    assert np.array_equal(
        rows, np.column_stack([columns[name].astype(np.float64) for name in names])
    )
    assert labels.dtype == np.int64
    assert np.array_equal(labels, columns["y"])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_columns_of_one_type_are_taken_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type
) -> None:
    values = np.random.default_rng(2).normal(size=(500, 5)).astype(kind)
    columns = {f"x{k}": values[:, k] for k in range(5)}
    path = write(tmp_path, columns | {"label": np.arange(500) % 3})
    monkeypatch.setattr(BatchReader, "check_column", check_labels_only)
    for options in ({}, {"block_bytes": 700}, {"features": ("x3", "x1")}):
        rows, labels, _ = read(path, **options)
        wanted = values[:, [1, 3]] if "features" in options else values
        np.testing.assert_array_equal(rows, wanted, strict=True)
        assert labels is not None
        np.testing.assert_array_equal(labels, np.arange(500) % 3)


def check_labels_only(self: BatchReader, batch: pa.RecordBatch, name: str, *checks: object) -> None:
    assert name == "label"


def test_single_precision_stays(tmp_path: Path) -> None:
    columns = {"a": np.float32([0.1, 2]), "y": [1, 2], "b": np.float16([0.5, 3])}
    assert read(write(tmp_path, columns))[0].dtype == np.float32
    assert read(write(tmp_path, columns | {"c": [1, 2]}))[0].dtype == np.float64


LABELS = [
    (pa.array([1, 2, -3], pa.int8()), np.int64, [1, 2, -3]),
    (pa.array([2**63 - 1, 0, 1], pa.uint64()), np.int64, [2**63 - 1, 0, 1]),
    (pa.array([True, False, True]), np.int64, [1, 0, 1]),
    (pa.array([0.5, 1, 2]), np.float64, [0.5, 1, 2]),
    (pa.array(["a", "é", "1"]), object, ["a", "é", "1"]),
    (pa.array(["a", "b", "a"], pa.large_string()), object, ["a", "b", "a"]),
    (pa.array(["a", "b", "a"]).dictionary_encode(), object, ["a", "b", "a"]),
    (pa.array([7, 8, 7]).dictionary_encode(), np.int64, [7, 8, 7]),
]


@pytest.mark.parametrize("block_bytes", [1, 4096])
@pytest.mark.parametrize(
    ("labels", "dtype", "expected"), LABELS, ids=lambda value: str(getattr(value, "type", ""))
)
def test_labels(
    tmp_path: Path, labels: pa.Array, dtype: type, expected: list, block_bytes: int
) -> None:
    found = read(
        write(tmp_path, {"a": [1.0, 2, 3], "kind": labels}), label="kind", block_bytes=block_bytes
    )[1]
    assert found.dtype == dtype
    assert found.tolist() == expected


def test_regression_targets_are_floats(tmp_path: Path) -> None:
    labels = read(write(tmp_path, {"a": [1.0, 2], "y": [1, 2]}), task="regression")[1]
    assert (labels.dtype, labels.tolist()) == (np.float64, [1, 2])


def test_no_label(tmp_path: Path) -> None:
    rows, labels, names = read(write(tmp_path, {"a": [1.0, 2], "y": [3, 4]}), no_label=True)
    assert (rows.tolist(), labels, names) == ([[1, 3], [2, 4]], None, ("a", "y"))


@pytest.mark.parametrize("block_bytes", [1, 4096])
def test_one_hot_columns_take_their_place(tmp_path: Path, block_bytes: int) -> None:
    columns = {
        "a": np.float32([1, 2, 3]),
        "city": ["Ulm", "Bern", "Ulm"],
        "y": [0, 1, 0],
        "n": pa.array([10, 9, 10]).dictionary_encode(),
        "flag": [True, False, False],
    }
    rows, labels, names = read(
        write(tmp_path, columns), one_hot=("city", "n", "flag"), block_bytes=block_bytes
    )
    assert names == ("a", "city=Bern", "city=Ulm", "n=10", "n=9", "flag=false", "flag=true")
    assert rows.tolist() == [[1, 0, 1, 1, 0, 0, 1], [2, 1, 0, 0, 1, 1, 0], [3, 0, 1, 1, 0, 1, 0]]
    assert (rows.dtype, labels.tolist()) == (np.float64, [0, 1, 0])


def test_dropped_columns_may_be_of_any_type(tmp_path: Path) -> None:
    columns = {
        "a": [1.0],
        "a.b": ["text"],
        "s": pa.array([{"a": 1}]),
        "t": pa.array([0], pa.timestamp("us")),
        "y": [1],
    }
    rows, _, names = read(write(tmp_path, columns), drop=("a.b", "s", "t"))
    assert (rows.tolist(), names) == ([[1]], ("a",))


def test_no_rows_yield_nothing(tmp_path: Path) -> None:
    rows, labels, names = read(
        write(tmp_path, {"a": pa.array([], pa.float64()), "y": pa.array([], pa.int64())})
    )
    assert (rows.shape, labels, names) == ((0, 1), None, ("a",))


def array(*values, kind: pa.DataType | None = None) -> pa.Array:  # type: ignore[no-untyped-def]
    return pa.array(values, kind)


DROP = "or drop the column with --drop a."
BAD_VALUES = [
    (
        array(1.0, None),
        ":2:1: column 'a' has no value in this row. Fill it in, remove the row, " + DROP,
    ),
    (
        array(1, None),
        ":2:1: column 'a' has no value in this row. Fill it in, remove the row, " + DROP,
    ),
    (
        array(True, None),
        ":2:1: column 'a' has no value in this row. Fill it in, remove the row, " + DROP,
    ),
    (
        array(1.0, float("nan")),
        ":2:1: column 'a' is not finite (value 'nan'). Correct it, remove the row, " + DROP,
    ),
    (
        array(float("-inf"), None),
        ":1:1: column 'a' is not finite (value '-inf'). Correct it, remove the row, " + DROP,
    ),
    (
        array(np.float16(1), np.float16("inf")),
        ":2:1: column 'a' is not finite (value 'inf'). Correct it, remove the row, " + DROP,
    ),
    (
        array(2**53, 2**53 + 1),
        ":2:1: column 'a' is beyond 2^53, so a 64-bit float may not hold it (value "
        "'9007199254740993'). Correct it, remove the row, " + DROP,
    ),
    (
        array(-(2**63), 0),
        ":1:1: column 'a' is beyond 2^53, so a 64-bit float may not hold it (value "
        "'-9223372036854775808'). Correct it, remove the row, " + DROP,
    ),
    (
        array(0, 2**64 - 1, kind=pa.uint64()),
        ":2:1: column 'a' is beyond 2^53, so a 64-bit float may not hold it (value "
        "'18446744073709551615'). Correct it, remove the row, " + DROP,
    ),
    (array(None, None), ": column 'a' holds no values at all. Use --drop a."),
    (
        array([[1]], [[2]]),
        ": column 'a' is nested (list<element: list<element: int64>>). Use --drop a, or write its "
        "parts as columns.",
    ),
    (
        array({"x": 1}, {"x": 2}),
        ": column 'a' is nested (struct<x: int64>). Use --drop a, or write its parts as columns.",
    ),
    (
        array([("k", 1)], [], kind=pa.map_(pa.string(), pa.int64())),
        ": column 'a' is nested (map<string, int64 ('a')>). Use --drop a, or write its parts as "
        "columns.",
    ),
    (
        array("x", "y"),
        ": column 'a' holds text or categories, not numbers. Use --drop a, or --one-hot a.",
    ),
    (
        array("x", "y").dictionary_encode(),
        ": column 'a' holds text or categories, not numbers. Use --drop a, or --one-hot a.",
    ),
    (
        array(0, 1, kind=pa.timestamp("us")),
        ": column 'a' is of type timestamp[us], not a number. "
        "Use --drop a, or convert it to numbers.",
    ),
    (
        array(0, 1, kind=pa.date32()),
        ": column 'a' is of type date32[day], not a number. Use --drop "
        "a, or convert it to numbers.",
    ),
    (
        array(0, 1, kind=pa.time32("s")),
        ": column 'a' is of type time32[ms], not a number. Use --drop a, or convert it to numbers.",
    ),
    (
        array(0, 1, kind=pa.duration("s")),
        ": column 'a' is of type duration[s], not a number. Use "
        "--drop a, or convert it to numbers.",
    ),
    (
        array(Decimal("1.5"), Decimal("2.5")),
        ": column 'a' is of type decimal128(2, 1), not a "
        "number. Use --drop a, or convert it to numbers.",
    ),
    (
        array(b"x", b"y"),
        ": column 'a' is of type binary, not a number. Use --drop a, or convert it to numbers.",
    ),
]


@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
@pytest.mark.parametrize(("values", "text"), BAD_VALUES)
def test_bad_features(tmp_path: Path, values: pa.Array, text: str, block_bytes: int) -> None:
    path = write(tmp_path, {"a": values, "y": list(range(len(values)))})
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=block_bytes)
    assert str(caught.value) == f"{path}{text}"


BAD_LABELS = [
    (
        array(1, None),
        {},
        ":2:2: label column 'y' has no value in this row. Fill it in or remove the row.",
    ),
    (
        array("x", None),
        {},
        ":2:2: label column 'y' has no value in this row. Fill it in or remove the row.",
    ),
    (
        array(None, "x").dictionary_encode(),
        {},
        ":1:2: label column 'y' has no value in this row. Fill it in or remove the row.",
    ),
    (
        array(1.0, float("nan")),
        {},
        ":2:2: label column 'y' is not finite (value 'nan'). Correct it or remove the row.",
    ),
    (
        array(1, 2**63, kind=pa.uint64()),
        {},
        ":2:2: label column 'y' is too large for a 64-bit integer (value '9223372036854775808'). "
        "Correct it or remove the row.",
    ),
    (
        array(1, 2**53 + 1),
        {"task": "regression"},
        ":2:2: label column 'y' is beyond 2^53, so a 64-bit float may not hold it (value "
        "'9007199254740993'). Correct it or remove the row.",
    ),
    (
        array("1", "2"),
        {"task": "regression"},
        ": label column 'y' holds text, but regression needs numbers. Name another with --label "
        "COLUMN, or leave out --task regression.",
    ),
    (
        array([1], [2]),
        {},
        ": label column 'y' is of type list<element: int64>. Convert it to "
        "numbers or text, or name another with --label COLUMN.",
    ),
    (
        array(0, 1, kind=pa.date32()),
        {},
        ": label column 'y' is of type date32[day]. Convert it to numbers or text, or name another "
        "with --label COLUMN.",
    ),
]


@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
@pytest.mark.parametrize(("labels", "options", "text"), BAD_LABELS)
def test_bad_labels(
    tmp_path: Path, labels: pa.Array, options: dict, text: str, block_bytes: int
) -> None:
    path = write(tmp_path, {"a": [1.0, 2.0], "y": labels})
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=block_bytes, **options)
    assert str(caught.value) == f"{path}{text}"


def test_all_text_columns_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": ["x"], "b": [1], "the town": ["z"], "y": [1]})
    with pytest.raises(InputError) as caught:
        read(path)
    remedy = "Use --drop a --drop 'the town', or --one-hot a --one-hot 'the town'."
    assert str(caught.value) == (
        f"{path}: columns 'a', 'the town' hold text or categories, not numbers. {remedy}"
    )


def test_one_hot_columns_of_other_types(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": [0.5], "y": [1]})
    with pytest.raises(InputError) as caught:
        read(path, one_hot=("a",))
    problem = "--one-hot column 'a' is of type double, not text, whole numbers or booleans"
    assert str(caught.value) == f"{path}: {problem}. Use --drop a, or convert it."


def test_one_hot_columns_without_a_value(tmp_path: Path) -> None:
    path = write(tmp_path, {"b": [1, 2], "a": ["x", None], "y": [1, 2]})
    with pytest.raises(InputError) as caught:
        read(path, one_hot=("a",))
    assert str(caught.value) == (
        f"{path}:2:2: column 'a' has no value in this row. Fill it in, remove the row, {DROP}"
    )


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    label = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"], pa.binary()).buffers())
    path = write(tmp_path, {"a": [1.0], "y": label})
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: column 'y' holds text that is not UTF-8. Write it as UTF-8."
    )


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_the_first_bad_row_is_reported(tmp_path: Path, block_bytes: int) -> None:
    path = write(
        tmp_path,
        {
            "y": [1, 2, 3, None],
            "a": [1, 2, 3, 2**60],
            "b": [1, 2, float("nan"), None],
            "c": [1.0, 2, None, 4],
        },
        row_group_size=2,
    )
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=block_bytes)
    assert (caught.value.row, caught.value.column) == (3, 3)


def test_a_value_that_the_encoding_does_not_know(tmp_path: Path) -> None:
    settings = InputSettings((str(write(tmp_path, {"a": ["x"], "y": [1]})),), one_hot=("a",))
    (source,) = expand_sources(settings)
    with pytest.raises(InputError) as caught:
        list(
            parquet.READER.read_blocks(
                source, 0, settings, never, Encoding(("a",), {"a": ("b",)}, origin="m.npz")
            )
        )
    assert str(caught.value) == (
        f"{source.name}:1:1: column 'a' holds a value that m.npz does not know (value 'x'). "
        "Correct it, or use --unseen zeros: it then counts for nothing."
    )


DAMAGES = [
    (lambda data: b"", "this is not a Parquet file. Give its format with --format."),
    (lambda data: b"label,a\n1,2\n", "this is not a Parquet file. Give its format with --format."),
    (lambda data: data[:4], "the Parquet file is damaged or of an unknown kind: .*"),
    (lambda data: data[:-1], "the Parquet file is truncated. Copy or write the file again."),
    (
        lambda data: data[: len(data) // 2],
        "the Parquet file is truncated. Copy or write the file again.",
    ),
    (lambda data: data[:-4] + b"PARE", "the Parquet file is encrypted. Decrypt it first."),
    (
        lambda data: b"PARE" + data[4:-4] + b"PARE",
        "the Parquet file is encrypted. Decrypt it first.",
    ),
    (
        lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1",
        "the Parquet file is damaged or of an unknown kind: .* Copy or write the file again.",
    ),
    (
        lambda data: data[:-60] + bytes(52) + data[-8:],
        "the Parquet file is damaged or of an unknown kind: .* Copy or write the file again.",
    ),
    (
        lambda data: data[:4] + bytes(40) + data[44:],
        "the Parquet file is damaged or of an unknown kind: .* Copy or write the file again.",
    ),
]


@pytest.mark.parametrize(("damage", "text"), DAMAGES)
def test_damaged_files(tmp_path: Path, damage, text: str) -> None:  # type: ignore[no-untyped-def]
    path = write(tmp_path, {"a": np.arange(100.0), "y": np.arange(100)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=f"^{path}: {text}$"):
        read(path)


@pytest.mark.parametrize("seed", [*range(5), *slow(*range(5, 40))])
def test_random_damage_never_escapes(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = write(
        tmp_path,
        {"a": np.arange(100.0), "b": np.arange(100) % 7, "y": ["x", "y"] * 50},
        write_page_checksum=True,
    )
    data = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 8)):
        data[rng.integers(4, len(data) - 4)] = rng.integers(256)
    path.write_bytes(data)
    try:
        read(path, label="y")
    except CraigError as error:
        assert str(error).startswith(str(path)) or "y" in str(error)
