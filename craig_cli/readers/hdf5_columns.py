"""What lies beside the rows of an HDF5 file, one value a row: a dataset, or a column of AnnData."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from craig_cli.readers.hdf5_bounds import Bounds, chunk_bytes, row_bytes
from craig_cli.readers.hdf5_datasets import open_dataset, open_numbers, refuse_kind
from craig_cli.readers.hdf5_messages import Fault, send
from craig_cli.readers.hdf5_paths import holds_numbers, open_link, open_path

CHUNK_CACHE_BYTES = 64 << 20
"""That of the library, for each dataset."""
AHEAD_BYTES = 256 << 20
TEXT_BYTES = 256
"""Taken for a text of any length."""
MOST_CATEGORIES_BYTES = 64 << 20


class InOrder:
    """A dataset that is read from its first row to its last, each chunk once.

    The library drops a chunk that its cache does not hold, and would decompress it for each block.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self.dataset = dataset
        width = row_bytes(dataset) if h5py.check_string_dtype(dataset.dtype) is None else TEXT_BYTES
        self.first, self.held = 0, dataset[:0]
        self.step = 0
        if chunk_bytes(dataset) and dataset.chunks[0] * width > CHUNK_CACHE_BYTES // 2:
            self.step = max(1, min(dataset.chunks[0], AHEAD_BYTES // width))

    @property
    def memory(self) -> int:
        """Bytes that reading it takes: a chunk, packed and unpacked, and what is held."""
        held = self.step * max(row_bytes(self.dataset), TEXT_BYTES) if self.step else 0
        return 4 * chunk_bytes(self.dataset) + 2 * held + CHUNK_CACHE_BYTES

    def read(self, start: int, stop: int) -> NDArray:
        """Return some rows."""
        if not self.step or start == stop:
            return np.asarray(self.dataset[start:stop])
        pieces = []
        while start < stop:
            if not self.first <= start < self.first + len(self.held):
                self.first, self.held = start - start % self.step, self.held[:0].copy()
                self.held = self.dataset[self.first : self.first + self.step]
            piece = self.held[start - self.first : stop - self.first]
            pieces.append(piece)
            start += len(piece)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


@dataclass(frozen=True)
class Column:
    """One value a row.

    Parameters
    ----------
    stored : InOrder
        The values, or where `categories` are given, the place of each there.
    path : str
    categories : array, optional
        Texts are bytes.
    mask : InOrder, optional
        Whether a row has none.
    """

    stored: InOrder
    path: str
    categories: NDArray | None = None
    mask: InOrder | None = None

    def __len__(self) -> int:
        return len(self.stored.dataset)

    @property
    def is_text(self) -> bool:
        """Whether values are bytes of text."""
        dtype = self.stored.dataset.dtype if self.categories is None else self.categories.dtype
        return dtype.kind in "OS"

    @property
    def width(self) -> int:
        """Bytes of one value, about."""
        return row_bytes(self.stored.dataset)

    @property
    def memory(self) -> int:
        """Bytes that reading takes."""
        return sum(part.memory for part in (self.stored, self.mask) if part is not None)

    def read(self, start: int, stop: int) -> tuple[NDArray, NDArray[np.bool_]]:
        """Return the values of some rows, and whether each is missing."""
        values = self.stored.read(start, stop).reshape(-1)
        missing = np.zeros(len(values), bool)
        if self.mask is not None:
            missing = self.mask.read(start, stop).astype(bool)
        if self.categories is not None:
            missing = values < 0
            if len(values) and values.max() >= len(self.categories):
                raise Fault(
                    f"'{self.path}' has a code beyond its {len(self.categories)} categories",
                    "Write the file again.",
                    value=str(values.max()),
                )
            if missing.all():
                return np.zeros(len(values), self.categories.dtype), missing
            values = self.categories[np.where(missing, 0, values)]
        return values, missing


def open_column(root: h5py.h5g.GroupID, target: Any, path: str, bounds: Bounds) -> Column:
    """Return a column: a dataset of numbers or text, or one of the groups that AnnData writes."""
    if not isinstance(target, h5py.h5g.GroupID):
        dataset = open_values(target, path, bounds)
        categories = old_categories(root, target, path, bounds)
        return Column(InOrder(dataset), path, categories)

    def part(name: str) -> Any:
        return open_link(root, target, name.encode(), f"{path}/{name}")

    if target.links.exists(b"codes") and target.links.exists(b"categories"):
        codes = open_numbers(part("codes"), f"{path}/codes", bounds, 1)
        categories = open_values(part("categories"), f"{path}/categories", bounds)
        return Column(InOrder(codes), path, read_categories(codes, categories, path))
    if target.links.exists(b"values") and target.links.exists(b"mask"):
        values = open_values(part("values"), f"{path}/values", bounds)
        mask = open_numbers(part("mask"), f"{path}/mask", bounds, 1)
        if len(mask) != len(values):
            raise Fault(f"'{path}' has values and a mask of two lengths", "Write the file again.")
        return Column(InOrder(values), path, mask=InOrder(mask))
    raise Fault(f"'{path}' is not a dataset", "Name a dataset.")


def open_values(target: Any, path: str, bounds: Bounds) -> h5py.Dataset:
    """Return a dataset of one number or text a row; other axes may have the length 1."""
    dataset = open_dataset(target, path, bounds)
    if not holds_numbers(target) and target.get_type().get_class() != h5py.h5t.STRING:
        refuse_kind(target, path, "neither numbers nor text", "the labels")
    if dataset.ndim > 1 and max(dataset.shape[1:]) == 1:
        return dataset
    if dataset.ndim == 2 and dataset.shape[1] > 1:
        raise Fault(
            f"'{path}' has {dataset.shape[1]} values a row, and a label is one",
            f"If they are 0 and one 1, write their places instead: "
            f"file['labels'] = file['{path}'][:].argmax(axis=1).",
        )
    if dataset.ndim != 1:
        raise Fault(
            f"'{path}' has the shape {dataset.shape}, and labels are one a row",
            "Name another with --label PATH.",
        )
    return dataset


def old_categories(
    root: h5py.h5g.GroupID, target: Any, path: str, bounds: Bounds
) -> NDArray | None:
    """Return the categories that AnnData kept beside its columns, before 0.8; None without."""
    folder, _, name = path.rpartition("/")
    place = f"{folder}/__categories/{name}"
    group = open_path(root, folder) if folder else root
    if not isinstance(group, h5py.h5g.GroupID) or not group.links.exists(b"__categories"):
        return None
    beside = open_path(root, f"{folder}/__categories")
    if not isinstance(beside, h5py.h5g.GroupID) or not beside.links.exists(name.encode()):
        return None
    categories = open_values(open_path(root, place), place, bounds)
    return read_categories(h5py.Dataset(target), categories, path)


def read_categories(codes: h5py.Dataset, categories: h5py.Dataset, path: str) -> NDArray:
    """Return all categories; raises `Fault` unless codes are whole numbers, and they are few."""
    if codes.dtype.kind not in "iu":
        raise Fault(f"the codes of '{path}' are not whole numbers", "Write the file again.")
    if len(categories) * categories.dtype.itemsize > MOST_CATEGORIES_BYTES:
        raise Fault(
            f"'{path}' has {len(categories):,} categories",
            "Write it as a column of numbers or text.",
        )
    return np.asarray(categories[:]).reshape(-1)


def open_beside(
    root: h5py.h5g.GroupID,
    found: dict[str, tuple[str, Any]],
    rows_path: str,
    n_rows: int,
    bounds: Bounds,
) -> dict[str, Column]:
    """Return what is read beside the rows, by name: labels, weights and costs."""
    columns = {}
    for name, (path, target) in found.items():
        column = columns[name] = open_column(root, target, path, bounds)
        if name != "labels" and column.is_text:
            refuse_kind(target, path, "not numbers", "it")
        if len(column) != n_rows:
            remedy = (
                "Name others with --label PATH or --rows-key PATH."
                if name == "labels"
                else "Name a dataset of one number a row."
            )
            raise Fault(
                f"the lengths of '{path}' and '{rows_path}' differ: {len(column)} and {n_rows}",
                remedy,
            )
    return columns


def send_block(
    beside: Mapping[str, Column], start: int, stop: int, header: dict[str, Any], **arrays: NDArray
) -> None:
    """Send a block with what there is beside its rows.

    Labels of text go into the header, and the rows in which a value is missing.
    """
    for name, column in beside.items():
        values, missing = column.read(start, stop)
        if missing.any():
            rows = np.flatnonzero(missing).tolist()
            header = header | {"missing": {name: rows} | header.get("missing", {})}
        if column.is_text:
            texts = [value.decode(errors="surrogateescape") for value in values.tolist()]
            header = header | {"texts": texts}
        else:
            arrays[name] = values
    send(header, **arrays)
