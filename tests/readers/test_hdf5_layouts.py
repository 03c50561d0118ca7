"""HDF5 files as other programs lay them out: images, columns of labels, AnnData, tables."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from hdf5_files import read, stored, write
from scipy.sparse import csr_matrix, random_array

from craig_cli.errors import InputError

BLOCK_SIZES = [1, 64, 4 << 20]
RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (7, 4, 3, 2), np.uint8)


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize("options", [{}, {"chunks": (2, 2, 3, 1), "compression": "gzip"}])
def test_images_are_rows_of_all_other_axes(
    tmp_path: Path, block_bytes: int, options: dict[str, object]
) -> None:
    images = stored(data=IMAGES, **options)
    path = write(tmp_path, {"images": images, "labels": np.arange(7).reshape(-1, 1)})
    rows, labels = read(path, block_bytes=block_bytes)
    assert rows.dtype == np.float64
    assert np.array_equal(rows, IMAGES.reshape(7, -1))  # bytes as they stand
    assert labels.tolist() == list(range(7))


@pytest.mark.parametrize("shape", [(7, 1), (7, 1, 1, 1)])
@pytest.mark.parametrize("values", [np.arange(7), np.array([b"a", b"b", b"c", b"d"] + [b"e"] * 3)])
def test_labels_may_be_a_column(tmp_path: Path, shape: tuple[int, ...], values: np.ndarray) -> None:
    path = write(tmp_path, {"X": IMAGES, "y": values.reshape(shape)})
    found = read(path)[1].tolist()
    assert found == [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]


def test_a_column_of_labels_is_not_taken_for_rows(tmp_path: Path) -> None:
    path = write(tmp_path, {"images": IMAGES, "labels": np.arange(7).reshape(-1, 1)})
    assert read(path, no_label=True)[0].shape == (7, 24)


MATRIX = csr_matrix(random_array((6, 5), density=0.5, rng=RNG, format="csr"))
MATRIX.sort_indices()
KINDS = ["b", "a", "b", "a", "c", "a"]


def anndata(folder: Path, is_sparse: bool = True, layout: str = "csr_matrix") -> Path:
    """Write a file as AnnData 0.8 and later does."""
    path = folder / "cells.h5ad"
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        if is_sparse:
            group = file.create_group("X")
            group.attrs.update({"encoding-type": layout, "shape": np.array(MATRIX.shape)})
            for name in ("data", "indices", "indptr"):
                group[name] = getattr(MATRIX, name)
        else:
            file["X"] = MATRIX.toarray().astype(np.float32)
        obs = file.create_group("obs")
        obs.attrs.update({"_index": "_index", "encoding-type": "dataframe"})
        obs.create_dataset("_index", data=[f"cell{i}" for i in range(6)], dtype=text)
        obs["n_genes"] = np.arange(6)
        obs.create_dataset("batch", data=["x", "y"] * 3, dtype=text)
        kind = obs.create_group("cell_type")
        kind.attrs["encoding-type"] = "categorical"
        kind["codes"] = np.array([1, 0, 1, 0, 2, 0], np.int8)
        kind.create_dataset("categories", data=["a", "b", "c"], dtype=text)
        part = obs.create_group("part")
        part["codes"], part["categories"] = np.array([1, -1, 1, 0, 0, 0], np.int8), [10, 20]
        whole = obs.create_group("whole")
        whole.attrs["encoding-type"] = "nullable-integer"
        whole["values"], whole["mask"] = np.arange(6), [False] * 5 + [True]
        for name in ("var", "obsm", "uns"):
            file.create_group(name)
        file["obsm/X_pca"] = np.ones((6, 2))
    return path


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize("is_sparse", [True, False])
@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("cell_type", KINDS),
        ("obs/cell_type", KINDS),
        ("batch", ["x", "y"] * 3),
        ("n_genes", list(range(6))),
    ],
)
@pytest.mark.thinned
def test_anndata(
    tmp_path: Path, is_sparse: bool, label: str, expected: list[object], block_bytes: int
) -> None:
    rows, labels = read(anndata(tmp_path, is_sparse), label=label, block_bytes=block_bytes)
    dense = rows.toarray() if is_sparse else rows
    assert np.array_equal(dense, MATRIX.toarray() if is_sparse else MATRIX.toarray().astype("f4"))
    assert labels.tolist() == expected


def test_a_usual_name_in_obs_is_the_label(tmp_path: Path) -> None:
    path = anndata(tmp_path)
    with h5py.File(path, "a") as file:
        file.move("obs/batch", "obs/target")
    assert read(path)[1].tolist() == ["x", "y"] * 3


def test_categories_of_an_older_anndata(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {
            "X": MATRIX.toarray(),
            "obs/kind": np.array([1, 0, 1, 0, 2, 0], np.int8),
            "obs/n": np.arange(6),
            "obs/__categories/kind": stored(data=["a", "b", "c"], dtype=h5py.string_dtype()),
        },
    )
    assert read(path, label="kind")[1].tolist() == KINDS
    assert read(path, label="n")[1].tolist() == list(range(6))


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize(("label", "row"), [("part", 2), ("whole", 6)])
def test_missing_labels_of_anndata(tmp_path: Path, label: str, row: int, block_bytes: int) -> None:
    path = anndata(tmp_path)
    with pytest.raises(InputError) as caught:
        read(path, label=label, block_bytes=block_bytes)
    assert str(caught.value) == (
        f"{path}:{row}: the label has no value in this row. Correct it, or leave the row out."
    )


def error_of(path: Path, **options) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        read(path, **options)
    return str(caught.value).removeprefix(f"{path}: ")


def test_columns_of_obs_are_named(tmp_path: Path) -> None:
    path = anndata(tmp_path)
    columns = "batch, cell_type, n_genes, part, whole"
    assert error_of(path) == (
        "there is no labels dataset /label, /labels, /target, /class or /y; columns of obs: "
        f"{columns}. Name it with --label COLUMN, or use --no-label."
    )
    assert error_of(path, label="kind") == (
        f"there is no '/kind' in the file, nor in obs, whose columns are {columns}. Name one of "
        "these."
    )


def test_codes_beyond_the_categories(tmp_path: Path) -> None:
    path = anndata(tmp_path)
    with h5py.File(path, "a") as file:
        file["obs/cell_type/codes"][3] = 9
    assert error_of(path, label="cell_type") == (
        "'/obs/cell_type' has a code beyond its 3 categories (value '9'). Write the file again."
    )


def test_anndata_by_columns(tmp_path: Path) -> None:
    path = anndata(tmp_path, layout="csc_matrix")
    assert error_of(path, label="batch") == (
        "'/X' is stored by columns (CSC). Convert it: python -c 'import anndata; a = "
        f'anndata.read_h5ad("{path}"); a.X = a.X.tocsr(); a.write_h5ad("rows.h5ad")\''
    )


def run_remedy(message: str, folder: Path) -> None:
    """Run the command that an error ends with."""
    words = shlex.split(message.partition("Convert it: ")[2])
    subprocess.run([sys.executable, *words[1:]], cwd=folder, check=True)


@pytest.mark.needs("pandas")
@pytest.mark.parametrize("label", [None, "label"])
def test_a_compound_table_is_converted_by_the_command_told(
    tmp_path: Path, label: str | None
) -> None:
    table = np.array([(1, 2.5, 0), (2, 3.5, 1)], [("a", "i8"), ("b", "f8"), ("label", "i8")])
    path = write(tmp_path, {"group/it's": table})
    message = error_of(path, label=label) if label is None else error_of(path, no_label=True)
    assert message.startswith("'/group/it's' is a table of named fields. Convert it: python -c ")
    run_remedy(message, tmp_path)
    assert pq.read_table(tmp_path / "rows.parquet").to_pydict() == {
        "a": [1, 2],
        "b": [2.5, 3.5],
        "label": [0, 1],
    }


def test_tables_of_pandas(tmp_path: Path) -> None:
    def mark(file: h5py.File, name: str) -> None:
        file["df"].attrs["pandas_type"] = b"frame"

    path = write(tmp_path, {"df/block0_values": np.ones((3, 2)), "df/axis0": [1, 2], "z": mark})
    for options in ({}, {"no_label": True}, {"no_label": True, "rows_key": "df"}):
        assert error_of(path, **options) == (
            "'/df' is a table that pandas wrote, in a layout of its own. Convert it: python -c "
            f'\'import pandas; pandas.read_hdf("{path}", "df").to_parquet("rows.parquet")\''
        )


def test_an_anndata_older_than_its_groups(tmp_path: Path) -> None:
    table = np.array([(1,), (2,)], [("n", "i8")])
    path = write(tmp_path, {"X": [[1.0], [2]], "obs": table})
    assert error_of(path) == (
        "the file is of an AnnData older than 0.7. Convert it: python -c 'import anndata; "
        f'anndata.read_h5ad("{path}").write_h5ad("rows.h5ad")\''
    )
