"""Labels are compared by value, whatever their notation, on every road and in test sets."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

OPTIONS = ("--fraction", "0.2", "--for", "local")
ZEROS = ("0", "0.0", "+0", "0e0", "00", "0.000000000000000000e+00")
ONES = ("1", "1.0", "+1", "1e0", "01", "1.000000000000000000e+00")
PLAIN, HIGGS = ("0", "1"), (ZEROS[-1], ONES[-1])
ANY = tuple(zip(ZEROS, ONES, strict=True))


def write_rows(path, notations, n=120, seed=0, third=()):
    """Write rows of two classes, each label in the next of the notations; `third` are labels of
    rows of their own, far away. Return the labels as numbers, and the rows.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    rows = np.round(rng.normal(size=(n, 3)) + 3.0 * labels[:, None], 3)
    lines = [
        f"{notations[i % len(notations)][label]},{','.join(map(str, row))}"
        for i, (label, row) in enumerate(zip(labels.tolist(), rows.tolist(), strict=True))
    ]
    lines += [f"{label},{9 + i},9,9" for i, label in enumerate(third)]
    path.write_text("label,a,b,c\n" + "\n".join(lines) + "\n")
    return labels, rows


def classes_of(path):
    """Return the classes of a manifest and their rows, and the type of its labels."""
    file = pq.ParquetFile(path)
    facts = json.loads(file.schema_arrow.metadata[b"craig"])
    counts = {entry["label"]: entry["n"] for entry in facts["classes"]}
    return counts, str(file.schema_arrow.field("label").type)


def on_every_road(craig, files):
    """Select from files in one piece, from disk, in parts and by shards, verify each, and return
    the classes that each road found.
    """
    n = len(files)
    roads = {
        "memory": (),
        "disk": ("--memory-limit", "600M"),
        "parts": ("--parts", "2"),
        "files": ("--parts", "files"),
        "cells": ("--parts", "3", "--partition", "cells"),
    }
    found = []
    for name, road in roads.items():
        output = f"{name}.parquet"
        result = craig("select", *files, *OPTIONS, *road, "-o", output)
        assert result.code == 0, result.err
        found.append(output)
    partials = [f"{k}.partial" for k in range(n)]
    for file, partial in zip(files, partials, strict=True):
        assert craig("select", file, *OPTIONS, "--partial", "-o", partial).code == 0
    for how in ((), ("--no-assign",)):
        output = f"merged{len(how)}.parquet"
        assert craig("merge", *partials, *how, "-o", output).code == 0
        found.append(output)
    for output in found:
        result = craig("verify", *files, output)
        assert result.code == 0, f"{output}: {result.out}"
        result = craig("apply", *files, output, "-o", "chosen.csv", "--force")
        assert result.code == 0, f"{output}: {result.err}"
    return [classes_of(output) for output in found]


@pytest.mark.parametrize(
    ("first", "second"), [((HIGGS,), (PLAIN,)), (ANY, ANY[::-1])], ids=["two files", "any"]
)
def test_notations_of_one_number_are_one_class_on_every_road(craig, own_folder, first, second):
    ours, _ = write_rows(own_folder / "a.csv", first)
    theirs, _ = write_rows(own_folder / "b.csv", second, seed=1)
    ones = int(ours.sum() + theirs.sum())
    expected = ({0: 240 - ones, 1: ones}, "int64")
    assert all(found == expected for found in on_every_road(craig, ("a.csv", "b.csv")))


def test_the_picks_are_those_of_plain_labels(craig, own_folder):
    write_rows(own_folder / "plain.csv", (PLAIN,))
    write_rows(own_folder / "higgs.csv", (HIGGS,))
    for name in ("plain", "higgs"):
        assert (
            craig("select", f"{name}.csv", "--fraction", "0.1", "-o", f"{name}.parquet").code == 0
        )
    plain, higgs = ((own_folder / f"{n}.parquet").read_bytes() for n in ("plain", "higgs"))
    assert plain == higgs


