"""Opening the datasets of an HDF5 file: only those that lie in it and need no foreign code."""

from __future__ import annotations

from typing import Any, NoReturn

import h5py

from craig_cli.readers.hdf5_bounds import Bounds
from craig_cli.readers.hdf5_foreign import as_parquet, is_compound
from craig_cli.readers.hdf5_messages import Fault
from craig_cli.readers.hdf5_paths import holds_numbers

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


def open_numbers(target: Any, path: str, bounds: Bounds, rank: int | None = None) -> h5py.Dataset:
    """Return a dataset of numbers with `rank` dimensions; None: rows, which have at least two."""
    dataset = open_dataset(target, path, bounds)
    if rank is not None and dataset.ndim != rank:
        raise Fault(
            f"'{path}' is {dataset.ndim}-dimensional, not {rank}-dimensional",
            "Name another with --rows-key PATH or --label PATH.",
        )
    if not holds_numbers(target):
        refuse_kind(target, path, "not numbers", "it")
    if rank is None and dataset.ndim < 2:
        raise Fault(
            f"'{path}' has one axis, so its rows have no columns",
            f"Write a column: file['rows'] = file['{path}'][:].reshape(-1, 1).",
        )
    return dataset


def refuse_kind(target: h5py.h5d.DatasetID, path: str, wanted: str, called: str) -> NoReturn:
    """Raise `Fault` for a dataset of another type than is `wanted`."""
    kinds = "integers or floats" if called == "it" else "integers, floats or text"
    remedy = f"Write {called} as {kinds}."
    if is_compound(target):
        remedy = as_parquet(target, path)
    raise Fault(f"'{path}' is of {type_name(target)} type, {wanted}", remedy)


def open_dataset(target: Any, path: str, bounds: Bounds) -> h5py.Dataset:
    """Return a dataset with an axis that lies in the file, keeps to bounds and needs no plugin."""
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
    if target.rank < 1 or target.get_space().get_simple_extent_type() != h5py.h5s.SIMPLE:
        raise Fault(
            f"'{path}' is one value, not one a row",
            "Name another with --rows-key PATH or --label PATH.",
        )
    dataset = h5py.Dataset(target)
    bounds.check(dataset, path)
    return dataset


def type_name(target: h5py.h5d.DatasetID) -> str:
    """Return what to call the type of a dataset, with its article."""
    return TYPE_NAMES.get(target.get_type().get_class(), "an unknown")
