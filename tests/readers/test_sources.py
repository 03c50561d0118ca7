"""Names to bytes: folders, patterns, pipes, codecs, and the whole text of every error."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import io
import lzma
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow
import pytest

from craig_cli.errors import InputError, ResourceError, UsageError
from craig_cli.readers import streams
from craig_cli.readers.sources import Source, expand_sources, read_file_list
from craig_cli.readers.streams import read_ahead
from craig_cli.settings import InputSettings
from craig_cli.settings.catalog import FORMATS, names

DATA = b"1 1:2\n" * 100_000


def arrow_codec(name: str) -> Callable[[bytes], bytes]:
    """Return a function that compresses bytes into one frame."""

    def compress(data: bytes) -> bytes:
        sink = pyarrow.BufferOutputStream()
        with pyarrow.CompressedOutputStream(sink, name) as stream:
            stream.write(data)
        return sink.getvalue().to_pybytes()

    return compress


CODECS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": arrow_codec("zstd"),
    ".lz4": arrow_codec("lz4"),
}


def expand(*paths: object, format: str | None = None) -> tuple[Source, ...]:
    return expand_sources(InputSettings(tuple(map(str, paths)), format=format))


def content(source: Source) -> bytes:
    with source.open() as stream:
        return stream.read()


@contextlib.contextmanager
def standard_input(data: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of five data files, and what is to be passed over."""
    for name in ("b.csv", "a.libsvm", "c.parquet", "d.TSV", "e.csv.gz", ".hidden.csv", "README.md"):
        (tmp_path / name).write_bytes(gzip.compress(b"x") if name.endswith("gz") else b"x")
    (tmp_path / "sub.csv").mkdir()
    return tmp_path


def names_in(found: tuple[Source, ...]) -> list[str]:
    return [Path(source.name).name for source in found]


def test_files_stay_in_the_order_given(folder: Path) -> None:
    assert names_in(expand(folder / "c.parquet", folder / "a.libsvm", folder / "b.csv")) == [
        "c.parquet",
        "a.libsvm",
        "b.csv",
    ]


def test_folder(folder: Path) -> None:
    found = expand(folder)
    assert names_in(found) == ["a.libsvm", "b.csv", "c.parquet", "d.TSV", "e.csv.gz"]
    assert [source.format for source in found] == ["libsvm", "csv", "parquet", "tsv", "csv"]
    assert [source.compression for source in found] == [None, None, None, None, "gzip"]
    assert names_in(expand(folder, format="csv")) == ["b.csv", "e.csv.gz"]


def test_pattern(folder: Path) -> None:
    assert names_in(expand(folder / "*.csv*")) == ["b.csv", "e.csv.gz"]
    (folder / "[x].csv").write_bytes(b"x")
    assert names_in(expand(folder / "[x].csv")) == ["[x].csv"]


@pytest.mark.parametrize(
    "name", ["with space.csv", "line\nbreak.csv", "-dash.csv", "*.csv", "\udcff.csv", "UPPER.CSV"]
)
def test_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"x")
    (source,) = expand(name)
    assert (source.name, source.format, content(source)) == (name, "csv", b"x")


