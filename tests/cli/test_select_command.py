"""``craig select``, whole: what it writes, says, and refuses."""

from __future__ import annotations

import json
import re
import stat

import pyarrow.parquet as pq
import pytest
from commandline import Result, listing

from craig_cli.compiling import COMPILING
from craig_cli.kernels import ahead
from craig_cli.settings import InputSettings
from craig_cli.workflows.select import roads_of


def seconds_and_memory_hidden(text: str) -> str:
    text = re.sub(r"(read|select|write|after) \d\S* s\b", r"\1 _ s", text)
    return re.sub(r"memory( +)[\d,]+ MB", r"memory\1_ MB", text)


def test_the_summary(craig, data):
    result = craig("select", "data.csv", "--size", "3", "--for", "local", "-o", "cs.parquet")
    assert (result.code, result.out) == (0, "")
    assert seconds_and_memory_hidden(result.err) == (
        "read      12 rows, 1 column, 2 classes\n"
        "picked    3 rows (25.00%): 2 of 8 in class 0, 1 of 4 in class 1, method exact\n"
        "quality   not measured with weights cluster: craig evaluate compares with random\n"
        "coverage  cost 1.66667 a row, 40.00% of that of one medoid per class\n"
        "written   cs.parquet, after _ s\n"
        "next      craig evaluate data.csv --coreset cs.parquet\n"
    )
    result = craig("select", "data.csv", "--size", "3", "--for", "local", "-v", "-o", "cs.parquet")
    assert "\n".join(seconds_and_memory_hidden(result.err).split("\n")[3:]) == (
        "rows      12 read, 1 column\n"
        "picks     3 (25.00%) written to cs.parquet\n"
        "class     0  2 of 8, coverage cost 1.25 a row\n"
        "          1  1 of 4, coverage cost 2.5 a row\n"
        "coverage  cost 1.66667 a row, 20 in all (epsilon), 40.00% of that "
        "of one medoid per class\n"
        "method    exact (chosen by auto: it is quick on this many rows)\n"
        "time      read _ s, select _ s, write _ s\n"
        "memory    _ MB at the peak\n"
    )
    table = pq.read_table("cs.parquet")
    assert table.column_names == [
        "index",
        "order",
        "weight",
        "cluster_size",
        "label",
        "gain",
        "epsilon",
    ]
    assert sorted(
        zip(
            table["index"].to_pylist(),
            table["weight"].to_pylist(),
            table["label"].to_pylist(),
            strict=True,
        )
    ) == [
        (3, 4.0, 0),
        (5, 4.0, 0),
        (9, 4.0, 1),
    ]


def test_json_states_the_same_facts(craig, data):
    result = craig("select", "data.csv", "--size", "3", "--paper", "-o", "cs.parquet", "--json")
    assert (result.code, result.err) == (0, "")
    facts = json.loads(result.out)
    assert set(facts.pop("seconds")) == {"read", "select", "write"}
    assert facts.pop("peak_memory_bytes") > 0
    assert facts == {
        "output": "cs.parquet",
        "rows": 12,
        "columns": 1,
        "skipped_rows": 0,
        "selected": 3,
        "method": "exact",
        "reason": "",
        "classes": [
            {
                "label": 0,
                "n": 8,
                "k": 2,
                "epsilon": 10.0,
                "epsilon_mean": 1.25,
                "medoid_epsilon": pytest.approx(40.0),
            },
            {
                "label": 1,
                "n": 4,
                "k": 1,
                "epsilon": 10.0,
                "epsilon_mean": 2.5,
                "medoid_epsilon": pytest.approx(10.0),
            },
        ],
        "epsilon": 20.0,
        "epsilon_mean": pytest.approx(20 / 12),
        "epsilon_share": pytest.approx(0.4),
        "notes": [],
        "representative": "medoid",
        "weights": "cluster",
        "calibration": None,
        "allocation": "proportional",
        "temporary_bytes": 0,
    }


def test_unknown_numbers_are_null_in_json(craig, data):
    result = craig(
        "select", "data.csv", "--size", "3", "--method", "random", "-o", "cs.parquet", "--json"
    )
    facts = json.loads(result.out)
    assert facts["epsilon_share"] is None
    assert facts["classes"][0]["medoid_epsilon"] is None


