"""Weights made by hand: a Parquet file with a column of row numbers and one of weights."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from craig_cli.errors import InputError
from craig_cli.files.parquet_footer import open_table, values_of
from craig_cli.storage.location import Location

REMEDY = "Give a Parquet file with a column 'index' of row numbers from 0 and a column 'weight'."


def read_weights(path: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return row numbers and their weights; ``-`` reads stdin.

    A row may be named twice; other columns are passed over.

    Raises
    ------
    InputError
        The file cannot be read, a column is missing or holds no numbers, or there are no rows.
    """
    location = Location.of(path)
    source = location.source
    with open_table(location, REMEDY, InputError) as file:
        for name in ("index", "weight"):
            if file.schema_arrow.names.count(name) != 1:
                raise InputError(
                    source, f"there is no column '{name}', or more than one", remedy=REMEDY
                )
        table = file.read(columns=["index", "weight"])
    index_type, weight_type = table.schema.field("index").type, table.schema.field("weight").type
    if not pa.types.is_integer(index_type) or not (
        pa.types.is_integer(weight_type) or pa.types.is_floating(weight_type)
    ):
        raise InputError(
            source,
            f"columns index and weight hold {index_type} and {weight_type}, "
            f"not whole numbers and numbers",
            remedy=REMEDY,
        )
    if table.num_rows == 0:
        raise InputError(source, "there are no rows", remedy=REMEDY)
    index = values_of(source, "index", table.column("index")).astype(np.int64)
    weight = values_of(source, "weight", table.column("weight")).astype(np.float64)
    if weight.min() < 0 or not weight.any():
        raise InputError(
            source, "a weight is negative, or all are 0", value=f"{weight.min():g}", remedy=REMEDY
        )
    return index, weight
