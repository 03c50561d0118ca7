"""LIBSVM files: what is read, in blocks of any size, and the whole text of every error."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_svmlight_file

from craig_cli.errors import InputError
from craig_cli.readers import libsvm
from craig_cli.readers.skipped import SkippedRow
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings

BLOCK_SIZES = [1, 7, 64, 4 << 20]


def never(skip: SkippedRow) -> None:
    raise AssertionError(skip.error)


def read(path: Path, skipped=never, **options) -> tuple[csr_matrix, np.ndarray | None]:  # type: ignore[no-untyped-def]
    """Return all rows of a file as one matrix, and the labels; indices start at 1 if not told."""
    settings = InputSettings((str(path),), **{"index_base": 1, **options})
    (source,) = expand_sources(settings)
    blocks = list(libsvm.read_blocks(source, 3, settings, skipped, {}))
    assert all(block.file == 3 for block in blocks)
    if not blocks:
        return csr_matrix((0, 0)), None
    n_columns = blocks[-1].rows.n_columns
    indptr = np.concatenate([[0], *(np.diff(block.rows.indptr) for block in blocks)]).cumsum()
    parts = (
        np.concatenate([block.rows.values for block in blocks]),
        np.concatenate([block.rows.indices for block in blocks]),
        indptr,
    )
    labels = (
        None if blocks[0].labels is None else np.concatenate([block.labels for block in blocks])
    )
    return csr_matrix(parts, shape=(len(indptr) - 1, n_columns)), labels


def write(folder: Path, data: str | bytes, name: str = "rows.libsvm") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def random_file(rng: np.random.Generator, n_rows: int) -> str:
    """Return LIBSVM text with all kinds of numbers, blanks, comments and line ends."""
    notations = [
        repr,
        "{:.17g}".format,
        "{:.3f}".format,
        "{:+.25e}".format,
        "{:.6E}".format,
        lambda v: "0",
        lambda v: "-0.0",
        "{:.60f}".format,
    ]
    lines = ["# a comment"]
    for _ in range(n_rows):
        columns = np.sort(rng.choice(500, rng.integers(0, 12), replace=False)) + 1
        magnitudes = 10.0 ** rng.integers(-320, 300, len(columns)).clip(
            -320 if rng.random() < 0.3 else -3, 3
        )
        numbers = [float(number) for number in rng.standard_normal(len(columns)) * magnitudes]
        entries = [
            f"{column}:{notations[rng.integers(len(notations))](number)}"
            for column, number in zip(columns, numbers, strict=True)
        ]
        label = ("+1", "-1", "-1.0", "3", "2.5e-1")[rng.integers(5)]
        blank = (" ", "\t", "  ")[rng.integers(3)]
        lines.append(
            blank.join([label, *entries]) + ("", " ", "\r", " # 1:2", "\n")[rng.integers(5)]
        )
    return "\n".join(lines)


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_equals_scikit_learn_on_random_files(tmp_path: Path, block_bytes: int) -> None:
    path = write(tmp_path, random_file(np.random.default_rng(5), 400))
    matrix, labels = read(path, block_bytes=block_bytes)
    expected, expected_labels = load_svmlight_file(str(path), zero_based=False)
    expected.eliminate_zeros()
    assert np.array_equal(labels, expected_labels)
    assert matrix.shape == expected.shape
    for part in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(matrix, part), getattr(expected, part))


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize(
    "data",
    [
        "1 1:2 3:4\n-1 2:1\n",
        "\ufeff1 1:2 3:4\r\n\r\n-1\t2:1",
        "# x\n1 qid:4 1:2 3:4 5:0 # y\n\n-1 2:1.0",
        " +1  1:2\t3:4 \n -1.0 2:1e0 4:-0 5:0",
    ],
)
def test_spellings(tmp_path: Path, data: str, block_bytes: int) -> None:
    matrix, labels = read(write(tmp_path, data), block_bytes=block_bytes)
    assert matrix.toarray()[:, :3].tolist() == [[2, 0, 4], [0, 1, 0]]
    assert matrix.shape[1] == (5 if "5:0" in data else 3)
    assert matrix.nnz == 3
    assert labels.tolist() == [1, -1]


@pytest.mark.parametrize("data", ["", "\n\n", "# only\n# comments", "\ufeff", " \r\n"])
def test_files_without_rows_yield_nothing(tmp_path: Path, data: str) -> None:
    assert read(write(tmp_path, data))[0].shape == (0, 0)


def test_index_base_0(tmp_path: Path) -> None:
    matrix, _ = read(write(tmp_path, "1 0:5 2:7\n"), index_base=0)
    assert matrix.toarray().tolist() == [[5, 0, 7]]


def test_no_label(tmp_path: Path) -> None:
    matrix, labels = read(write(tmp_path, "1:5\n-1 2:6\n"), no_label=True)
    assert labels is None
    assert matrix.toarray().tolist() == [[5, 0], [0, 6]]


def test_hard_numbers_and_hard_zeros(tmp_path: Path) -> None:
    half_of_least, tie = (
        "2.4703282292062327208e-324",
        "1.00000000000000011102230246251565404236316680908203125",
    )
    matrix, labels = read(write(tmp_path, f"{tie} 1:{half_of_least} 2:{tie}1 3:-{tie}\n2 1:1"))
    assert labels.tolist() == [1, 2]
    assert (matrix.indptr.tolist(), matrix.indices.tolist()) == ([0, 2, 3], [1, 2, 0])
    assert matrix.data.tolist() == [1.0000000000000002, -1, 1]


NOT_TEXT = "this is not LIBSVM text (value '{}'). Check that the file is not damaged."
NUMBERS = "Write decimal numbers, such as -0.5 or 1e-3."
SKIP = "Correct the row, or drop it with --on-error skip."
QID = (
    "3: the qid is not a whole number (value '{}'). Write qid:NUMBER after the label, of at most "
    "18 digits."
)
COLON = "Write entries as index:value."

BAD_LINES = [
    ("1 1:nan", "5: the value is not finite (value 'nan'). " + SKIP),
    ("1 1:-Inf", "5: the value is not finite (value '-Inf'). " + SKIP),
    ("1 1:INFINITY 2:1", "5: the value is not finite (value 'INFINITY'). " + SKIP),
    (
        "1 1:1e999",
        "5: the value is beyond 1e+140, too large to be squared and summed (value '1e999'). Divide "
        "the column by a constant (--scale comes too late for that), or drop the row with "
        "--on-error skip.",
    ),
    ("1 1:0x1F", "5: the value is a hexadecimal number (value '0x1F'). Write decimal numbers."),
    ("1 1:1,5", f"5: the value is not a number (value '1,5'). {NUMBERS}"),
    ("1 1:1_0", f"5: the value is not a number (value '1_0'). {NUMBERS}"),
    ("1 1:2:3", f"5: the value is not a number (value '2:3'). {NUMBERS}"),
    ("1 1:1e", f"5: the value is not a number (value '1e'). {NUMBERS}"),
    (
        "1 1:",
        "5: an entry has no value. Write entries as index:value; leave zeros out.",
    ),
    (
        "1 1: \t\r",
        "5: an entry has no value. Write entries as index:value; leave zeros out.",
    ),
    (
        "1 1: 2:3",
        "6: an entry has no value (value '2:3'). Write entries as index:value; leave zeros out.",
    ),
    ("1 1: x", f"6: the value is not a number (value 'x'). {NUMBERS}"),
    ("1 2", f"3: an entry has no colon (value '2'). {COLON}"),
    ("1 2 :3", f"3: an entry has no colon (value '2'). {COLON}"),
    ("1 :3", f"3: an entry has no index (value ':3'). {COLON}"),
    ("1 a:3", f"3: the index is not a whole number (value 'a:3'). {COLON}"),
    ("1 1.5:3", f"3: the index is not a whole number (value '1.5:3'). {COLON}"),
    ("1 +1:3", f"3: the index is not a whole number (value '+1:3'). {COLON}"),
    (
        "1 1:3 qid:4",
        "7: the qid does not stand after the label (value 'qid:4'). Write one qid:NUMBER, straight "
        "after the label.",
    ),
    (
        "1 qid:4 qid:5 1:3",
        "9: the row has a second qid (value 'qid:5'). Write one qid:NUMBER, straight after the "
        "label.",
    ),
    ("1 qid: 1:3", QID.format("qid:")),
    ("1 qid:a 1:3", QID.format("qid:a")),
    ("1 qid:1.5 1:3", QID.format("qid:1.5")),
    ("1 qid:-1 1:3", QID.format("qid:-1")),
    ("1 qid:1:2", QID.format("qid:1:2")),
    ("1 qid:" + 19 * "1", QID.format("qid:" + 19 * "1")),
    ("1 qid 1:3", f"3: an entry has no colon (value 'qid'). {COLON}"),
    ("1 -1:3", "3: the index is negative (value '-1:3'). Indices start at 0 or 1."),
    (
        "1 0:3",
        "3: the index is 0, but indices start at 1 (value '0:3'). Use --index-base 0, from "
        "the selection on.",
    ),
    ("1 3:1 3:2", "7: the index is repeated (value '3:2'). Keep one entry for each index."),
    (
        "1 3:1 2:2",
        "7: the index is below the one before it (value '2:2'). Sort the entries of each "
        "row by index.",
    ),
    (
        "1 2147483647:1",
        "3: the index is not below 2147483647 (value '2147483647:1'). Renumber the columns.",
    ),
    (
        "1 9223372036854775808:1",
        "3: the index is not below 2147483647 (value "
        "'9223372036854775808:1'). Renumber the columns.",
    ),
    (
        "1 18446744073709551617:1",
        "3: the index is not below 2147483647 (value "
        "'18446744073709551617:1'). Renumber the columns.",
    ),
    (
        "1:3 2:4",
        "1: the row has a weight after its label, or no label, and those before it have labels "
        "alone (value '1:3'). Write label:weight in every row or in none, and a label in each; or "
        "use --no-label.",
    ),
    (
        "qid:3 2:4",
        "1: the row has no label (value 'qid:3'). Start each row with its label, or use "
        "--no-label.",
    ),
    ("1,2 1:3", "1: the row has several labels (value '1,2'). Keep one label a row."),
    (
        "cat 1:3",
        "1: the label is not a number (value 'cat'). LIBSVM labels are numbers; CSV "
        "(--format csv) takes text.",
    ),
    ("nan 1:3", "1: the label is not finite (value 'nan'). " + SKIP),
    ("-0x1 1:3", "1: the label is a hexadecimal number (value '-0x1'). Write decimal numbers."),
    (
        "1e400 1:3",
        "1: the label is beyond 1e+140, too large to be squared and summed (value '1e400'). Divide "
        "the labels by a constant.",
    ),
    (b"1 1:\xff\xfe", "5: " + NOT_TEXT.format("\\xff\\xfe")),
    (b"1 1:3\0\0", "5: " + NOT_TEXT.format("3\\x00\\x00")),
    ("1 é:1 2:3", f"3: the index is not a whole number (value 'é:1'). {COLON}"),
    ("1 1:" + "x" * 100, f"5: the value is not a number (value '{'x' * 60}...'). {NUMBERS}"),
]


@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
@pytest.mark.parametrize(("line", "text"), BAD_LINES)
def test_bad_lines(tmp_path: Path, line: str | bytes, text: str, block_bytes: int) -> None:
    line = line.encode() if isinstance(line, str) else line
    path = write(tmp_path, b"# comment\n1 1:1\n\n" + line + b"\n1 1:1\n")
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=block_bytes)
    assert str(caught.value) == f"{path}:4:{text}"
    skips: list[SkippedRow] = []
    matrix, labels = read(path, skips.append, on_error="skip", block_bytes=block_bytes)
    assert [str(skip.error) for skip in skips] == [f"{path}:4:{text}"]
    assert (labels.tolist(), matrix.toarray().tolist()) == ([1, 1], [[1], [1]])


OTHER_FORMATS = [
    ("label,a,b\n1,2,3\n", "1: this looks like CSV, not LIBSVM. Use --format csv."),
    ("#id,a\n1,2\n", "2: this looks like CSV, not LIBSVM. Use --format csv."),
    ("a;b\n1;2\n", "1: this looks like CSV, not LIBSVM. Use --format csv --delimiter ';'."),
    ("1\t2\t3\n", "1: this looks like TSV, not LIBSVM. Use --format tsv."),
    (b"PAR1\x15\0\x15,\n\xff", "1: this looks like Parquet, not LIBSVM. Use --format parquet."),
    (b"\x89HDF\r\n\x1a\n\0", "1: this looks like HDF5, not LIBSVM. Use --format hdf5."),
    (b"PK\x03\x04\x14\0\n", "1: this looks like a ZIP archive, not LIBSVM. Unpack it first."),
    (
        "1 1:2\n".encode("utf-16"),
        "1: this looks like UTF-16 text, not LIBSVM. Convert it to UTF-8.",
    ),
    ("<!DOCTYPE html>\n", "1: this looks like HTML or XML, not LIBSVM. Download the file itself."),
    (
        "1 1:2\r-1 1:3\r",
        "1: this looks like text with bare carriage returns as line ends, not "
        "LIBSVM. Convert the line ends.",
    ),
]


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize(("data", "text"), OTHER_FORMATS)
def test_other_formats(tmp_path: Path, data: str | bytes, text: str, on_error: str) -> None:
    path = write(tmp_path, data)
    with pytest.raises(InputError) as caught:
        read(path, on_error=on_error)
    assert str(caught.value) == f"{path}:{text}"


def test_column_counts_characters(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff1 é:1\n")
    with pytest.raises(InputError) as caught:
        read(path)
    assert (caught.value.row, caught.value.column) == (1, 3)


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_skipping_counts_lines_in_any_block(tmp_path: Path, block_bytes: int) -> None:
    skips: list[SkippedRow] = []
    path = write(tmp_path, "1 1:1\n1 9:1 9:2\n# c\nx 1:1\n2 2:2\n3 1:1e999")
    matrix, labels = read(path, skips.append, on_error="skip", block_bytes=block_bytes)
    assert [(skip.error.row, skip.number) for skip in skips] == [(2, 1), (4, 2), (6, 4)]
    assert [skip.column for skip in skips] == ["", "", "1"]
    assert (labels.tolist(), matrix.toarray().tolist()) == ([1, 2], [[1, 0], [0, 2]])


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libsvm, "LONGEST_LINE", 100)
    with pytest.raises(InputError) as caught:
        list(libsvm.whole_lines(io.BytesIO(b"1" * 1000), 10, "long"))
    assert str(caught.value) == (
        "long: a line is longer than 100 bytes. Check that this is LIBSVM text."
    )


def test_closing_early_stops_the_thread(tmp_path: Path) -> None:
    path = write(tmp_path, "1 1:1\n" * 1000)
    settings = InputSettings((str(path),), block_bytes=64)
    (source,) = expand_sources(settings)
    before = threading.active_count()
    blocks = libsvm.read_blocks(source, 0, settings, never, {})
    next(blocks)
    assert threading.active_count() == before + 1
    blocks.close()
    assert threading.active_count() == before


REAL_FILES = [
    pytest.param("ijcnn1.trn", 1, (49990, 22), marks=pytest.mark.slow),
    pytest.param("adult.trn", 0, (32561, 123), marks=pytest.mark.slow),
    pytest.param("reuters.trn", 1, (7770, 8315), marks=pytest.mark.slow),
    ("abalone.trn", 1, (4177, 8)),
]


@pytest.mark.parametrize(("name", "base", "shape"), REAL_FILES)
def test_real_files_equal_scikit_learn(
    shared_data: Path, name: str, base: int, shape: tuple[int, int]
) -> None:
    path = shared_data / f"{name}.bz2"
    matrix, labels = read(path, index_base=base)
    expected, expected_labels = load_svmlight_file(str(path), zero_based=base == 0)
    if name == "ijcnn1.trn":
        assert expected.nnz == 649_870
    expected.eliminate_zeros()
    assert matrix.shape == expected.shape == shape
    assert (matrix != expected).nnz == 0
    assert matrix.nnz == expected.nnz
    assert np.array_equal(labels, expected_labels)


def test_adult_is_refused_from_1(shared_data: Path) -> None:
    path = shared_data / "adult.trn.bz2"
    with pytest.raises(
        InputError,
        match=r"the index is 0, but indices start at 1 \(value "
        r"'0:1'\)\. Use --index-base 0, from the selection on\.$",
    ):
        read(path)