@pytest.mark.parametrize("extension", CODECS)
def test_codecs_join_members(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"x.libsvm{extension}"
    compress = CODECS[extension]
    path.write_bytes(compress(DATA) + compress(b"") + compress(b"2 1:3\n"))
    (source,) = expand(path)
    assert content(source) == DATA + b"2 1:3\n"
    with source.open_raw() as raw:
        assert raw.read() == path.read_bytes()


@pytest.mark.parametrize("extension", [".gz", ".bz2", ".xz"])
def test_zero_padding_is_no_data(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"x.libsvm{extension}"
    path.write_bytes(CODECS[extension](DATA) + bytes(300_000) + CODECS[extension](b"end"))
    assert content(expand(path)[0]) == DATA + b"end"


@pytest.mark.parametrize("extension", CODECS)
def test_the_content_tells_the_codec(tmp_path: Path, extension: str) -> None:
    for name in ("plain.libsvm", "wrong.libsvm.gz", "wrong.libsvm.zst"):
        path = tmp_path / name
        path.write_bytes(CODECS[extension](DATA))
        assert content(expand(path)[0]) == DATA


TRUNCATED = "compressed data is truncated. Copy or compress the file again."
DAMAGED = (
    "compressed data is damaged, or something else follows it. Copy or compress the file again."
)


@pytest.mark.parametrize("extension", CODECS)
@pytest.mark.parametrize("part", ["half", "all but one", "second member"])
def test_truncated_data(tmp_path: Path, extension: str, part: str) -> None:
    whole = CODECS[extension](os.urandom(1000) + DATA)
    path = tmp_path / f"x.libsvm{extension}"
    path.write_bytes(
        {
            "half": whole[: len(whole) // 2],
            "all but one": whole[:-1],
            "second member": whole + whole[:-9],
        }[part]
    )
    with pytest.raises(InputError) as caught:
        content(expand(path)[0])
    assert str(caught.value) == f"{path}: {TRUNCATED}"


@pytest.mark.parametrize(
    ("extension", "part"),
    [
        *((codec, "tail") for codec in CODECS),
        (".gz", "middle"),
        (".bz2", "middle"),
        (".xz", "middle"),
    ],
)
def test_damaged_data(tmp_path: Path, extension: str, part: str) -> None:
    whole = CODECS[extension](os.urandom(1000) + DATA)
    path = tmp_path / f"x.libsvm{extension}"
    path.write_bytes(
        whole + b"garbage, and not a little"
        if part == "tail"
        else whole[:20] + b"\xff" * 40 + whole[60:]
    )
    with pytest.raises(InputError) as caught:
        content(expand(path)[0])
    assert str(caught.value) == f"{path}: {DAMAGED}"


def test_stdin_is_spooled_without_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.tempfile, "tempdir", str(tmp_path))
    with standard_input(gzip.compress(DATA), monkeypatch):
        (source,) = expand("-", format="libsvm")
    assert (source.name, source.compression) == ("<stdin>", "gzip")
    assert list(tmp_path.iterdir()) == []
    assert content(source) == content(source) == DATA
    path = source.location.path
    del source
    assert not Path(path).exists()


def test_named_pipe_is_spooled(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.libsvm"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(DATA,))
    writer.start()
    (source,) = expand(pipe)
    writer.join()
    assert (source.name, content(source), content(source)) == (str(pipe), DATA, DATA)


class FullDisk(io.BytesIO):
    """A stream that says what a full disk says; reading and writing fail alike."""

    error = errno.ENOSPC

    def write(self, data: object) -> int:
        raise OSError(self.error, os.strerror(self.error))


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(streams.tempfile, "TemporaryFile", FullDisk)
    with standard_input(DATA, monkeypatch), pytest.raises(ResourceError) as caught:
        expand("-", format="csv")
    assert str(caught.value) == (
        f"<stdin>: no space left in {tmp_path} for a temporary copy. Set TMPDIR to a larger folder."
    )


def test_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.tempfile, "tempdir", str(tmp_path / "none"))
    with standard_input(DATA, monkeypatch), pytest.raises(ResourceError) as caught:
        expand("-", format="csv")
    assert str(caught.value) == (
        "<stdin>: no folder for a temporary copy can be written. Set TMPDIR to one that can."
    )


FORMAT_HELP = (
    f"the name does not tell the format. Give --format, one of {', '.join(names(FORMATS))}; "
    f"known extensions: {' '.join(end for entry in FORMATS for end in entry.extensions)}."
)


def make_missing(path: Path) -> None:
    """Make nothing."""


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


def write(data: bytes) -> Callable[[Path], object]:
    """Return a function that makes a file of these bytes."""
    return lambda path: path.write_bytes(data)


GZIPPED = gzip.compress(b"", mtime=0)

BAD_NAMES = [
    ("no.csv", make_missing, InputError, "no.csv: no such file. Check the name."),
    ("no\n.csv", make_missing, InputError, "no\\n.csv: no such file. Check the name."),
    ("no/such.csv", make_missing, InputError, "no/such.csv: no such file. Check the name."),
    ("*.csv", make_missing, InputError, "*.csv: no file matches this pattern. Check the pattern."),
    ("link.csv", lambda p: p.symlink_to("gone"), InputError, "link.csv: a link to a file that does "
                                                             "not exist. Check the name."),
    ("loop.csv", lambda p: p.symlink_to("loop.csv"), InputError, "loop.csv: cannot be read: Too "
                                                                 "many levels of symbolic links."),
    ("x" * 300, make_missing, InputError, "x" * 300 + ": cannot be read: File name too long."),
    ("empty.csv", Path.mkdir, InputError, "empty.csv: no file in this folder, or below, has "
     "an extension of "
     f"{' or '.join(names(FORMATS))}. Name the files, and give --format."),
    ("/dev/null", None, InputError, "/dev/null: a device or socket, not a file. Pipe its bytes to "
                                    "- (standard input)."),
    ("s.csv", make_socket, InputError, "s.csv: a device or socket, not a file. Pipe its bytes to - "
                                       "(standard input)."),
    ("x.dat", Path.touch, UsageError, f"x.dat: {FORMAT_HELP}"),
    ("x.gz", Path.touch, UsageError, f"x.gz: {FORMAT_HELP}"),
    ("-", None, UsageError, f"<stdin>: {FORMAT_HELP}"),
    ("", None, UsageError, "The name of an input file is empty."),
    ("x.csv.gz", Path.touch, InputError, "x.csv.gz: the name says gzip, but the content is not "
                                            "compressed. Drop .gz from the name."),
    ("x.csv.xz", write(b"a"), InputError, "x.csv.xz: the name says xz, but the content is not "
                                          "compressed. Drop .xz from the name."),
    ("x.pq.gz", write(GZIPPED), UsageError, "x.pq.gz: parquet files are not read compressed "
                                            "(gzip): decompress the file first."),
    ("x.h5", write(GZIPPED), UsageError, "x.h5: hdf5 files are not read compressed (gzip): "
                                         "decompress the file first."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "kind", "text"), BAD_NAMES)
def test_bad_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make, kind: type, text: str
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    if make is not None:
        make(tmp_path / name)
    with pytest.raises(kind) as caught:
        expand(name)
    assert str(caught.value) == text
    assert caught.value.exit_code == (3 if kind is InputError else 2)


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    path.touch()

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError) as caught:
        expand(path)
    assert str(caught.value) == f"{path}: you may not read this file. Ask for read permission."


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.touch()
    (source,) = expand(path)
    path.unlink()
    with pytest.raises(InputError) as caught:
        source.open()
    assert str(caught.value) == f"{path}: no such file. Check the name."


def test_stdin_twice() -> None:
    with pytest.raises(UsageError) as caught:
        expand("-", "-", format="csv")
    assert str(caught.value) == "- (standard input) can be read only once: name it once."


def test_closed_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError) as caught:
        expand("-", format="csv")
    assert str(caught.value) == "<stdin>: standard input is closed."


