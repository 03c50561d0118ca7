"""HDF5 files that are refused, with the whole text of every error, and a library that crashes or
hangs.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hdf5_files import never, read, sparse, stored, write
from tools import slow

from craig_cli.errors import InputError
from craig_cli.readers import hdf5, hdf5_paths
from craig_cli.readers.hdf5_messages import Fault
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings


def as_columns(file: h5py.File, name: str) -> None:
    file["m"].attrs["encoding-type"] = "csc_matrix"


def virtual(file: h5py.File, name: str) -> None:
    layout = h5py.VirtualLayout((1, 1), "f8")
    layout[0] = h5py.VirtualSource("other.h5", "X", (1,))
    file.create_virtual_dataset(name, layout)


def unknown_filter(file: h5py.File, name: str) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((1, 1))
    plan.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(
        file.id, name.encode(), h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((1, 1)), plan
    )


BY_ROWS = "Store the matrix by rows (CSR), indices ascending within each row."
AGAIN = "Write the matrix again, indices ascending within each row."
CORRECT = "Correct it, or leave the row out."
RENAME = "Name another with --rows-key PATH or --label PATH."
INTO = "Copy the data into the file."
PATHS = "Check the path: h5ls -r lists the file."
HUGE = "is beyond 2^53, so a 64-bit float may not hold it"
ONE = {"y": [1]}
TWO = {"y": [1, 2]}

BAD_FILES = [
    (
        TWO | {"X": [[1, 2], [np.nan, 2]]},
        {},
        f":2:1: the value is not finite (value 'nan'). {CORRECT}",
    ),
    (
        TWO | {"X": np.float32([[1, 2], [3, -np.inf]])},
        {},
        f":2:2: the value is not finite (value '-inf'). {CORRECT}",
    ),
    (
        TWO | {"X": [[1, 2], [3, 2**53 + 1]]},
        {},
        f":2:2: the value {HUGE} (value '9007199254740993'). {CORRECT}",
    ),
    (
        TWO | {"X": np.array([[0], [2**64 - 1]], np.uint64)},
        {},
        f":2:1: the value {HUGE} (value '18446744073709551615'). {CORRECT}",
    ),
    (
        {"X": [[1.0], [2]], "y": [1, np.nan]},
        {},
        f":2: the label is not finite (value 'nan'). {CORRECT}",
    ),
    (
        {"X": [[1.0], [np.nan]], "y": [np.inf, 2]},
        {},
        f":1: the label is not finite (value 'inf'). {CORRECT}",
    ),
    (
        {"X": [[1.0]], "y": np.array([2**63], np.uint64)},
        {},
        f":1: the label is too large for a 64-bit integer (value '9223372036854775808'). {CORRECT}",
    ),
    (
        {"X": [[1.0]], "y": [2**60]},
        {"task": "regression"},
        f":1: the label {HUGE} (value '1152921504606846976'). {CORRECT}",
    ),
    (
        {"X": [[1.0]], "y": np.array([b"a"])},
        {"task": "regression"},
        ": the labels are text, but regression needs numbers. Name other labels with --label PATH, "
        "or leave out --task regression.",
    ),
    (
        {"X": [[1.0], [2]], "y": np.array([b"a", b"\xff"])},
        {},
        ":2: the label is not UTF-8 text (value '\\xff'). Write it as UTF-8.",
    ),
    (
        ONE | {"X": [[1.0], [2]]},
        {},
        ": the lengths of '/y' and '/X' differ: 1 and 2. Name others with --label PATH or "
        "--rows-key PATH.",
    ),
    (
        {"X": [[1.0]], "y": [[0, 1]]},
        {},
        ": '/y' has 2 values a row, and a label is one. If they are 0 and one 1, write their "
        "places instead: file['labels'] = file['/y'][:].argmax(axis=1).",
    ),
    (
        {"X": [[1.0]], "y": [[[0, 1]]]},
        {},
        ": '/y' has the shape (1, 1, 2), and labels are one a row. Name another with --label PATH.",
    ),
    ({"X": [[1.0]], "y": 1}, {}, f": '/y' is one value, not one a row. {RENAME}"),
    (
        {"X": [[1.0]], "y": h5py.Empty("f8")},
        {},
        f": '/y' is one value, not one a row. {RENAME}",
    ),
    ({"X": [[1.0]], "y/a": 1}, {}, ": '/y' is not a dataset. Name a dataset."),
    (
        {"X": [[1.0]], "z": [1]},
        {},
        ": there is no labels dataset /label, /labels, /target, /class or /y; datasets with one "
        "dimension: /z."
        " Name it with --label PATH, or use --no-label.",
    ),
    ({"X": [[1.0]]}, {"label": "z"}, f": there is no '/z' in the file. {PATHS}"),
    (
        ONE | {"X": [1.0]},
        {"rows_key": "X"},
        ": '/X' has one axis, so its rows have no columns. Write a column: file['rows'] = "
        "file['/X'][:].reshape(-1, 1).",
    ),
    (
        ONE | {"X": np.empty((1, 0))},
        {},
        ": '/X' has no columns. Name another dataset with --rows-key PATH.",
    ),
    (ONE | {"X": [[1.0]]}, {"rows_key": "X/a"}, f": there is no '/X/a' in the file. {PATHS}"),
    (
        ONE | {"g/a": [1.0]},
        {"rows_key": "g"},
        ": '/g' is neither a dataset nor a group with data, indices and indptr. Name another with "
        "--rows-key PATH.",
    ),
    (
        ONE | {"a": [1.0], "b": np.array([[b"x"]])},
        {},
        ": there are no rows: no dataset of numbers with two or more dimensions, no group with "
        "data, indices and indptr; datasets with one dimension: /a. Write a column: file['rows'] = "
        "file['NAME'][:].reshape(-1, 1).",
    ),
    (
        sparse() | {"b": [[1.0]]},
        {},
        ": several datasets or groups may be the rows: /b, /m. Choose one with --rows-key PATH.",
    ),
    (ONE | {"X": h5py.SoftLink("/none")}, {}, f": '/X' is a soft link to nothing. {PATHS}"),
    (
        ONE | {"X": h5py.SoftLink("/b"), "b": h5py.SoftLink("X")},
        {},
        ": '/X' is a soft link that leads in a circle. Name the dataset itself.",
    ),
    (
        ONE | {"X": h5py.ExternalLink("other.h5", "/X")},
        {},
        f": '/X' is a link out of the file, which craig does not follow. {INTO}",
    ),
    (
        ONE | {"X": h5py.SoftLink("/b/X"), "b": h5py.ExternalLink("other.h5", "/")},
        {},
        f": '/X' is a link out of the file, which craig does not follow. {INTO}",
    ),
    (
        ONE | {"X": virtual},
        {},
        f": '/X' is a virtual dataset, made of others that craig does not open. {INTO}",
    ),
    (
        ONE | {"X": stored(shape=(1, 1), dtype="f8", external=[("other.bin", 0, 8)])},
        {},
        f": '/X' keeps its data in another file, which craig does not open. {INTO}",
    ),
    (
        ONE | {"X": unknown_filter},
        {},
        ": '/X' is compressed by HDF5 filter 32015, which craig does not load. Compress it with "
        "gzip: h5repack -f GZIP=4.",
    ),
    (
        ONE | {"X": stored(data=[[1]], scaleoffset=4)},
        {},
        ": '/X' is compressed by HDF5 filter 6, which craig does not load. Compress it with gzip: "
        "h5repack -f GZIP=4.",
    ),
    *(
        (
            ONE | {"X": content},
            {"rows_key": "X"},
            f": '/X' is of {kind} type, not numbers. Write it as integers or floats.",
        )
        for content, kind in (
            (np.zeros((1, 1), "V4"), "an opaque"),
            (np.zeros((1, 1), complex), "a compound"),
            (np.array([[b"x"]]), "a text"),
            (stored(shape=(1, 1), dtype=h5py.ref_dtype), "a reference"),
            (stored(shape=(1, 1), dtype=h5py.regionref_dtype), "a reference"),
            (stored(shape=(1, 1), dtype=h5py.vlen_dtype(float)), "a variable-length"),
            (stored(shape=(1, 1), dtype=np.dtype(("f8", (3,)))), "an array"),
            (stored(shape=(1, 1), dtype=h5py.enum_dtype({"a": 0, "b": 1})), "an enumeration"),
        )
    ),
    (
        {"X": [[1.0]], "y": stored(shape=(1,), dtype=h5py.ref_dtype)},
        {},
        ": '/y' is of a reference type, neither numbers nor text. Write the labels as integers, "
        "floats or text.",
    ),
    (sparse(indptr=[1, 2, 2, 4]), {}, f": '/m/indptr' does not start at 0 (value '1'). {BY_ROWS}"),
    (sparse(indptr=[0, 2, 1, 4]), {}, f":2: '/m/indptr' falls in this row (value '1'). {BY_ROWS}"),
    (
        sparse(indptr=[0, 2, 2, 3]),
        {},
        f": '/m/indptr' does not end at the number of entries, 4 (value '3'). {BY_ROWS}",
    ),
    (
        sparse(indptr=np.array([0, 2, 2**64 - 1, 4], np.uint64)),
        {},
        f":2: '/m/indptr' falls in this row (value '-1'). {BY_ROWS}",
    ),
    (sparse(indptr=[0.0, 2, 2, 4]), {}, f": '/m/indptr' does not hold whole numbers. {BY_ROWS}"),
    (sparse(indptr=np.empty(0, int)), {}, f": '/m/indptr' is empty. {BY_ROWS}"),
    (sparse(indices=[0, 3, 1]), {}, ": '/m' has 4 data but 3 indices. Write the file again."),
    (
        sparse(indices=[0, 3, 2, 1]),
        {},
        f":3: the column index is not above the one before it (value '1'). {AGAIN}",
    ),
    (
        sparse(indices=[0, 3, 2, 2]),
        {},
        f":3: the column index is not above the one before it (value '2'). {AGAIN}",
    ),
    (
        sparse(indices=[0, 3, -1, 2]),
        {},
        f":3: the column index is not between 0 and 3 (value '-1'). {AGAIN}",
    ),
    (sparse(shape=[3, 3]), {}, f":1: the column index is not between 0 and 2 (value '3'). {AGAIN}"),
    (sparse(shape=[4, 3]), {}, f": '/m' has 3 rows, but its shape tells 4. {BY_ROWS}"),
    (
        sparse(shape=[3]),
        {},
        ": the shape of '/m' is not two whole numbers (value '[3]'). Write the "
        "number of rows and of columns.",
    ),
    (
        sparse(indices=[0, 2**31 - 1, 1, 2]),
        {},
        ": '/m' has more than 2147483647 columns (value '2147483648'). Renumber the columns.",
    ),
    (sparse(shape=as_columns), {}, f": '/m' is stored by columns (CSC). {BY_ROWS}"),
    (sparse(data=[1, 2, 3, np.nan]), {}, f":3:3: the value is not finite (value 'nan'). {CORRECT}"),
    (
        sparse(data=[1, 2**60, 3, 4]),
        {},
        f":1:4: the value {HUGE} (value '1152921504606846976'). {CORRECT}",
    ),
    (
        sparse(data=[[1.0, 2, 3, 4]]),
        {"rows_key": "m"},
        f": '/m/data' is 2-dimensional, not 1-dimensional. {RENAME}",
    ),
    (
        sparse(data=h5py.ExternalLink("other.h5", "/X")),
        {},
        f": '/m/data' is a link out of the file, which craig does not follow. {INTO}",
    ),
]


@pytest.mark.parametrize("block_bytes", [1, *slow(4 << 20)])
@pytest.mark.parametrize(
    ("contents", "options", "text"),
    [
        pytest.param(*case, marks=[pytest.mark.slow] * (place % 4 > 0))
        for place, case in enumerate(BAD_FILES)
    ],
)
def test_bad_files(
    tmp_path: Path,
    contents: dict[str, object],
    options: dict[str, str],
    text: str,
    block_bytes: int,
) -> None:
    path = write(tmp_path, contents)
    with pytest.raises(InputError) as caught:
        # Bad rows may be skipped; a file that is broken may not.
        on_error = "stop" if text[1].isdigit() else "skip"
        read(path, block_bytes=block_bytes, on_error=on_error, **options)
    assert str(caught.value) == f"{path}{text}"


def test_too_many_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_paths, "MOST_LINKS", 2)
    with (
        h5py.File(write(tmp_path, {"a": 1, "b": 2, "c": 3})) as file,
        pytest.raises(Fault) as caught,
    ):
        hdf5_paths.find_rows(h5py.h5g.open(file.id, b"/"), None, None)
    assert str(caught.value) == "the file has more than 2 links"


CANNOT = (
    "the HDF5 library cannot read this file: .* Check that it is an undamaged HDF5 file; "
    "copy "
    "it or write it again."
)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"label,a\n1,2\n",
        lambda data: data[:9],
        lambda data: data[: len(data) // 2],
    ],
)
def test_damaged_files(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = write(tmp_path, {"X": np.ones((100, 5)), "y": np.ones(100)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=f"^{path}: {CANNOT}$"):
        read(path)


def test_a_row_that_takes_too_much_memory(tmp_path: Path) -> None:
    path = write(tmp_path, ONE | {"X": stored(shape=(1, 1 << 40), dtype="f8", chunks=(1, 1 << 20))})
    with pytest.raises(InputError) as caught:
        read(path)
    assert "'/X' has 1 rows, 8796.1G in all, but the file stores 0M of them" in str(caught.value)


@pytest.mark.parametrize("seed", [*range(5), *slow(*range(5, 40))])
def test_random_damage_never_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(hdf5, "SILENCE_SECONDS", 5.0)
    rng = np.random.default_rng(seed)
    path = write(
        tmp_path,
        sparse()
        | {
            "X": stored(data=rng.random((40, 3)), chunks=(8, 3), compression="gzip"),
            "labels": ["a", "b"] * 20,
        },
    )
    data = bytearray(path.read_bytes())
    for place in rng.integers(0, len(data), rng.integers(1, 40)):
        data[place] = rng.integers(256)
    path.write_bytes(data[: rng.integers(len(data) // 2, len(data))] if seed % 5 == 0 else data)
    for key in ("X", "m"):
        try:
            read(path, rows_key=key, label="labels" if key == "X" else "y", block_bytes=100)
        except InputError as error:
            assert str(error).startswith(f"{path}:")


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(hdf5, "COMMAND", (sys.executable, "-c", code))


@pytest.mark.parametrize(
    "code",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "import os; os.write(1, b'123'); os.abort()",
        "1 / 0",
    ],
)
def test_a_crash_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    child(monkeypatch, f"import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); {code}")
    path = write(tmp_path, {})
    with pytest.raises(InputError) as caught:
        read(path)
    remedy = "It may be damaged or made to do harm: use a copy from a source you trust."
    assert str(caught.value) == f"{path}: the HDF5 library crashed reading this file. {remedy}"


def test_a_library_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(hdf5, "SILENCE_SECONDS", 0.2)
    path = write(tmp_path, {})
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        read(path)
    assert time.monotonic() - started < 10
    remedy = "Check that the file is not damaged and that its disk answers."
    assert str(caught.value) == (
        f"{path}: the HDF5 library stood still for 0.2 s reading this file. {remedy}"
    )


def test_an_interrupt_ends_the_wait(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    code = f"""
import os, sys
from craig_cli.readers import hdf5
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings
hdf5.COMMAND = (sys.executable, "-c", "import os, time; os.write(2, b'x'); time.sleep(60)")
settings = InputSettings(({str(path)!r},))
print("ready", flush=True)
list(hdf5.read_blocks(expand_sources(settings)[0], 0, settings, print, {{}}))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=10)[1]
        assert time.monotonic() - started < 5


def test_closing_early_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **options) -> None:  # type: ignore[no-untyped-def]
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    settings = InputSettings(
        (str(write(tmp_path, {"X": np.ones((100_000, 10)), "y": np.ones(100_000)})),),
        block_bytes=4096,
    )
    blocks = hdf5.read_blocks(expand_sources(settings)[0], 0, settings, never, {})
    next(blocks)
    assert started[0].poll() is None
    blocks.close()
    assert started[0].returncode == -signal.SIGKILL


def test_control_characters_in_names_are_escaped(tmp_path: Path) -> None:
    path = write(tmp_path, ONE | {"a\x1b[2J": [[1.0]], "b": [[1.0]]})
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: several datasets or groups may be the rows: /a\\x1b[2J, "
        f"/b. Choose one with --rows-key PATH."
    )
