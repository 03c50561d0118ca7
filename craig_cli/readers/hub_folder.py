"""Data set folders as Hugging Face's ``datasets`` lays them out: which files hold the rows.

Known are a repository of shards (``data/train-00000-of-00002.parquet``, a card beside) and what
``save_to_disk`` writes (``data-00000-of-00002.arrow``, ``state.json``), of one split or of several.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from craig_cli.errors import InputError, printable

SHARD = re.compile(r"(?P<split>.+)-[0-9]{5}-of-[0-9]{5}(-[0-9a-f]+)?\.[a-z0-9.]+")
STATE, SPLITS = "state.json", "dataset_dict.json"
MOST_BYTES = 1 << 22
"""Of a file of JSON that is read."""
TRAIN = "train"


class Found(NamedTuple):
    """The files of the rows, and what the user should know of how they were found."""

    files: list[str]
    note: str = ""


def hub_files(folder: Path, is_data: Callable[[str], bool]) -> Found | None:
    """Return the files that hold the rows of a data set folder; None where it is none.

    Of several splits only the one for training is taken, and the note says so.

    Parameters
    ----------
    folder : Path
    is_data : callable
        Whether a file of a name is one of rows.

    Raises
    ------
    InputError
        There are several splits, and none is for training.
    """
    if (folder / STATE).is_file():
        return Found(saved_files(folder))
    if (folder / SPLITS).is_file():
        splits = names_in(read_json(folder / SPLITS).get("splits"))
        split, note = chosen_split(folder, splits, "{folder}/{split}")
        return Found(saved_files(folder / split), note)
    for place in (folder, folder / "data"):
        entries = sorted(place.iterdir()) if place.is_dir() else []
        shards = {entry: SHARD.fullmatch(entry.name) for entry in entries if is_data(entry.name)}
        if not shards:
            continue
        own = {entry: found["split"] for entry, found in shards.items() if found is not None}
        if len(own) < len(shards):
            return None
        pattern = "'{folder}/{split}-*'"
        split, note = chosen_split(place, sorted(set(own.values())), pattern)
        return Found([str(entry) for entry in own if own[entry] == split], note)
    return None


def chosen_split(folder: Path, splits: list[str], pattern: str) -> tuple[str, str]:
    """Return the split that is read, and what to say of the others."""
    if len(splits) == 1:
        return splits[0], ""
    names = {name: pattern.format(folder=printable(str(folder)), split=name) for name in splits}
    if TRAIN not in splits:
        raise InputError(
            str(folder),
            f"it has {len(splits)} splits ({', '.join(map(printable, splits))}), and none is "
            f"named {TRAIN}",
            remedy=f"Name one, as {next(iter(names.values()), '')}.",
        )
    others = [name for name in splits if name != TRAIN]
    return TRAIN, (
        f"Of the splits only {TRAIN} is read; the others are {', '.join(map(printable, others))}: "
        f"name one as {names[others[0]]}."
    )


def saved_files(folder: Path) -> list[str]:
    """Return the files that ``save_to_disk`` lists, all in the folder itself."""
    listed = read_json(folder / STATE).get("_data_files")
    names = names_in([entry.get("filename") for entry in listed if isinstance(entry, dict)]
                     if isinstance(listed, list) else None)  # fmt: skip
    if not names or any(Path(name).name != name for name in names):
        raise InputError(
            str(folder / STATE),
            "it does not list the files of the rows",
            remedy="Name them instead of the folder.",
        )
    return [str(folder / name) for name in names]


def names_in(values: Any) -> list[str]:
    """Return a list of names; empty for anything else."""
    is_fine = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return list(values) if is_fine else []


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file of JSON; empty where it is none."""
    try:
        with path.open("rb") as stream:
            found = json.loads(stream.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
