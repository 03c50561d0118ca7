"""``craig select --partial``, ``craig merge`` and ``craig select --parts``: one coreset, whoever
selects it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from commandline import listing, write_csv
from tools import path_of

from craig_cli.files.partial import read_partial

OPTIONS = (
    "--fraction",
    "0.1",
    "--method",
    "cells",
    "--representative",
    "medoid",
    "--weights",
    "cluster",
)
N_SHARDS = 3
ALL_ROWS = "{}: it needs all rows in one place, and they are selected from in parts. Leave it out."


@pytest.fixture
def shards(own_folder):
    """Write ``s0.csv`` to ``s2.csv``: 200 rows each, in two classes; ``all.csv`` has them one after
    the other.
    """
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5, 4))[rng.integers(5, size=600)] + 0.3 * rng.normal(size=(600, 4))
    labels = (rows[:, 0] > 0).astype(int).tolist()
    write_csv(own_folder / "all.csv", labels, rows)
    for s in range(N_SHARDS):
        write_csv(
            own_folder / f"s{s}.csv", labels[200 * s : 200 * s + 200], rows[200 * s : 200 * s + 200]
        )
    return tuple(f"s{s}.csv" for s in range(N_SHARDS))


def candidates(craig, shards, *options):
    """Make the partial of every shard, and return their names."""
    for shard in shards:
        assert (
            craig("select", shard, "--partial", *OPTIONS, *options, "-o", f"{shard}.partial").code
            == 0
        )
    return tuple(f"{shard}.partial" for shard in shards)


def test_shards_and_merge_give_the_bytes_of_one_process(craig, shards, own_folder):
    partials = candidates(craig, shards)
    assert craig("merge", *partials, "-o", "merged.parquet").code == 0
    for name, parts, threads in (("files", "files", "1"), ("three", "3", "2")):
        assert (
            craig(
                "select",
                *shards,
                *OPTIONS,
                "--parts",
                parts,
                "--threads",
                threads,
                "-o",
                f"{name}.parquet",
            ).code
            == 0
        )
        assert (own_folder / f"{name}.parquet").read_bytes() == (
            own_folder / "merged.parquet"
        ).read_bytes()


@pytest.mark.parametrize("options", ((), ("--no-assign",)), ids=("assigned", "bound"))
def test_apply_plot_and_diff_take_a_merged_manifest(craig, shards, own_folder, options):
    assert craig("merge", *candidates(craig, shards), *options, "-o", "cs.parquet").code == 0
    for data in (shards, ("all.csv",)):
        result = craig("apply", *data, "cs.parquet", "--force", "-o", "subset.csv")
        assert (result.code, result.err.splitlines()[1]) == (
            0,
            "output   60 in greedy order written to subset.csv",
        )
        assert (
            craig("apply", *data, "cs.parquet", "--first", "20", "--force", "-o", "first.csv").code
            == 0
        )
        assert craig("plot", *data, "cs.parquet").code == 0
    rows, picks = (
        (own_folder / "all.csv").read_text().splitlines()[1:],
        pq.read_table("cs.parquet").to_pydict(),
    )
    assert (own_folder / "subset.csv").read_text().splitlines()[1:] == [
        f"{rows[row]},{weight:g}"
        for row, weight in zip(picks["index"], picks["weight"], strict=True)
    ]
    for other in (("s1.csv", "s0.csv", "s2.csv"), (*shards, "s2.csv")):
        for command in (
            ("apply", *other, "cs.parquet", "-o", "other.csv"),
            ("plot", *other, "cs.parquet"),
        ):
            assert craig(*command).code == 3
    assert craig("diff", "cs.parquet", "cs.parquet").code == 0
    assert craig("select", *shards, *OPTIONS, "-o", "whole.parquet").code == 0
    differences = {
        d["name"]: d["second"]
        for d in json.loads(craig("diff", "whole.parquet", "cs.parquet", "--json").out)[
            "differences"
        ]
    }
    assert differences["parts"] == [200, 200, 200]
    assert ("data_fingerprint" in differences) == bool(options)  # a bound is made without the rows


@pytest.mark.parametrize("options", ((), ("--no-assign",)), ids=("assigned", "bound"))
def test_a_merged_manifest_can_be_gone_on_from_in_one_piece(craig, shards, options):
    assert craig("merge", *candidates(craig, shards), *options, "-o", "cs.parquet").code == 0
    result = craig(
        "select",
        *shards,
        "--size",
        "70",
        "--method",
        "exact",
        "--weights",
        "cluster",
        "--extend",
        "cs.parquet",
        "-o",
        "larger.parquet",
    )
    assert result.code == 0, result.err
    earlier, larger = (
        pq.read_table(name)["index"].to_pylist() for name in ("cs.parquet", "larger.parquet")
    )
    assert larger[:60] == earlier
    assert craig("verify", *shards, "larger.parquet").code == 0


def test_idx_files_as_shards(craig, own_folder):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (60, 2, 3), np.uint8), rng.integers(0, 2, 60, np.uint8)
    for s in range(2):
        own = slice(30 * s, 30 * s + 30)
        for kind, array in (("images-idx3", images[own]), ("labels-idx1", labels[own])):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(
                n.to_bytes(4, "big") for n in array.shape
            )
            (own_folder / f"s{s}-{kind}-ubyte").write_bytes(head + array.tobytes())
    assert (
        craig(
            "merge",
            *candidates(craig, ("s0-images-idx3-ubyte", "s1-images-idx3-ubyte")),
            "-o",
            "merged.parquet",
        ).code
        == 0
    )
    assert (
        craig("select", "s?-*-ubyte", *OPTIONS, "--parts", "files", "-o", "files.parquet").code == 0
    )
    assert (
        craig("select", "s?-images*-ubyte", *OPTIONS, "--parts", "3", "-o", "three.parquet").code
        == 0
    )
    for name in ("merged", "files", "three"):
        assert (
            craig("verify", "s0-images-idx3-ubyte", "s1-images-idx3-ubyte", f"{name}.parquet").code
            == 0
        )


@pytest.mark.parametrize("partition", ("rows", "cells"))
def test_the_manifest_serves_the_shards_one_after_the_other(craig, shards, partition):
    result = craig(
        "select",
        *shards,
        *OPTIONS,
        "--parts",
        "4",
        "--partition",
        partition,
        "--json",
        "-o",
        "cs.parquet",
    )
    facts = json.loads(result.out)
    assert (facts["rows"], facts["selected"], facts["method"], facts["epsilon_share"]) == (
        600,
        60,
        "cells",
        None,
    )
    auto = craig(
        "select",
        *shards,
        *OPTIONS[:-1],
        "auto",
        "--parts",
        "4",
        "--partition",
        partition,
        "--json",
        "-o",
        "auto.parquet",
    )
    assert json.loads(auto.out)["notes"][-1] == (
        "The weights were not calibrated, which takes the rows in one place: craig calibrate does "
        "so afterwards."
    )
    assert Path("auto.parquet").read_bytes() == Path("cs.parquet").read_bytes()
    assert facts["notes"][0].startswith("Selected in 4 parts, from ")
    for data in (shards, ("all.csv",)):
        assert craig("verify", *data, "cs.parquet").code == 0
        assert (
            craig(
                "train",
                *data,
                "--coreset",
                "cs.parquet",
                "--l2",
                "0.1",
                "--force",
                "-o",
                "model.npz",
            ).code
            == 0
        )
    assert craig("calibrate", *shards, "cs.parquet", "-o", "calibrated.parquet").code == 0
    assert craig("verify", *shards, "calibrated.parquet").code == 0
    assert (
        craig(
            "train",
            *shards,
            "--coreset",
            "cs.parquet",
            "--first",
            "30",
            "--l2",
            "0.1",
            "--force",
            "-o",
            "model.npz",
        ).code
        == 0
    )
    table = pq.read_table("cs.parquet").to_pydict()
    assert [
        200 * int(file[1]) + row
        for file, row in zip(table["file"], table["row_in_file"], strict=True)
    ] == table["index"]


def test_without_an_assignment_weights_and_a_bound_stand(craig, shards):
    partials = candidates(craig, shards)
    for shard in shards:
        Path(shard).unlink()
    result = craig("merge", *partials, "--no-assign", "-o", "bound.parquet")
    assert result.code == 0
    assert (
        "note      The rows were not assigned (--no-assign): weights are those of the shards, "
        "and epsilon is an upper bound.\n"
    ) in result.err
    verified = craig("verify", "all.csv", "bound.parquet")
    assert verified.code == 0, verified.out
    assert " stated as a bound, " in verified.out
    assert (
        craig(
            "train", "all.csv", "--coreset", "bound.parquet", "--l2", "0.1", "-o", "model.npz"
        ).code
        == 0
    )
    assert craig("calibrate", "all.csv", "bound.parquet", "-o", "calibrated.parquet").code == 0
    assert craig("verify", "all.csv", "calibrated.parquet").code == 0
    write_csv(Path("other.csv"), [0, 1] * 300, np.random.default_rng(1).normal(size=(600, 4)))
    assert (
        craig(
            "train",
            "other.csv",
            "--coreset",
            "bound.parquet",
            "--l2",
            "0.1",
            "--force",
            "-o",
            "model.npz",
        ).code
        == 3
    )
    assert "\nparts     selected in 3 parts\n" in craig("info", "bound.parquet").out
    stated = json.loads(craig("info", "bound.parquet", "--json").out)
    assert (stated["weights"], stated["parts"]) == ("shard", [200, 200, 200])
    assert stated["epsilon"]["definition"].startswith("an upper bound of L(S)")


def test_a_finished_shard_is_kept(craig, shards, own_folder):
    partials = candidates(craig, shards)
    before = [(own_folder / p).stat().st_mtime_ns for p in partials]
    result = craig("select", shards[0], "--partial", *OPTIONS, "-o", partials[0])
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        "kept  s0.csv.partial: 77 of 200 rows, finished before (--force makes it again)\n"
    )
    candidates(craig, shards)
    assert [(own_folder / p).stat().st_mtime_ns for p in partials] == before
    facts = json.loads(
        craig(
            "select", shards[0], "--partial", *OPTIONS, "--force", "--json", "-o", partials[0]
        ).out
    )
    assert (facts["partial"], facts["is_kept"], facts["rows"], facts["candidates"]) == (
        True,
        False,
        200,
        77,
    )
    for change in (("--seed", "1"), ("--oversampling", "2")):
        assert not json.loads(
            craig(
                "select", shards[0], "--partial", *OPTIONS, *change, "--json", "-o", partials[0]
            ).out
        )["is_kept"]
    (own_folder / shards[1]).write_text((own_folder / shards[1]).read_text() + "1,0,0,0,0\n")
    assert not json.loads(
        craig("select", shards[1], "--partial", *OPTIONS, "--json", "-o", partials[1]).out
    )["is_kept"]
    (own_folder / partials[2]).write_bytes((own_folder / partials[2]).read_bytes()[:-9])
    assert (
        craig("select", shards[2], "--partial", *OPTIONS, "-o", partials[2]).code == 2
    )  # no partial manifest: not overwritten


def test_a_partial_gives_back_what_was_written(craig, shards, own_folder):
    from craig_cli.files.partial import write_partial

    (partial,) = candidates(craig, shards[:1])
    with Path("again.partial").open("wb") as out:
        write_partial(out, read_partial(partial))
    assert (own_folder / "again.partial").read_bytes() == (own_folder / partial).read_bytes()


def test_moved_shards_are_named_by_data(craig, shards, own_folder):
    partials = candidates(craig, shards)
    assert craig("merge", *partials, "-o", "there.parquet").code == 0
    (own_folder / "moved").mkdir()
    for shard in shards:
        (own_folder / shard).rename(own_folder / "moved" / shard)
    result = craig("merge", *partials, "-o", "cs.parquet")
    assert (result.code, result.err) == (
        3, "craig: error: s0.csv: the shard is not where its partial says. Name the files of all "
           "shards by --data, in the order of the partials, "
        "or use --no-assign.\n"
    )  # fmt: skip
    assert craig("merge", *partials, "--data", "moved", "-o", "cs.parquet").code == 0
    assert (own_folder / "cs.parquet").read_bytes() == (own_folder / "there.parquet").read_bytes()
    result = craig("merge", *partials, "--data", "moved/s0.csv", "-o", "cs.parquet")
    assert (result.code, result.err) == (
        2, "craig: error: --data: 1 files, and the partials were made of 3. Name them all, in the "
           "order of the partials.\n"
    )  # fmt: skip


def test_a_shard_that_has_changed_is_refused(craig, shards, own_folder):
    partials = candidates(craig, shards)
    text = (own_folder / shards[1]).read_text()
    (own_folder / shards[1]).write_text(text.replace("\n0,", "\n1,", 1))
    result = craig("merge", *partials, "-o", "cs.parquet")
    assert (result.code, result.err) == (
        3, "craig: error: s1.csv: its rows are not those that the partial manifest was made of. "
           "Give the same data, or make the partial again "
        "(craig select --partial --force).\n"
    )  # fmt: skip
    assert "cs.parquet" not in listing(own_folder)


def test_partials_that_do_not_go_together(craig, shards):
    partials = candidates(craig, shards)
    assert (
        craig("select", shards[0], "--partial", *OPTIONS, "--seed", "1", "-o", partials[0]).code
        == 0
    )
    result = craig("merge", *partials, "-o", "cs.parquet")
    assert (result.code, result.err) == (
        3, "craig: error: s1.csv.partial: it was made with other options than s0.csv.partial (the "
           "first difference: seed). "
        "Make all partials with the same options.\n"
    )  # fmt: skip


def test_what_is_no_partial(craig, shards, own_folder):
    assert craig("select", *shards, *OPTIONS, "-o", "cs.parquet").code == 0
    result = craig("merge", "cs.parquet", "-o", "out.parquet")
    assert (result.code, result.err) == (
        3, "craig: error: cs.parquet: a Parquet file, but not a partial manifest. Give files "
           "written by craig select --partial.\n"
    )  # fmt: skip
    (partial,) = candidates(craig, shards[:1])
    bytes_of_it = (own_folder / partial).read_bytes()
    (own_folder / "half.partial").write_bytes(bytes_of_it[: len(bytes_of_it) // 2])
    assert craig("merge", "half.partial", "-o", "out.parquet").err == (
        "craig: error: half.partial: not a Parquet file, or cut short. Give files written by craig "
        "select --partial.\n"
    )
    assert craig("verify", "all.csv", partial).err == (
        f"craig: error: {partial}: a Parquet file, but not a craig manifest. Give a file written "
        f"by craig select.\n"
    )
    assert craig("select", "all.csv", "--size", "5", "-o", partial).code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--partial", "--parts", "2"), "--partial and --parts exclude each other: a shard is one "
                                        "part. Leave one out."),
        (("--partial", "--engine", "dask"), "--partial and --engine exclude each other: a shard is "
                                            "one part. Leave one out."),
        (("--parts", "some"), "--parts: 'some' is not 'files' or a number of at least 1."),
        (("--parts", "0"), "--parts: 0 is not 'files' or a number of at least 1."),
        (("--parts", "601"), "--parts: 601 parts are more than the 600 rows. Use --parts 600 or "
                             "less."),
        (("--parts", "2", "--oversampling", "0.5"),
         "--oversampling: 0.5 is not a finite number of at least 1."),
        (("--partition", "cells"), "--partition, --scheduler: they are for a selection in parts. "
                                   "Give --parts, or leave them out."),
        (("--parts", "2", "--scheduler", "tcp://x:1"), "--scheduler: it is for --engine dask. "
                                                       "Leave one out, or give both."),
        (("--parts", "2", "--memory-limit", "2G"),
         "--memory-limit: in parts it is for the workers of a local --engine dask. Leave it out, "
         "and make more --parts instead."),
        (("--parts", "2", "--weights", "calibrated"),
         "--weights calibrated: calibration takes all rows in one place, and they are selected "
         "from in parts. "
         "Use --weights cluster, and craig calibrate afterwards."),
        (("--parts", "2", "--proxy", "all.csv"), ALL_ROWS.format("--proxy")),
        (("--partial", "--include", "rows.txt", "--method", "exact"), ALL_ROWS.format("--include")),
        (("--parts", "files", "--exclude", "rows.txt", "--method", "exact"),
         ALL_ROWS.format("--exclude")),
        (("--engine", "dask", "--extend", "cs.parquet"), ALL_ROWS.format("--extend")),
        (("--parts", "2", "--refine", "--dry-run"), ALL_ROWS.format("--refine")),
        (("--parts", "2", "--method", "random"),
         "--method random: parts of the data are selected from by auto, cells, exact, stochastic. "
         "Choose one of these."),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(craig, shards, own_folder, arguments, message):
    (own_folder / "rows.txt").write_text("3\n")
    result = craig("select", "all.csv", *OPTIONS, *arguments, "-o", "cs.parquet")
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "shards.md"


def scripts() -> dict[str, str]:
    """Return the scripts of the page on shards, by the name in their first comment."""
    blocks = [part.split("```")[0] for part in PAGE.read_text().split("```")[1::2]]
    named = [
        block.split("\n", 1)[1] for block in blocks if block.split("\n", 2)[1].startswith("# ")
    ]
    return {block.split("\n", 1)[0].removeprefix("# "): block for block in named}


@pytest.mark.slow
@pytest.mark.parametrize("name", ("Makefile", "xargs", "SLURM"))
def test_the_scripts_that_are_shown_run(name, craig, shards, own_folder, tmp_path_factory):
    (own_folder / "shards").mkdir()
    for shard in shards[:2]:
        shutil.move(own_folder / shard, own_folder / "shards" / shard)
    tools = tmp_path_factory.mktemp("bin")
    stub = '#!/bin/sh\nfor i in 0 1; do SLURM_ARRAY_TASK_ID=$i sh "$2" || exit 1; done\n'
    for tool, text in (
        ("craig", f'#!/bin/sh\nexec "{sys.executable}" -m craig_cli "$@"\n'),
        ("sbatch", stub),
    ):
        (tools / tool).write_text(text)
        (tools / tool).chmod(0o755)
    script = scripts()[name]
    if name == "Makefile":
        path_of("make")
        (own_folder / "Makefile").write_text(script)
        script = "make -j2 cs.parquet"
    if name == "SLURM":
        (own_folder / "offer.sh").write_text(script)
        script = "sbatch --array=0-1 offer.sh\ncraig merge partials/*.partial -o cs.parquet"
    options = {
        "CRAIG_METHOD": "cells",
        "CRAIG_WEIGHTS": "cluster",
        "CRAIG_REPRESENTATIVE": "medoid",
    }
    environment = {
        **os.environ,
        **options,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(PAGE.parents[2]),
    }
    done = subprocess.run(
        ["sh", "-ec", script], cwd=own_folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert craig("verify", "shards/s0.csv", "shards/s1.csv", "cs.parquet").code == 0