@pytest.mark.parametrize(
    ("data", "files"),
    [
        (b"a.csv\nb c.csv\n", ("a.csv", "b c.csv")),
        (b"\r\na.csv\r\n\n  \n-b", ("a.csv", "-b")),
        (b"a\nb.csv\0c.csv\0", ("a\nb.csv", "c.csv")),
        (b"\xff.csv", ("\udcff.csv",)),
    ],
)
def test_file_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, files: tuple[str, ...]
) -> None:
    path = tmp_path / "list"
    path.write_bytes(data)
    assert read_file_list(str(path)) == files
    with standard_input(data, monkeypatch):
        assert read_file_list("-") == files


def test_bad_file_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list"
    with pytest.raises(InputError) as caught:
        read_file_list(str(path))
    assert str(caught.value) == f"{path}: no such file. Check the name."
    with pytest.raises(InputError) as caught:
        read_file_list(str(tmp_path))
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory."
    path.write_bytes(b"\n\n")
    with pytest.raises(InputError) as caught:
        read_file_list(str(path))
    assert str(caught.value) == f"{path}: the list names no file. Write one name a line."
    with standard_input(b"a.csv\n-\n", monkeypatch), pytest.raises(UsageError) as usage:
        read_file_list("-")
    assert str(usage.value) == (
        "--files-from -: standard input holds the list, so the list cannot name - as well."
    )


def test_read_ahead_passes_items_and_errors_on() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise InputError("x", "broken")

    ahead = read_ahead(items())
    assert (next(ahead), next(ahead)) == (1, 2)
    with pytest.raises(InputError, match="x: broken"):
        next(ahead)
    assert list(read_ahead(iter(()))) == []


def told_of_waiting(pipe: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[str]:
    """Return what is told while a pipe is read that is written to after a while."""
    monkeypatch.setattr(streams, "PATIENCE_SECONDS", 0.05)
    told: list[str] = []
    has_told = threading.Event()

    def progress(stage: str, done: int, total: int | None) -> None:
        told.append(stage)
        has_told.set()

    def write() -> None:
        has_told.wait(5)
        pipe.write_bytes(data)

    writer = threading.Thread(target=write)
    writer.start()
    (source,) = expand_sources(InputSettings((str(pipe),)), progress)
    writer.join()
    assert content(source) == data
    return told


@pytest.mark.parametrize("data", [b"", b"x", DATA])
def test_a_pipe_that_nobody_writes_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    pipe = tmp_path / "pipe.libsvm"
    os.mkfifo(pipe)
    assert told_of_waiting(pipe, monkeypatch, data) == [f"wait {pipe}"]