def test_a_part_of_numbers_joins_one_that_has_text(craig, own_folder):
    """Only the last rows of the second file have text: most parts see numbers alone."""
    ours, _ = write_rows(own_folder / "a.csv", ANY)
    theirs, _ = write_rows(own_folder / "b.csv", (HIGGS,), seed=1, third=["none"] * 6)
    ones = int(ours.sum() + theirs.sum())
    expected = ({"0": 240 - ones, "1": ones, "none": 6}, "string")
    assert all(found == expected for found in on_every_road(craig, ("a.csv", "b.csv")))


def test_whole_numbers_join_fractions(craig, own_folder):
    write_rows(own_folder / "a.csv", (HIGGS,))
    write_rows(own_folder / "b.csv", (PLAIN,), seed=1, third=["0.50", "5e-1"])
    found = on_every_road(craig, ("a.csv", "b.csv"))
    assert all(own == found[0] for own in found)
    assert (set(found[0][0]), found[0][1]) == ({0.0, 0.5, 1.0}, "double")


def test_text_and_a_stored_number_are_compared_by_value(craig, own_folder):
    """A Parquet file of numbers beside CSV text in another notation, and with text besides."""
    labels, rows = write_rows(own_folder / "a.csv", (HIGGS,), third=["none"])
    columns = dict(zip("abc", rows.T, strict=True))
    pq.write_table(pa.table({"label": labels, **columns}), own_folder / "b.parquet")
    found = on_every_road(craig, ("a.csv", "b.parquet"))
    ones = 2 * int(labels.sum())
    assert all(own == ({"0": 240 - ones, "1": ones, "none": 1}, "string") for own in found)


@pytest.mark.slow
@pytest.mark.needs("distributed")
@pytest.mark.filterwarnings("ignore")
def test_dask_agrees(craig, own_folder):
    write_rows(own_folder / "a.csv", ANY)
    write_rows(own_folder / "b.csv", (HIGGS,), seed=1, third=["none"] * 6)
    files = ("a.csv", "b.csv", *OPTIONS, "--parts", "files")
    assert craig("select", *files, "-o", "local.parquet").code == 0
    result = craig("select", *files, "--engine", "dask", "--threads", "1", "-o", "dask.parquet")
    assert result.code == 0, result.err
    assert (own_folder / "local.parquet").read_bytes() == (own_folder / "dask.parquet").read_bytes()


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        (
            (("Yes", "no"), ("yes", "no")),
            "Classes whose labels look alike: 'Yes' (",
        ),
        (((">50K", "no"), (">50K.", "no")), "'>50K' ("),
        ((('"a "', "no"), ("a", "no")), "'a ' ("),
        ((("x", "1.0"), ("x", "1")), "The labels mix numbers and text ('1' ("),
        ((("x", "C"), ("x", "C++")), ""),
        ((("0", "1"), ("0.0", "1.0")), ""),
    ],
    ids=["case", "point", "blank", "mixed", "c", "numbers"],
)
@pytest.mark.parametrize("road", [(), ("--parts", "2")], ids=["piece", "parts"])
def test_labels_that_look_alike_get_a_note(craig, own_folder, labels, note, road):
    write_rows(own_folder / "a.csv", labels)
    result = craig("select", "a.csv", *OPTIONS, *road, "--json", "-o", "cs.parquet")
    assert result.code == 0, result.err
    notes = " ".join(json.loads(result.out)["notes"])
    assert note in notes
    assert ("look alike" in notes or "mix numbers" in notes) == bool(note)


