"""IDX files: what is read, in blocks of any size, where labels are found, and the whole text of
every error.
"""

from __future__ import annotations

import bz2
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from tools import path_of

from craig_cli.errors import InputError, UsageError
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.settings import InputSettings

CODES = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 2, 3) * 11
LABELS = np.array([3, 1, 3, 0], np.uint8)


def idx(array: np.ndarray) -> bytes:
    """Return an array as the bytes of an IDX file."""
    head = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim]) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with MNIST's two files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    return tmp_path


def read(*names, **options):
    return read_dataset(InputSettings(names, **options))


@pytest.mark.parametrize("block_bytes", [1, 7, 4 << 20])
def test_images_and_labels(folder, block_bytes):
    data = read("train-images-idx3-ubyte", block_bytes=block_bytes)
    assert (data.rows.dtype, data.labels.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(data.rows, IMAGES.reshape(4, 6).astype(np.float32) / 255)
    assert data.labels.tolist() == [3, 1, 3, 0]
    assert read("train-images-idx3-ubyte", no_label=True).labels is None


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "f4", "f8"])
def test_other_numbers_are_as_they_stand(folder, kind):
    rows = (np.arange(12).reshape(4, 3) - 5).astype(kind)
    (folder / "images.idx").write_bytes(idx(rows))
    (folder / "labels.idx").write_bytes(idx(np.array([[7], [-1], [7], [2]], "i4")))
    data = read("images.idx")
    np.testing.assert_array_equal(data.rows, rows)
    assert data.rows.dtype == (np.float32 if kind == "f4" else np.float64)
    assert data.labels.tolist() == [7, -1, 7, 2]


def test_compressed_files_and_other_names(folder):
    plain = fingerprint(read("train-images-idx3-ubyte"))
    (folder / "t10k-images.idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES), mtime=0))
    (folder / "t10k-labels.idx1-ubyte.bz2").write_bytes(bz2.compress(idx(LABELS)))
    assert fingerprint(read("t10k-images.idx3-ubyte.gz")) == plain
    (folder / "pictures.gz").write_bytes(gzip.compress(idx(IMAGES), mtime=0))
    assert fingerprint(read("pictures.gz", format="idx", label="train-labels-idx1-ubyte")) == plain


def test_patterns_and_folders_name_labels_too(folder):
    plain = fingerprint(read("train-images-idx3-ubyte"))
    for names in (
        ("train-*",),
        (str(folder),),
        ("train-labels-idx1-ubyte", "train-images-idx3-ubyte"),
    ):
        data = read(*names)
        assert (fingerprint(data), len(data.files)) == (plain, 1)


@pytest.mark.parametrize(
    ("name", "content", "options", "text"),
    [
        ("a-idx3-ubyte", idx(IMAGES), {},
         "its name does not tell that of its labels (images in it would be labels there, idx3 "
         "would be idx1). Name their file with --label FILE, or use --no-label."),
        ("images-idx3-ubyte.gz", gzip.compress(idx(IMAGES), mtime=0), {},
         "there is no file of its labels beside it, labels-idx1-ubyte.gz, compressed or not. Name "
         "it with --label FILE, or use --no-label."),
        ("images.idx", b"\x89HDF\r\n", {"no_label": True},
         "this is not an IDX file (value '89 48 44 46'). Give its format with --format."),
        ("images.idx", b"", {"no_label": True},
         "this is not an IDX file. Give its format with --format."),
        ("images.idx", idx(IMAGES)[:10], {"no_label": True},
         "the file ends within its header. Copy or download the file again."),
        ("images.idx", idx(IMAGES)[:-7], {"no_label": True},
         "the file ends after 2 of 4 rows. Copy or download the file again."),
        ("images.idx", idx(IMAGES) + b"\0", {"no_label": True},
         "the file goes on after the rows that its header tells. Copy or download the file again."),
        ("images.idx", idx(IMAGES)[:8] + b"\xff\xff\xff\xff" * 2, {"no_label": True},
         "a row has 18446744065119617025 numbers, not 1 to 67108864. Copy "
         "or download the file again."),
        ("images.idx", idx(LABELS), {"no_label": True},
         "it has one axis, so these are labels, not rows. Name the file of the images: "
         "the labels beside it are found."),
        ("images.idx", idx(IMAGES[:3]), {"label": "train-labels-idx1-ubyte"},
         "train-labels-idx1-ubyte: it has 4 labels, and images.idx 3 rows. Name another file with "
         "--label FILE."),
        ("images.idx", idx(IMAGES), {"label": "train-images-idx3-ubyte"},
         "train-images-idx3-ubyte: it has 6 numbers a row, and a label is one. Name another file "
         "with --label FILE, or use --no-label."),
        ("images.idx", idx(np.array([[0, 1], [2, np.nan]], "f4")), {"no_label": True},
         "images.idx:2:2: the value is not finite (value 'nan'). Correct it, or leave the row "
         "out."),
    ],
)  # fmt: skip
def test_refused(folder, name, content, options, text):
    (folder / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(name, **options)
    assert str(caught.value) in (text, f"{name}: {text}")


def test_refused_options(folder):
    with pytest.raises(UsageError) as caught:
        read("train-images-idx3-ubyte", label="../train-labels-idx1-ubyte")
    assert str(caught.value) == (
        "--label: '../train-labels-idx1-ubyte' is not a file in the "
        "folder "
        "of train-images-idx3-ubyte."
    )
    with pytest.raises(UsageError) as caught:
        read("train-images-idx3-ubyte", drop=("x",))
    assert str(caught.value) == (
        "--drop: columns of idx files have no names. Convert the file to CSV or Parquet first."
    )


@pytest.mark.needs("fashion-mnist")
def test_fashion_mnist():
    data = read(str(Path(path_of("fashion-mnist"), "t10k-images-idx3-ubyte.gz")))
    assert data.rows.shape == (10_000, 784)
    assert float(data.rows.max()) == 1.0
    assert np.bincount(data.labels).tolist() == [1000] * 10
