"""The process that reads an HDF5 file for `craig_cli.readers.hdf5`: the HDF5 library can crash on a
hostile file, and then takes down only this.

It is run by its path and imports nothing of the package, so that it is one file. Its one argument
is the request, as JSON. It first finds the datasets, following no link out of the file, then writes
messages to standard output: 8 bytes of length, a JSON header of that length, and the bytes of the
arrays that the header lists.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

MEMORY_BYTES = 4 << 30
CHUNK_CACHE_BYTES = 64 << 20
PIECE = 1 << 18
"""Entries read at once where only their order or range is checked."""
MOST_LINKS = 100_000
MOST_SOFT_LINKS = 32
ROWS_KEYS = ("X", "data", "rows", "features")
LABEL_KEYS = ("label", "labels", "target", "class", "y")
CSR_KEYS = (b"data", b"indices", b"indptr")
INDEX_LIMIT = 2**31 - 1
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
HDF5_ERRORS = (OSError, RuntimeError, ValueError, TypeError, KeyError)
"""What h5py makes of errors of the HDF5 library."""
BY_ROWS = "Store the matrix by rows (CSR), indices ascending within each row."


class Fault(Exception):
    """What is wrong with the file, in the parts of an `InputError`."""

    def __init__(
        self, problem: str, remedy: str, row: int | None = None, value: str | None = None
    ) -> None:
        super().__init__(problem)
        self.parts = {"problem": problem, "remedy": remedy, "row": row, "value": value}


def main() -> None:
    """Serve the request of the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    limit_resources()
    try:
        serve(json.loads(sys.argv[1]))
        send({"end": True})
    except BrokenPipeError:  # the reader wants no more
        pass
    except Fault as fault:
        send({"error": fault.parts})
    except MemoryError:
        send(
            {
                "error": Fault(
                    f"reading it takes more than {MEMORY_BYTES >> 30} GiB",
                    "Check that the file is not damaged.",
                ).parts
            }
        )
    except HDF5_ERRORS as error:
        problem = (
            f"the HDF5 library cannot read this file: "
            f"{error.args[0] if error.args else type(error).__name__}"
        )
        send(
            {
                "error": Fault(
                    problem[:300],
                    "Check that it is an undamaged HDF5 file; copy it or write it again.",
                ).parts
            }
        )


def limit_resources() -> None:
    """Allow no core file and only so much memory, where the system has such limits."""
    if sys.platform == "win32":
        return
    import resource

    for kind, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY_BYTES)):
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(
                kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard)
            )


def send(header: dict[str, Any], **arrays: NDArray) -> None:
    """Write one message."""
    plain = {
        name: np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        for name, array in arrays.items()
    }
    text = json.dumps(
        header | {"arrays": [(name, array.dtype.str, array.shape) for name, array in plain.items()]}
    ).encode()
    sys.stdout.buffer.write(len(text).to_bytes(8, "little") + text)
    for array in plain.values():
        sys.stdout.buffer.write(array.reshape(-1).view(np.uint8).data)
    sys.stdout.buffer.flush()


def serve(request: dict[str, Any]) -> None:
    """Send the rows and labels that are asked for, block by block."""
    size = request["block_bytes"]
    with h5py.File(
        request["path"], "r", locking=False, rdcc_nbytes=CHUNK_CACHE_BYTES, rdcc_nslots=10_007
    ) as file:
        root = h5py.h5g.open(file.id, b"/")
        label = None if request["no_label"] else find_labels(root, request["label"])
        path, rows = find_rows(root, request["rows_key"], label)
        if isinstance(rows, h5py.h5g.GroupID):
            matrix = SparseMatrix(root, rows, path)
            matrix.send_blocks(open_beside(root, request, label, path, matrix.n_rows), size)
        else:
            dataset = open_numbers(rows, path)
            send_dense(dataset, open_beside(root, request, label, path, dataset.shape[0]), size)


