"""``craig select --memory-limit``."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import listing

from craig_cli.errors import UsageError
from craig_cli.files.manifest import read_manifest
from craig_cli.readers import parquet
from craig_cli.selection import disk_cells, memory
from craig_cli.settings import parse_size, size_in_words


@pytest.fixture
def large(own_folder, monkeypatch):
    """Write ``large.parquet``: 6,000 rows of 8 columns in two classes; 4 MB hold them only on disk,
    in cells of 256 rows.
    """
    monkeypatch.setattr(memory, "BASE_BYTES", 0)
    monkeypatch.setattr(parquet, "READER", replace(parquet.READER, buffer_bytes=None))
    monkeypatch.setattr(disk_cells, "CELL_BYTES", 0)
    monkeypatch.setattr(disk_cells, "CELL_ROWS_AT_LEAST", 256)
    rng = np.random.default_rng(0)
    rows = (
        rng.normal(size=(6, 8))[rng.integers(6, size=6000)] + 0.3 * rng.normal(size=(6000, 8))
    ).astype(np.float32)
    columns = {f"x{c}": rows[:, c] for c in range(8)}
    pq.write_table(
        pa.table({"label": np.where(rows[:, 0] > 0, "up", "down"), **columns}), "large.parquet"
    )


def test_rows_that_do_not_fit_are_selected_from_disk(craig, large):
    result = craig(
        "select",
        "large.parquet",
        "--fraction",
        "0.05",
        "--for",
        "local",
        "--memory-limit",
        "4M",
        "-o",
        "cs.parquet",
        "--json",
    )
    assert (result.code, result.err) == (0, "")
    facts = json.loads(result.out)
    assert facts["method"] == "cells"
    assert facts["reason"] == "the rows do not fit the memory limit"
    assert facts["notes"] == [
        "The rows did not fit the memory limit: they were selected from cells on disk."
    ]
    assert facts["temporary_bytes"] == 2 * 6000 * 8 * 4
    assert craig("verify", "large.parquet", "cs.parquet").code == 0
    assert (
        craig(
            "select",
            "large.parquet",
            "--fraction",
            "0.05",
            "--method",
            "exact",
            "-o",
            "exact.parquet",
            "--json",
        ).code
        == 0
    )
    assert (
        facts["epsilon"]
        <= 1.1 * json.loads(craig("info", "exact.parquet", "--json").out)["epsilon"]["total"]
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_weights_of_rows_on_disk_are_calibrated(craig, large, own_folder, task):
    """To those of the same medoids in memory, which `craig calibrate` makes."""
    table = pq.read_table("large.parquet")
    noise = np.random.default_rng(1).normal(size=6000)
    amount = np.asarray(table["x1"]) + noise
    label = pa.array(amount if task == "regression" else amount > amount.mean())
    pq.write_table(table.set_column(0, "label", label), "large.parquet")
    options = ("--size", "300", "--task", task, "--memory-limit", "5M", "--json")
    facts = json.loads(craig("select", "large.parquet", *options, "-o", "cs.parquet").out)
    assert facts["notes"] == [
        "The rows did not fit the memory limit: they were selected from cells on disk."
    ]
    assert facts["weights"] == "calibrated"
    said = facts["calibration"]
    assert sum(said["residual_after"]) < sum(said["residual_before"])
    assert craig("verify", "large.parquet", "cs.parquet").code == 0
    assert craig("calibrate", "large.parquet", "cs.parquet", "-o", "in-memory.parquet").code == 0
    disk, memory = (read_manifest(f"{name}.parquet").coreset for name in ("cs", "in-memory"))
    assert disk.index.tolist() == memory.index.tolist()
    np.testing.assert_allclose(disk.weight, memory.weight, rtol=1e-5)


def test_weights_that_cannot_be_calibrated_are_said_to_be_so(craig, large):
    pilots = ",".join(f"{l2:.3g}" for l2 in np.geomspace(1e-6, 1, 60))
    options = ("--size", "50", "--pilot-l2", pilots, "--memory-limit", "4M", "-o", "cs.parquet")
    assert json.loads(craig("select", "large.parquet", *options, "--json").out)["notes"] == [
        "The rows did not fit the memory limit: they were selected from cells on disk.",
        "The weights were not calibrated, for which --memory-limit leaves no room: they are those "
        "of the method.",
    ]
    refused = craig("select", "large.parquet", *options, "--weights", "calibrated")
    assert (refused.code, refused.out) == (4, "")
    assert refused.err == (
        "craig: error: --weights calibrated: --memory-limit leaves no room for it beside the rows. "
        "Give a higher one.\n"
    )


def test_the_summary_states_temporary_files(craig, large):
    result = craig(
        *("select", "large.parquet", "--size", "50", "--memory-limit", "4M", "-v"),
        *("-o", "cs.parquet"),
    )
    assert " MB at the peak, and 0 MB of temporary files\n" in result.err


def test_same_bytes_for_any_threads_and_limits_on_disk(craig, large, own_folder):
    written = set()
    for threads, limit in (("1", "4M"), ("3", "4M"), ("2", "5MB")):
        assert (
            craig(
                "select",
                "large.parquet",
                "--size",
                "90",
                "--memory-limit",
                limit,
                "--threads",
                threads,
                "-o",
                "cs.parquet",
            ).code
            == 0
        )
        written.add((own_folder / "cs.parquet").read_bytes())
    assert len(written) == 1
    assert listing(own_folder) == ["cs.parquet", "large.parquet"]


def test_a_limit_that_suffices_changes_nothing(craig, large, own_folder):
    for name, options in (("a", ()), ("b", ("--memory-limit", "2GiB"))):
        assert (
            craig("select", "large.parquet", "--size", "90", *options, "-o", f"{name}.parquet").code
            == 0
        )
    assert (own_folder / "a.parquet").read_bytes() == (own_folder / "b.parquet").read_bytes()


@pytest.mark.parametrize(
    "options",
    (
        ["--method", "exact"],
        ["--method", "stratified"],
        ["--method", "cells", "--sample-rows", "100"],
    ),
)
def test_what_cannot_work_from_disk_is_refused_with_what_would_fit(
    craig, large, own_folder, options
):
    result = craig(
        "select",
        "large.parquet",
        "--size",
        "90",
        *options,
        "--memory-limit",
        "4M",
        "-o",
        "cs.parquet",
    )
    assert result.code == 4
    words = result.err.split()
    needed = words[words.index("needs") + 1]
    assert result.err.startswith(
        f"craig: error: --memory-limit: method {options[1]} needs {needed} for these 6,000 rows. "
        f"Give --memory-limit {needed}, or "
    )
    assert listing(own_folder) == ["large.parquet"]
    assert (
        craig(
            "select",
            "large.parquet",
            "--size",
            "90",
            *options,
            "--memory-limit",
            needed,
            "-o",
            "cs.parquet",
        ).code
        == 0
    )


def test_too_small_for_anything(craig, data):
    result = craig(
        "select", "data.csv", "--size", "3", "--memory-limit", "100M", "-o", "cs.parquet"
    )
    needed = size_in_words(memory.BASE_BYTES)
    assert (result.code, result.err) == (
        4, f"craig: error: --memory-limit: craig itself takes {needed}, before any rows. Give a "
           f"higher --memory-limit.\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2G", 2 * 10**9),
        ("512MiB", 512 << 20),
        ("1.5 gb", 1_500_000_000),
        ("1000", 1000),
        ("3Ki", 3072),
    ],
)
def test_sizes(text, size):
    assert parse_size("--memory-limit", text) == size


@pytest.mark.parametrize("text", ("", "G", "2X", "-1G", "1e9", "2iB"))
def test_what_is_no_size(text):
    with pytest.raises(UsageError) as error:
        parse_size("--memory-limit", text)
    assert str(error.value) == f"--memory-limit: '{text}' is not a size such as 512M, 2G or 1.5GiB."


@pytest.mark.parametrize("size", (1, 999_999_999, 10**9, 1_234_567_890, 2 * 10**9))
def test_a_size_in_words_is_read_back_as_no_less(size):
    assert size <= parse_size("", size_in_words(size)) <= 1.01 * size + 10**6
