"""Rows that craig apply copies keep the line ends of the data, and so does what it adds."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from craig_cli.files.manifest import read_manifest

SELECT = ("--size", "4", "--for", "local")


def rows_of(delimiter: str, end: str) -> list[str]:
    """Return rows with a quoted field, with a newline in it, and their line ends."""
    return [
        delimiter.join([str(i % 2), f'"a{i}\r\nb\n{delimiter}""c"""', str(i * i)]) + end
        for i in range(8)
    ]


def applied(craig, source: str, output: str, *words: str) -> list[int]:
    """Select and apply; return the rows that were picked."""
    drop = ("--drop", "text") if "libsvm" not in source else ()
    assert craig("select", source, *drop, *SELECT, "-o", "cs.parquet", "--force").code == 0
    result = craig("apply", source, "cs.parquet", "-o", output, *words)
    assert result.code == 0, result.err
    return read_manifest("cs.parquet").coreset.index.tolist()


def weighted(row: str, weight: float, delimiter: str, end: str) -> str:
    return f"{row.removesuffix(end)}{delimiter}{weight:g}{end}"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("name", "delimiter"), [("d.csv", ","), ("d.tsv", "\t")])
@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("is_closed", [True, False])
def test_all_lines_end_as_those_of_the_data(
    craig, own_folder, name, delimiter, end, packed, is_closed
):
    header, rows = delimiter.join(["label", "text", "x"]), rows_of(delimiter, end)
    text = header + end + "".join(rows)
    if not is_closed:
        text = text.removesuffix(end)
    data = text.encode()
    Path(name + packed).write_bytes(gzip.compress(data) if packed else data)
    words = ("--include", "last.txt")
    Path("last.txt").write_text("7\n")
    drop = ("--drop", "text")
    assert craig("select", name + packed, *drop, *words, *SELECT, "-o", "cs.parquet").code == 0
    assert craig("apply", name + packed, "cs.parquet", "-o", f"s.{name[2:]}{packed}").code == 0
    found = Path(f"s.{name[2:]}{packed}").read_bytes()
    coreset = read_manifest("cs.parquet").coreset
    assert 7 in coreset.index
    wanted = header + delimiter + "weight" + end
    for index, weight in zip(coreset.index.tolist(), coreset.weight.tolist(), strict=True):
        wanted += weighted(rows[index], weight, delimiter, end)
    assert (gzip.decompress(found) if packed else found).decode() == wanted


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_between_csv_and_tsv(craig, own_folder, end):
    header, rows = "label,text,x", rows_of(",", end)
    Path("d.csv").write_bytes((header + end + "".join(rows)).encode())
    picked = applied(craig, "d.csv", "s.tsv", "--weight-as", "none")
    wanted = header.replace(",", "\t") + end
    for index in picked:
        wanted += f'{index % 2}\t"a{index}\r\nb\n,""c"""\t{index * index}{end}'
    assert Path("s.tsv").read_bytes().decode() == wanted


@pytest.mark.parametrize(("first", "second"), [("\n", "\r\n"), ("\r\n", "\n")])
def test_of_mixed_files_rows_keep_their_own(craig, own_folder, first, second):
    """The header that craig makes ends as the first one."""
    rows = [f"{i % 2},{i * i}{second if i % 3 else first}" for i in range(8)]
    Path("d.csv").write_bytes((f"label,x{first}" + "".join(rows)).encode())
    Path("e.csv").write_bytes((f"label,x{second}" + "".join(rows)).encode())
    assert craig("select", "d.csv", "e.csv", *SELECT, "-o", "cs.parquet").code == 0
    words = ("--weight-as", "none", "-o", "s.csv")
    assert craig("apply", "d.csv", "e.csv", "cs.parquet", *words).code == 0
    index = read_manifest("cs.parquet").coreset.index.tolist()
    wanted = f"label,x{first}" + "".join((rows + rows)[i] for i in index)
    assert Path("s.csv").read_bytes().decode() == wanted


def test_without_a_header(craig, own_folder):
    rows = [f"{i % 2},{i * i}\r\n" for i in range(8)]
    Path("d.csv").write_bytes("".join(rows).removesuffix("\r\n").encode())
    words = ("--no-header", "--label", "1", *SELECT)
    assert craig("select", "d.csv", *words, "-o", "cs.parquet").code == 0
    assert craig("apply", "d.csv", "cs.parquet", "-o", "s.csv").code == 0
    coreset = read_manifest("cs.parquet").coreset
    assert Path("s.csv").read_bytes().decode() == "".join(
        weighted(rows[i], w, ",", "\r\n")
        for i, w in zip(coreset.index.tolist(), coreset.weight.tolist(), strict=True)
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("place", ["inline", "none"])
def test_libsvm_lines(craig, own_folder, end, place):
    rows = [f"{i % 2} 1:{i * i + 1}{end}" for i in range(8)]
    Path("last.txt").write_text("7\n")
    Path("d.libsvm").write_bytes("".join(rows).removesuffix(end).encode())
    words = ("--include", "last.txt", *SELECT)
    assert craig("select", "d.libsvm", *words, "-o", "cs.parquet").code == 0
    words = ("--weight-as", place, "-o", "s.libsvm")
    assert craig("apply", "d.libsvm", "cs.parquet", *words).code == 0
    coreset = read_manifest("cs.parquet").coreset
    wanted = [
        rows[i].replace(" ", f":{w:g} ") if place == "inline" else rows[i]
        for i, w in zip(coreset.index.tolist(), coreset.weight.tolist(), strict=True)
    ]
    assert Path("s.libsvm").read_bytes().decode() == "".join(wanted)


def test_of_other_formats_a_line_ends_in_a_newline(craig, own_folder):
    Path("d.libsvm").write_bytes(b"".join(b"%d 1:%d\r\n" % (i % 2, i * i) for i in range(8)))
    applied(craig, "d.libsvm", "s.csv")
    assert b"\r" not in Path("s.csv").read_bytes()
