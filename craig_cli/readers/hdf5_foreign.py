"""What other programs write into HDF5 files, which craig does not read, and how to convert it.

Their tables are compound datasets, or groups whose layout is their own.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

import h5py

from craig_cli.readers.hdf5_messages import Fault

OUTPUT = '"rows.parquet"'
PANDAS, ENCODING = b"pandas_type", b"encoding-type"
BY_ROWS = "Store the matrix by rows (CSR), indices ascending within each row."
SMALL_ATTRIBUTE = 1 << 16


def as_parquet(target: h5py.h5d.DatasetID, path: str) -> str:
    """Return the command that makes a Parquet file of a table, a compound dataset."""
    keys = f"{in_code(file_name(target))})[{in_code(path)}]"
    return python(
        "import h5py, pandas; "
        f"pandas.DataFrame.from_records(h5py.File({keys}[:]).to_parquet({OUTPUT})"
    )


def by_rows(group: h5py.h5g.GroupID, path: str) -> str:
    """Return what makes rows of a matrix that is stored by columns."""
    file = in_code(file_name(group))
    if path == "/X" and has_attribute(group, ENCODING):
        return python(
            f"import anndata; a = anndata.read_h5ad({file}); a.X = a.X.tocsr(); "
            'a.write_h5ad("rows.h5ad")'
        )
    return BY_ROWS


def refuse_foreign(objects: list[tuple[str, Any]]) -> None:
    """Raise `Fault` for a table of pandas or PyTables among what a file holds."""
    for path, target in objects:
        if isinstance(target, h5py.h5g.GroupID) and has_attribute(target, PANDAS):
            call = f"pandas.read_hdf({in_code(file_name(target))}, {in_code(path.strip('/'))})"
            raise Fault(
                f"'{path}' is a table that pandas wrote, in a layout of its own",
                python(f"import pandas; {call}.to_parquet({OUTPUT})"),
            )
    for path, target in objects:
        if is_compound(target):
            if path == "/obs":
                file = in_code(file_name(target))
                raise Fault(
                    "the file is of an AnnData older than 0.7",
                    python(f'import anndata; anndata.read_h5ad({file}).write_h5ad("rows.h5ad")'),
                )
            raise Fault(f"'{path}' is a table of named fields", as_parquet(target, path))


def is_compound(target: Any) -> bool:
    """Return whether an object is a dataset of named fields, which are not the parts of a complex
    number.
    """
    return (
        isinstance(target, h5py.h5d.DatasetID)
        and target.get_type().get_class() == h5py.h5t.COMPOUND
        and target.dtype.names is not None
    )


def has_attribute(target: h5py.h5g.GroupID, name: bytes) -> bool:
    """Return whether there is an attribute of this name that is small enough to be read."""
    return (
        bool(h5py.h5a.exists(target, name))
        and h5py.h5a.open(target, name).get_storage_size() <= SMALL_ATTRIBUTE
    )


def file_name(target: Any) -> str:
    """Return the path of the file that holds an object."""
    name: bytes = h5py.h5i.get_file_id(target).name
    return name.decode(errors="surrogateescape")


def in_code(text: str) -> str:
    """Return a text as it stands in Python code that a shell quotes."""
    return json.dumps(text, ensure_ascii=False)


def python(code: str) -> str:
    """Return a sentence with a command that can be pasted."""
    return f"Convert it: python -c {shlex.quote(code)}"
