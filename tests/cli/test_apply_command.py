"""``craig apply``: chosen rows as they stand, or as numbers, in every format, with weights."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from commandline import listing

from craig_cli.dataset import SparseRows
from craig_cli.errors import UsageError
from craig_cli.files.manifest import read_manifest
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.gather import Reading
from craig_cli.readers.picks import read_picks
from craig_cli.settings import InputSettings
from craig_cli.settings.apply import ApplySettings
from craig_cli.settings.catalog import EXPORTS, names
from craig_cli.writers import target_of

SELECT = ("--size", "4", "--method", "exact", "--weights", "cluster", "--representative", "medoid")
ODD_CSV = (
    'name,"size, in mm",target,when\n'
    '"Ada ""L"", first",1.50,yes,2020-01-01\n'
    "\n"
    "Bob,2.0,no,2020-01-02\n"
    '"two\nlines",0010,no,2020-01-03\n'
    "bad,x,no,2020-01-04\n"
    "Eve , -3e0 ,yes,2020-01-05\r\n"
    "Fay,7,yes,2020-01-06"
)


def lines_of(name):
    return Path(name).read_text().splitlines()


def picks(path="cs.parquet"):
    coreset = read_manifest(path).coreset
    return coreset.index.tolist(), coreset.weight.tolist()


@pytest.fixture
def selected(craig, data):
    """Select 4 of the 12 rows of ``data.csv``."""
    assert craig("select", "data.csv", *SELECT, "-o", "cs.parquet").code == 0
    return data.read_text().splitlines()


def test_csv_rows_are_copied_in_greedy_order(craig, selected):
    result = craig("apply", "data.csv", "cs.parquet", "-o", "subset.csv")
    index, weight = picks()
    assert (result.code, result.out) == (0, "")
    assert [
        line for line in result.err.splitlines() if not line.startswith(("time", "memory"))
    ] == [
        "rows     12 read, 1 column",
        "output   4 in greedy order written to subset.csv",
        "format   csv, rows as they stand",
        "weights  in column weight, sum 12",
    ]
    lines = (
        selected[0] + ",weight",
        *(f"{selected[i + 1]},{w:g}" for i, w in zip(index, weight, strict=True)),
    )
    assert Path("subset.csv").read_text() == "\n".join(lines) + "\n"


def test_row_order_and_json(craig, selected):
    result = craig(
        "apply",
        "data.csv",
        "cs.parquet",
        "-o",
        "subset.csv",
        "--order",
        "row",
        "--weight-name",
        "w",
        "--json",
    )
    facts = json.loads(result.out)
    assert (facts["written"], facts["copied"], facts["weights_in"], facts["weight_sum"]) == (
        4,
        True,
        "w",
        12,
    )
    rows = sorted(zip(*picks(), strict=True))
    assert lines_of("subset.csv")[1:] == [f"{selected[i + 1]},{w:g}" for i, w in rows]


def test_texts_of_rows_stay_as_they_are(craig, own_folder):
    (own_folder / "odd.csv").write_bytes(ODD_CSV.encode())
    options = ("--drop", "name", "--drop", "when", "--on-error", "skip")
    assert craig("select", "odd.csv", *options, *SELECT, "-o", "cs.parquet").code == 0
    assert (
        craig(
            "apply",
            "odd.csv",
            "cs.parquet",
            "-o",
            "subset.csv",
            "--order",
            "row",
            "--weight-as",
            "none",
        ).code
        == 0
    )
    index, _ = picks()
    records = [
        '"Ada ""L"", first",1.50,yes,2020-01-01\n',
        "Bob,2.0,no,2020-01-02\n",
        '"two\nlines",0010,no,2020-01-03\n',
    ]
    records += [
        "skipped,x,no,never\n",
        "Eve , -3e0 ,yes,2020-01-05\r\n",
        "Fay,7,yes,2020-01-06\n",
    ]
    wanted = 'name,"size, in mm",target,when\n' + "".join(records[i] for i in sorted(index))
    assert (own_folder / "subset.csv").read_bytes().decode() == wanted
    assert craig("apply", "odd.csv", "cs.parquet", "-o", "subset.tsv", "--order", "row").code == 0
    with (own_folder / "subset.tsv").open(newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    with io.StringIO("".join(records), newline="") as stream:
        fields = list(csv.reader(stream))
    assert rows[0] == ["name", "size, in mm", "target", "when", "weight"]
    assert [row[:-1] for row in rows[1:]] == [fields[i] for i in sorted(index)]


@pytest.mark.parametrize("block_bytes", [1, 30, 1000])
def test_records_do_not_depend_on_blocks(own_folder, block_bytes):
    (own_folder / "odd.csv").write_bytes(ODD_CSV.encode())
    settings = InputSettings(
        ("odd.csv", "odd.csv"), drop=("name", "when"), on_error="skip", block_bytes=block_bytes
    )
    reading = Reading(settings, lambda *_: None)
    found = read_picks(reading, np.array([2, 5, 11]), with_texts=True)
    assert found.fingerprint == fingerprint(read_dataset(settings))
    assert found.rows.tolist() == [[10.0], [7.0], [7.0]]
    assert found.records == [
        b'"two\nlines",0010,no,2020-01-03\n',
        b"Fay,7,yes,2020-01-06\n",
        b"Fay,7,yes,2020-01-06\n",
    ]


@pytest.mark.parametrize(
    "labels",
    [
        ("1", "0"),
        ("+1", "-1"),
        ("1", "2.5"),
        ("1", "01"),
        ("1", "1.0"),
        ("1.0", "b"),
        ("0.50", "1.000000000000000000e+00"),
        ("9" * 20, "9" * 19 + "8"),
        ("a", "b"),
        ("9" * 17, "2"),
    ],
    ids="/".join,
)
@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
def test_the_running_fingerprint_is_that_of_the_whole(own_folder, labels, block_bytes):
    (own_folder / "t.csv").write_text(
        "label,a,b\n" + "".join(f"{labels[i % 2]},{i},{i % 3}\n" for i in range(9))
    )
    settings = InputSettings(("t.csv",), block_bytes=block_bytes)
    assert read_picks(Reading(settings, lambda *_: None), np.array([0])).fingerprint == fingerprint(
        read_dataset(settings)
    )


def test_libsvm_lines_are_copied_with_weights_beside(craig, own_folder):
    lines = [
        "# made by hand",
        "+1 1:0.50 3:1e0 # first",
        "",
        "-1 2:2",
        "  +1 1:3\r",
        "oops",
        "-1 1:1 2:1",
        "+1 3:4",
    ]
    (own_folder / "d.libsvm").write_bytes("\n".join(lines).encode())
    assert craig("select", "d.libsvm", "--on-error", "skip", *SELECT, "-o", "cs.parquet").code == 0
    assert craig("apply", "d.libsvm", "cs.parquet", "-o", "s.libsvm").code == 0
    index, weight = picks()
    rows = [lines[i] for i in (1, 3, 4, 5, 6, 7)]
    assert (own_folder / "s.libsvm").read_bytes().decode() == "".join(rows[i] + "\n" for i in index)
    assert (own_folder / "s.libsvm.weight").read_text() == "".join(f"{w:g}\n" for w in weight)
    assert (
        craig(
            "apply", "d.libsvm", "cs.parquet", "-o", "inline.libsvm", "--weight-as", "inline"
        ).code
        == 0
    )
    wanted = [
        rows[i].lstrip().replace("1 ", f"1:{w:g} ", 1) + "\n"
        for i, w in zip(index, weight, strict=True)
    ]
    assert (own_folder / "inline.libsvm").read_bytes().decode() == "".join(wanted)


def test_parquet_tables_keep_columns_and_types(craig, own_folder):
    table = pa.table(
        {
            "when": pa.array(range(12), pa.timestamp("ms")),
            "x": pa.array([0, 1, 2, 3, 10, 11, 12, 13, 0, 1, 2, 9], pa.int16()),
            "label": pa.array(["a"] * 8 + ["b"] * 4).dictionary_encode(),
        }
    )
    pq.write_table(table, own_folder / "d.parquet", row_group_size=5)
    assert craig("select", "d.parquet", "--drop", "when", *SELECT, "-o", "cs.parquet").code == 0
    assert craig("apply", "d.parquet", "cs.parquet", "-o", "s.parquet").code == 0
    index, weight = picks()
    found = pq.read_table(own_folder / "s.parquet")
    assert found.drop_columns(["weight"]).equals(table.take(index))
    assert found["weight"].to_pylist() == weight


@pytest.mark.thinned
@pytest.mark.parametrize("source", ["data.csv", "d.libsvm", "dense.h5", "sparse.h5"])
@pytest.mark.parametrize("wanted", ["csv", "tsv", "parquet", "hdf5", "libsvm"])
def test_every_format_becomes_every_other(craig, data, source, wanted):
    values = np.array([0, 1, 2, 3, 10, 11, 12, 13, 0, 1, 2, 9.5])
    labels = np.array([-1] * 8 + [1] * 4)
    data.write_text(
        "a,b,label\n"
        + "".join(f"{v},0,{y}\n" for v, y in zip(values.tolist(), labels.tolist(), strict=True))
    )
    (data.parent / "d.libsvm").write_text(
        "".join(f"{y} 1:{v} 2:0\n" for v, y in zip(values.tolist(), labels.tolist(), strict=True))
    )
    with h5py.File("dense.h5", "w") as file:
        file["X"], file["label"] = np.column_stack([values, np.zeros(12)]), labels
    with h5py.File("sparse.h5", "w") as file:
        file["X/data"], file["X/indices"] = values[values != 0], np.zeros(10, np.int32)
        file["X/indptr"], file["label"] = np.append(0, np.cumsum(values != 0)), labels
        file["X"].attrs["shape"] = (12, 2)
    assert craig("select", source, *SELECT, "-o", "cs.parquet").code == 0
    result = craig("apply", source, "cs.parquet", "--to", wanted, "-o", "subset")
    assert result.code == 0
    extra = ("weight",) if wanted in ("csv", "tsv", "parquet") else ()
    found = read_dataset(InputSettings(("subset",), format=wanted, drop=extra))
    coreset = read_manifest("cs.parquet").coreset
    assert found.labels.tolist() == coreset.label.tolist()
    rows = found.rows
    if isinstance(rows, SparseRows):
        rows = sp.csr_array(
            (rows.values, rows.indices, rows.indptr), shape=(4, rows.n_columns)
        ).toarray()
    assert rows[:, 0].tolist() == values[coreset.index].tolist()
    if wanted == "hdf5":
        with h5py.File("subset") as file:
            assert file["weight"][:].tolist() == coreset.weight.tolist()
    elif wanted == "libsvm":
        assert np.loadtxt("subset.weight").tolist() == coreset.weight.tolist()


def test_vw_lines(craig, own_folder):
    (own_folder / "d.csv").write_text(
        "kind,a b,c:d\n" + "".join(f"{'ham' if i % 2 else 'spam'},{i},{i % 3}\n" for i in range(6))
    )
    assert craig("select", "d.csv", "--label", "kind", *SELECT, "-o", "cs.parquet").code == 0
    result = craig("apply", "d.csv", "cs.parquet", "-o", "s.vw")
    assert "note     labels: ham is -1, spam is 1" in result.err
    index, weight = picks()
    wanted = []
    for i, w in zip(index, weight, strict=True):
        features = [f"a_b:{i}"] * (i > 0) + [f"c_d:{i % 3}"] * (i % 3 > 0)
        wanted.append(f"{-1 if i % 2 else 1} {w:g} '{i}| {' '.join(features)}")
    assert lines_of("s.vw") == wanted


@pytest.mark.parametrize(
    ("labels", "task", "wanted"),
    [
        ([0, 1, 2, 2], (), {"1", "2", "3"}),
        ([-1, 1, 1, -1], (), {"-1", "1"}),
        ([0.5, 1, 2, 2], ("--task", "regression"), {"0.5", "1", "2"}),
        ([1, 2, 3, 1], (), {"1", "2", "3"}),
    ],
)
def test_vw_labels(craig, own_folder, labels, task, wanted):
    (own_folder / "d.csv").write_text(
        "label,a\n" + "".join(f"{y},{i}\n" for i, y in enumerate(labels))
    )
    assert craig("select", "d.csv", *task, *SELECT, "-o", "cs.parquet").code == 0
    assert craig("apply", "d.csv", "cs.parquet", "-o", "s.vw").code == 0
    assert {line.split()[0] for line in lines_of("s.vw")} == wanted


def test_npz(craig, selected):
    assert craig("apply", "data.csv", "cs.parquet", "-o", "s.npz").code == 0
    with np.load("s.npz") as file:
        assert (file["index"].tolist(), file["weight"].tolist()) == picks()
        assert file["label"].tolist() == read_manifest("cs.parquet").coreset.label.tolist()


UNPACK = {
    "gz": gzip.decompress,
    "bz2": bz2.decompress,
    "xz": lzma.decompress,
    "zst": lambda packed: pa.input_stream(pa.py_buffer(packed), compression="zstd").read(),
    "lz4": lambda packed: pa.input_stream(pa.py_buffer(packed), compression="lz4").read(),
}


@pytest.mark.parametrize("name", UNPACK)
def test_compressed(craig, selected, own_folder, name):
    assert craig("apply", "data.csv", "cs.parquet", "-o", "s.csv").code == 0
    assert craig("apply", "data.csv", "cs.parquet", "-o", f"s.csv.{name}").code == 0
    assert (
        UNPACK[name]((own_folder / f"s.csv.{name}").read_bytes())
        == (own_folder / "s.csv").read_bytes()
    )


def test_first_makes_weights_anew(craig, selected, own_folder):
    assert craig("apply", "data.csv", "cs.parquet", "--first", "2", "-o", "s.npz").code == 0
    with np.load("s.npz") as file:
        assert (file["index"].tolist(), sorted(file["weight"].tolist())) == (picks()[0][:2], [4, 8])


def test_stdout(craig, selected):
    result = craig(
        "apply",
        "data.csv",
        "cs.parquet",
        "--to",
        "libsvm",
        "--weight-as",
        "inline",
        "-o",
        "-",
        "--quiet",
    )
    assert (result.code, len(result.out.splitlines()), result.err) == (0, 4, "")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("-o", "data.csv"), 2, "--output: 'data.csv' is one of the inputs."),
        (("-o", "cs.parquet"), 2, "--output: 'cs.parquet' is one of the inputs."),
        (
            ("-o", "there.csv"),
            2,
            "--output: 'there.csv' exists. Choose another name, or replace it with --force.",
        ),
        (
            ("-o", "x"),
            2,
            "--output: the name 'x' does not tell the format. Give --to, one of "
            f"{', '.join(names(EXPORTS))}.",
        ),
        (
            ("-o", "x.csv", "--weight-name", "a"),
            2,
            "--weight-name: there is a column 'a' already. Choose another name, or --weight-as "
            "none.",
        ),
        (
            ("-o", "-", "--to", "libsvm"),
            2,
            "--output -: weights go to a file beside the output, and stdout has no name. Use "
            "--weight-as inline, column or none.",
        ),
        (
            ("-o", "x.csv", "--first", "9"),
            2,
            "--first: 9 is not between 1 and 4, the picks that there are.",
        ),
        (("-o", "x.csv", "--label", "a"), 3, None),
    ],
)
def test_what_is_refused(craig, selected, own_folder, options, code, message):
    (own_folder / "there.csv").write_text("mine\n")
    before = listing(own_folder)
    result = craig("apply", "data.csv", "cs.parquet", *options)
    assert result.code == code
    if message is None:
        assert "cs.parquet: it was selected from other data (craig1:" in result.err
    else:
        assert result.err == f"craig: error: {message}\n"
    assert listing(own_folder) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("-", "-", "-o", "x.csv"),
            "DATA and MANIFEST cannot both be read from stdin: name a file for one.",
        ),
        (
            ("-", "cs.parquet", "--first", "2", "-o", "x.csv"),
            "--first: the data is read twice, and a pipe can be read only once. Name a file.",
        ),
    ],
)
def test_stdin_is_read_once(craig, selected, arguments, message):
    result = craig("apply", *arguments)
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")


def test_data_from_a_pipe(selected, own_folder):
    command = [
        sys.executable,
        "-m",
        "craig_cli",
        "apply",
        "-",
        "cs.parquet",
        "--format",
        "csv",
        "--to",
        "csv",
        "-o",
        "-",
        "-q",
    ]
    done = subprocess.run(
        command, input=(own_folder / "data.csv").read_bytes(), capture_output=True
    )
    index, weight = picks()
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[1:] == [
        f"{selected[i + 1]},{w:g}" for i, w in zip(index, weight, strict=True)
    ]


def test_other_data_by_force(craig, selected, own_folder):
    (own_folder / "other.csv").write_text("label,a\n" + "".join(f"{i},{i}\n" for i in range(13)))
    assert craig("apply", "other.csv", "cs.parquet", "--force-mismatch", "-o", "s.vw").code == 0
    assert [line.split()[2] for line in lines_of("s.vw")] == [f"'{i}|" for i in picks()[0]]
    (own_folder / "short.csv").write_text("label,a\n0,1\n")
    result = craig("apply", "short.csv", "cs.parquet", "--force-mismatch", "-o", "t.vw")
    assert result.code == 3
    assert "there is no row" in result.err


def test_text_labels_are_not_for_libsvm(craig, own_folder):
    (own_folder / "d.csv").write_text(
        "label,a\n" + "".join(f"{'ab'[i % 2]},{i}\n" for i in range(6))
    )
    assert craig("select", "d.csv", *SELECT, "-o", "cs.parquet").code == 0
    result = craig("apply", "d.csv", "cs.parquet", "-o", "s.libsvm")
    assert result.code == 3
    assert "labels are text, and LIBSVM takes numbers" in result.err
    assert listing(own_folder) == ["cs.parquet", "d.csv"]


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        (
            "x.vw",
            {"weight_as": "file"},
            "--weight-as file: vw files have a place of their own for weights. Leave it out.",
        ),
        (
            "x.csv",
            {"weight_as": "inline"},
            "--weight-as inline: only LIBSVM text has labels with "
            "weights, not csv. Use column or file.",
        ),
        (
            "x.libsvm",
            {"weight_as": "column"},
            "--weight-as column: libsvm files have no columns with names. Use file or inline.",
        ),
        ("x.npz.gz", {}, "--output: npz files are not written compressed. Leave out .gz."),
        ("x.csv", {"order": "best"}, "--order: 'best' is not one of greedy, row."),
    ],
)
def test_settings_that_do_not_fit(output, options, message):
    with pytest.raises(UsageError) as caught:
        target_of(ApplySettings(output, **options))
    assert str(caught.value) == message


@pytest.mark.parametrize("entry", EXPORTS, ids=lambda entry: entry.name)
def test_extensions_tell_the_format(entry):
    assert {target_of(ApplySettings(f"x{extension}")).format for extension in entry.extensions} == {
        entry.name
    }
