"""Names of files, stores and standard streams, parsed once."""

from __future__ import annotations

import os

import pytest

from craig_cli.storage.location import Location


@pytest.mark.parametrize(
    ("name", "path", "scheme", "options"),
    [
        ("-", "-", "", ""),
        ("a b.csv", "a b.csv", "", ""),
        ("what?.csv", "what?.csv", "", ""),
        ("./-", "./-", "", ""),
        ("file:///a%20b.csv", "/a b.csv", "", ""),
        ("file://localhost/a.csv", "/a.csv", "", ""),
        ("s3://b/k.csv", "s3://b/k.csv", "s3", ""),
        ("s3://b/k.csv?region=x&a=b?c", "s3://b/k.csv", "s3", "?region=x&a=b?c"),
        ("http://h/k?x", "http://h/k?x", "", ""),
        ("a:/k", "a:/k", "", ""),
    ],
)
def test_what_a_name_means(name, path, scheme, options):
    location = Location.of(name)
    assert location == Location(name, path, scheme, options)
    assert Location.of(location) is location
    assert location.is_standard == (name == "-")
    assert location.source == ("<stdin>" if name == "-" else name)


def test_names_and_extensions_are_without_the_options_of_a_store():
    location = Location.of("s3://b/rows/a.CSV.gz?endpoint=x.y")
    assert (location.file_name, location.suffix) == ("a.CSV.gz", ".gz")
    beside = location.beside("b.csv")
    assert beside == Location.of("s3://b/rows/b.csv?endpoint=x.y")
    assert Location.of("a.csv").beside("b.csv") == Location.of("b.csv")
    assert Location.of("x\n.csv").shown == "x\\n.csv"


def test_all_names_of_a_file_resolve_to_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").touch()
    (tmp_path / "link").symlink_to("a b")
    names = ("a b", "./a b", "link", str(tmp_path / "a b"), (tmp_path / "a b").as_uri())
    assert {Location.of(name).resolve() for name in names} == {str((tmp_path / "a b").resolve())}
    assert Location.of("-").resolve() == "-" != Location.of("./-").resolve()
    assert Location.of("s3://b/k?x").resolve() == "s3://b/k?x"


def test_what_is_there(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")
    file, pipe, none = (Location.of(str(tmp_path / name)) for name in ("file", "pipe", "none"))
    assert [place.exists() for place in (file, pipe, none)] == [True, False, False]
    assert [place.is_pipe for place in (file, pipe, none)] == [False, True, False]
    assert [place.is_stream for place in (file, pipe, none)] == [False, True, False]
    assert file.size() == 5
    with file.open() as stream, file.local_copy() as path:
        assert stream.read() == path.read_bytes() == b"12345"
