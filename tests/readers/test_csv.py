"""CSV and TSV files: what is read, in blocks of any size, and the whole text of every error."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from craig_cli.errors import CraigError, InputError
from craig_cli.kernels import csv as kernels
from craig_cli.readers import csv as reader
from craig_cli.readers.encodings import agreed_encoding
from craig_cli.readers.skipped import Skipped, SkippedRow
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings

BLOCK_SIZES = [1, 7, 300, 4 << 20]


def never(skip: SkippedRow) -> None:
    raise AssertionError(skip.error)


def read(
    path: Path, skipped: Skipped = never, **options
) -> tuple[np.ndarray, list | None, tuple[str, ...]]:  # type: ignore[no-untyped-def]
    """Return all rows, labels and column names of a file."""
    settings = InputSettings((str(path),), **options)
    (source,) = expand_sources(settings)
    encoding, _ = agreed_encoding((source,), settings, None)
    assert encoding is not None
    names = encoding.column_names
    blocks = list(reader.read_blocks(source, 3, settings, skipped, encoding))
    assert all(
        block.file == 3 and block.rows.dtype == np.float64 and block.rows.flags.c_contiguous
        for block in blocks
    )
    if not blocks:
        return np.empty((0, len(names))), None, names
    labels = (
        None
        if blocks[0].labels is None
        else np.concatenate([block.labels for block in blocks]).tolist()
    )
    return np.concatenate([block.rows for block in blocks]), labels, names


def write(folder: Path, data: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def random_table(rng: np.random.Generator, n_rows: int) -> tuple[str, list[list[str]]]:
    """Return CSV text with all kinds of numbers, quotes and line ends, and its fields."""
    notations = [
        repr,
        "{:.17g}".format,
        "{:+.3f}".format,
        "{:.25e}".format,
        "{:.6E}".format,
        "{:.0f}.".format,
        "{:.60f}".format,
    ]
    labels = [
        "cat",
        "1",
        "a,b",
        'say "hi"',
        "two\nlines",
        "two\r\nlines",
        "grün",
        " blank ",
        "NAN-1",
        '"',
    ]
    table = [["x1", "label", 'a "quoted", name', "x3"]]
    for _ in range(n_rows):
        numbers = (
            float(v)
            for v in rng.standard_normal(3)
            * 10.0 ** rng.integers(-320, 300, 3).clip(-320 if rng.random() < 0.3 else -3, 3)
        )
        fields = [notations[rng.integers(len(notations))](number) for number in numbers]
        table.append([fields[0], labels[rng.integers(len(labels))], *fields[1:]])
    ends = ["\n", "\r\n", "\n\n", "\n  \n", "\r\n\r\n"]
    text = io.StringIO(newline="")
    for fields in table:
        kind = (
            csv.QUOTE_ALL
            if " blank " in fields
            else (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)[rng.integers(3)]
        )
        line = io.StringIO(newline="")
        csv.writer(line, quoting=kind).writerow(fields)
        text.write(line.getvalue().removesuffix("\r\n") + ends[rng.integers(len(ends))])
    return text.getvalue(), table


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_equals_python_on_random_files(tmp_path: Path, block_bytes: int) -> None:
    text, table = random_table(np.random.default_rng(3), 400)
    assert [
        fields
        for fields in csv.reader(io.StringIO(text, newline=""))
        if any(field.strip() for field in fields)
    ] == table
    rows, labels, names = read(write(tmp_path, text), block_bytes=block_bytes)
    assert names == ("x1", 'a "quoted", name', "x3")
    expected = np.array([[float(fields[k]) for k in (0, 2, 3)] for fields in table[1:]])
    assert np.array_equal(rows, expected)
    assert np.array_equal(np.signbit(rows), np.signbit(expected))
    assert labels == [fields[1] for fields in table[1:]]


SPELLINGS = [
    "a,b,y\n1,2,p\n3,4.5,q\n",
    "a,b,y\n1,2,p\n3,4.5,q",
    "\ufeffa,b,y\r\n1,2,p\r\n\r\n3,4.5,q\r\n",
    '\n \n"a", b ,"y"\n+1, 2.0 ,p\n\n"3",\t"4.5" , q \n \n',
    'a,b,y\r\n1e0,.2e1,p\r\n3.,0004.5,"q"',
]


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize("text", SPELLINGS)
def test_spellings(tmp_path: Path, text: str, block_bytes: int) -> None:
    rows, labels, names = read(write(tmp_path, text), block_bytes=block_bytes)
    assert (rows.tolist(), labels, names) == ([[1, 2], [3, 4.5]], ["p", "q"], ("a", "b"))


@pytest.mark.parametrize(
    ("name", "data", "options"),
    [
        ("a.tsv", "a\tb\ty\n1\t2\tp, q\n", {}),
        ("a.csv", "a;b;y\n1; 2;p, q\n", {"delimiter": ";"}),
        ("a.csv", 'a b y\n1 2 "p, q"\n', {"delimiter": " "}),
        ("a.csv.gz", gzip.compress(b'a,b,y\n1,2,"p, q"\n', mtime=0), {}),
        ("a.csv", '1,2,"p, q"', {"header": False, "label": "3"}),
        ("a.csv", 'a,b,Class,Y\n1,2,"p, q",\n', {"drop": ("Y",)}),
        (
            "a.csv",
            'Class,TARGET,a,b\n"p, q",\xe4,1,2\n'.encode("latin-1"),
            {"label": "Class", "drop": ("TARGET",)},
        ),
    ],
)
def test_options(tmp_path: Path, name: str, data: str | bytes, options: dict) -> None:
    rows, labels, names = read(write(tmp_path, data, name), **options)
    assert (rows.tolist(), labels) == ([[1, 2]], ["p, q"])
    assert names == (("a", "b") if options.get("header", True) else ("1", "2"))


def test_label_column_is_chosen_by_exact_name_first(tmp_path: Path) -> None:
    assert read(write(tmp_path, "Label,y,a\n1,2,3\n"))[1] == ["2"]
    assert read(write(tmp_path, "Target,Label,a\n1,2,3\n"))[1] == ["2"]
    assert read(write(tmp_path, "y,a\n1,2\n"), no_label=True)[0].tolist() == [[1, 2]]


def test_a_later_block_may_be_of_another_type(tmp_path: Path) -> None:
    text = "a,y\n" + "1,0\n" * 50 + "1.5,x\n"
    rows, labels, _ = read(write(tmp_path, text), block_bytes=20)
    assert rows[-1].tolist() == [1.5]
    assert labels == ["0"] * 50 + ["x"]


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_one_hot_columns(tmp_path: Path, block_bytes: int) -> None:
    text = (
        'a,colour,b,y\n1,red,2,0\n3,"dark, blue",4,1\n5,NA,6,1\n7,red,8,1\n9,"NA",0,1\n'
        "x,green,0,1\n"
    )
    seen: list[SkippedRow] = []
    rows, labels, names = read(
        write(tmp_path, text),
        seen.append,
        one_hot=("colour",),
        on_error="skip",
        block_bytes=block_bytes,
    )
    assert names == ("a", "colour=NA", "colour=dark, blue", "colour=red", "b")
    assert rows.tolist() == [[1, 0, 0, 1, 2], [3, 0, 1, 0, 4], [7, 0, 0, 1, 8], [9, 1, 0, 0, 0]]
    assert labels == ["0", "1", "1", "1"]
    assert [(skip.error.row, skip.number, skip.column) for skip in seen] == [
        (4, 2, "colour"),
        (7, 5, "a"),
    ]


def test_regression_targets_are_exact_numbers(tmp_path: Path) -> None:
    text = 'y,a\n0.1,1\n"1e-5",2\n-3,3\n'
    _, labels, _ = read(write(tmp_path, text), task="regression")
    assert labels == [0.1, 1e-5, -3.0]


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_skipped_rows_are_told_in_order(tmp_path: Path, block_bytes: int) -> None:
    text = (
        'a,b,y\n1,2,p\n1,,p\n1,2\n"x\ny",2,p\n\n3,4,\n5,6,"q\n"\n7,nan,q\n7,8,nan\n7,8,p,9\n9,9,z\n'
    )
    seen: list[SkippedRow] = []
    rows, labels, _ = read(
        write(tmp_path, text), seen.append, on_error="skip", block_bytes=block_bytes
    )
    assert rows.tolist() == [[1, 2], [5, 6], [9, 9]]
    assert labels == ["p", "q\n", "z"]
    assert [skip.number for skip in seen] == [1, 2, 3, 4, 6, 7, 8]
    assert [(skip.error.row, skip.error.column) for skip in seen] == [
        (3, 2),
        (4, None),
        (5, 1),
        (8, 3),
        (11, 2),
        (12, 3),
        (13, None),
    ]


@pytest.mark.parametrize("text", ["a,y\n", "a,y", "a,y\n\n \n"])
def test_a_header_alone_gives_no_rows(tmp_path: Path, text: str) -> None:
    assert read(write(tmp_path, text))[1:] == (None, ("a",))


@pytest.mark.slow
def test_a_table_wider_than_its_rows_takes_no_memory(tmp_path: Path) -> None:
    header = ",".join(f"x{k}" for k in range(30_000))
    assert read(write(tmp_path, header + "\n" * 100_000), no_label=True)[0].shape == (0, 30_000)


def test_the_kernel_as_plain_python(tmp_path: Path) -> None:
    text = np.frombuffer(b'1,"a,""b",2.5\n\n-3e1,c,0x\n1,2\n', np.uint8)
    function = getattr(kernels.parse_records, "py_func", kernels.parse_records)
    for parse in (kernels.parse_records, function):
        values, spans, hard = (
            np.zeros((4, 2)),
            np.zeros((4, 2, 2), np.int64),
            np.zeros((3, 4), np.int64),
        )
        progress = np.zeros(kernels.N_SLOTS, np.int64)
        kinds, targets = (
            np.array([kernels.NUMERIC, kernels.TEXT, kernels.NUMERIC]),
            np.array([0, 0, 1]),
        )
        arguments = (text, ord(","), kinds, targets, progress, values, spans, hard)
        assert parse(*arguments) == kernels.FULL
        assert values[:2].tolist() == [[1, 2.5], [-30, 0]]
        assert spans[:2].tolist() == [[[2, 9], [0, 14]], [[20, 21], [15, 25]]]
        assert hard[: progress[kernels.HARD]].tolist() == [[1, 1, 22, 24]]
        progress[kernels.HARD] = 0
        assert parse(*arguments) == kernels.TOO_FEW
        assert progress[
            [kernels.AT, kernels.ROW, kernels.RECORD, kernels.FAULT, kernels.FIELD]
        ].tolist() == [29, 2, 25, 27, 1]


BAD = [
    ("", {}, "{}: there are no rows. Give at least one row of data."),
    ("\n \n", {}, "{}: there are no rows. Give at least one row of data."),
    ("", {"header": False}, "{}: there are no rows. Give at least one row of data."),
    (
        "a,b,y\n1,,p\n",
        {},
        "{}:2:2: column 'b' has no value in this row. Fill it in, say with "
        "--missing what stands for it, or drop the column with --drop b.",
    ),
    (
        'a,b,y\n1,"",p\n',
        {},
        "{}:2:2: column 'b' has no value in this row. Fill it in, say with --missing "
        "what stands for it, or drop the column with --drop b.",
    ),
    (
        "a,b,y\n1,2,\n",
        {},
        "{}:2:3: label column 'y' has no value in this row. Fill it in, or drop "
        "the row with --on-error skip.",
    ),
    (
        'a,b,y\n1,2," p"\n1,2,""\n',
        {},
        "{}:3:3: label column 'y' has no value in this row. Fill it "
        "in, or drop the row with --on-error skip.",
    ),
    (
        "a,b,y\n1,NA,p\n",
        {},
        "{}:2:2: column 'b' has no value in this row (value 'NA'). Fill it in, say with "
        "--missing what stands for it, or drop the column with --drop b.",
    ),
    (
        "a,b,y\n1,-NaN,p\n",
        {},
        "{}:2:2: column 'b' has no value in this row (value '-NaN'). Fill it in, say with "
        "--missing what stands for it, or drop the column with --drop b.",
    ),
    (
        "a,b,y\n1,-inf,p\n",
        {},
        "{}:2:2: column 'b' is not finite (value '-inf'). Correct the row, "
        "or drop it with --on-error skip.",
    ),
    (
        "a,b,y\n1,2,p\n1,Infinity,p\n",
        {},
        "{}:3:2: column 'b' is not finite (value 'Infinity'). "
        "Correct the row, or drop it with --on-error skip.",
    ),
    (
        "a,b,y\n1,1e999,p\n",
        {},
        "{}:2:2: column 'b' is beyond 1e+140, too large to be squared and summed (value '1e999'). "
        "Divide the column by a constant (--scale comes too late for that), or drop the row with "
        "--on-error skip.",
    ),
    (
        "a,b,y\n1,-0x1F,p\n",
        {},
        "{}:2:2: column 'b' is a hexadecimal number (value '-0x1F'). Write decimal numbers.",
    ),
    (
        "a,b,y\n1,1_000,p\n",
        {},
        "{}:2:2: column 'b' holds numbers with separators between thousands (value '1_000'). Read "
        "them with --thousands _.",
    ),
    (
        "a,b,y\n1,2\n",
        {},
        "{}:2: the row has 2 fields, not 3 as the header. Quote fields that hold "
        "delimiters, or drop the row with --on-error skip.",
    ),
    (
        "a,b,y\n1,2,3,4,5\n",
        {},
        "{}:2: the row has 5 fields, not 3 as the header. Quote fields that hold delimiters, or "
        "drop the row with --on-error skip.",
    ),
    (
        "a,b,y\n1,x\n",
        {},
        "{}:2: the row has 2 fields, not 3 as the header. Quote fields that hold "
        "delimiters, or drop the row with --on-error skip.",
    ),
    (
        "1,2,0\n1,2\n",
        {"header": False, "label": "3"},
        "{}:2: the row has 2 fields, not 3 as the first row. Quote fields that hold delimiters, or "
        "drop the row with --on-error skip.",
    ),
    (
        "a,b,y\n1,2,p\n\n1,x,p\n",
        {},
        "{}:4:2: column 'b' holds text, not a number (value 'x'). Use --drop b or --one-hot b, or "
        "drop the row with --on-error skip.",
    ),
    (
        "a,my b,c,y\n1,x,z,p\n",
        {},
        "{}:2:2: columns 'my b', 'c' hold text, not numbers (value 'x'). "
        "Use --drop 'my b' --drop c or --one-hot 'my b' --one-hot c, or drop the row with "
        "--on-error skip.",
    ),
    (
        'a,b,y\n"1\n2",3,p\n',
        {},
        "{}:2:1: column 'a' holds text, not a number (value '1\\n2'). Use --drop a or --one-hot a, "
        "or drop the row with --on-error skip.",
    ),
    (
        'y,a,b\n"p\n\nq",1,x\n',
        {},
        "{}:4:3: column 'b' holds text, not a number (value 'x'). Use --drop b or --one-hot b, or "
        "drop the row with --on-error skip.",
    ),
    (
        'a,b,y\n1,"2"3,p\n',
        {},
        "{}:2:2: column 'b' goes on after its closing quote (value '2\"3'). "
        "Double the quotes within quoted fields.",
    ),
    (
        'a,b,y\n1,2,"p\n1,2,p\n',
        {},
        "{}:2:3: a quoted field is not closed. Close the quote; double "
        "the quotes within quoted fields.",
    ),
    (
        'a,b,y\n1,2,"p\n1,2,p\n',
        {"on_error": "skip"},
        "{}:2:3: a quoted field is not closed. Close the quote; double the quotes within quoted "
        "fields.",
    ),
    (
        b"a,b,y\n1,2\x00,p\n",
        {},
        "{}:2:2: column 'b' holds a NUL byte (value '2\\x00'). Check that the file is not damaged.",
    ),
    (
        b"a,b,y\n1,2,p\x00\n",
        {},
        "{}:2:3: label column 'y' holds a NUL byte (value 'p\\x00'). Check "
        "that the file is not damaged.",
    ),
    (
        b"a,b\x00,y\n1,2,p\n",
        {},
        "{}:1: this is not UTF-8 text (value 'a,b\\x00,y\\n'). Check "
        "--format, or convert the file to UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW.",
    ),
    (
        b"a,b\xe4,y\n1,2,p\n",
        {},
        "{}:1: this is not UTF-8 text (value 'a,b\\xe4,y\\n'). Check "
        "--format, or convert the file to UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW.",
    ),
    (
        b"a,b,y\n1,2,\xe4\n",
        {},
        "{}:2:3: label column 'y' is not UTF-8 text (value '\\xe4'). Convert the file to UTF-8: "
        "iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW.",
    ),
    (
        b"PAR1\x15\x04\x15\n\x00",
        {},
        "{}:1: this is not UTF-8 text (value "
        "'PAR1\\x15\\x04\\x15\\n'). Check --format, or convert the "
        "file to UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW.",
    ),
    (
        "a,b,y\n1,2,nan\n",
        {},
        "{}:2:3: label column 'y' has no value in this row (value 'nan'). "
        "Fill it in, quote it if it is a name, or drop the row with --on-error skip.",
    ),
    (
        "a,b,y\n1,2,inf\n",
        {},
        "{}:2:3: label column 'y' is not finite (value 'inf'). Correct it, quote it if it is a "
        "name, or drop the row with --on-error skip.",
    ),
    (
        "a,b,c\n1,2,3\n",
        {},
        "{}: no column is named label, target, class or y; the columns are a, b, c. Name the label "
        "column with --label COLUMN, or use --no-label.",
    ),
    (
        "5.1,3.5\n4,5\n",
        {},
        "{}:1: numbers stand where column names should (value '5.1'). Use --no-header.",
    ),
    (
        "1,2,1\n4,5,6\n",
        {},
        "{}:1: numbers stand where column names should (value '1'). Use --no-header.",
    ),
    (
        'a,y\n1,x,"b"c\n',
        {},
        "{}:2: the row has 3 fields, not 2 as the header. Quote fields that hold delimiters, or "
        "drop the row with --on-error skip.",
    ),
    (
        "a;b|c;y\n1;2;3\n",
        {},
        "{}:1: there is only one column, as no ',' separates any (value "
        "'a;b|c;y'). Name the separator, with --delimiter ';' or '|'.",
    ),
    (
        "1,2,3\n",
        {"header": False},
        "{}: no column is named label, target, class or y; the columns are 1, 2, 3. Name the label "
        "column with --label COLUMN, or use --no-label.",
    ),
    (
        "a,b,a,y\n1,2,3,4\n",
        {},
        "{}: two columns have the same name (value 'a'). Rename one of them.",
    ),
    (
        "a,y\r1,2\r",
        {},
        "{}:1: bare carriage returns stand where lines should end. Convert the line ends: "
        "tr '\\r' '\\n' < FILE > NEW.",
    ),
    (
        'a,"b"c,y\n',
        {},
        "{}:1: the header cannot be read: ',' expected after '\"'. Check its quotes.",
    ),
    (
        "a,beta,y\n1,2,3\n",
        {"label": "bet"},
        "--label: {} has no column 'bet'. Did you mean 'beta'? The columns are a, beta, y.",
    ),
    ("a,b,y\n1,2,3\n", {"drop": ("z",)}, "--drop: {} has no column 'z'. The columns are a, b, y."),
    (
        "a,b,y\n1,2,3\n",
        {"one_hot": ("z",)},
        "--one-hot: {} has no column 'z'. The columns are a, b, y.",
    ),
    (
        "a,b,y\n1,2,3\n",
        {"delimiter": "e"},
        "--delimiter: 'e' cannot separate numbers: use another, such as ',' or ';'.",
    ),
    (
        "a,y\n1,x\n",
        {"task": "regression"},
        "{}:2:2: label column 'y' holds text, but regression needs numbers (value 'x'). "
        "Name another with --label COLUMN, or drop the row with --on-error skip.",
    ),
    (
        "a,y\n1,1e400\n",
        {"task": "regression"},
        "{}:2:2: label column 'y' is beyond 1e+140, too large to be squared and summed (value "
        "'1e400'). Divide the column by a constant (--scale comes too late for that), or drop the "
        "row with --on-error skip.",
    ),
    (
        "a,y\n1,nan\n",
        {"task": "regression"},
        "{}:2:2: label column 'y' has no value in this row (value 'nan'). Fill it in, or drop the "
        "row with --on-error skip.",
    ),
    (
        "a,y\n1,\n",
        {"task": "regression"},
        "{}:2:2: label column 'y' has no value in this row. Fill "
        "it in, or drop the row with --on-error skip.",
    ),
    (
        "a\ty\n1\t2\n",
        {"delimiter": ","},
        "{}:1: there is only one column, as no ',' separates any (value 'a\\ty'). "
        "Name the separator, with --delimiter $'\\t'.",
    ),
    (
        "c,a,y\n,1,0\n",
        {"one_hot": ("c",)},
        "{}:2:1: column 'c' has no value in this row. Fill it in, say with --missing "
        "what stands for it, or drop the column with --drop c.",
    ),
    (
        "a,y\n1,0\n",
        {"drop": ("a",)},
        "{}: no feature column is left of a, y. Drop fewer columns with --drop.",
    ),
]


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize(("data", "options", "message"), BAD)
def test_bad_files(
    tmp_path: Path, data: str | bytes, options: dict, message: str, block_bytes: int
) -> None:
    path = write(tmp_path, data)
    with pytest.raises(CraigError) as caught:
        read(path, block_bytes=block_bytes, **options)
    assert str(caught.value) == message.format(path)


def test_an_endless_row_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LONGEST_RECORD", 100)
    path = write(tmp_path, 'a,y\n1,"' + "x\n" * 200)
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=50)
    assert str(caught.value) == (
        f"{path}:2: a row is longer than 100 bytes. Check the line ends, "
        f"and that quotes are closed."
    )