def as_libsvm(path, labels, rows):
    lines = [
        f"{label:.18e} {' '.join(f'{c + 1}:{value}' for c, value in enumerate(row))}"
        for label, row in zip(labels, rows, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")


def as_parquet(path, labels, rows):
    texts = [f"{label}.0" for label in labels]
    pq.write_table(pa.table({"label": texts, **dict(zip("abc", rows.T, strict=True))}), path)


def as_hdf5(path, labels, rows):
    with h5py.File(path, "w") as file:
        file["X"] = rows
        file["label"] = [f"0{label}" for label in labels]


def as_csv(path, labels, rows):
    write_rows(path, (HIGGS,), seed=1)


@pytest.mark.parametrize(
    ("write", "name"),
    [(as_libsvm, "t.libsvm"), (as_parquet, "t.parquet"), (as_hdf5, "t.h5"), (as_csv, "t.csv")],
)
def test_a_test_set_in_another_notation_and_format(craig, own_folder, write, name):
    write_rows(own_folder / "a.csv", ANY)
    labels, rows = write_rows(own_folder / "plain.csv", (PLAIN,), seed=1)
    write(own_folder / name, labels, rows)
    craig("select", "a.csv", *OPTIONS, "-o", "cs.parquet")
    assert craig("train", "a.csv", "--coreset", "cs.parquet", "-o", "m.npz").code == 0
    errors = {}
    for test in ("plain.csv", name):
        result = craig(
            "predict",
            test,
            "m.npz",
            "--format",
            format_of(test),
            "--json",
            "-o",
            f"{test}.predictions",
        )
        assert result.code == 0, result.err
        errors[test] = json.loads(result.out)["error"]
    assert errors[name] == errors["plain.csv"] < 0.2


def format_of(name):
    return {"libsvm": "libsvm", "parquet": "parquet", "h5": "hdf5", "csv": "csv"}[
        name.rpartition(".")[2]
    ]


@pytest.fixture
def adult(craig, own_folder):
    """Train on '>50K' and '<=50K'; write test sets with a full stop, one of them on some rows."""
    write_rows(own_folder / "a.csv", (("<=50K", ">50K"),))
    write_rows(own_folder / "stops.csv", (("<=50K.", ">50K."),), seed=1)
    write_rows(own_folder / "some.csv", (("<=50K", ">50K"),), seed=1, third=[">50K.", ">50K."])
    write_rows(own_folder / "other.csv", (("0", "1"),), seed=1)
    assert craig("select", "a.csv", *OPTIONS, "-o", "cs.parquet").code == 0
    assert craig("train", "a.csv", "-o", "m.npz").code == 0


HINT = "Write '>50K.' as '>50K', '<=50K.' as '<=50K' if they mean the same. "
NONE_KNOWN = (
    "craig: error: stops.csv: no row has a label that the model knows: it has '>50K.' (61 rows), "
    f"'<=50K.' (59 rows), and the model <=50K, >50K. {HINT}"
)


def test_labels_that_the_model_does_not_know(craig, adult, own_folder):
    result = craig("predict", "stops.csv", "m.npz", "-o", "p.parquet")
    assert (result.code, result.err) == (
        3,
        f"{NONE_KNOWN}Give rows labelled as the model's were, or predict without the labels: "
        "--no-label and --drop COLUMN for their column.\n",
    )
    assert not (own_folder / "p.parquet").exists()
    way_out = ("--no-label", "--drop", "label")
    assert craig("predict", "stops.csv", "m.npz", *way_out, "-o", "p.parquet").code == 0
    result = craig("evaluate", "a.csv", "--coreset", "cs.parquet", "--test", "stops.csv")
    assert (result.code, result.err) == (
        3,
        f"{NONE_KNOWN}Give test rows labelled as the data is.\n",
    )
    result = craig("predict", "other.csv", "m.npz", "-o", "p.parquet", "--force")
    assert result.code == 3
    assert "it has '1' (61 rows), '0' (59 rows), and the model <=50K, >50K. Give" in result.err


def test_labels_of_which_the_model_knows_some(craig, adult):
    note = (
        "The model does not know all labels of the test rows: '>50K.' (2 rows). Whatever it "
        "predicts, 2 rows count as wrong. Write '>50K.' as '>50K' if they mean the same."
    )
    facts = json.loads(craig("predict", "some.csv", "m.npz", "--json", "-o", "p.parquet").out)
    assert facts["notes"] == [note]
    assert facts["error"] >= 2 / 122
    result = craig(
        "evaluate",
        "a.csv",
        "--coreset",
        "cs.parquet",
        "--test",
        "some.csv",
        "--seeds",
        "1",
        "--epochs",
        "2",
        "--json",
    )
    assert json.loads(result.out)["notes"] == [note]
