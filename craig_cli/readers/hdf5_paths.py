"""Finding the rows and the labels of an HDF5 file, and following no link out of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import h5py

from craig_cli.readers.hdf5_messages import Fault

MOST_LINKS = 100_000
MOST_SOFT_LINKS = 32
ROWS_KEYS = ("X", "data", "rows", "features")
LABEL_KEYS = ("label", "labels", "target", "class", "y")
CSR_KEYS = (b"data", b"indices", b"indptr")


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
    """Return the object at a path from `group`.

    Soft links are followed within the file, others are refused.
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


def rank_of(target: h5py.h5d.DatasetID) -> int | None:
    """Return the number of dimensions; None for a virtual dataset, which may depend on files."""
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


def listed(paths: list[str]) -> str:
    """Return at most ten paths in one line."""
    return ", ".join(paths[:10] + [f"{len(paths) - 10} more"] * (len(paths) > 10)) or "none"
