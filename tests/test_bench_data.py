"""``benchmarks/DATA.md`` names every set that the benchmarks know, and what is at hand is what it
says; what is not at hand is left out, and said once.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

import bench
import datasets
import evidence
import measuring
import pytest
from tools import needs, path_of

PAGE = (Path(datasets.__file__).parent / "DATA.md").read_text()
ROW = r"^\| (\S+) \| `(\S+)` \| ([\d,]+) \| `([0-9a-f]{64})` \|$"
LISTED = {file: (name, size, digest) for name, file, size, digest in re.findall(ROW, PAGE, re.M)}


def test_the_page_has_every_set_and_every_file():
    headings = re.findall(r"^### (\S+)$", PAGE, re.M)
    assert {datasets.source_of(name) for name in datasets.SETS} <= set(headings)
    assert {name for name, *_ in LISTED.values()} == set(headings) - {"flights"}
    for source, files in datasets.FILES.items():
        assert all(LISTED[file][0] == source for file in files)


def assert_as_listed(file, path):
    _, size, digest = LISTED[file]
    assert path.stat().st_size == int(size.replace(",", ""))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("file", [f for f in LISTED if not f.startswith("fashion-mnist/")])
def test_files_at_hand_are_those_listed(shared_data, file):
    if (shared_data / file).exists():
        assert_as_listed(file, shared_data / file)


@pytest.mark.parametrize("file", [f for f in LISTED if f.startswith("fashion-mnist/")])
def test_debians_files_are_those_listed(file):
    assert_as_listed(file, Path(path_of("fashion-mnist")) / Path(file).name)


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """Look for data in an empty folder, without the packages that have some."""
    for name in ("DATA", "FASHION_MNIST", "DEBIAN", "FLIGHTS"):
        monkeypatch.setattr(datasets, name, tmp_path / name.lower())
    monkeypatch.setattr(datasets, "find_spec", lambda name: None)
    datasets.is_there.cache_clear()
    yield tmp_path / "data"
    datasets.is_there.cache_clear()


def test_what_is_not_at_hand_is_said_in_one_line_a_source(nothing, capsys):
    assert datasets.at_hand(datasets.SETS) == datasets.at_hand(datasets.SETS) == []
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *(
            "ijcnn1",
            "adult",
            "reuters",
            "abalone",
            "flights",
            "fashion-mnist",
            "covtype16",
            "mnist",
        ),
        "clinc150",
    ]
    assert lines[1] == (
        f"adult: left out, no adult.trn.bz2 in {nothing} (CRAIG_DATA); see benchmarks/DATA.md"
    )
    assert datasets.left_out(["adult", "covtype16 class 4", "covtype16"]) == (
        "Left out, as the data is not at hand (benchmarks/DATA.md): adult, covtype16.\n"
    )


def test_what_is_at_hand_is_read(nothing, capsys):
    nothing.mkdir()
    (nothing / "adult.trn.bz2").touch()
    assert datasets.at_hand(["reuters", "adult"]) == ["adult"]
    assert capsys.readouterr().err.startswith("reuters: left out")
    assert datasets.left_out(["adult"]) == ""


@pytest.mark.usefixtures("nothing")
def test_a_measurement_without_data_starts_nothing(capsys, monkeypatch):
    monkeypatch.setattr(measuring.subprocess, "run", None)
    for data, what in (("negatives:2000", "craig exact"), ("-", "LIBSVM text"), ("adult", "x")):
        assert measuring.run(measuring.Task(data, what)).failure == measuring.NO_DATA
    assert all(measuring.is_at_hand(measuring.Task(data, "x")) for data in ("made:9", "shape:a"))
    measuring.run.cache_clear()
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "ijcnn1",
        "adult",
    ]


@pytest.mark.usefixtures("nothing")
def test_targets_without_data_are_left_out(monkeypatch):
    def run(task):
        there = measuring.is_at_hand(task)
        return measuring.Measured(
            "" if there else measuring.NO_DATA, 1, 1, 1, 1, 1.0, 1.0, 1.0, 1.0
        )

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(bench, "timed", lambda arguments: (1.0, 1.0))
    lines = bench.targets(bench.Options(False, False, 10, 0)).splitlines()[2:]
    assert len(lines) == 10 and "`craig --help`" in lines[0] and "second start" in lines[1]
    made = "| made 290,506 x 54", "| 100,000 x 384"
    assert all(line.startswith(made) for line in lines[2:])


@pytest.mark.usefixtures("nothing")
def test_ten_million_rows_are_run_once_for_targets_and_table(monkeypatch, tmp_path):
    found = {"rows": 10, "road": "disk", "picks": 1, "wall": 601.0, "cpu": 9.0, "peak_bytes": 2e9}
    found |= {"temporary_bytes": 0, "epsilon": 5.0, "seconds": {"read": 1.0}, "avx512": True}
    runs = []

    def run(command, **options):
        runs.append(Path(command[1]).name)
        bench.large.kept(10_000_000, "0.01", "disk").write_text(json.dumps(found))

    monkeypatch.setattr(bench.large, "SCALE", tmp_path)
    monkeypatch.setattr(bench.subprocess, "run", run)
    monkeypatch.setattr(bench, "run", lambda task: measuring.Measured(n=1, seconds=1.0))
    bench.large_run.cache_clear()
    wall, memory = (target.row() for target in bench.large_targets())
    assert (wall[2:], memory[2:]) == (["601 s", "no"], ["2,000 MB", "yes"])
    line = bench.growing_table(bench.Options(False, True, 10, 0)).splitlines()[-1]
    assert line == "| 10 | 32 | disk | 1 | 601 | 9 | 2,000 | 0 | 0.5 | yes | read 1 s |"
    assert runs == ["large.py"]
    bench.large_run.cache_clear()


def test_the_set_of_a_part():
    parts = [part for section in evidence.SECTIONS.values() for part in section.parts]
    assert {evidence.set_of(part) for part in parts} <= set(datasets.SETS)


@pytest.mark.usefixtures("nothing")
def test_evidence_without_data_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    page = tmp_path / "EVIDENCE.md"
    monkeypatch.setattr(sys, "argv", ["evidence.py", "--only", "rivals", "--into", str(page)])
    assert evidence.main() == 1 and not page.exists()
    assert capsys.readouterr().err.splitlines()[-1] == (
        "Nothing was measured, so nothing is written."
    )


@pytest.mark.usefixtures("nothing")
def test_paper_without_data_says_so_once(tmp_path, capsys, monkeypatch):
    needs("matplotlib")
    import paper

    monkeypatch.setattr(paper.linear, "build_folder", lambda: tmp_path)
    monkeypatch.setattr(sys, "argv", ["paper.py", "--only", "fig2-ijcnn1,fig3,theorems-ijcnn1"])
    assert paper.main() == 1
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == ["ijcnn1"]
    assert json.loads((tmp_path / "fig3.json").read_text())["numbers"] == {
        "missing": "no ijcnn1 at hand (benchmarks/DATA.md)"
    }


def test_a_line_of_a_real_set_has_every_method(monkeypatch):
    def run(task):
        loss = {"craig exact": 2.0, "craig cells": 1.0}.get(task.what, 4.0)
        return measuring.Measured("", 30, 4, 2, 3, 0.5, 1.0, 1.0, loss)

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(bench, "at_hand", lambda names: ["adult"])
    monkeypatch.setattr(bench, "left_out", lambda names: "")
    lines = bench.real_table(bench.Options(False, False, 10, 0)).splitlines()
    cells = "2 in 0.5 | 0.5 in 0.5 | 2 in 0.5 | 2 in 0.5 | 2 in 0.5"
    assert lines[2:] == [f"| adult | 30 x 4 | {share} | {cells} |" for share in ("1%", "10%")]
