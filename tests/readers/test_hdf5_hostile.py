"""HDF5 files that ask for far more than they hold: refused in little memory and time."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hdf5_files import read, stored, write

from craig_cli import platform
from craig_cli.errors import InputError
from craig_cli.readers import hdf5
from craig_cli.readers.hdf5_columns import InOrder

HUGE = 10**12
MOST_MEMORY = 450 << 20
"""Of the process that reads, its packages included."""
MOST_SECONDS = 60


def bomb(file: h5py.File, name: str, depth: int = 2) -> None:
    """Write zeros of 8 GB as a few kilobytes: chunks that are compressed more than once."""
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((1 << 19, 10))
    for _ in range(depth):
        plan.set_deflate(9)
    space = h5py.h5s.create_simple((200 << 19, 10))
    dataset = h5py.Dataset(
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F64LE, space, plan)
    )
    dataset[: 1 << 19] = 0
    mask, packed = dataset.id.read_direct_chunk((0, 0))
    for chunk in range(1, 200):
        dataset.id.write_direct_chunk((chunk << 19, 0), packed, mask)


def huge(**options: object) -> Callable[[h5py.File, str], object]:
    """Return what makes a dataset of many rows, of which one is stored."""

    def make(file: h5py.File, name: str) -> None:
        dataset = file.create_dataset(name, **options)
        dataset[:1] = b"" if h5py.check_string_dtype(dataset.dtype) else 0

    return make


ROWS = {"X": huge(shape=(HUGE, 3), dtype="f8", chunks=(1000, 3))}
CSR = {"X/data": [1.0], "X/indices": [0]}
BIG = [
    (ROWS | {"y": [1]}, "'/X' has 1,000,000,000,000 rows, 24000G in all, but the file stores 1M"),
    (
        {"X": huge(shape=(HUGE, 3), dtype="f4", chunks=(1000, 3), compression="gzip"), "y": [1]},
        "'/X' has 1,000,000,000,000 rows, 12000G in all, but the file stores 1M",
    ),
    ({"X": bomb, "y": [1]}, "'/X' has 104,857,600 rows, 8.39G in all, but the file stores "),
    (
        {"X": stored(shape=(10, 200_000_000), dtype="f8", chunks=(10, 200_000_000)), "y": [1]},
        "'/X' has 10 rows, 16G in all, but the file stores 0M",
    ),
    (
        {"X": stored(shape=(10, 2), maxshape=(None, 2), dtype="f8", chunks=(1 << 27, 2))},
        "'/X' is stored in chunks of 2.15G, and craig reads chunks of at most 1.08G here. Write it "
        "in smaller ones: h5repack -l CHUNK=ROWSxCOLUMNS OLD.h5 NEW.h5.",
    ),
    (
        {"X": stored(shape=(1, 1 << 28), dtype="f8", chunks=(1, 1 << 20))},
        "a row of '/X' takes 2.15G, and craig reads rows of at most 1.08G here.",
    ),
    (
        {"X": [[1.0]], "y": huge(shape=(HUGE,), dtype="i8", chunks=(1000,))},
        "'/y' has 1,000,000,000,000 rows, 8000G in all",
    ),
    (
        CSR | {"X/indptr": huge(shape=(HUGE,), dtype="i8", chunks=(1000,)), "y": [1]},
        "'/X/indptr' has 1,000,000,000,000 rows, 8000G in all",
    ),
    (
        CSR
        | {
            "X/data": huge(shape=(HUGE,), dtype="f8", chunks=(1000,)),
            "X/indptr": [0, HUGE],
            "y": [1],
        },
        "'/X/data' has 1,000,000,000,000 rows, 8000G in all",
    ),
    (
        {"X": [[1.0]], "y": huge(shape=(HUGE,), dtype=h5py.string_dtype(), chunks=(1000,))},
        "'/y' has 1,000,000,000,000 rows, 8000G in all",
    ),
    (
        {
            "X": [[1.0]],
            "y/codes": np.zeros(1, int),
            "y/categories": stored(shape=(10**8,), dtype="i4"),
        },
        "'/y' has 100,000,000 categories",
    ),
]


def peak_bytes(process: int) -> int:
    """Return the most memory that a process has held so far; 0 once it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return 1024 * next(
        (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0
    )


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that the peak of each process that reads is put into."""
    peaks: list[int] = []

    class Popen(subprocess.Popen):
        def kill(self) -> None:
            peaks.append(peak_bytes(self.pid))
            super().kill()

    monkeypatch.setattr(subprocess, "Popen", Popen)
    return peaks


@pytest.mark.parametrize(("contents", "text"), BIG)
def test_refused_before_it_is_read(
    tmp_path: Path, watched: list[int], contents: dict[str, object], text: str
) -> None:
    path = write(tmp_path, contents)
    begun = time.monotonic()
    with pytest.raises(InputError) as caught:
        read(path, no_label="y" not in "".join(contents), memory_bytes=1 << 32)
    assert text in str(caught.value)
    assert time.monotonic() - begun < MOST_SECONDS
    assert max(watched) < MOST_MEMORY


def test_a_chunk_that_is_decompressed_to_more_than_it_holds(
    tmp_path: Path, watched: list[int]
) -> None:
    import zlib

    def overfull(file: h5py.File, name: str) -> None:
        dataset = file.create_dataset(
            name, shape=(8, 2), dtype="f8", chunks=(8, 2), compression="gzip"
        )
        dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(1 << 27)))

    with contextlib.suppress(InputError):  # where the library takes its first bytes, it is read
        read(write(tmp_path, {"X": overfull}), no_label=True)
    assert max(watched) < MOST_MEMORY


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_zeros_that_gzip_stores_in_a_thousandth_are_read(tmp_path: Path, memory: int) -> None:
    options = {"chunks": (10_000, 100), "compression": "gzip", "dtype": "f4"}
    path = write(tmp_path, {"X": stored(data=np.zeros((100_000, 100), "f4"), **options)})
    assert path.stat().st_size < 200_000
    rows = read(path, no_label=True, memory_bytes=memory << 10)[0]
    assert rows.shape == (100_000, 100)
    assert not rows.any()


def test_rows_of_which_most_were_never_written_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, {"X": huge(shape=(10**6, 3), dtype="f8", chunks=(1000, 3))})
    assert read(path, no_label=True)[0].shape == (10**6, 3)


@pytest.mark.parametrize("chunks", [(9, 4), (9, 1), (4, 3), (100, 4)])
def test_a_chunk_that_the_cache_does_not_hold_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: tuple[int, int]
) -> None:
    monkeypatch.setattr("craig_cli.readers.hdf5_columns.CHUNK_CACHE_BYTES", 0)
    data = np.arange(120.0).reshape(30, 4)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", data=data, chunks=chunks, maxshape=(None, None))
        reader = InOrder(dataset)
        assert reader.step == chunks[0]
        parts = [reader.read(start, min(start + 7, 30)) for start in range(0, 30, 7)]
    assert np.array_equal(np.concatenate(parts), data)


def is_alive(process: int) -> bool:
    """Return whether a process runs; one that waits to be reaped does not."""
    try:
        return ") Z" not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


LIBRARY = {
    "reading": None,
    "standing still": "from craig_cli.platform import end_with_parent; end_with_parent(); "
    "import os; os.write(2, b'x'); import re; re.match('(a+)+b', 'a' * 60)",
}
"""What the child does; the last holds Python's lock, as a library that never returns does."""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc: Linux")
@pytest.mark.parametrize("code", LIBRARY.values(), ids=LIBRARY)
def test_no_child_outlives_a_kill(tmp_path: Path, code: str | None) -> None:
    path = write(tmp_path, {"X": np.ones((100_000, 10)), "y": np.ones(100_000)})
    command = "" if code is None else f"hdf5.COMMAND = (sys.executable, '-c', {code!r})"
    program = f"""
import subprocess, sys, time
from craig_cli.readers import hdf5
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings
{command}
with hdf5.start_probe({{"path": {str(path)!r}, "block_bytes": 4096, "memory": 1 << 32,
        "label": None, "no_label": False, "rows_key": None, "amounts": {{}}}}) as probe:
    print(probe.pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(1.5)
        assert is_alive(child)
        parent.kill()
        parent.wait()
        end = time.monotonic() + 5
        while is_alive(child) and time.monotonic() < end:
            time.sleep(0.05)
        assert not is_alive(child)


def test_a_child_whose_parent_is_gone_already_does_not_begin(tmp_path: Path) -> None:
    done = subprocess.run(
        [*hdf5.COMMAND, "{}"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode in (0, -signal.SIGIO)
    assert done.stdout == b""


def test_many_objects_are_walked_in_little_memory(tmp_path: Path, watched: list[int]) -> None:
    def many(file: h5py.File, name: str) -> None:
        group = file.create_group(name)
        for number in range(3000):
            group.create_group(str(number))

    path = write(tmp_path, {"g": many, "deep/" + "/".join("a" * 500): [[1.0]]})
    assert read(path, no_label=True)[0].tolist() == [[1]]
    assert max(watched) < MOST_MEMORY


def test_free_memory_is_that_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "GROUP_FOLDER", tmp_path)
    whole = platform.available_bytes()
    assert 0 < whole <= platform.machine_bytes() + (1 << 30)
    (tmp_path / "memory.max").write_text("max\n")
    assert platform.group_bytes(*platform.GROUP_FILES[0]) == 0
    for name, told in (("max", "1000"), ("current", "900"), ("stat", "file 7\ninactive_file 50\n")):
        (tmp_path / f"memory.{name}").write_text(told)
    assert platform.available_bytes() == 150
