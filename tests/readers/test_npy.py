"""NumPy files: what is read, in blocks of any size, and the whole text of every error."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
import pytest
import scipy.sparse as sp

from craig_cli.errors import CraigError, InputError
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.gather import Reading
from craig_cli.readers.parts import Part, Piece, count_rows, read_part
from craig_cli.settings import InputSettings

BLOCKS = [1, 40, 4 << 20]
RNG = np.random.default_rng(4)
ROWS = RNG.normal(size=(23, 5))
LABELS = np.arange(23) % 3


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", LABELS)
    return tmp_path


def read(*names, **options):
    return read_dataset(InputSettings(names, **options))


def bfloat16(values):
    """Return floats as ml_dtypes saves bfloat16: two bytes a number, of no type of numpy."""
    return (values.astype(np.float32).view(np.uint32) >> 16).astype("<u2").view("V2")


@pytest.mark.parametrize("block_bytes", BLOCKS)
@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", ">f4", "<f2", "i1", ">i4", "u2", "?"])
def test_rows_of_every_type(kind, by_columns, block_bytes):
    rows = (ROWS * 40).astype(kind)
    np.save("X.npy", np.asfortranarray(rows) if by_columns else rows)
    found = read("X.npy", label="y.npy", block_bytes=block_bytes)
    assert found.rows.dtype == (np.float32 if kind in ("<f4", ">f4", "<f2") else np.float64)
    assert found.rows.tolist() == rows.astype(np.float64).tolist()
    assert found.labels.tolist() == LABELS.tolist()
    assert read("X.npy", no_label=True).labels is None


@pytest.mark.parametrize("block_bytes", BLOCKS)
def test_bfloat16(block_bytes):
    np.save("X.npy", bfloat16(ROWS))
    found = read("X.npy", no_label=True, block_bytes=block_bytes).rows
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, ROWS, rtol=2**-7)
    assert (found.view(np.uint32) & 0xFFFF).max() == 0


@pytest.mark.parametrize("by_columns", [False, True])
def test_parts_read_only_their_rows(by_columns):
    np.save("X.npy", np.asfortranarray(ROWS) if by_columns else ROWS)
    settings = InputSettings(("X.npy",), label="y.npy", block_bytes=80)
    assert count_rows(settings, "X.npy") == 23
    part = read_part(settings, Part((Piece("X.npy", 5, 17),)))
    assert (part.rows.tolist(), part.labels.tolist()) == (
        ROWS[5:17].tolist(),
        LABELS[5:17].tolist(),
    )
    (block, *_) = Reading(settings, lambda *_: None).blocks()
    assert block.rows.shape == (2, 5)


@pytest.mark.parametrize("labels", [["a", "b"], [b"a", b"b"], [[1], [2]], [0.5, 2], [True, False]])
def test_labels_of_every_kind(labels):
    np.save("X.npy", ROWS[:2])
    np.save("l.npy", np.array(labels))
    found = read("X.npy", label="l.npy").labels.tolist()
    assert found == {"a": ["a", "b"], "b": [1, 2]}.get(
        "a" if isinstance(labels[0], (str, bytes)) else "b" if labels[0] == [1] else "", labels
    )


def test_a_folder_of_rows_and_labels():
    np.save("X.npy", ROWS)
    whole = read("X.npy", label="y.npy")
    assert fingerprint(read(".", label="y.npy")) == fingerprint(whole)
    assert read(".", label="y.npy").files == ("X.npy",)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("names", [("X", "y"), ("data", "labels"), ("features", "target"),
                                   ("embeddings", "label"), ("rows", "kinds")])  # fmt: skip
@pytest.mark.parametrize("by_columns", [False, True])
def test_archives(save, names, by_columns):
    rows, labels = names
    stored = np.asfortranarray(ROWS) if by_columns else ROWS
    save("d.npz", **{rows: stored, labels: LABELS, "w": LABELS + 0.5, "other": np.zeros(3)})
    options = {"rows_key": rows, "label": labels} if rows == "rows" else {}
    for block_bytes in BLOCKS:
        found = read("d.npz", **options, block_bytes=block_bytes, weight_column="w")
        assert found.rows.tolist() == ROWS.tolist()
        assert found.labels.tolist() == LABELS.tolist()
        assert found.weights.tolist() == (LABELS + 0.5).tolist()
    assert count_rows(InputSettings(("d.npz",), **options), "d.npz") == 23
    part = read_part(InputSettings(("d.npz",), **options), Part((Piece("d.npz", 3, 9),)))
    assert part.rows.tolist() == ROWS[3:9].tolist()
    assert read("d.npz", rows_key=rows, label="y.npy").labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("block_bytes", BLOCKS)
def test_sparse_matrices_of_scipy(block_bytes):
    matrix = sp.random_array((40, 9), density=0.3, format="csr", rng=np.random.default_rng(1))
    matrix.data[2] = 0
    sp.save_npz("m.npz", matrix)
    np.save("y.npy", np.arange(40))
    found = read("m.npz", label="y.npy", block_bytes=block_bytes)
    assert found.rows.dense().tolist() == matrix.toarray().tolist()
    assert (found.rows.n_columns, len(found.rows.values)) == (9, matrix.nnz - 1)
    assert found.labels.tolist() == list(range(40))


def saved(array, **changes):
    """Return an array as the bytes of an ``.npy`` file, with another head."""
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=True)
    head = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape} | changes
    text = json.dumps(head).replace("false", "False").replace("[", "(").replace("]", ",)")
    text = (text + "\n").encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + out.getvalue()[128:]


@pytest.mark.parametrize(
    ("content", "options", "text"),
    [
        (b"", {}, "this is not an .npy file, or its head is damaged. Write it with numpy.save."),
        (b"\x93NUMPY\x01\x00\xff\xff", {},
         "this is not an .npy file, or its head is damaged. Write it with numpy.save."),
        (b"label,a\n1,2\n", {},
         "this is not an .npy file, or its head is damaged. Write it with numpy.save."),
        (saved(ROWS)[:-9], {},
         "its head tells of 920 bytes, and 911 follow. Copy or write the file again."),
        (saved(ROWS, shape=[10**9, 10**6]), {},
         "its head tells of 8,000,000,000,000,000 bytes, and 920 follow. Copy or write the file "
         "again."),
        (saved(np.array([[{}]], object)), {},
         "it holds Python objects (a pickle), which craig never reads. Save an array of numbers, "
         "or of text for labels."),
        (saved(ROWS[0]), {},
         "it holds 1-dimensional float64 of shape (5,), not rows and columns of numbers. Save an "
         "array of shape (rows, columns)."),
        (saved(ROWS.reshape(23, 5, 1)), {},
         "it holds 3-dimensional float64 of shape (23, 5, 1), not rows and columns of numbers. "
         "Save X.reshape(len(X), -1)."),
        (saved(np.array([["a"]])), {},
         "it holds 2-dimensional <U1, not rows and columns of numbers. Save an array of shape "
         "(rows, columns)."),
        (saved(ROWS[:, :0]), {},
         "a row has 0 numbers, not 1 to 67108864. Save an array of shape (rows, columns)."),
        (saved(np.where(ROWS[4, 2] == ROWS, np.nan, ROWS)), {},
         "X.npy:5:3: the value is not finite (value 'nan'). Correct it, or leave the row out."),
        (saved(ROWS), {"no_label": False},
         "an array holds no labels. Name the file of its labels, in the same folder, with --label "
         "FILE.npy, or use --no-label."),
        (saved(ROWS), {"no_label": False, "label": "z.npy"},
         "--label: 'z.npy' is not a file in the folder of X.npy."),
        (saved(ROWS[:4]), {"no_label": False, "label": "y.npy"},
         "y.npy: it has 23 labels, and X.npy 4 rows. Name another file with --label FILE."),
        (saved(ROWS), {"no_label": False, "label": "X.npy"},
         "it holds 2-dimensional float64 of shape (23, 5), not a label a row. Name another file "
         "with --label FILE."),
        (saved(ROWS), {"drop": ("a",)},
         "--drop: columns of npy files have no names. Convert the file to CSV or Parquet first."),
    ],
)  # fmt: skip
def test_refused(folder, content, options, text):
    (folder / "X.npy").write_bytes(content)
    with pytest.raises(CraigError) as caught:
        read("X.npy", **{"no_label": True} | options)
    assert str(caught.value) in (text, f"X.npy: {text}")


def archive(**members):
    """Return an archive of bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return out.getvalue()


