"""Folders below folders, files that hold no rows, and columns that folders name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from craig_cli.cli import main
from craig_cli.errors import CraigError
from craig_cli.files.manifest import read_manifest
from craig_cli.readers import read_dataset
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings
from craig_cli.storage.remote import fits

PLACES = ("year=2023/town=Oslo", "year=2023/town=Bergen%2FV", "year=2024/town=Oslo")


def write_rows(path: Path, rng: np.random.Generator, n: int = 12) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"a": rng.normal(size=n), "b": rng.normal(size=n), "y": rng.integers(0, 2, n)})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        pyarrow.csv.write_csv(table, path)


@pytest.fixture(params=["csv", "parquet"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a folder with partitions, and what Spark leaves beside; return its name."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for place in PLACES:
        write_rows(Path("lake", place, f"part-0.{request.param}"), rng)
    for litter in ("_SUCCESS", "_metadata", ".part.csv.crc", "year=2023/._x.csv"):
        Path("lake", litter).write_text("no rows")
    write_rows(Path("lake/_temporary", f"part-9.{request.param}"), rng)
    return "lake"


def files_of(name: str) -> list[str]:
    return [source.name for source in expand_sources(InputSettings((name,)))]


def test_folders_are_entered_where_there_is_no_file_above(lake: str) -> None:
    (end,) = {Path(name).suffix for name in files_of(lake)}
    expected = [f"lake/{place}/part-0{end}" for place in sorted(PLACES)]
    assert files_of(lake) == expected
    assert files_of("lake/year=2023") == expected[:2]
    assert files_of(f"lake/**/*{end}") == expected
    assert files_of(f"lake/*/town=Oslo/*{end}") == [expected[1], expected[2]]
    Path(f"lake/own{end}").write_bytes(Path(expected[0]).read_bytes())
    assert files_of(lake) == [f"lake/own{end}"]


def test_partitions_are_columns_if_asked_for(lake: str) -> None:
    plain = read_dataset(InputSettings((lake,)))
    assert plain.column_names == ("a", "b")
    assert plain.notes == (
        "Folders are named year=..., town=...: --partition-columns makes columns of that.",
    )
    found = read_dataset(InputSettings((lake,), partition_columns=True, one_hot=("town",)))
    assert found.column_names == ("a", "b", "year", "town=Bergen/V", "town=Oslo")
    assert np.array_equal(found.rows[:, :2], plain.rows)
    town = np.repeat([[1, 0], [0, 1], [0, 1]], 12, axis=0)
    assert np.array_equal(found.rows[:, 2], np.repeat([2023, 2023, 2024], 12))
    assert np.array_equal(found.rows[:, 3:], town)
    assert np.array_equal(found.labels, plain.labels)
    assert found.notes == ()


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({"label": "year", "drop": ("town",)}, [2023, 2023, 2024]),
        ({"label": "town", "drop": ("year",)}, ["Bergen/V", "Oslo", "Oslo"]),
        (
            {"label": "year", "drop": ("town",), "task": "regression"},
            [2023.0, 2023.0, 2024.0],
        ),
    ],
)
def test_a_partition_may_be_the_label(lake: str, options: dict, labels: list) -> None:
    found = read_dataset(InputSettings((lake,), partition_columns=True, **options))
    assert found.column_names == ("a", "b", "y")
    assert found.labels is not None
    assert found.labels.tolist() == [label for label in labels for _ in range(12)]


def test_partitions_as_weights(lake: str) -> None:
    settings = InputSettings((lake,), partition_columns=True, drop=("town",), weight_column="year")
    weights = read_dataset(settings).weights
    assert weights is not None
    assert weights.tolist() == np.repeat([2023.0, 2023, 2024], 12).tolist()


def test_both_formats_read_the_same(tmp_path: Path) -> None:
    found = []
    for end in ("csv", "parquet"):
        rng = np.random.default_rng(0)
        for place in PLACES:
            write_rows(tmp_path / end / place / f"part.{end}", rng)
        settings = InputSettings((str(tmp_path / end),), partition_columns=True, one_hot=("town",))
        found.append(read_dataset(settings))
    assert np.allclose(found[0].rows, found[1].rows, atol=1e-15)
    assert found[0].column_names == found[1].column_names
    assert found[0].labels is not None
    assert np.array_equal(found[0].labels, found[1].labels)


def test_on_disk_in_parts_and_merged_the_same_rows_are_read(lake: str) -> None:
    options = (
        *(lake, "--partition-columns", "--drop", "town", "--fraction", "0.3"),
        *("--method", "exact", "--for", "local"),
    )
    assert main(["select", *options, "-o", "memory.parquet"]) == 0
    memory = read_manifest("memory.parquet")
    assert memory.request["input"]["partition_columns"] is True
    assert memory.files == tuple(files_of(lake))
    assert main(["select", *options, "--parts", "3", "-o", "parts.parquet"]) == 0
    assert read_manifest("parts.parquet").files == memory.files
    for number, file in enumerate(files_of(lake)):
        own = ("select", file, *options[1:], "--partial", "-o", f"{number}.partial")
        assert main(own) == 0
    partials = [f"{number}.partial" for number in range(3)]
    assert main(["merge", *partials, "-o", "merged.parquet"]) == 0
    merged, parts = read_manifest("merged.parquet"), read_manifest("parts.parquet")
    assert merged.files == parts.files
    assert merged.coreset.index.tolist() == parts.coreset.index.tolist()
    for name in ("memory.parquet", "parts.parquet", "merged.parquet"):
        assert main(["verify", lake, name]) == 0
    limit = ("--memory-limit", "2G", "--method", "cells")
    on_disk = [*options[:-4], *limit, "--for", "local", "-o", "disk.parquet"]
    assert main(["select", *on_disk]) == 0
    assert main(["verify", lake, "disk.parquet"]) == 0


def test_apply_copies_rows_with_the_columns_of_their_folders(lake: str) -> None:
    options = (lake, "--partition-columns", "--label", "town", "--drop", "y")
    out = Path(files_of(lake)[0]).suffix
    assert main(["select", *options, "--size", "6", "-o", "cs.parquet"]) == 0
    assert main(["apply", lake, "cs.parquet", "-o", f"chosen{out}"]) == 0
    chosen = InputSettings((f"chosen{out}",), label="town", drop=("y", "weight"))
    copied, manifest = read_dataset(chosen), read_manifest("cs.parquet")
    assert copied.column_names == ("a", "b", "year")
    assert manifest.coreset.label is not None and copied.labels is not None
    assert copied.labels.tolist() == manifest.coreset.label.tolist()
    whole = read_dataset(InputSettings((lake,), partition_columns=True, label="town", drop=("y",)))
    assert np.allclose(copied.rows, whole.rows[manifest.coreset.index])


def test_describe_tells_the_columns_of_folders(
    lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", lake, "--partition-columns", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    types = {column["name"]: column["type"] for column in facts["described"]}
    assert types == {
        "a": "number",
        "b": "number",
        "y": "whole number",
        "year": "whole number",
        "town": "text",
    }
    assert main(facts["command"].split()[1:]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {},
            "lake/year=2023/town=Bergen%2FV/part-0{}: the folders' column 'town' holds text, not "
            "numbers (value 'Bergen/V'). Use --drop town or --one-hot town.",
        ),
        (
            {"drop": ("place",)},
            "--drop: lake/year=2023/town=Bergen%2FV/part-0{} has no column 'place'. The columns "
            "are a, b, y, year, town.",
        ),
    ],
)
def test_what_folders_hold_is_told(lake: str, options: dict, message: str) -> None:
    end = Path(files_of(lake)[0]).suffix
    with pytest.raises(CraigError) as caught:
        read_dataset(InputSettings((lake,), partition_columns=True, **options))
    text = str(caught.value).partition("\n")[0]
    if options or end == ".csv":
        assert text == message.format(end)
    else:
        assert "'town'" in text and "--one-hot town" in text


def test_partitions_where_there_are_none_are_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", np.random.default_rng(0))
    with pytest.raises(CraigError) as caught:
        read_dataset(InputSettings((str(tmp_path / "a.csv"),), partition_columns=True))
    assert str(caught.value) == (
        f"--partition-columns: no folder of {tmp_path / 'a.csv'} is named as COLUMN=VALUE. Leave "
        f"it out."
    )
    Path(tmp_path, "k=1").mkdir()
    (tmp_path / "k=1" / "a.libsvm").write_text("1 1:2\n")
    with pytest.raises(CraigError, match="columns of libsvm files have no names"):
        read_dataset(InputSettings((str(tmp_path / "k=1/a.libsvm"),), partition_columns=True))


@pytest.mark.parametrize(
    ("path", "pattern", "is_fit"),
    [
        ("a.csv", "*.csv", True),
        ("x/a.csv", "*.csv", False),
        ("x/y/a.csv", "**/*.csv", True),
        ("a.csv", "**/*.csv", True),
        ("x/_t/a.csv", "**/*.csv", False),
        ("x/_a.csv", "x/*.csv", False),
        ("x/_a.csv", "x/_*.csv", True),
        ("year=1/a.csv", "year=[12]/**", True),
        ("year=3/a.csv", "year=[12]/**", False),
    ],
)
def test_patterns_in_stores(path: str, pattern: str, is_fit: bool) -> None:
    assert fits(path.split("/"), pattern.split("/")) == is_fit
