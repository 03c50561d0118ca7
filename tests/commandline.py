"""What tests of the command line share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Result:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str


def without_compiling(told: str) -> str:
    """Return what was told but for what is told of kernels, where they are not compiled yet."""
    return re.sub(
        r'craig: compiling kernels.*\n|, compile [\d.]+ s|, "compile": [\d.e-]+', "", told
    )


def write_csv(path: Path, labels: list[int], rows: np.ndarray) -> None:
    """Write rows with their labels, and columns a, b, ..."""
    names = [chr(ord("a") + c) for c in range(rows.shape[1])]
    lines = [",".join(["label", *names])] + [
        ",".join([str(label), *(repr(float(v)) for v in row)])
        for label, row in zip(labels, rows, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")


def listing(folder: Path) -> list[str]:
    """Return the names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
