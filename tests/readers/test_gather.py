"""Blocks joined into one data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from craig_cli.dataset import Block, Dataset, SparseRows
from craig_cli.errors import CraigError, InputError, ResourceError
from craig_cli.readers import gather, read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.joined import RowStack, join_rows
from craig_cli.readers.labels import canonical, like_classes, unify_labels
from craig_cli.settings import InputSettings


def read(*paths, **settings):
    return read_dataset(InputSettings(tuple(str(path) for path in paths), **settings))


def texts(*values):
    return np.array(values, dtype=object)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    (
        ([np.array([1.0, -1.0])], np.array([1, -1])),
        ([np.array([1.0]), np.array([1.5])], np.array([1.0, 1.5])),
        ([texts("1", "0"), texts("2")], np.array([1, 0, 2])),
        ([texts("+1", "-1")], np.array([1, -1])),
        ([texts("1", "2.5")], np.array([1.0, 2.5])),
        ([texts("1", "x")], texts("1", "x")),
        ([texts("-0.5", "+2")], np.array([-0.5, 2.0])),
        ([texts("--5.5", "1")], texts("--5.5", "1")),
        ([texts("+-5", "1")], texts("+-5", "1")),
        ([texts("01", "1")], np.array([1, 1])),
        ([texts("1", "1.0", "+1", "1e0", "10E-1", "1.", ".1e1")], np.ones(7, int)),
        ([texts("0", "-0", "0.000000000000000000e+00")], np.zeros(3, int)),
        ([texts("1e3", "2")], np.array([1000, 2])),
        ([texts("9" * 30, "2")], np.array([1e30, 2.0])),
        ([texts(str(2**63 - 1), str(-(2**63)))], np.array([2**63 - 1, -(2**63)])),
        ([texts("0.1", "1e-1", "0.25")], np.array([0.1, 0.1, 0.25])),
        # Different numbers that 64 bits do not keep apart stay text, equal ones are still equal.
        (
            [texts("9" * 20, "9" * 19 + "8", "1.0", "01")],
            texts("9" * 20, "9" * 19 + "8", "1", "1"),
        ),
        ([texts("1e400", "1.50")], texts("1e+400", "1.5")),
        ([texts("1e99999999999999999999", "1.0")], texts("1e99999999999999999999", "1")),
        ([texts("x", "1.0", "1", "-2.50e0", "a 1")], texts("x", "1", "1", "-2.5", "a 1")),
        ([texts("cat"), np.array([1.0, 0.5, 1e22])], texts("cat", "1", "0.5", "1" + "0" * 22)),
        ([np.array([2**60 + 1]), np.array([0.5])], np.array([2**60 + 1.0, 0.5])),
        (
            [np.array([2**60 + 1, 2**60]), np.array([0.5])],
            texts(str(2**60 + 1), str(2**60), "0.5"),
        ),
        ([texts("1_0", "٣", "1")], texts("1_0", "٣", "1")),
        ([texts("3"), np.array([4.0]), texts("5")], np.array([3, 4, 5])),
        ([np.array([2**60, 1])], np.array([2**60, 1])),
        ([np.array([1e300, 1.0])], np.array([1e300, 1.0])),
    ),
)
def test_labels_get_one_type_once_all_are_known(chunks, expected):
    labels = unify_labels(chunks)
    assert labels.dtype == expected.dtype
    assert labels.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("number", "text"),
    (
        ("-0.0", "0"),
        ("00120", "120"),
        ("1.50e60", "1.5e+60"),
        ("1e39", "1" + "0" * 39),
        ("1e40", "1e+40"),
        ("0.000001", "0.000001"),
        ("-1.0e-7", "-1e-07"),
        ("1.25", "1.25"),
        ("abc", "abc"),
        ("1e999999999999", "1e+999999999999"),
    ),
)
def test_numbers_beside_text_have_their_shortest_form(number, text):
    assert canonical(number) == text == canonical(text)


def test_a_part_has_the_labels_of_the_whole():
    ones = np.array([1, 1])
    assert like_classes(ones, ["1", "x"]).tolist() == ["1", "1"]
    assert like_classes(ones, [0.5, 1.0]).dtype == np.float64
    assert like_classes(ones, [0, 1]) is ones


def slow_fingerprint(rows, labels):
    """The same sums in Python integers."""

    def mix(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    lanes = []
    for lane in (0x243F6A8885A308D3, 0x13198A2E03707344):
        total = len(rows)
        for i, (row, label) in enumerate(zip(rows, labels, strict=True)):
            entries = (
                sum(
                    mix(mix(k ^ lane) ^ int(np.float64(v).view(np.uint64)))
                    for k, v in enumerate(row)
                    if v != 0
                )
                % 2**64
            )
            label_bits = int(np.float64(label).view(np.uint64))
            total += mix(
                entries ^ mix((label_bits + lane) % 2**64) ^ (i * 0x9E3779B97F4A7C15 % 2**64)
            )
        lanes.append(f"{total % 2**64:016x}")
    return "craig1:" + "".join(lanes)


def test_fingerprint_against_the_slow_twin_and_what_it_depends_on():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 4)) * (rng.random((50, 4)) < 0.6)
    labels = rng.integers(0, 3, 50)
    stated = fingerprint(Dataset(rows, labels))
    assert stated == slow_fingerprint(rows, labels)
    owner, column = np.nonzero(rows)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=50))])
    sparse = SparseRows(indptr, column.astype(np.int32), rows[owner, column], 4)
    assert fingerprint(Dataset(sparse, labels.astype(float))) == stated
    assert fingerprint(Dataset(np.column_stack([rows, np.zeros(50)]), labels)) == stated
    assert fingerprint(Dataset(np.where(rows == 0, -0.0, rows), labels)) == stated
    single = rows.astype(np.float32)
    assert fingerprint(Dataset(single, labels)) == fingerprint(
        Dataset(single.astype(np.float64), labels)
    )
    changed = rows.copy()
    changed[7, 2] += 1e-12
    swapped = np.roll(rows, 1, axis=0)
    others = [
        (changed, labels),
        (swapped, np.roll(labels, 1)),
        (rows, labels + 1),
        (rows[:-1], labels[:-1]),
        (rows[:, ::-1], labels),
        (rows, None),
    ]
    others.append((rows, texts(*map(str, labels))))
    assert len({stated, *(fingerprint(Dataset(x, y)) for x, y in others)}) == len(others) + 1


def test_a_fingerprint_does_not_depend_on_how_many_rows_are_looked_at(monkeypatch):
    rng = np.random.default_rng(3)
    rows, labels = rng.normal(size=(60, 7)).astype(np.float32), rng.integers(0, 3, 60)
    stated = fingerprint(Dataset(rows, labels))
    assert stated == slow_fingerprint(rows.astype(np.float64), labels)
    for n_values in (1, 30, 7 * 59):
        monkeypatch.setattr("craig_cli.readers.fingerprint.CHUNK_VALUES", n_values)
        assert fingerprint(Dataset(rows, labels)) == stated


@pytest.mark.parametrize("types", [(np.float32,), (np.float64,), (np.float32, np.float64)])
@pytest.mark.parametrize("n_stated", [0, 100, 5000, 1 << 60])
def test_rows_stacked_as_they_are_read_are_those_of_the_blocks(types, n_stated):
    rng = np.random.default_rng(5)
    blocks = [
        Block(rng.normal(size=(n, 3)).astype(rng.choice(types)), None, 0)
        for n in rng.integers(1, 90, 40)
    ]
    stack = RowStack(n_stated)
    left = [stack.take(block) for block in blocks]
    stack.put_back(left)
    joined = join_rows([block.rows for block in left], ["x"] * 40)
    np.testing.assert_array_equal(joined, np.concatenate([b.rows for b in blocks]), strict=True)
    assert joined.flags.c_contiguous
    is_whole = n_stated == 5000 and len(types) == 1
    assert is_whole == (len(left[0].rows) == len(joined))


def test_rows_of_files_that_state_them_are_held_once(tmp_path, monkeypatch):
    rows = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", rows)
    monkeypatch.setattr("craig_cli.readers.gather.join_rows", only_filled)
    found = read(tmp_path / "a.npy", no_label=True, block_bytes=500).rows
    np.testing.assert_array_equal(found, rows, strict=True)
    files = tmp_path / "a.npy", tmp_path / "b.npy"
    found = read(*files, no_label=True, block_bytes=500).rows
    np.testing.assert_array_equal(found, np.vstack([rows, rows]), strict=True)


def only_filled(parts, names):
    """Return the only rows that there are."""
    (rows,) = (part for part in parts if len(part))
    return rows


def test_several_files_in_the_order_given(tmp_path):
    (tmp_path / "b.libsvm").write_text("1 1:2\n2 3:1\n")
    (tmp_path / "a.libsvm").write_text("# nothing\n")
    (tmp_path / "c.libsvm").write_text("1 7:5\n")
    dataset = read(tmp_path / "b.libsvm", tmp_path / "a.libsvm", tmp_path / "c.libsvm")
    assert dataset.file_starts.tolist() == [0, 2, 2, 3]
    assert dataset.labels.tolist() == [1, 2, 1]
    assert dataset.rows.indptr.tolist() == [0, 1, 2, 3]
    assert dataset.rows.indices.tolist() == [0, 2, 6]
    assert dataset.n_columns == 7
    assert read(tmp_path).file_starts.tolist() == [0, 0, 2, 3]


def test_skipped_rows_are_counted_and_the_first_are_told(tmp_path):
    path = tmp_path / "a.libsvm"
    path.write_text("1 1:2\n" + "1 1:nan\n" * 9 + "2 1:1\n")
    dataset = read(path, on_error="skip")
    assert (dataset.n_rows, dataset.skipped_rows, len(dataset.skipped.examples)) == (2, 9, 5)
    assert dataset.skipped.examples[0].startswith(f"{path}:2:")
    assert dataset.skipped.rows.tolist() == list(range(1, 10))
    assert dataset.skipped.reasons == (("the value is not finite", "1", 9),)


@pytest.mark.parametrize(
    ("files", "settings", "message"),
    (
        ({"a.libsvm": ""}, {}, "{0}: there are no rows. Give at least one row of data."),
        (
            {"a.libsvm": "# x\n\n", "b.libsvm": ""},
            {},
            "{0} and 1 more: there are no rows. Give at least one row of data.",
        ),
        (
            {"a.libsvm": "1 1:1\n"},
            {"drop": ("x",)},
            "--drop: columns of libsvm files have no "
            "names. Convert the file to CSV or Parquet "
            "first.",
        ),
        (
            {"a.libsvm": "1 1:1\n"},
            {"label": "y"},
            "--label: in LIBSVM files the label is the first word of the line. Leave --label out.",
        ),
        (
            {"a.csv": "a,b,y\n1,2,0\n", "b.csv": "a,c,y\n1,2,0\n"},
            {},
            "{1}: it lacks column 'b', of {0}. Its columns are a, c, y.",
        ),
        (
            {"a.csv": "a,b,y\n1,2,0\n", "b.csv": "c,a,b,y\n3,1,2,0\n"},
            {},
            "{1}: it has a column that {0} has not: c. "
            "Give files with the same columns, or --drop those that differ.",
        ),
        (
            {"a.csv": "a,y\n1,0\n", "b.libsvm": "1 1:1\n"},
            {},
            "{1}: sparse rows cannot be joined with the dense rows of {0}. Give files of one kind.",
        ),
    ),
)
def test_inputs_that_do_not_fit(tmp_path, files, settings, message):
    paths = [tmp_path / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text)
    with pytest.raises(CraigError) as caught:
        read(*paths, **settings)
    assert str(caught.value) == message.format(*paths)


def test_all_rows_skipped_is_an_error(tmp_path):
    path = tmp_path / "a.libsvm"
    path.write_text("1 1:nan\n")
    with pytest.raises(InputError, match="all 1 rows were skipped as bad, the first: "):
        read(path, on_error="skip")


def test_rows_that_memory_does_not_hold_twice_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,label\n" + "1.5,0\n" * 1000)
    monkeypatch.setattr(gather, "CHECK_BYTES", 100)
    monkeypatch.setattr(gather, "available_bytes", lambda: 3000)
    settings = InputSettings((str(path),), block_bytes=600)
    with pytest.raises(ResourceError) as caught:
        read_dataset(settings)
    message = str(caught.value)
    assert message.startswith(f"{path}: the first ")
    assert message.endswith(
        " rows take 1M, and 1M of memory are free, too little to join them. Select from disk with "
        "--memory-limit."
    )
    monkeypatch.setattr(gather, "available_bytes", lambda: 9000)
    assert read_dataset(settings).n_rows == 1000
