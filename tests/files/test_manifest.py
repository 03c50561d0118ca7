"""The manifest: written and read back, byte for byte the same, and refused when it is not whole."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from craig_cli import __version__
from craig_cli.errors import ManifestError
from craig_cli.files.manifest import Manifest, is_manifest, read_manifest, write_manifest
from craig_cli.files.parquet_footer import canonical_json
from craig_cli.selection import EPSILON_DEFINITION, ClassSummary, Coreset

LABELS = {
    "int": np.array([-1, 1, -1]),
    "float": np.array([0.5, 1.5, 0.5]),
    "string": np.array(["no, 'é'", "yes", "no, 'é'"], dtype=object),
    "none": None,
}


def make_manifest(labels: str = "int", several: bool = False) -> Manifest:
    """Return three picks of six rows."""
    label = LABELS[labels]
    if label is None:
        classes = (ClassSummary(None, 6, 3, 2.5, math.nan),)
    else:
        classes = (
            ClassSummary(label.tolist()[0], 4, 2, 1.5, 3.0),
            ClassSummary(label.tolist()[1], 2, 1, 1.0, 1.0),
        )
    coreset = Coreset(
        index=np.array([4, 0, 2]),
        order=np.arange(3, dtype=np.int32),
        weight=np.array([3.0, 2.0, 1.0]),
        cluster_size=np.array([3, 2, 1]),
        label=label,
        gain=np.array([9.0, 5.0, 1.5]),
        epsilon=np.array([3.0, 1.0, 1.5]),
        classes=classes,
        n_rows=6,
        n_columns=2,
        method="exact",
        metric="euclidean",
        scale="none",
        task="classification",
        weights="cluster",
        seed=0,
        notes=("a note",),
    )
    files = ("a.csv", "b c.csv", "empty.csv") if several else ()
    return Manifest(
        coreset,
        {"budget": {"size": 3}},
        "ab" * 32,
        files,
        np.array([0, 2, 6, 6]) if several else np.empty(0, np.int64),
    )


def write(manifest: Manifest, path: Path) -> str:
    with path.open("wb") as out:
        write_manifest(out, manifest)
    return str(path)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("labels", LABELS)
def test_what_is_written_is_read_back(tmp_path, labels, several):
    manifest = make_manifest(labels, several)
    back = read_manifest(write(manifest, tmp_path / "cs.parquet"))
    assert back.facts() == manifest.facts()
    for field in dataclasses.fields(Coreset):
        old, new = getattr(manifest.coreset, field.name), getattr(back.coreset, field.name)
        if isinstance(old, np.ndarray):
            assert old.dtype == new.dtype
            assert old.tolist() == new.tolist()
    assert (back.files, back.file_starts.tolist()) == (
        manifest.files,
        manifest.file_starts.tolist(),
    )
    again = io.BytesIO()
    write_manifest(again, back)
    assert again.getvalue() == (tmp_path / "cs.parquet").read_bytes()


def test_columns_and_their_types(tmp_path):
    table = pq.read_table(write(make_manifest("string", several=True), tmp_path / "cs.parquet"))
    assert [(f.name, str(f.type), f.nullable) for f in table.schema] == [
        ("index", "int64", False),
        ("order", "int32", False),
        ("weight", "double", False),
        ("cluster_size", "int64", False),
        ("label", "string", False),
        ("gain", "double", False),
        ("epsilon", "double", False),
        ("file", "string", False),
        ("row_in_file", "int64", False),
    ]
    assert table["file"].to_pylist() == ["b c.csv", "a.csv", "b c.csv"]
    assert table["row_in_file"].to_pylist() == [2, 0, 0]


def test_footer(tmp_path):
    metadata = pq.read_metadata(write(make_manifest(), tmp_path / "cs.parquet")).metadata
    assert set(metadata) == {b"craig"}
    footer = json.loads(metadata[b"craig"])
    assert canonical_json(footer).encode() == metadata[b"craig"]
    assert len(footer.pop("request_fingerprint")) == 64
    assert footer.pop("gradient_error_bound")["form"].endswith("<= C * epsilon.total")
    assert footer == {
        "schema_version": 1,
        "craig_version": __version__,
        "method": "exact",
        "metric": "euclidean",
        "scale": "none",
        "task": "classification",
        "seed": 0,
        "representative": "medoid",
        "weights": "cluster",
        "calibration": None,
        "proxy": "features",
        "n": 6,
        "d": 2,
        "k": 3,
        "classes": [
            {
                "label": -1,
                "n": 4,
                "k": 2,
                "epsilon": 1.5,
                "epsilon_mean": 0.375,
                "medoid_epsilon": 3.0,
            },
            {
                "label": 1,
                "n": 2,
                "k": 1,
                "epsilon": 1.0,
                "epsilon_mean": 0.5,
                "medoid_epsilon": 1.0,
            },
        ],
        "epsilon": {"total": 2.5, "mean": 2.5 / 6, "definition": EPSILON_DEFINITION},
        "data_fingerprint": "ab" * 32,
        "request": {"budget": {"size": 3}},
        "files": [],
        "notes": ["a note"],
    }


def test_the_request_fingerprint_covers_request_and_data():
    manifest = make_manifest()
    others = (
        dataclasses.replace(manifest, request={"budget": {"size": 4}}),
        dataclasses.replace(manifest, data_fingerprint="cd" * 32),
    )
    assert len({m.facts()["request_fingerprint"] for m in (manifest, *others)}) == 3


def test_equal_bytes_from_another_process(tmp_path):
    code = (
        "import sys, pathlib; from test_manifest import make_manifest, write; "
        "write(make_manifest(), pathlib.Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "b"],
        check=True,
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert (
        Path(write(make_manifest(), tmp_path / "a")).read_bytes() == (tmp_path / "b").read_bytes()
    )


def test_names_that_are_not_utf8_are_escaped(tmp_path):
    manifest = dataclasses.replace(make_manifest(several=True), files=("a\udcff", "b", "c"))
    assert read_manifest(write(manifest, tmp_path / "cs.parquet")).files[0] == "a\\udcff"


def test_a_manifest_from_a_pipe(tmp_path):
    path = write(make_manifest(), tmp_path / "cs.parquet")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(Path(path).read_bytes()))
    writer.start()
    assert read_manifest(str(fifo)).facts() == make_manifest().facts()
    writer.join()


def test_is_manifest(tmp_path):
    assert is_manifest(Path(write(make_manifest(), tmp_path / "cs.parquet")))
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("dear diary")
    for name in ("other.parquet", "empty", "text"):
        assert not is_manifest(tmp_path / name)


def rewrite(path: str, footer: object = None, drop: str | None = None, **columns: pa.Array) -> None:
    """Write a manifest anew with other columns or another footer (text, or changes to it)."""
    table, facts = pq.read_table(path), json.loads(pq.read_metadata(path).metadata[b"craig"])
    text = footer if isinstance(footer, str) else json.dumps(facts | (footer or {}))
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(
        (table if drop is None else table.drop_columns([drop])).replace_schema_metadata(
            {"craig": text}
        ),
        path,
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"footer": "{"}, "the footer is not JSON."),
        ({"footer": "[" * 100_000}, "the footer is not JSON."),
        ({"footer": "[]"}, "the footer is not a JSON object."),
        ({"footer": "{}"}, "footer: 'schema_version' is missing or of a wrong type."),
        (
            {"footer": {"schema_version": 3}},
            "manifest schema version 3, and this craig reads up to 2. Update craig.",
        ),
        (
            {"footer": {"schema_version": True}},
            "footer: 'schema_version' is missing or of a wrong type.",
        ),
        ({"footer": {"n": "6"}}, "footer: 'n' is missing or of a wrong type."),
        ({"footer": {"n": -6}}, "footer: 'n' is out of range (value '-6')."),
        ({"footer": {"n": 2**70}}, f"footer: 'n' is out of range (value '{2**70}')."),
        ({"footer": {"n": 2}}, "the footer states 3 selected of 2 rows, the table has 3."),
        ({"footer": {"k": 4}}, "the footer states 4 selected of 6 rows, the table has 3."),
        ({"footer": {"n": 4}}, "an index is not between 0 and 3 (value '4')."),
        ({"footer": {"classes": [1]}}, "footer: 'classes' is missing or of a wrong type."),
        (
            {"footer": {"classes": [{"label": [], "n": 1, "k": 1, "epsilon": 1}]}},
            "footer: 'label' is missing or of a wrong type.",
        ),
        (
            {"footer": {"classes": [{"label": 1, "n": 1, "k": 1, "epsilon": math.inf}]}},
            "footer: 'epsilon' is not finite.",
        ),
        (
            {"footer": {"files": [{"name": "a", "rows": 7}]}},
            "the rows of the files do not add up to the number of rows.",
        ),
        ({"footer": {"files": [{"name": "a", "rows": 6}]}}, "column 'file' is missing."),
        ({"footer": {"request": None}}, "footer: 'request' is missing or of a wrong type."),
        ({"drop": "weight"}, "column 'weight' is missing."),
        ({"weight": pa.array([1, 2, 3])}, "column 'weight' holds int64, not double."),
        ({"weight": pa.array([1.0, None, 3])}, "column 'weight' has an empty cell."),
        (
            {"weight": pa.array([1.0, math.nan, 3])},
            "column 'weight' holds a value that is not finite.",
        ),
        (
            {"label": pa.array([True, False, True])},
            "column 'label' holds bool, not int64 or double or string.",
        ),
        ({"index": pa.array([-1, 0, 2])}, "an index is not between 0 and 5 (value '-1')."),
        ({"index": pa.array([6, 0, 2])}, "an index is not between 0 and 5 (value '6')."),
        ({"index": pa.array([2, 0, 2])}, "a row is selected twice (value '2')."),
        ({"order": pa.array([2, 1, 0], pa.int32())}, "column 'order' is not 0, 1, 2, ...."),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(tmp_path, change, problem):
    path = write(make_manifest(), tmp_path / "cs.parquet")
    rewrite(path, **change)
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value) == f"{path}: {problem}"


@pytest.mark.parametrize(
    "change", [{"file": pa.array(["a.csv"] * 3)}, {"row_in_file": pa.array([2, 0, 1])}]
)
def test_file_and_row_in_file_must_point_to_the_row(tmp_path, change):
    path = write(make_manifest(several=True), tmp_path / "cs.parquet")
    rewrite(path, **change)
    with pytest.raises(
        ManifestError, match="file and row_in_file do not point to the row that index names"
    ):
        read_manifest(path)


def test_a_file_cut_anywhere_or_with_a_flipped_byte_is_one_error(tmp_path):
    path = tmp_path / "cs.parquet"
    whole = Path(write(make_manifest(), path)).read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(ManifestError):
            read_manifest(str(path))
    for position in range(0, len(whole), 23):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            read_manifest(str(path))
        except ManifestError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no", "cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
        ("text", "not a Parquet file, or cut short"),
    ],
)
def test_what_is_no_file_or_no_parquet(tmp_path, monkeypatch, name, problem):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("dear diary, this is no Parquet")
    with pytest.raises(ManifestError) as caught:
        read_manifest(name)
    assert str(caught.value) == f"{name}: {problem}. Give a file written by craig select."
