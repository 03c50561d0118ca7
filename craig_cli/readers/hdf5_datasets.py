"""Opening the datasets of an HDF5 file: only those that lie in it and need no foreign code."""

from __future__ import annotations

from typing import Any

import h5py

from craig_cli.readers.hdf5_messages import Fault
from craig_cli.readers.hdf5_paths import holds_numbers, open_path

FILTERS = (
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_LZF,
)
TYPE_NAMES = {
    h5py.h5t.COMPOUND: "a compound",
    h5py.h5t.OPAQUE: "an opaque",
    h5py.h5t.REFERENCE: "a reference",
    h5py.h5t.ENUM: "an enumeration",
    h5py.h5t.VLEN: "a variable-length",
    h5py.h5t.ARRAY: "an array",
    h5py.h5t.BITFIELD: "a bit field",
    h5py.h5t.TIME: "a time",
    h5py.h5t.STRING: "a text",
}


def open_numbers(target: Any, path: str, rank: int = 2) -> h5py.Dataset:
    """Return a dataset of numbers with `rank` dimensions."""
    dataset = open_dataset(target, path, rank)
    if not holds_numbers(target):
        raise Fault(
            f"'{path}' is of {type_name(target)} type, not numbers",
            "Write it as integers or floats.",
        )
    return dataset


def open_labels(label: tuple[str, Any] | None, rows_path: str, n_rows: int) -> h5py.Dataset | None:
    """Return the dataset of labels, one a row."""
    if label is None:
        return None
    path, target = label
    dataset = open_dataset(target, path, 1)
    if not holds_numbers(target) and target.get_type().get_class() != h5py.h5t.STRING:
        raise Fault(
            f"'{path}' is of {type_name(target)} type, neither numbers nor text",
            "Write the labels as integers, floats or text.",
        )
    if len(dataset) != n_rows:
        raise Fault(
            f"the lengths of '{path}' and '{rows_path}' differ: {len(dataset)} and {n_rows}",
            "Name others with --label PATH or --rows-key PATH.",
        )
    return dataset


def open_beside(
    root: h5py.h5g.GroupID,
    request: dict[str, Any],
    label: tuple[str, Any] | None,
    rows_path: str,
    n_rows: int,
) -> dict[str, h5py.Dataset]:
    """Return the datasets that are read beside the rows: labels, weights and costs, by name."""
    found = {}
    labels = open_labels(label, rows_path, n_rows)
    if labels is not None:
        found["labels"] = labels
    for name, key in request.get("amounts", {}).items():
        path = "/" + key.strip("/")
        found[name] = open_numbers(open_path(root, path), path, 1)
        if len(found[name]) != n_rows:
            raise Fault(
                f"the lengths of '{path}' and '{rows_path}' differ: {len(found[name])} and "
                f"{n_rows}",
                "Name a dataset of one number a row.",
            )
    return found


def open_dataset(target: Any, path: str, rank: int) -> h5py.Dataset:
    """Return a dataset that has `rank` dimensions, lies in the file, and needs no plugin."""
    if not isinstance(target, h5py.h5d.DatasetID):
        raise Fault(f"'{path}' is not a dataset", "Name a dataset.")
    plan = target.get_create_plist()
    if plan.get_external_count():
        raise Fault(
            f"'{path}' keeps its data in another file, which craig does not open",
            "Copy the data into the file.",
        )
    if plan.get_layout() == h5py.h5d.VIRTUAL:
        raise Fault(
            f"'{path}' is a virtual dataset, made of others that craig does not open",
            "Copy the data into the file.",
        )
    foreign = [
        code
        for code in (plan.get_filter(position)[0] for position in range(plan.get_nfilters()))
        if code not in FILTERS
    ]
    if foreign:
        raise Fault(
            f"'{path}' is compressed by HDF5 filter {foreign[0]}, which craig does not load",
            "Compress it with gzip: h5repack -f GZIP=4.",
        )
    if target.rank != rank or target.get_space().get_simple_extent_type() != h5py.h5s.SIMPLE:
        raise Fault(
            f"'{path}' is {target.rank}-dimensional, not {rank}-dimensional",
            "Name another with --rows-key PATH or --label PATH.",
        )
    return h5py.Dataset(target)


def type_name(target: h5py.h5d.DatasetID) -> str:
    """Return what to call the type of a dataset, with its article."""
    return TYPE_NAMES.get(target.get_type().get_class(), "an unknown")