def send_dense(dataset: h5py.Dataset, beside: dict[str, h5py.Dataset], size: int) -> None:
    """Send the rows of a dense dataset, about `size` bytes at a time."""
    n_rows, n_columns = dataset.shape
    if n_columns == 0:
        raise Fault(
            f"'{dataset.name}' has no columns", "Name another dataset with --rows-key PATH."
        )
    step = max(1, size // (n_columns * dataset.dtype.itemsize))
    for start in range(0, n_rows, step):
        stop = min(start + step, n_rows)
        send_block(beside, start, stop, {}, rows=dataset[start:stop])


def send_block(
    beside: dict[str, h5py.Dataset],
    start: int,
    stop: int,
    header: dict[str, Any],
    **arrays: NDArray,
) -> None:
    """Send a block with what there is beside its rows, numbers as arrays and labels of text in the
    header.
    """
    for name, dataset in beside.items():
        if h5py.check_string_dtype(dataset.dtype) is None:
            arrays[name] = dataset[start:stop]
        else:
            header = header | {
                "texts": [
                    value.decode(errors="surrogateescape") for value in dataset[start:stop].tolist()
                ]
            }
    send(header, **arrays)


class SparseMatrix:
    """A group with the data, indices and indptr of a matrix in compressed sparse row form, checked
    as a whole before a row is sent.
    """

    def __init__(self, root: h5py.h5g.GroupID, group: h5py.h5g.GroupID, path: str) -> None:
        self.path = path
        self.data, self.indices, self.indptr = (
            open_numbers(
                open_link(root, group, name, f"{path}/{name.decode()}"),
                f"{path}/{name.decode()}",
                1,
            )
            for name in CSR_KEYS
        )
        for dataset in (self.indices, self.indptr):
            if dataset.dtype.kind not in "iu":
                raise Fault(f"'{dataset.name}' does not hold whole numbers", BY_ROWS)
        self.n_rows, self.n_entries = len(self.indptr) - 1, len(self.data)
        if len(self.indices) != self.n_entries:
            raise Fault(
                f"'{path}' has {self.n_entries} data but {len(self.indices)} indices",
                "Write the file again.",
            )
        if self.n_rows < 0:
            raise Fault(f"'{path}/indptr' is empty", BY_ROWS)
        self.check_pointers()
        self.n_columns = self.count_columns(root, group)

    def check_pointers(self) -> None:
        """Raise `Fault` unless indptr starts at 0, never falls, and ends at the number of entries."""
        last = 0
        for start in range(0, self.n_rows + 1, PIECE):
            pointers = self.indptr[start : start + PIECE].astype(np.int64)
            if start == 0 and pointers[0] != 0:
                raise Fault(
                    f"'{self.path}/indptr' does not start at 0", BY_ROWS, value=str(pointers[0])
                )
            falls = np.flatnonzero(np.diff(pointers, prepend=last) < 0)
            if len(falls):
                raise Fault(
                    f"'{self.path}/indptr' falls in this row",
                    BY_ROWS,
                    start + int(falls[0]),
                    str(pointers[falls[0]]),
                )
            last = int(pointers[-1])
            send({})
        if last != self.n_entries:
            raise Fault(
                f"'{self.path}/indptr' does not end at the number of entries, {self.n_entries}",
                BY_ROWS,
                value=str(last),
            )

    def count_columns(self, root: h5py.h5g.GroupID, group: h5py.h5g.GroupID) -> int:
        """Return the number of columns that the shape tells, else the highest index and one."""
        shape = self.read_shape(root, group)
        if shape is None:
            n_columns = 0
            for start in range(0, self.n_entries, PIECE):
                n_columns = max(n_columns, int(self.indices[start : start + PIECE].max()) + 1)
                send({})
        elif shape.shape != (2,) or shape.dtype.kind not in "iu" or shape[1] < 0:
            raise Fault(
                f"the shape of '{self.path}' is not two whole numbers",
                "Write the number of rows and of columns.",
                value=str(shape),
            )
        elif shape[0] != self.n_rows:
            raise Fault(
                f"'{self.path}' has {self.n_rows} rows, but its shape tells {shape[0]}", BY_ROWS
            )
        else:
            n_columns = int(shape[1])
        if n_columns > INDEX_LIMIT:
            raise Fault(
                f"'{self.path}' has more than {INDEX_LIMIT} columns",
                "Renumber the columns.",
                value=str(n_columns),
            )
        return n_columns

    def read_shape(self, root: h5py.h5g.GroupID, group: h5py.h5g.GroupID) -> NDArray | None:
        """Return the attribute or the dataset that tells the shape; None if there is neither."""
        attributes = h5py.Group(group).attrs
        if "csc" in str(attributes.get("encoding-type", "")) + str(
            attributes.get("h5sparse_format", "")
        ):
            raise Fault(f"'{self.path}' is stored by columns (CSC)", BY_ROWS)
        if "shape" in attributes:
            return np.asarray(attributes["shape"])
        if not group.links.exists(b"shape"):
            return None
        dataset = open_numbers(
            open_link(root, group, b"shape", f"{self.path}/shape"), f"{self.path}/shape", 1
        )
        return np.asarray(dataset[:3])

    def send_blocks(self, beside: dict[str, h5py.Dataset], size: int) -> None:
        """Send the rows, about `size` bytes at a time."""
        most_rows, most_entries = max(1, size // 8), max(1, size // 12)
        for first in range(0, self.n_rows, most_rows):
            pointers = self.indptr[first : first + most_rows + 1].astype(np.int64)
            start = 0
            while start < len(pointers) - 1:
                stop = max(
                    start + 1,
                    int(np.searchsorted(pointers, pointers[start] + most_entries, "right")) - 1,
                )
                entries = slice(int(pointers[start]), int(pointers[stop]))
                arrays = {
                    "indptr": pointers[start : stop + 1] - pointers[start],
                    "indices": self.indices[entries],
                    "values": self.data[entries],
                }
                send_block(
                    beside, first + start, first + stop, {"n_columns": self.n_columns}, **arrays
                )
                start = stop


def find_labels(root: h5py.h5g.GroupID, key: str | None) -> tuple[str, Any]:
    """Return the path and the object of the labels."""
    if key is None:
        key = next((key for key in LABEL_KEYS if root.links.exists(key.encode())), None)
    if key is not None:
        path = "/" + key.strip("/")
        return path, open_path(root, path)
    found = [
        path
        for path, target in walk(root)
        if isinstance(target, h5py.h5d.DatasetID) and rank_of(target) == 1
    ]
    problem = (
        f"there is no labels dataset /{', /'.join(LABEL_KEYS[:-1])} or /{LABEL_KEYS[-1]}; "
        f"datasets with one dimension: {listed(found)}"
    )
    raise Fault(problem, "Name it with --label PATH, or use --no-label.")


def find_rows(
    root: h5py.h5g.GroupID, key: str | None, label: tuple[str, Any] | None
) -> tuple[str, Any]:
    """Return the path and the object of the rows: a dataset, or the group of a sparse matrix."""
    if key is not None:
        path = "/" + key.strip("/")
        target = open_path(root, path)
        if isinstance(target, h5py.h5d.DatasetID) or is_sparse(target):
            return path, target
        raise Fault(
            f"'{path}' is neither a dataset nor a group with data, indices and indptr",
            "Name another with --rows-key PATH.",
        )
    for name in ROWS_KEYS:
        if root.links.exists(name.encode()):
            target = open_path(root, f"/{name}")
            if is_table(target) or is_sparse(target):
                return f"/{name}", target
    taken = None if label is None else h5py.h5o.get_info(label[1]).addr
    found = {path: target for path, target in walk(root) if is_table(target) or is_sparse(target)}
    found = {
        path: target for path, target in found.items() if h5py.h5o.get_info(target).addr != taken
    }
    if len(found) == 1:
        return next(iter(found.items()))
    if found:
        raise Fault(
            f"several datasets or groups may be the rows: {listed(list(found))}",
            "Choose one with --rows-key PATH.",
        )
    raise Fault(
        "there are no rows: no dataset of numbers with two dimensions, no group with data, "
        "indices and indptr",
        "Check the file.",
    )


def walk(root: h5py.h5g.GroupID) -> Iterator[tuple[str, Any]]:
    """Yield the path of every object that hard links lead to, once, and the object."""
    seen = set()
    n_links = 0
    waiting: deque[tuple[str, Any]] = deque([("", root)])
    while waiting:
        path, target = waiting.popleft()
        address = h5py.h5o.get_info(target).addr
        if address in seen:
            continue
        seen.add(address)
        yield path or "/", target
        for name in target if isinstance(target, h5py.h5g.GroupID) else ():
            n_links += 1
            if n_links > MOST_LINKS:
                raise Fault(
                    f"the file has more than {MOST_LINKS} links",
                    "Name the datasets with --rows-key and --label.",
                )
            if target.links.get_info(name).type == h5py.h5l.TYPE_HARD:
                waiting.append(
                    (f"{path}/{name.decode(errors='surrogateescape')}", h5py.h5o.open(target, name))
                )


def open_path(root: h5py.h5g.GroupID, path: str) -> Any:
    """Return the object at a path from the root."""
    return open_link(root, root, path.encode(errors="surrogateescape"), path)


def open_link(root: h5py.h5g.GroupID, group: h5py.h5g.GroupID, path: bytes, shown: str) -> Any:
    """Return the object at a path from `group`; soft links are followed within the file, others are
    refused.
    """
    target = group
    waiting = deque(path.split(b"/"))
    n_soft = 0
    while waiting:
        name = waiting.popleft()
        if name in (b"", b"."):
            continue
        if not isinstance(target, h5py.h5g.GroupID) or not target.links.exists(name):
            problem = (
                f"'{shown}' is a soft link to nothing"
                if n_soft
                else (f"there is no '{shown}' in the file")
            )
            raise Fault(problem, "Check the path: h5ls -r lists the file.")
        kind = target.links.get_info(name).type
        if kind == h5py.h5l.TYPE_HARD:
            target = h5py.h5o.open(target, name)
        elif kind == h5py.h5l.TYPE_SOFT:
            n_soft += 1
            if n_soft > MOST_SOFT_LINKS:
                raise Fault(
                    f"'{shown}' is a soft link that leads in a circle", "Name the dataset itself."
                )
            link = target.links.get_val(name)
            target = root if link.startswith(b"/") else target
            waiting.extendleft(reversed(link.split(b"/")))
        else:
            raise Fault(
                f"'{shown}' is a link out of the file, which craig does not follow",
                "Copy the data into the file.",
            )
    return target


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
    """Return the datasets of one value a row that are read beside the rows: labels, weights and
    costs, by these names.
    """
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


def rank_of(target: h5py.h5d.DatasetID) -> int | None:
    """Return the number of dimensions; None for a virtual dataset, whose size may depend on other
    files.
    """
    return None if target.get_create_plist().get_layout() == h5py.h5d.VIRTUAL else int(target.rank)


def is_table(target: Any) -> bool:
    """Return whether `target` is a dataset of numbers with two dimensions."""
    return (
        isinstance(target, h5py.h5d.DatasetID)
        and rank_of(target) in (2, None)
        and holds_numbers(target)
    )


def is_sparse(target: Any) -> bool:
    """Return whether `target` is a group with the parts of a sparse matrix."""
    return isinstance(target, h5py.h5g.GroupID) and all(
        target.links.exists(name) for name in CSR_KEYS
    )


def holds_numbers(target: h5py.h5d.DatasetID) -> bool:
    """Return whether a dataset holds integers, floats or booleans."""
    kind = target.get_type().get_class()
    return kind in (h5py.h5t.INTEGER, h5py.h5t.FLOAT) or (
        kind == h5py.h5t.ENUM and target.dtype == bool
    )


def type_name(target: h5py.h5d.DatasetID) -> str:
    """Return what to call the type of a dataset, with its article."""
    return TYPE_NAMES.get(target.get_type().get_class(), "an unknown")


def listed(paths: list[str]) -> str:
    """Return at most ten paths in one line."""
    return ", ".join(paths[:10] + [f"{len(paths) - 10} more"] * (len(paths) > 10)) or "none"


if __name__ == "__main__":
    main()