def bomb():
    """Return an archive whose directory tells of more than any compression gives."""
    data = bytearray(archive(X=saved(ROWS, shape=[10**5, 10**5])))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 4_000_000_000)
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "options", "text"),
    [
        (b"PK", {}, "this is not an .npz file, or it is damaged. Copy or write the file again."),
        (archive(X=saved(ROWS))[:-30], {},
         "this is not an .npz file, or it is damaged. Copy or write the file again."),
        (archive(a=saved(ROWS), b=saved(ROWS)), {},
         "no array is named X, x, data, features or embeddings; the arrays are a, b. Name that of "
         "the rows with --rows-key NAME."),
        (archive(X=saved(ROWS)), {"no_label": False},
         "no array is named y, labels, label, targets or target; the arrays are X. Name that of "
         "the labels with --label NAME (or a file beside, --label FILE.npy), or use --no-label."),
        (archive(X=saved(ROWS)), {"rows_key": "Y"},
         "--rows-key: d.npz has no array 'Y'. The arrays are X."),
        (archive(X=saved(ROWS), y=saved(LABELS[:3])), {"no_label": False},
         "d.npz:y: it has 3 labels, and d.npz 23 rows. Name another file with --label FILE."),
        (archive(X=saved(np.array([[{}]], object))), {},
         "d.npz:X: it holds Python objects (a pickle), which craig never reads. Save an array of "
         "numbers, or of text for labels."),
        (archive(X=saved(ROWS, shape=[10**9, 5])), {},
         "d.npz:X: its head tells of 40,000,000,000 bytes, and 920 follow. Copy or write the file "
         "again."),
        (archive(X=saved(ROWS), w=saved(-ROWS[:, 0] ** 2)), {"weight_column": "w"},
         "d.npz:1: the weight is negative"),
        (archive(X=saved(ROWS)), {"features": ("X",)},
         "--features: columns of npz files have no names. Convert the file to CSV or Parquet "
         "first."),
    ],
)  # fmt: skip
def test_archives_refused(folder, content, options, text):
    (folder / "d.npz").write_bytes(content)
    with pytest.raises(CraigError) as caught:
        read("d.npz", **{"no_label": True} | options)
    told = str(caught.value)
    assert told in (text, f"d.npz: {text}") or told.startswith(f"{text} (value ")


