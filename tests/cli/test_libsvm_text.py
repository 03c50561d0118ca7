"""LIBSVM text as people have it, through the commands: columns from 0, label:weight, qid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from craig_cli.files.manifest import read_manifest
from craig_cli.files.model import read_model
from craig_cli.readers import read_dataset
from craig_cli.readers.agreement import FROM_0, INLINE_WEIGHTS, QUERIES
from craig_cli.settings import InputSettings

SELECT = ("--size", "6", "--for", "local")


def lines_of(n: int, base: int, seed: int = 0, start: str = "{label}") -> list[str]:
    """Return rows of LIBSVM text, with two columns; the first is often zero."""
    rng = np.random.default_rng(seed)
    lines = []
    for row in range(n):
        words = [start.format(label=row % 2, weight=1 + row % 4, qid=7 - row % 3)]
        words += [f"{base}:{rng.integers(1, 9)}"] * int(rng.random() < 0.5)
        words += [f"{base + 1}:{rng.standard_normal():.4f}"]
        lines.append(" ".join(words) + "\n")
    return lines


def write(name: str, lines: list[str]) -> None:
    Path(name).write_text("".join(lines))


def run(craig, *words: str) -> tuple[dict, str]:
    """Return what a command that succeeds reports, as JSON and as text."""
    result = craig(*words, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out), result.err


def manifest_facts(path: str) -> tuple:
    """Return the bytes of the picks of a manifest, and its request."""
    manifest = read_manifest(path)
    c = manifest.coreset
    arrays = (c.index, c.weight, c.gain, c.epsilon, c.cluster_size)
    return [a.tobytes() for a in arrays], manifest.request, manifest.data_fingerprint, c.notes


def test_auto_and_0_make_the_same_manifest(craig, own_folder):
    write("d.libsvm", lines_of(40, 0))
    facts, _ = run(craig, "select", "d.libsvm", *SELECT, "-o", "auto.parquet")
    assert FROM_0 in facts["notes"]
    assert facts["columns"] == 2
    facts, _ = run(craig, "select", "d.libsvm", *SELECT, "--index-base", "0", "-o", "0.parquet")
    assert FROM_0 not in facts["notes"]
    assert Path("auto.parquet").read_bytes() == Path("0.parquet").read_bytes()
    assert read_manifest("auto.parquet").request["input"]["index_base"] == 0
    result = craig("select", "d.libsvm", *SELECT, "-o", "auto.parquet")
    assert "note      Columns count from 0, as index 0 occurs" in result.err
    for command in (("verify",), ("apply", "-o", "s.libsvm", "--force")):
        facts, _ = run(craig, command[0], "d.libsvm", "auto.parquet", *command[1:])


def test_columns_from_1_are_as_before(craig, own_folder):
    write("d.libsvm", lines_of(40, 1))
    run(craig, "select", "d.libsvm", *SELECT, "-o", "auto.parquet")
    run(craig, "select", "d.libsvm", *SELECT, "--index-base", "1", "-o", "1.parquet")
    assert Path("auto.parquet").read_bytes() == Path("1.parquet").read_bytes()


def test_under_a_limit_of_memory(craig, own_folder):
    write("d.libsvm", lines_of(40, 0))
    run(craig, "select", "d.libsvm", *SELECT, "-o", "a.parquet")
    facts, _ = run(craig, "select", "d.libsvm", *SELECT, "--memory-limit", "2G", "-o", "b.parquet")
    assert FROM_0 in facts["notes"]
    assert manifest_facts("a.parquet") == manifest_facts("b.parquet")


@pytest.fixture
def two_files(own_folder):
    """Index 0 occurs in the second file only."""
    write("a.libsvm", [line.replace(" 0:", " 1:") for line in lines_of(20, 1, 1)])
    write("b.libsvm", lines_of(20, 0, 2))


@pytest.mark.parametrize("parts", ["2", "3", "files"])
@pytest.mark.parametrize("partition", ["rows", "cells"])
def test_parts_agree_before_they_are_read(craig, two_files, parts, partition):
    words = ("select", "a.libsvm", "b.libsvm", *SELECT, "--parts", parts, "--partition", partition)
    facts, _ = run(craig, *words, "-o", "auto.parquet")
    assert FROM_0 in facts["notes"]
    run(craig, *words, "--index-base", "0", "-o", "0.parquet")
    assert Path("auto.parquet").read_bytes() == Path("0.parquet").read_bytes()
    run(craig, "verify", "a.libsvm", "b.libsvm", "auto.parquet")


def test_partials_of_other_bases_are_refused_in_words(craig, two_files):
    shard = ("--partial", *SELECT)
    run(craig, "select", "a.libsvm", *shard, "-o", "a.partial")
    facts, _ = run(craig, "select", "b.libsvm", *shard, "-o", "b.partial")
    assert FROM_0 in facts["notes"]
    result = craig("merge", "a.partial", "b.partial", "-o", "cs.parquet")
    assert result.code == 3
    assert result.err.endswith(
        "b.partial: its columns count from 0, and those of a.partial from 1. Make those that "
        "count from 1 again with --index-base 0.\n"
    )
    run(craig, "select", "a.libsvm", *shard, "--index-base", "0", "-o", "a.partial")
    run(craig, "merge", "a.partial", "b.partial", "-o", "cs.parquet")
    run(craig, "select", "a.libsvm", "b.libsvm", *SELECT, "--parts", "files", "-o", "p.parquet")
    assert manifest_facts("cs.parquet")[0] == manifest_facts("p.parquet")[0]
    run(craig, "verify", "a.libsvm", "b.libsvm", "cs.parquet")


def test_a_finished_shard_is_kept_if_its_base_is_that_of_the_run(craig, two_files):
    shard = ("--partial", *SELECT, "-o", "x.partial")
    run(craig, "select", "b.libsvm", *shard)
    assert run(craig, "select", "b.libsvm", *shard)[0]["is_kept"]
    run(craig, "select", "a.libsvm", *shard, "--index-base", "0", "--force")
    assert not run(craig, "select", "a.libsvm", *shard)[0]["is_kept"]


def test_a_model_reads_test_rows_from_its_base(craig, own_folder):
    write("d.libsvm", lines_of(60, 0))
    no_0 = [line for line in lines_of(60, 0, 5) if " 0:" not in line]
    write("test.libsvm", no_0)
    run(craig, "select", "d.libsvm", *SELECT, "-o", "cs.parquet")
    facts, _ = run(craig, "train", "d.libsvm", "-o", "m.npz")
    assert FROM_0 in facts["notes"]
    assert read_model("m.npz").facts["input"]["index_base"] == 0
    facts, _ = run(craig, "predict", "test.libsvm", "m.npz", "-o", "p.parquet")
    assert facts["columns"] == 2
    told, _ = run(craig, "predict", "test.libsvm", "m.npz", "--index-base", "0", "-o", "q.parquet")
    assert facts["error"] == told["error"]
    assert Path("p.parquet").read_bytes() == Path("q.parquet").read_bytes()
    words = ("evaluate", "d.libsvm", "--coreset", "cs.parquet", "--test", "test.libsvm")
    facts, _ = run(craig, *words)
    told, _ = run(craig, *words, "--index-base", "0")
    assert json.dumps(facts["comparisons"]).count("test_error") > 0
    assert errors_in(facts["comparisons"]) == errors_in(told["comparisons"])


def errors_in(facts: object) -> list[float]:
    """Return all that is told of test errors."""
    if isinstance(facts, list):
        return [error for entry in facts for error in errors_in(entry)]
    if not isinstance(facts, dict):
        return []
    own = [value for name, value in facts.items() if "test" in name and value is not None]
    return own + [error for value in facts.values() for error in errors_in(value)]


def test_index_0_under_a_model_from_1_is_refused(craig, own_folder):
    write("d.libsvm", lines_of(60, 1))
    write("test.libsvm", lines_of(60, 0))
    run(craig, "train", "d.libsvm", "-o", "m.npz")
    result = craig("predict", "test.libsvm", "m.npz", "-o", "p.parquet")
    assert result.code == 3
    assert "the index is 0, but indices start at 1" in result.err


def test_what_apply_wrote_reads_back_with_its_weights(craig, own_folder):
    write("d.libsvm", lines_of(60, 0, start="{label} qid:{qid}"))
    run(craig, "select", "d.libsvm", "--size", "20", "--for", "local", "-o", "cs.parquet")
    run(craig, "apply", "d.libsvm", "cs.parquet", "-o", "in.libsvm", "--weight-as", "inline")
    read, coreset = read_dataset(InputSettings(("in.libsvm",))), read_manifest("cs.parquet").coreset
    assert sorted(read.weights) == sorted(coreset.weight)
    assert read.notes == (INLINE_WEIGHTS, QUERIES, FROM_0)
    facts, _ = run(craig, "select", "in.libsvm", *SELECT, "-o", "second.parquet")
    assert facts["weight_sum"] == read_manifest("second.parquet").coreset.weight.sum() == 60
    assert INLINE_WEIGHTS in facts["notes"]
    run(craig, "verify", "in.libsvm", "second.parquet")
    run(craig, "train", "in.libsvm", "--coreset", "second.parquet", "-o", "m.npz")


def test_weights_count_as_those_of_a_column(craig, own_folder):
    lines = lines_of(60, 1, start="{label}:{weight}")
    write("d.libsvm", lines)
    dataset = read_dataset(InputSettings(("d.libsvm",)))
    table = np.column_stack([dataset.labels, dataset.weights, dataset.rows.dense()])
    np.savetxt("d.csv", table, delimiter=",", header="label,w,a,b", comments="", fmt="%.17g")
    facts, _ = run(craig, "select", "d.libsvm", *SELECT, "-o", "a.parquet")
    column = ("--weight-column", "w")
    same, _ = run(craig, "select", "d.csv", *column, *SELECT, "-o", "b.parquet")
    assert facts["weight_sum"] == same["weight_sum"] == dataset.weights.sum()
    assert manifest_facts("a.parquet")[0] == manifest_facts("b.parquet")[0]
    assert manifest_facts("a.parquet")[2] == manifest_facts("b.parquet")[2]
    assert "inline_weights" not in read_manifest("a.parquet").request["input"]
    facts, _ = run(
        craig, "select", "d.libsvm", *SELECT, "--inline-weights", "ignore", "-o", "c.parquet"
    )
    assert "weight_sum" not in facts
    assert read_manifest("c.parquet").request["input"]["inline_weights"] == "ignore"
    assert read_manifest("c.parquet").coreset.weight.sum() == 60
    run(craig, "verify", "d.libsvm", "c.parquet")


@pytest.mark.parametrize("words", [("--parts", "2"), ("--partial",), ("--memory-limit", "2G")])
def test_weights_are_not_lost_where_they_cannot_count(craig, own_folder, words):
    write("d.libsvm", lines_of(60, 1, start="{label}:{weight}"))
    result = craig("select", "d.libsvm", *SELECT, *words, "-o", "cs.parquet")
    assert result.code in (2, 4)
    assert "label:weight: " in result.err
    run(craig, "select", "d.libsvm", *SELECT, *words, "--inline-weights=ignore", "-o", "cs.parquet")


@pytest.mark.parametrize(
    ("place", "start"),
    [("inline", "{label}:{new:g} qid"), ("file", "{label} qid"), ("none", "{label}:{old} qid")],
)
def test_an_old_weight_gives_way_to_the_new_one(craig, own_folder, place, start):
    lines = lines_of(30, 1, start="{label}: {weight} qid:{qid}")
    write("d.libsvm", [f"  {line}" for line in lines])
    run(craig, "select", "d.libsvm", *SELECT, "-o", "cs.parquet")
    run(craig, "apply", "d.libsvm", "cs.parquet", "-o", "s.libsvm", "--weight-as", place)
    coreset = read_manifest("cs.parquet").coreset
    wanted = set()
    for row, new in zip(coreset.index.tolist(), coreset.weight.tolist(), strict=True):
        rest = lines[row].split(" qid", 1)[1]
        old = f" {1 + row % 4}"
        line = start.format(label=row % 2, new=new, old=old) + rest
        wanted.add(f"  {line}" if place == "none" else line)
    assert set(Path("s.libsvm").read_text().splitlines(keepends=True)) == wanted


@pytest.mark.parametrize("order", ["greedy", "row"])
def test_rows_of_one_qid_stand_together(craig, own_folder, order):
    lines = lines_of(60, 1, start="{label} qid:{qid}")
    lines[::10] = [
        line.replace(" qid:", " #", 1).replace("#7", "").replace("#6", "").replace("#5", "")
        for line in lines[::10]
    ]
    write("d.libsvm", lines)
    run(craig, "select", "d.libsvm", "--size", "20", "--for", "local", "-o", "cs.parquet")
    facts, _ = run(craig, "apply", "d.libsvm", "cs.parquet", "--order", order, "-o", "s.libsvm")
    assert facts["notes"] == ["Rows of one qid stand together, in the order of their first picks."]
    coreset = read_manifest("cs.parquet").coreset
    picks = list(zip(coreset.index.tolist(), coreset.weight.tolist(), strict=True))
    if order == "row":
        picks.sort()
    groups: dict[object, list[tuple[int, float]]] = {}
    for row, weight in picks:
        groups.setdefault(row if row % 10 == 0 else ("qid", row % 3), []).append((row, weight))
    assert len(groups) > 3
    wanted = [pick for group in groups.values() for pick in group]
    assert Path("s.libsvm").read_text() == "".join(lines[row] for row, _ in wanted)
    assert np.loadtxt("s.libsvm.weight").tolist() == [weight for _, weight in wanted]


def test_other_formats_have_no_qid(craig, own_folder):
    write("d.libsvm", lines_of(60, 1, start="{label} qid:{qid}"))
    facts, _ = run(craig, "select", "d.libsvm", *SELECT, "-o", "cs.parquet")
    assert QUERIES in facts["notes"]
    facts, _ = run(craig, "apply", "d.libsvm", "cs.parquet", "-o", "s.vw")
    assert facts["notes"][1].startswith("The qid of rows is not written")
    tags = [int(line.split("'")[1].split("|")[0]) for line in Path("s.vw").read_text().splitlines()]
    assert tags == read_manifest("cs.parquet").coreset.index.tolist()


def test_bases_that_are_none(craig, own_folder):
    write("d.libsvm", lines_of(10, 1))
    for value, text in (
        ("2", "--index-base: 2 is not auto, 0 or 1."),
        ("x", "'x' is not a valid integer"),
    ):
        result = craig("select", "d.libsvm", *SELECT, "--index-base", value, "-o", "cs.parquet")
        assert result.code == 2
        assert text in result.err
    assert craig("select", "d.libsvm", *SELECT, "--index-base", "auto", "-o", "c.parquet").code == 0
