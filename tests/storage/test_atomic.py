"""Output files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from craig_cli.errors import ResourceError, UsageError
from craig_cli.storage.atomic import check_output, open_output
from craig_cli.storage.location import Location


def check(path, *, inputs=(), replaceable=False, force=False):
    check_output(str(path), inputs, lambda target: replaceable, force)


def write(path, content=b"new"):
    with open_output(str(path)) as out:
        out.write(content)


def listing(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture(autouse=True)
def umask():
    old = os.umask(0o027)
    yield
    os.umask(old)


def test_a_new_file_has_the_mode_of_the_umask(tmp_path):
    write(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640
    assert listing(tmp_path) == ["x"]


def test_an_old_file_keeps_its_mode(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x").chmod(0o604)
    write(tmp_path / "x")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o604


def test_a_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "x").symlink_to("folder/target")
    for content in (b"1", b"2"):
        write(tmp_path / "x", content)
        assert (tmp_path / "x").is_symlink()
        assert (tmp_path / "folder" / "target").read_bytes() == content
    assert listing(tmp_path / "folder") == ["target"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_a_failed_write(tmp_path, error):
    for old in (None, b"old"):
        if old:
            (tmp_path / "x").write_bytes(old)
        with pytest.raises(error), open_output(str(tmp_path / "x")) as out:
            out.write(b"new")
            raise error
        assert listing(tmp_path) == (["x"] if old else [])
    assert (tmp_path / "x").read_bytes() == b"old"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO])
def test_a_full_disk_is_a_resource_error(tmp_path, monkeypatch, number):
    (tmp_path / "x").write_bytes(b"old")

    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ResourceError) as caught:
        write(tmp_path / "x")
    assert str(caught.value) == (
        f"{tmp_path / 'x'}: cannot be written: {os.strerror(number)}. An "
        f"older file of that name is untouched."
    )
    assert (listing(tmp_path), (tmp_path / "x").read_bytes()) == (["x"], b"old")


def test_a_device_and_a_pipe_are_written_straight(tmp_path):
    write("/dev/null")
    with pytest.raises(ResourceError, match="No space left on device"):
        write("/dev/full")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    seen = []
    reader = threading.Thread(target=lambda: seen.append(fifo.read_bytes()))
    reader.start()
    check(fifo)
    write(fifo)
    reader.join()
    assert seen == [b"new"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_what_is_a_stream(tmp_path):
    (tmp_path / "file").touch()
    assert [Location.of(p).is_stream for p in ("-", "/dev/stdout", "/dev/fd/3", "/dev/null")] == [
        True
    ] * 4
    assert [Location.of(str(tmp_path / p)).is_stream for p in ("file", "new", ".")] == [False] * 3


def test_only_its_own_files_are_replaced(tmp_path):
    target = tmp_path / "x"
    check(target)
    target.touch()
    check(target, replaceable=True)
    check(target, force=True)
    with pytest.raises(
        UsageError,
        match=r"exists and is not a craig manifest\. Choose another "
        r"name, or replace it with --force\.",
    ):
        check(target)


def test_an_input_is_never_replaced(tmp_path):
    (tmp_path / "data").touch()
    (tmp_path / "link").symlink_to("data")
    for output, source in (("data", "data"), ("link", "data"), ("data", "link")):
        with pytest.raises(UsageError, match="is one of the inputs"):
            check(tmp_path / output, inputs=["-", str(tmp_path / source)], force=True)


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    # Root may write everywhere: the system's answer is made here. test_crash has a real one.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        check(tmp_path / "x")


def test_a_terminal_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UsageError, match="stdout is a terminal"):
        check("-")
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(UsageError, match="stdout is closed"):
        check("-")


def test_a_terminal_by_its_name_is_refused():
    controller, terminal = os.openpty()
    try:
        with pytest.raises(UsageError, match="stdout is a terminal"):
            check(Path(os.ttyname(terminal)))
    finally:
        os.close(controller)
        os.close(terminal)
