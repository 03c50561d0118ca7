"""Predictions as a Parquet file. The only place that knows its column names."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.files.parquet_footer import arrow_array, has_footer, write_table
from craig_cli.training.problem import Array

FOOTER_KEY = b"craig_predictions"


def write_predictions(
    out: BinaryIO,
    index: NDArray[np.int64],
    predicted: Labels,
    certainty: tuple[str, Array] | None,
) -> None:
    """Write columns index, prediction and, for classes, `certainty` under its name.

    `index` is the row of the input as it lies; certainty is a probability or a score.
    """
    columns = {"index": index, "prediction": predicted}
    if certainty is not None:
        columns[certainty[0]] = certainty[1]
    write_table(
        out, {name: arrow_array(values) for name, values in columns.items()}, FOOTER_KEY, "1"
    )


def is_predictions(path: Path) -> bool:
    """Return whether a file holds predictions of craig, as far as its footer tells."""
    return has_footer(path, FOOTER_KEY)
