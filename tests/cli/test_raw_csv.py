"""One raw CSV file, as a spreadsheet of another country writes it, on every road."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from craig_cli.files.manifest import read_manifest
from craig_cli.readers import read_dataset
from craig_cli.settings import InputSettings

OPTIONS = ("--decimal", ",", "--thousands", ".", "--one-hot", "city")
SELECT = ("--fraction", "0.2", "--method", "cells", "--for", "local")


def number(value: float) -> str:
    """Return a number as Germany writes it."""
    return f"{value:,.3f}".replace(",", "x").replace(".", ",").replace("x", ".")


def raw_text(seed: int, n: int = 80) -> str:
    rng = np.random.default_rng(seed)
    lines = ["sep=;", "a;'n b';city;active;label"]
    for row in range(n):
        a, b = rng.normal(size=2) * (1, 3000)
        city = ('"two\nlines"', "Köln", '"x;y"')[row % 3]
        label = ('"pos;\r\nitive"', "negative")[row % 2]
        lines.append(f"{number(a)};{number(b)};{city};{('Ja', 'yes')[1]};{label}")
        lines[-1] = lines[-1].replace(";yes;", f";{('yes', 'No')[int(rng.integers(2))]};")
    return "\r\n".join(lines) + "\r\n"


@pytest.fixture
def raw(own_folder: Path) -> tuple[str, str]:
    for name, seed in (("a.csv", 0), ("b.csv", 1)):
        Path(name).write_bytes(raw_text(seed).encode("utf-16"))
    return "a.csv", "b.csv"


def test_memory_disk_parts_and_merge_read_the_same(craig, raw):
    def done(*arguments: str) -> None:
        result = craig(*arguments)
        assert result.code == 0, result.err

    plain = ("--decimal", ",", "--thousands", ".", "--drop", "city")
    done("select", *raw, *plain, *SELECT, "-o", "memory.parquet")
    done("select", *raw, *plain, *SELECT, "--memory-limit", "1G", "-o", "disk.parquet")
    done("select", *raw, *plain, *SELECT, "--parts", "3", "-o", "parts.parquet")
    for name in raw:
        done("select", name, *plain, *SELECT, "--partial", "-o", f"{name}.partial")
    done("merge", *[f"{name}.partial" for name in raw], "-o", "merged.parquet")
    for name in ("memory", "disk", "parts", "merged"):
        done("verify", *raw, f"{name}.parquet")
        manifest = read_manifest(f"{name}.parquet")
        assert manifest.request["input"]["decimal"] == ","
        assert manifest.coreset.n_columns == 3
        assert set(manifest.coreset.label.tolist()) == {"pos;\r\nitive", "negative"}
    assert Path("memory.parquet").read_bytes() == Path("disk.parquet").read_bytes()


def test_rows_are_copied_as_they_stand_and_trained_on(craig, raw):
    assert craig("select", *raw, *OPTIONS, *SELECT, "-o", "cs.parquet").code == 0
    for command in (
        ("apply", *raw, "cs.parquet", "-o", "chosen.csv"),
        ("train", *raw, "--coreset", "cs.parquet", "-o", "model.npz"),
        ("evaluate", *raw, "--coreset", "cs.parquet"),
        ("predict", "a.csv", "model.npz", "-o", "p.parquet"),
    ):
        result = craig(*command)
        assert result.code == 0, result.err
    settings = InputSettings(
        ("chosen.csv",), decimal=",", thousands=".", one_hot=("city",), drop=("weight",)
    )
    copied, manifest = read_dataset(settings), read_manifest("cs.parquet")
    whole = read_dataset(InputSettings(raw, decimal=",", thousands=".", one_hot=("city",)))
    assert np.array_equal(copied.rows, whole.rows[manifest.coreset.index])
    assert copied.labels is not None and manifest.coreset.label is not None
    assert copied.labels.tolist() == manifest.coreset.label.tolist()
    assert {str(name) for name in copied.column_names or ()} >= {"city=two\nlines", "active"}


def test_settings_that_are_not_given_are_not_in_the_manifest(craig, data):
    assert craig("select", "data.csv", "--fraction", "0.5", "-o", "cs.parquet").code == 0
    kept = read_manifest("cs.parquet").request["input"]
    assert "decimal" not in kept
    assert "thousands" not in kept
    assert "partition_columns" not in kept


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--memory-limit", "1M"), 4, "--memory-limit"),
        (("--memory-limit", "1G", "--weight-column", "a"), 4, "--weight-column"),
        (("--no-label", "--weights", "calibrated"), 2, "a pilot needs labels"),
        (("--weights", "calibrated", "--pilot-loss", "softmax", "--task", "regression"), 2, "loss"),
        (("--extend", "other.parquet"), 3, "selected from other data"),
        (("-o", "data.csv"), 2, "data.csv"),
        (("--one-hot", "b"), 2, "has no column"),
    ],
)
def test_a_dry_run_refuses_what_select_refuses(craig, data, options, code, said):
    text = data.read_text().splitlines()
    extra = ["c", *("xyz"[row % 3] for row in range(len(text) - 1))]
    Path("data.csv").write_text(
        "\n".join(f"{line},{more}" for line, more in zip(text, extra, strict=True)) + "\n"
    )
    Path("other.csv").write_text("label,a,c\n0,1,2\n1,3,4\n0,5,6\n1,7,9\n")
    assert craig("select", "other.csv", "--size", "2", "-o", "other.parquet").code == 0
    drop = () if "--label" in options else ("--drop", "c")
    output = () if "-o" in options else ("-o", "x.parquet")
    results = [
        craig("select", "data.csv", *drop, *options, *output, "--size", "6", *more)
        for more in ((), ("--dry-run",))
    ]
    assert results[0].code == results[1].code == code, results[0].err + results[1].err
    assert said in results[1].err
    assert results[0].err == results[1].err
    assert not Path("x.parquet").exists()
