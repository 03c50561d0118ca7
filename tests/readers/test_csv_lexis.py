"""How numbers and truth values are spelled in delimited text, and the encodings of such files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from craig_cli.errors import CraigError, InputError, UsageError
from craig_cli.readers.csv_lexis import Lexis
from craig_cli.readers.skipped import SkippedRow
from craig_cli.settings import InputSettings
from tests.readers.test_csv import BLOCK_SIZES, read, write


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("true", "false"),
        ("TRUE", "FALSE"),
        ("True", "f"),
        ("t", "F"),
        ("yes", "No"),
        ("Y", "n"),
        ('"on"', "OFF"),
    ],
)
def test_a_column_of_truth_values_is_one_of_ones_and_zeros(
    tmp_path: Path, yes: str, no: str, block_bytes: int
) -> None:
    text = f"a,b,y\n1,{yes},p\n2, {no} ,q\n3,{no},p\n4,{yes},q\n"
    rows, labels, names = read(write(tmp_path, text), block_bytes=block_bytes)
    assert rows.tolist() == [[1, 1], [2, 0], [3, 0], [4, 1]]
    assert (labels, names) == (["p", "q", "p", "q"], ("a", "b"))


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize(
    ("values", "line", "what"),
    [
        (["1", "yes"], 3, "holds a word, and something else above (value 'yes')"),
        (
            ["yes", "no", "1"],
            4,
            "holds words for true and false above, and something else here (value '1')",
        ),
        (["yes", "true"], 3, "holds a word, and something else above (value 'true')"),
        (["f", "f", "m"], 4, "holds text, not a number (value 'm')"),
    ],
)
def test_a_column_that_mixes_them_is_text(
    tmp_path: Path, values: list[str], line: int, what: str, block_bytes: int
) -> None:
    text = "a,b,y\n" + "".join(f"1,{value},p\n" for value in values)
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=block_bytes)
    assert str(caught.value) == (
        f"{path}:{line}:2: column 'b' {what}. Use --drop b or --one-hot b, or drop the row with "
        f"--on-error skip."
    )


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_the_first_value_tells_the_kind_of_a_column(tmp_path: Path, block_bytes: int) -> None:
    seen: list[SkippedRow] = []
    text = "a,b,y\n1,,p\n2,yes,p\n3,5,p\n4,no,p\n5,true,p\nx,yes,q\n6,yes,q\n"
    rows, _, _ = read(write(tmp_path, text), seen.append, on_error="skip", block_bytes=block_bytes)
    assert rows.tolist() == [[2, 1], [4, 0], [6, 1]]
    assert [(bad.error.row, bad.error.column) for bad in seen] == [(2, 2), (4, 2), (6, 2), (7, 1)]


def test_more_words_than_fit_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("craig_cli.readers.csv.MOST_HARD", 7)
    words = np.random.default_rng(0).integers(0, 2, (50, 3))
    lines = [",".join(("no", "yes")[word] for word in row) + ",p" for row in words]
    rows, _, _ = read(write(tmp_path, "a,b,c,y\n" + "\n".join(lines)))
    assert np.array_equal(rows, words)
    lines[40] = "no,?,yes,p"
    seen: list[SkippedRow] = []
    rows, _, _ = read(write(tmp_path, "a,b,c,y\n" + "\n".join(lines)), seen.append, on_error="skip")
    assert np.array_equal(rows, np.delete(words, 40, axis=0))
    assert [bad.error.row for bad in seen] == [42]


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a;b;y\n1,5;-2e3;p\n,25;1234567,5;q\n", {"decimal": ","}),
        ("a\tb\ty\n1,5\t-2000\tp\n0,25\t1.234.567,5\tq\n", {"decimal": ",", "thousands": "."}),
        ("sep=;\r\na;b;y\r\n1,5;-2.000;p\r\n0,25;1.234.567,5;q\r\n",
         {"decimal": ",", "thousands": "."}),
        ('a,b,y\n1.5,"-2,000",p\n.25,"1,234,567.5",q\n', {"thousands": ","}),
        ("a,b,y\n1.5,-2 000,p\n.25,1\u00a0234\u202f567.5,q\n", {"thousands": " "}),
        ("a,b,y\n1.5,-2'000,p\n.25,1\u2019234\u2019567.5,q\n", {"thousands": "'"}),
        ("a,b,y\n1.5,-2_000,p\n.25,12_34_567.5,q\n", {"thousands": "_"}),
        ('"sep=|"\na|b|y\n1.5|-2000|p\n.25|1234567.5|q\n', {}),
        ("a|b|y\n1.5|-2000|p\n.25|1234567.5|q\n", {}),
    ],
)  # fmt: skip
def test_numbers_as_other_countries_write_them(
    tmp_path: Path, text: str, options: dict, block_bytes: int
) -> None:
    rows, labels, _ = read(write(tmp_path, text), block_bytes=block_bytes, **options)
    assert rows.tolist() == [[1.5, -2000], [0.25, 1234567.5]]
    assert labels == ["p", "q"]


def test_targets_and_weights_with_a_decimal_comma(tmp_path: Path) -> None:
    path = write(tmp_path, "a;w;y\n1,5;0,5;2,5\n2,5;1,0;-1.000,25\n")
    options = {"decimal": ",", "thousands": "."}
    _, labels, _ = read(path, task="regression", weight_column="w", **options)
    assert labels == [2.5, -1000.25]
    _, labels, _ = read(path, weight_column="w", **options)
    assert labels == ["2.5", "-1000.25"]


def test_a_number_with_a_comma_is_not_one_with_thousands_by_chance() -> None:
    lexis = Lexis(",", ".")
    assert lexis.plain("1.23,5") is None
    assert lexis.plain("1.2345") is None
    assert lexis.plain("1.234e2") == "1234e2"
    assert Lexis(".", ",").plain("1,23") is None
    assert Lexis(".", ",").plain("1,234,56") is None
    assert Lexis(",").plain("1.5") is None


FAULTS = [
    ("2024-01-31", "holds dates or times", "DATE"),
    ("31.1.2024 13:05", "holds dates or times", "DATE"),
    ("2024-01-31T13:05:00.123Z", "holds dates or times", "DATE"),
    ("1/31/24", "holds dates or times", "DATE"),
    ("13:05:10", "holds dates or times", "DATE"),
    ("31 Jan 2024", "holds dates or times", "DATE"),
    ("$1.50", "holds currency signs", "TAKE OUT"),
    ("1.50 €", "holds currency signs", "TAKE OUT"),
    ("EUR 12", "holds currency signs", "TAKE OUT"),
    ("12.5%", "holds percent signs", "TAKE OUT"),
    ("1 234", "holds numbers with separators between thousands", "--thousands ' '"),
    ("1'234", "holds numbers with separators between thousands", "--thousands \"'\""),
    ("1.234.567", "holds numbers with separators between thousands",
     "--decimal , --thousands ."),
    ("1\r2", "holds a bare carriage return", "LINE ENDS"),
]  # fmt: skip
REMEDIES = {
    "DATE": "Turn them into numbers beforehand, such as days since a date, or drop the column with "
    "--drop b.",
    "TAKE OUT": "Take them out of the file, or drop the column with --drop b.",
    "LINE ENDS": "Convert the line ends: tr '\\r' '\\n' < FILE > NEW.",
}


@pytest.mark.parametrize(("value", "what", "remedy"), FAULTS)
def test_what_is_no_number_is_told_with_the_way_out(
    tmp_path: Path, value: str, what: str, remedy: str
) -> None:
    path = write(tmp_path, f"a,b,y\n1,{value},p\n")
    with pytest.raises(InputError) as caught:
        read(path)
    assert (caught.value.row, caught.value.column) == (2, 2)
    assert caught.value.problem == f"column 'b' {what}"
    assert caught.value.remedy == REMEDIES.get(remedy, f"Read them with {remedy}.")


@pytest.mark.parametrize(
    ("text", "options", "remedy"),
    [
        ("a;b;y\n1;2,5;p\n", {}, "Read them with --decimal ,."),
        (
            "a;b;y\n1;2,500;p\n",
            {},
            "Read them with --thousands ,, or with --decimal , if that is the decimal comma.",
        ),
        ("a;b;y\n1;2.5;p\n", {"decimal": ","}, "Leave out --decimal ,."),
        (
            "a;b;y,z\n1;2;p,3\n",
            {"label": "y"},
            None,
        ),
        (
            "a,b,y\n1,2;5,p\n",
            {},
            "Use --drop b or --one-hot b, or --delimiter ';' if that separates the fields.",
        ),
    ],
)
def test_other_countries_numbers_are_refused_with_the_option(
    tmp_path: Path, text: str, options: dict, remedy: str | None
) -> None:
    with pytest.raises(CraigError) as caught:
        read(write(tmp_path, text), **options)
    if remedy is not None:
        assert isinstance(caught.value, InputError)
        assert caught.value.remedy == remedy


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_encodings_with_a_byte_order_mark(tmp_path: Path, encoding: str, block_bytes: int) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    data = (mark + 'größe,y\r\n1.5,"é,\n𝄞"\r\n2,ü\r\n').encode(encoding)
    for name, content in (("a.csv", data), ("b.csv.gz", gzip.compress(data))):
        rows, labels, names = read(write(tmp_path, content, name), block_bytes=block_bytes)
        assert (rows.tolist(), labels, names) == ([[1.5], [2]], ["é,\n𝄞", "ü"], ("größe",))


@pytest.mark.parametrize(
    ("data", "problem", "remedy"),
    [
        (
            "a,y\n1,2\n".encode("utf-16-le"),
            "this looks like UTF-16 text without a byte order mark",
            "Check --format, or convert the file: iconv -f UTF-16LE -t UTF-8 FILE > NEW.",
        ),
        (
            "a,y\n1,2\n".encode("utf-16-be"),
            "this looks like UTF-16 text without a byte order mark",
            "Check --format, or convert the file: iconv -f UTF-16BE -t UTF-8 FILE > NEW.",
        ),
        (
            "a,y\n1,2\n".encode("utf-16")[:-1],
            "its byte order mark tells UTF-16-LE, but the text is not, or is cut short",
            "Copy or write the file again.",
        ),
    ],
)
def test_other_encodings_are_refused_with_the_way_out(
    tmp_path: Path, data: bytes, problem: str, remedy: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, data))
    assert (caught.value.problem, caught.value.remedy) == (problem, remedy)


def test_a_bare_carriage_return_is_no_part_of_a_label(tmp_path: Path) -> None:
    for text in ("a,y\n1,p\r2,q\r3,p\n", "a,y\n1,p\r2\n"):
        with pytest.raises(InputError, match="bare carriage return"):
            read(write(tmp_path, text))


def test_a_told_delimiter_yields_to_the_option(tmp_path: Path) -> None:
    path = write(tmp_path, "sep=;\na,y\n1,p;q\n")
    assert read(path, delimiter=",")[1] == ["p;q"]
    rows, labels, _ = read(
        write(tmp_path, "sep=;\n1;p\n2;q\nx;q\n"),
        lambda error: None, header=False, label="2", on_error="skip",
    )  # fmt: skip
    assert (rows.tolist(), labels) == ([[1], [2]], ["p", "q"])


def test_lines_are_counted_from_the_top(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, "sep=;\n\na;y\n1;p\nx;q\n"))
    assert caught.value.row == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, "--decimal: ';' is not '.' or ','."),
        (
            {"decimal": ",", "delimiter": ","},
            "--delimiter and --decimal are both ',': name another delimiter.",
        ),
        (
            {"thousands": "."},
            "--thousands and --decimal are both '.'. Where a comma is the decimal point, give "
            "--decimal , too.",
        ),
        (
            {"thousands": "1"},
            "--thousands: '1' is not one character that may separate thousands, such as ',' or "
            "' '.",
        ),
        (
            {"thousands": ""},
            "--thousands: '' is not one character that may separate thousands, such as ',' or ' '.",
        ),
    ],
)
def test_spellings_that_cannot_be_told_apart_are_refused(options: dict, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        InputSettings(("a.csv",), **options)
    assert str(caught.value) == message