def test_quiet_says_nothing(craig, data):
    assert craig("select", "data.csv", "--size", "3", "-o", "cs.parquet", "-q") == Result(0, "", "")


def test_verbose_names_settings_and_stages(craig, data):
    result = craig("select", "data.csv", "--size", "3", "--threads", "2", "-o", "cs.parquet", "-v")
    assert result.err.startswith(
        "craig: method auto, representative exchanged, weights auto, allocation proportional, "
        "metric euclidean, scale none, seed 0, 2 threads\n"
    )


def test_a_second_run_over_the_old_output_gives_equal_bytes(craig, data, own_folder):
    output, first = own_folder / "cs.parquet", b""
    for threads in ("1", "2", "3"):
        assert (
            craig(
                "select", "data.csv", "--size", "5", "-o", "cs.parquet", "--threads", threads
            ).code
            == 0
        )
        written = output.read_bytes()
        first = written if threads == "1" else first
        assert written == first
    assert listing(own_folder) == ["cs.parquet", "data.csv"]


def test_stdout_gets_the_same_bytes(data, own_folder, capfdbinary):
    from craig_cli.cli import main

    assert main(["select", "data.csv", "--size", "3", "-o", "cs.parquet", "-q"]) == 0
    capfdbinary.readouterr()
    for name in ("-", "/dev/stdout"):
        assert main(["select", "data.csv", "--size", "3", "-o", name, "-q"]) == 0
        assert capfdbinary.readouterr().out == (own_folder / "cs.parquet").read_bytes()


def test_names_with_a_dash_a_space_and_a_newline(craig, data, own_folder):
    for name in ("-d.csv", "a b.csv", "a\nb.csv"):
        data = data.rename(own_folder / name)
        assert craig("select", "--size", "3", "-o", "-cs.parquet", "--", name).code == 0


def test_several_files_and_files_from(craig, data, own_folder):
    (own_folder / "second.csv").write_bytes(data.read_bytes())
    (own_folder / "list.txt").write_text("second.csv\n")
    assert craig("select", "data.csv", "second.csv", "--size", "4", "-o", "a.parquet").code == 0
    assert (
        craig(
            "select", "data.csv", "--files-from", "list.txt", "--size", "4", "-o", "b.parquet"
        ).code
        == 0
    )
    assert (own_folder / "a.parquet").read_bytes() == (own_folder / "b.parquet").read_bytes()
    table = pq.read_table("a.parquet").to_pydict()
    assert {"data.csv", "second.csv"} >= set(table["file"])
    assert [
        row + 12 * (file == "second.csv")
        for file, row in zip(table["file"], table["row_in_file"], strict=True)
    ] == table["index"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("data.csv", "'data.csv' is one of the inputs."),
        ("link.csv", "'link.csv' is one of the inputs."),
        (".", "'.' is a directory."),
        ("no/cs.parquet", "the folder of 'no/cs.parquet' does not exist."),
        ("data.csv/x", "the folder of 'data.csv/x' does not exist."),
        (
            "notes",
            "'notes' exists and is not a craig manifest. Choose another name, or "
            "replace it with --force.",
        ),
        (
            "other.parquet",
            "'other.parquet' exists and is not a craig manifest. Choose another "
            "name, or replace it with --force.",
        ),
        ("loop", "'loop' cannot be used: Symlink loop from '{folder}/loop'."),
        ("x" * 300, f"'{'x' * 300}' cannot be used: File name too long."),
    ],
)
def test_outputs_refused_before_anything_is_read(
    craig, data, own_folder, monkeypatch, output, message
):
    (own_folder / "link.csv").symlink_to("data.csv")
    (own_folder / "loop").symlink_to("loop")
    (own_folder / "notes").write_text("dear diary")
    pq.write_table(pq.read_table(_sample_table(own_folder)), own_folder / "other.parquet")
    monkeypatch.setattr("craig_cli.workflows.select.read_dataset", None)
    before = data.read_bytes()
    result = craig("select", "data.csv", "--size", "3", "-o", output)
    assert (result.code, result.err) == (
        2,
        f"craig: error: --output: {message.format(folder=own_folder)}\n",
    )
    assert data.read_bytes() == before
    assert (own_folder / "notes").read_text() == "dear diary"


def _sample_table(folder):
    import pyarrow as pa

    pq.write_table(pa.table({"x": [1]}), folder / "x.parquet")
    return folder / "x.parquet"


