"""Finding the rows and the labels of an HDF5 file, and following no link out of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import h5py

from craig_cli.readers.hdf5_foreign import refuse_foreign
from craig_cli.readers.hdf5_messages import Fault

MOST_LINKS = 100_000
MOST_SOFT_LINKS = 32
ROWS_KEYS = ("X", "data", "rows", "features")
LABEL_KEYS = ("label", "labels", "target", "class", "y")
CSR_KEYS = (b"data", b"indices", b"indptr")


def find_labels(root: h5py.h5g.GroupID, key: str | None) -> tuple[str, Any]:
    """Return the path and the object of the labels."""
    if key is not None:
        return find_column(root, key)
    for folder in ("", "/obs"):
        group = open_group(root, folder)
        name = next((n for n in LABEL_KEYS if group and group.links.exists(n.encode())), None)
        if name is not None:
            return f"{folder}/{name}", open_path(root, f"{folder}/{name}")
    objects = list(walk(root))
    refuse_foreign(objects)
    obs = columns_of(root)
    problem = f"there is no labels dataset /{', /'.join(LABEL_KEYS[:-1])} or /{LABEL_KEYS[-1]}; "
    if obs:
        raise Fault(
            f"{problem}columns of obs: {listed(obs)}",
            "Name it with --label COLUMN, or use --no-label.",
        )
    found = [
        path
        for path, target in objects
        if isinstance(target, h5py.h5d.DatasetID) and rank_of(target) == 1
    ]
    raise Fault(
        f"{problem}datasets with one dimension: {listed(found)}",
        "Name it with --label PATH, or use --no-label.",
    )


def find_column(root: h5py.h5g.GroupID, key: str) -> tuple[str, Any]:
    """Return the path and the object of what is to be read beside the rows.

    A name that is none in the file may be that of a column in AnnData's ``obs``.
    """
    path = "/" + key.strip("/")
    obs = open_group(root, "/obs")
    is_own = root.links.exists(path.split("/")[1].encode(errors="surrogateescape"))
    if not is_own and obs and obs.links.exists(path[1:].encode(errors="surrogateescape")):
        path = f"/obs{path}"
    elif not is_own and (columns := columns_of(root)):
        raise Fault(
            f"there is no '{path}' in the file, nor in obs, whose columns are {listed(columns)}",
            "Name one of these.",
        )
    return path, open_path(root, path)


def open_group(root: h5py.h5g.GroupID, path: str) -> h5py.h5g.GroupID | None:
    """Return the group at a path of one step, or the root; None where there is none."""
    if path and not root.links.exists(path[1:].encode()):
        return None
    target = open_path(root, path)
    return target if isinstance(target, h5py.h5g.GroupID) else None


def columns_of(root: h5py.h5g.GroupID) -> list[str]:
    """Return the names of the columns of AnnData's ``obs``, its index aside."""
    obs = open_group(root, "/obs")
    names = [] if obs is None else [name.decode(errors="surrogateescape") for name in obs]
    return [name for name in names if not name.startswith("_") and name != "index"]


def find_rows(
    root: h5py.h5g.GroupID, key: str | None, label: tuple[str, Any] | None
) -> tuple[str, Any]:
    """Return the path and the object of the rows: a dataset, or the group of a sparse matrix."""
    if key is not None:
        path = "/" + key.strip("/")
        target = open_path(root, path)
        if isinstance(target, h5py.h5d.DatasetID) or is_sparse(target):
            return path, target
        refuse_foreign([(path, target)])
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
    objects = [item for item in walk(root) if h5py.h5o.get_info(item[1]).addr != taken]
    refuse_foreign(objects)
    found = {path: target for path, target in objects if is_table(target) or is_sparse(target)}
    found = {path: found[path] for path in found if not may_be_labels(path, found[path])} or found
    if len(found) == 1:
        return next(iter(found.items()))
    if found:
        raise Fault(
            f"several datasets or groups may be the rows: {listed(list(found))}",
            "Choose one with --rows-key PATH.",
        )
    flat = [path for path, target in objects if is_dataset(target) and rank_of(target) == 1]
    raise Fault(
        "there are no rows: no dataset of numbers with two or more dimensions, no group with data, "
        f"indices and indptr; datasets with one dimension: {listed(flat)}",
        "Write a column: file['rows'] = file['NAME'][:].reshape(-1, 1).",
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


def is_dataset(target: Any) -> bool:
    """Return whether `target` is a dataset."""
    return isinstance(target, h5py.h5d.DatasetID)


def is_table(target: Any) -> bool:
    """Return whether `target` is a dataset of numbers with two dimensions or more."""
    return is_dataset(target) and rank_of(target) not in (0, 1) and holds_numbers(target)


def may_be_labels(path: str, target: Any) -> bool:
    """Return whether an object has a usual name of labels, and one number a row."""
    is_named = path.rpartition("/")[2] in LABEL_KEYS
    return is_named and is_dataset(target) and bool(rank_of(target)) and max(target.shape[1:]) == 1


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
