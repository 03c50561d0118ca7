"""``craig select --include --exclude --extend``."""

from __future__ import annotations

import json

import pytest

from craig_cli.files.manifest import read_manifest

PLAIN = ("--weights", "cluster", "--representative", "medoid", "--method", "exact")


def picks(name):
    return read_manifest(name).coreset.index.tolist()


def test_rows_from_files(craig, data, own_folder):
    (own_folder / "in.txt").write_text("# must be there\n7\n\n 8 # and this\n")
    (own_folder / "out.txt").write_text("3\n9")
    options = (
        "--size",
        "5",
        *PLAIN,
        "--include",
        "in.txt",
        "--exclude",
        "out.txt",
        "-o",
        "cs.parquet",
    )
    assert craig("select", "data.csv", *options).code == 0
    coreset = read_manifest("cs.parquet").coreset
    assert (coreset.index[:2].tolist(), coreset.n_given, coreset.weight.sum()) == ([7, 8], 2, 12)
    assert not {3, 9} & set(coreset.index.tolist())
    assert read_manifest("cs.parquet").request["include"] == [7, 8]
    assert craig("verify", "data.csv", "cs.parquet").code == 0
    assert craig("info", "cs.parquet").code == 0
    first = craig("apply", "data.csv", "cs.parquet", "--first", "3", "-o", "s.npz")
    assert first.code == 0


def test_extending_a_manifest(craig, data):
    assert craig("select", "data.csv", "--size", "3", *PLAIN, "-o", "small.parquet").code == 0
    assert (
        craig(
            "select",
            "data.csv",
            "--size",
            "6",
            *PLAIN,
            "--extend",
            "small.parquet",
            "-o",
            "large.parquet",
        ).code
        == 0
    )
    assert picks("large.parquet")[:3] == picks("small.parquet")
    assert craig("select", "data.csv", "--size", "6", *PLAIN, "-o", "whole.parquet").code == 0
    assert sorted(picks("large.parquet")) == sorted(picks("whole.parquet"))
    assert craig("verify", "data.csv", "large.parquet").code == 0
    planned = json.loads(
        craig(
            "select", "data.csv", "--size", "6", "--extend", "small.parquet", "--dry-run", "--json"
        ).out
    )
    assert (planned["method"], [c["k"] for c in planned["classes"]]) == ("exact", [4, 2])


def test_a_manifest_without_given_rows_says_nothing_of_them(craig, data):
    assert craig("select", "data.csv", "--size", "3", *PLAIN, "-o", "cs.parquet").code == 0
    manifest = read_manifest("cs.parquet")
    assert (
        not {"include", "exclude", "extend"} & set(manifest.request)
        and "given" not in manifest.facts()
    )


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            "1\nx\n",
            3,
            "in.txt:2: this is not a row number (value 'x'). Write one whole number a "
            "line, counted from 0.",
        ),
        (
            "-1\n",
            3,
            "in.txt:1: this is not a row number (value '-1'). Write one whole number a "
            "line, counted from 0.",
        ),
        (
            "1\n\n1\n",
            3,
            "in.txt:3: the row stands on line 1 already (value '1'). Name each row once.",
        ),
        (
            "# none\n",
            3,
            "in.txt: there are no row numbers. Write one whole number a line, or leave "
            "the option out.",
        ),
        ("99\n", 2, "--include: there is no row 99, counted from 0, but 12 in all."),
    ],
)
def test_what_is_refused(craig, data, own_folder, text, code, message):
    (own_folder / "in.txt").write_text(text)
    result = craig(
        "select", "data.csv", "--size", "5", *PLAIN, "--include", "in.txt", "-o", "cs.parquet"
    )
    assert (result.code, result.err) == (code, f"craig: error: {message}\n")


def test_stdin_is_read_once(craig, data):
    result = craig(
        "select", "data.csv", "--size", "5", "--include", "-", "--exclude", "-", "-o", "cs.parquet"
    )
    assert (result.code, result.err) == (
        2,
        "craig: error: --include and --exclude cannot both be read from stdin: name a file for "
        "one.\n",
    )


def test_other_distances_and_other_data_are_not_extended(craig, data, own_folder):
    assert craig("select", "data.csv", "--size", "3", *PLAIN, "-o", "small.parquet").code == 0
    result = craig(
        "select",
        "data.csv",
        "--size",
        "6",
        *PLAIN,
        "--scale",
        "standard",
        "--extend",
        "small.parquet",
        "-o",
        "l.parquet",
    )
    wanted = (
        "--extend: small.parquet was selected with --scale none, and this is standard. Give "
        "--scale none."
    )
    assert (result.code, result.err) == (2, f"craig: error: {wanted}\n")
    (own_folder / "other.csv").write_text(data.read_text() + "0,5\n")
    result = craig(
        "select", "other.csv", "--size", "6", *PLAIN, "--extend", "small.parquet", "-o", "l.parquet"
    )
    assert result.code == 3
    assert result.err.startswith(
        "craig: error: small.parquet: it was selected from other data (craig1:"
    )