def test_force_replaces_what_is_not_a_manifest(craig, data, own_folder):
    target = own_folder / "notes"
    target.write_text("dear diary")
    target.chmod(0o640)
    assert craig("select", "data.csv", "--size", "3", "-o", "notes", "--force").code == 0
    assert pq.read_table(target).num_rows == 3
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_bad_data_leaves_the_old_manifest(craig, data, own_folder):
    assert craig("select", "data.csv", "--size", "3", "-o", "cs.parquet").code == 0
    before = (own_folder / "cs.parquet").read_bytes()
    data.write_text("label,a\n0,1\n1,x\n")
    result = craig("select", "data.csv", "--size", "3", "-o", "cs.parquet")
    assert result.code == 3
    assert result.err.startswith("craig: error: data.csv:3:2: column 'a' holds text")
    assert (own_folder / "cs.parquet").read_bytes() == before
    assert listing(own_folder) == ["cs.parquet", "data.csv"]


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (("--size", "13"), "--size: 13 rows asked for, the data has 12. Use --size 12 or less."),
        (
            ("--size", "1"),
            "--size 1: 1 row cannot stand for 2 classes. Use --size 2 or more, or --no-label.",
        ),
    ],
)
def test_a_budget_that_does_not_fit_the_data(craig, data, own_folder, budget, message):
    result = craig("select", "data.csv", *budget, "-o", "cs.parquet")
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")
    assert listing(own_folder) == ["data.csv"]


def test_a_broken_promise_is_not_written(craig, data, own_folder, monkeypatch):
    import dataclasses

    from craig_cli.selection import proxy, select

    def wrong(*arguments):
        coreset = select(*arguments)
        return dataclasses.replace(coreset, weight=coreset.weight + 1)

    monkeypatch.setattr(proxy, "select", wrong)
    result = craig("select", "data.csv", "--size", "3", "--for", "local", "-o", "cs.parquet")
    assert result.code == 1
    assert result.err.startswith(
        "craig: error: internal error: ContractError: the coreset breaks a promise"
    )
    assert listing(own_folder) == ["data.csv"]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(craig, data, own_folder):
    result = craig("select", "data.csv", "--size", "3", "--dry-run")
    assert (result.code, result.err) == (0, "")
    text = re.sub(r"about [\d.,]+ (s|MB)", r"about _ \1", result.out)
    assert text == (
        "rows     12 read, 1 column\n"
        "picks    3 (25.00%)\n"
        "class    0  2 of 8\n"
        "         1  1 of 4\n"
        "method   exact (chosen by auto: it is quick on this many rows)\n"
        "weights  auto, by a calibration\n"
        "time     about _ s for the selection\n"
        "memory   about _ MB at the peak\n"
        "         Nothing was selected (--dry-run).\n"
    )
    assert listing(own_folder) == ["data.csv"]
    facts = json.loads(craig("select", "data.csv", "--epsilon", "9", "--dry-run", "--json").out)
    assert (facts["dry_run"], facts["is_cover"], facts["method"]) == (True, True, "exact")


def test_an_output_is_needed_but_for_a_dry_run(craig, data):
    assert craig("select", "data.csv", "--size", "3") == Result(
        2, "", "craig: error: Missing option '-o' / '--output'.\nTry 'craig select --help'.\n"
    )


@pytest.mark.parametrize(
    ("name", "options", "roads"),
    [
        ("a.csv.gz", {}, ("csv", "dense")),
        ("a.svm", {}, ("libsvm", "sparse")),
        ("a.txt", {"format": "tsv"}, ("csv", "dense")),
        ("a.npy", {}, ("dense",)),
        ("folder", {}, ("dense",)),
    ],
)
def test_the_kernels_to_come_are_known_by_the_name(name, options, roads):
    assert roads_of(InputSettings(paths=(name,), **options)) == roads
    assert set(roads) <= set(ahead.roads())


def test_under_a_memory_limit_no_process_helps_to_compile(craig, data, monkeypatch):
    for options, may_have_help in (((), True), (("--memory-limit", "1G"), False)):
        monkeypatch.setattr(COMPILING, "may_have_help", not may_have_help)
        assert craig("select", "data.csv", "--size", "3", "-o", "cs.parquet", *options).code == 0
        assert COMPILING.may_have_help == may_have_help
