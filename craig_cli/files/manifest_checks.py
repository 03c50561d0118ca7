"""What a manifest must be: its columns, and that they and its footer agree.

With `craig_cli.files.manifest` the only place that knows the names of its columns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from craig_cli.errors import ManifestError
from craig_cli.files.parquet_footer import Facts
from craig_cli.selection import ClassSummary, Coreset

COLUMN_TYPES = {
    "index": (pa.int64(),),
    "order": (pa.int32(),),
    "weight": (pa.float64(),),
    "cluster_size": (pa.int64(),),
    "label": (pa.int64(), pa.float64(), pa.string()),
    "gain": (pa.float64(),),
    "epsilon": (pa.float64(),),
    "medoid": (pa.int64(),),
    "base_weight": (pa.float64(),),
    "id": (pa.int64(), pa.string()),
    "file": (pa.string(),),
    "row_in_file": (pa.int64(),),
}


def check_columns(source: str, schema: pa.Schema) -> None:
    """Raise `ManifestError` unless all columns are there, each of its type."""
    optional = {"label", "medoid", "base_weight", "id", "file", "row_in_file"}
    for name, types in COLUMN_TYPES.items():
        if schema.names.count(name) > 1:
            raise ManifestError(source, f"column '{name}' is there twice")
        if name in schema.names:
            found = schema.field(name).type
            if found not in types:
                raise ManifestError(
                    source,
                    f"column '{name}' holds {found}, not {' or '.join(str(t) for t in types)}",
                )
        elif name not in optional:
            raise ManifestError(source, f"column '{name}' is missing")


def read_class(facts: Facts, entry: Mapping[str, Any]) -> ClassSummary:
    """Return the summary of one class from the footer."""
    medoid = entry.get("medoid_epsilon")
    return ClassSummary(
        label=facts.get("label", int, float, str, type(None), of=entry),
        n_rows=facts.count("n", of=entry),
        n_selected=facts.count("k", of=entry),
        epsilon=facts.number("epsilon", of=entry),
        medoid_epsilon=math.nan if medoid is None else facts.number("medoid_epsilon", of=entry),
        weight_sum=facts.number("weight_sum", of=entry) if "weight_sum" in entry else None,
    )


def read_cost(facts: Facts, key: str) -> float | None:
    """Return what is stated of a budget of costs; None where there is none."""
    return facts.number(key, of=facts.get("cost", dict)) if "cost" in facts.values else None


def read_skipped(facts: Facts) -> dict[str, Any]:
    """Return what is stated of bad rows that were skipped, as fields of a `Coreset`."""
    stated = facts.get("skipped", dict, default={})
    if not stated:
        return {}
    return {
        "skipped_rows": facts.count("rows", of=stated),
        "skipped_mark": facts.get("mark", str, of=stated),
    }


def read_parts(facts: Facts) -> tuple[int, ...]:
    """Return the rows of each part that the data was selected in; none where there are no parts."""
    parts: list[Any] = facts.get("parts", list, default=[])
    if not all(type(rows) is int and rows >= 0 for rows in parts) or (
        parts and sum(parts) != facts.count("n")
    ):
        raise ManifestError(
            facts.source, "the rows of the parts do not add up to the number of rows"
        )
    return tuple(parts)


def check_rows(source: str, coreset: Coreset, k: int) -> None:
    """Raise `ManifestError` unless the rows are the k picks of n rows, each once, in order."""
    index = coreset.index
    if not 1 <= len(index) == k <= coreset.n_rows or not coreset.classes:
        raise ManifestError(
            source,
            f"the footer states {k} selected of {coreset.n_rows} rows, the table has {len(index)}",
        )
    n_input_rows = coreset.n_input_rows
    if index.min() < 0 or index.max() >= n_input_rows:
        outside = index[(index < 0) | (index >= n_input_rows)][0]
        raise ManifestError(
            source, f"an index is not between 0 and {n_input_rows - 1}", value=str(outside)
        )
    values, counts = np.unique(index, return_counts=True)
    if len(values) < k:
        raise ManifestError(source, "a row is selected twice", value=str(values[counts > 1][0]))
    for column, is_there, said, is_needed in (
        (
            "medoid",
            coreset.medoid is not None,
            f"representative {coreset.representative}",
            coreset.representative != "medoid",
        ),
        (
            "base_weight",
            coreset.base_weight is not None,
            f"weights {coreset.weights}",
            coreset.weights == "calibrated",
        ),
    ):
        if is_needed != is_there:
            raise ManifestError(
                source,
                f"the footer states {said}, and column '{column}' is "
                f"{'missing' if is_needed else 'there'}",
            )
    if not np.array_equal(coreset.order, np.arange(k)):
        raise ManifestError(source, "column 'order' is not 0, 1, 2, ...")


def check_files(
    source: str,
    files: tuple[str, ...],
    file_starts: NDArray[np.int64],
    n_rows: int,
    columns: Mapping[str, Any],
) -> None:
    """Raise `ManifestError` unless file and row in file point to the row that index names.

    They are there where there are several files.
    """
    if not files:
        return
    if file_starts[-1] != n_rows:
        raise ManifestError(source, "the rows of the files do not add up to the number of rows")
    for name in ("file", "row_in_file"):
        if name not in columns:
            raise ManifestError(source, f"column '{name}' is missing")
    index = columns["index"]
    file = np.searchsorted(file_starts, index, side="right") - 1
    if (
        not np.array_equal(columns["row_in_file"], index - file_starts[file])
        or (np.array(files, object)[file] != columns["file"]).any()
    ):
        raise ManifestError(source, "file and row_in_file do not point to the row that index names")