def test_an_archive_that_lies_of_its_size_is_refused_unread(folder):
    (folder / "d.npz").write_bytes(bomb())
    with pytest.raises(InputError, match=r"^d.npz:X: [\d,]+ bytes are said to hold 4,000,000,000"):
        read("d.npz", no_label=True)


@pytest.mark.parametrize("layout", ["csc", "coo"])
def test_sparse_matrices_refused(layout):
    sp.save_npz("m.npz", sp.csr_array(np.eye(3)).asformat(layout))
    with pytest.raises(InputError) as caught:
        read("m.npz", no_label=True, **({} if layout == "csc" else {"rows_key": "row"}))
    if layout == "csc":
        assert str(caught.value) == (
            "m.npz: the matrix is not stored by rows (value 'csc'). Save X.tocsr() with "
            "scipy.sparse.save_npz."
        )


def test_damaged_sparse_matrices():
    good = {"format": b"csr", "shape": [2, 3], "indptr": [0, 1, 2], "indices": [0, 2],
            "data": [1.0, 2.0]}  # fmt: skip
    for change, text in (
        ({"indptr": [0, 5, 2]}, "are not those of one matrix of numbers"),
        ({"indptr": [0, 1]}, "are not those of one matrix of numbers"),
        ({"indices": [0, 7]}, "m.npz:2: the column index is not between 0 and 2 (value '7')"),
        ({"indices": [0, -1]}, "m.npz:2: the column index is not between 0 and 2 (value '-1')"),
        ({"data": [1.0, np.inf]}, "m.npz:2:3: the value is not finite (value 'inf')"),
        ({"shape": [[2], [3]]}, "m.npz:shape: it holds 2-dimensional int64"),
    ):
        np.savez("m.npz", **{k: np.array(v) for k, v in (good | change).items()})
        with pytest.raises(InputError) as caught:
            read("m.npz", no_label=True)
        assert text in str(caught.value)
