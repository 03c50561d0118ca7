"""Parquet files whose metadata asks for far more than they hold: one line, in little memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import forked_reads
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from forked_reads import read_whole
from parquet_files import field, join, places, read_struct, rows_of_one_value, small_file, split
from parquet_files import written as written_struct
from tools import slow

import craig_cli
from craig_cli.errors import InputError
from craig_cli.readers import parquet, parquet_guard
from craig_cli.readers.parquet_guard import reading_limits
from craig_cli.readers.sources import expand_sources
from craig_cli.readers.thrift import values_stated
from craig_cli.settings import InputSettings

EXTREMES = (-1, 0, 1, 10**6, 10**9, 2**31 - 1, 10**12, 2**62, 2**63 - 1)
MOST_MEMORY = 200 << 20
MOST_SECONDS = 10
RNG = np.random.default_rng(0)
FLAT = pa.table(
    {"a": RNG.random(300), "b": RNG.integers(0, 5, 300), "label": ["x", "y", "z"] * 100}
)
LISTS = pa.table({"e": pa.array([[1.0, 2.0]] * 300), "d": pa.array(["p", "q"] * 150)})
FILES = {
    "plain": small_file(FLAT, compression="none"),
    "snappy": small_file(FLAT, compression="snappy"),
    "second version": small_file(FLAT, compression="zstd", data_page_version="2.0"),
    "lists": small_file(LISTS, compression="none"),
    "deltas": small_file(
        FLAT.select(["a", "label"]),
        compression="none",
        use_dictionary=False,
        column_encoding={"a": "BYTE_STREAM_SPLIT", "label": "DELTA_LENGTH_BYTE_ARRAY"},
    ),
}


def check_outcomes(folder: Path, files: list[bytes]) -> None:
    """Check that each file is read or refused, in little memory and time."""
    folder = folder / "cases"
    folder.mkdir()
    for number, data in enumerate(files):
        (folder / f"{number:06}.parquet").write_bytes(data)
    done = subprocess.run(
        [sys.executable, Path(forked_reads.__file__), folder],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(craig_cli.__file__).parents[1])},
    )
    outcomes = [line.split() for line in done.stdout.splitlines()]
    assert len(outcomes) == len(files)
    for code, memory, seconds in outcomes:
        assert int(code) in (0, 3, 4)
        assert int(memory) < MOST_MEMORY
        assert float(seconds) < MOST_SECONDS


def changed_files(data: bytes) -> list[bytes]:
    """Return the file with each number of its footer and of its first page set to extremes."""
    pages, footer = split(data)
    found = []
    for which in range(len(list(places(footer)))):
        for value in EXTREMES:
            changed = split(data)[1]
            holder, at = list(places(changed))[which]
            holder[at] = value
            found.append(join(pages, changed))
    (group, *_) = field(footer, 4)[2][2]
    facts = field(field(group, 1)[2][2][-1], 3)[2]  # of the last column, so that none is moved
    start = field(facts, 9)[2]
    header, end = read_struct(data, start)
    for which in range(len(list(places(header)))):
        for value in EXTREMES:
            changed, _ = read_struct(data, start)
            holder, at = list(places(changed))[which]
            holder[at] = value
            text = written_struct(changed)
            own = split(data)[1]
            own_facts = field(field(field(own, 4)[2][2][0], 1)[2][2][-1], 3)[2]
            field(own_facts, 7)[2] += len(text) - (end - start)
            found.append(join(pages[:start] + text + pages[end:], own))
    return found


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("every", [101, *slow(1)])
def test_every_number_set_to_extremes(tmp_path: Path, name: str, every: int) -> None:
    assert read_whole_of(tmp_path, FILES[name]) == 300
    check_outcomes(tmp_path, changed_files(FILES[name])[::every])


def read_whole_of(folder: Path, data: bytes) -> int:
    (folder / "x.parquet").write_bytes(data)
    return read_whole(folder / "x.parquet")


@pytest.mark.parametrize("n_cases", [60, *slow(3000)])
def test_random_damage(tmp_path: Path, n_cases: int) -> None:
    rng, files = np.random.default_rng(5), list(FILES.values())
    damaged = []
    for case in range(n_cases):
        data = bytearray(files[case % len(files)])
        for place in rng.integers(4, len(data), rng.integers(1, 8)):
            data[place] = rng.integers(256)
        damaged.append(bytes(data))
    check_outcomes(tmp_path, damaged)


def test_rows_that_no_memory_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_guard, "available_bytes", lambda: 20 * 10**9)
    path = tmp_path / "x.parquet"
    path.write_bytes(rows_of_one_value(10**9, 1000))
    for use in (
        read_whole,
        lambda p: parquet.READER.count_rows(*expand_sources(InputSettings((str(p),)))),
    ):
        with pytest.raises(InputError) as caught:
            use(path)
        assert str(caught.value) == (
            f"{path}: the Parquet file states 1,000,000,000,000 rows, 8000G as numbers, but stores "
            "1M, and memory is 20G. Check that the file is not damaged or made to do harm."
        )


def test_lists_of_values_that_no_memory_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_guard, "available_bytes", lambda: 20 * 10**9)
    pages, footer = split(FILES["lists"])
    (group,) = field(footer, 4)[2][2]
    for column, n_values in zip(field(group, 1)[2][2], (10**12, 300), strict=True):
        field(field(column, 3)[2], 5)[2] = n_values
    with pytest.raises(InputError, match="states 300 rows, 8000"):
        read_whole_of(tmp_path, join(pages, footer))


def test_values_are_counted_as_pyarrow_does(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(LISTS, path, row_group_size=70)
    data, facts = path.read_bytes(), pq.read_metadata(path)
    footer = data[-8 - facts.serialized_size : -8]
    assert values_stated(footer) == [
        [facts.row_group(g).column(c).num_values for c in range(facts.num_columns)]
        for g in range(facts.num_row_groups)
    ]


def test_rows_of_one_value_that_memory_holds_are_read(tmp_path: Path) -> None:
    assert read_whole_of(tmp_path, rows_of_one_value(10**6, 3)) == 3 * 10**6


def test_row_groups_must_add_up(tmp_path: Path) -> None:
    pages, footer = split(FILES["plain"])
    field(footer, 3)[2] = 301
    with pytest.raises(InputError) as caught:
        read_whole_of(tmp_path, join(pages, footer))
    assert str(caught.value) == (
        f"{tmp_path / 'x.parquet'}: the Parquet file states other numbers of rows than its row "
        "groups (value '301'). Copy or write the file again."
    )


def test_large_files_are_read_through_a_buffer(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(FILES["plain"])
    with path.open("rb") as stream:
        assert reading_limits(stream)["buffer_size"] == 0
    path.write_bytes(bytes(parquet_guard.SMALL_BYTES) + FILES["plain"])
    with path.open("rb") as stream:
        limits = reading_limits(stream)
        assert stream.tell() == 0
    assert limits["buffer_size"] == parquet_guard.BUFFER_BYTES


def test_a_footer_of_many_columns_is_within_its_limits(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({f"c{i}": [1.0, 2.0] for i in range(3000)}), path, row_group_size=1)
    assert read_whole(path) == 2
