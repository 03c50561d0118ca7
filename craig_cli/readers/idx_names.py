"""What the files of labels of IDX data sets are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from craig_cli.settings.catalog import COMPRESSIONS
from craig_cli.storage.remote import split_options


def labels_name(name: str) -> str | None:
    """Return what the labels of a file of images are usually called, as
    ``train-labels-idx1-ubyte``; None where the name has no such twin.
    """
    twin = name.replace("images", "labels").replace("idx3", "idx1")
    return twin if "images" in name else None


def spellings(name: str) -> list[str]:
    """Return a file name as it stands, then with every other compression."""
    plain = Path(name).stem if Path(name).suffix.lower() in COMPRESSIONS else name
    return [
        name,
        *(
            other
            for other in (plain, *(plain + extension for extension in COMPRESSIONS))
            if other != name
        ),
    ]


def without_labels(files: Sequence[str], formats: Sequence[str | None]) -> list[str]:
    """Return file names without those of labels whose images are among them: a pattern, or a
    folder, names both.
    """
    split = [split_options(file) for file in files]
    idx = [
        (Path(plain), options)
        for (plain, options), kind in zip(split, formats, strict=True)
        if kind == "idx"
    ]
    twins = [(path, labels_name(path.name), options) for path, options in idx]
    taken = {
        (path.with_name(name), options)
        for path, twin, options in twins
        if twin is not None
        for name in spellings(twin)
    }
    return [
        file
        for file, (plain, options) in zip(files, split, strict=True)
        if (Path(plain), options) not in taken
    ]
