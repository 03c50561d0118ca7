"""The manifest: a coreset as a Parquet file with a JSON footer. The only place that knows its
column names.

Equal coresets give equal bytes: no clock, host or path is stored, but for the names of the files
where there are several.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from craig_cli import __version__
from craig_cli.errors import ManifestError
from craig_cli.files.parquet_footer import (
    SCHEMA_VERSION,
    Facts,
    arrow_array,
    canonical_json,
    has_footer,
    open_seekable,
    storable_name,
    unreadable,
    values_of,
    write_table,
)
from craig_cli.selection import ClassSummary, Coreset

FOOTER_KEY = b"craig"
PROXIES = ("features", "file")
"""What distances are taken among: the columns of the data, or rows that a trainer wrote; of these
the request has the fingerprint.
"""
GRADIENT_ERROR_BOUND = {
    "form": "|| sum over all rows of grad f_i(w) - sum over selected rows of weight_j grad f_j(w) "
    "|| <= C * epsilon.total",
    "assumptions": "cluster weights; || grad f_i(w) - grad f_j(w) || <= C * distance(i, j) for "
    "rows of one class. "
    "C depends on the loss and on ||w||, it is not computed here (paper: eq. 9, appendix B.1).",
}

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
    "file": (pa.string(),),
    "row_in_file": (pa.int64(),),
}


@dataclass(frozen=True)
class Manifest:
    """A coreset and where it came from.

    Parameters
    ----------
    coreset : Coreset
    request : mapping
        Every option that changes the numbers, in JSON types.
    data_fingerprint : str
        Of the parsed numbers, whatever the file format.
    files : tuple of str
        The input files, if several, as the user named them; else empty.
    file_starts : ndarray of int64, shape (n_files + 1,)
        Row at which each file begins, then the number of rows; empty if `files` is.
    craig_version : str
        That wrote it.
    """

    coreset: Coreset
    request: Mapping[str, Any]
    data_fingerprint: str
    files: tuple[str, ...]
    file_starts: NDArray[np.int64]
    craig_version: str = __version__

    def facts(self) -> dict[str, Any]:
        """Return what the footer states, in JSON types."""
        c = self.coreset
        return {
            "schema_version": SCHEMA_VERSION,
            "craig_version": self.craig_version,
            "method": c.method,
            "metric": c.metric,
            "scale": c.scale,
            "task": c.task,
            "seed": c.seed,
            "representative": c.representative,
            "weights": c.weights,
            "calibration": None if c.calibration is None else dict(c.calibration),
            "proxy": PROXIES["proxy" in self.request],
            "n": c.n_rows,
            "d": c.n_columns,
            "k": len(c.index),
            "classes": [class_facts(summary) for summary in c.classes],
            "epsilon": {"total": c.epsilon_total, "mean": c.epsilon_mean, "definition": c.epsilon_definition},
            "gradient_error_bound": GRADIENT_ERROR_BOUND,
            "data_fingerprint": self.data_fingerprint,
            "request": dict(self.request),
            "request_fingerprint": fingerprint_request(self.request, self.data_fingerprint),
            "files": [
                {"name": storable_name(name), "rows": rows} for name, rows in zip(self.files, np.diff(self.file_starts).tolist(), strict=False)
            ],
            "notes": list(c.notes),
            **({"given": c.n_given} if c.n_given else {}),
            **({"parts": list(c.parts)} if c.parts else {}),
            **({"row_weights": {"column": self.column_of("weight_column"), "sum": c.total_weight}} if c.is_weighted else {}),
            **({} if c.cost_budget is None else {"cost": {"column": self.column_of("cost_column"), "budget": c.cost_budget, "spent": c.cost_spent}}),
        }  # fmt: skip

    def column_of(self, option: str) -> str | None:
        """Return the name of a column that the request names."""
        name = self.request.get("input", {}).get(option)
        return None if name is None else str(name)


def class_facts(summary: ClassSummary) -> dict[str, Any]:
    """Return what is stated of one class, in JSON types."""
    medoid = summary.medoid_epsilon
    return {
        "label": summary.label,
        "n": summary.n_rows,
        "k": summary.n_selected,
        "epsilon": summary.epsilon,
        "epsilon_mean": summary.epsilon / summary.total_weight,
        "medoid_epsilon": None if math.isnan(medoid) else medoid,
        **({} if summary.weight_sum is None else {"weight_sum": summary.weight_sum}),
    }


def fingerprint_request(request: Mapping[str, Any], data_fingerprint: str) -> str:
    """Return the SHA-256, in hexadecimal, of what was asked of which data."""
    return hashlib.sha256(
        canonical_json({"request": dict(request), "data": data_fingerprint}).encode()
    ).hexdigest()


def write_manifest(out: BinaryIO, manifest: Manifest) -> None:
    """Write a manifest to a stream that need not be seekable. Memory: the file is built in memory,
    some 60 bytes a selected row.
    """
    c = manifest.coreset
    columns: dict[str, Any] = {
        "index": c.index,
        "order": c.order,
        "weight": c.weight,
        "cluster_size": c.cluster_size,
    }
    if c.label is not None:
        columns["label"] = c.label
    columns |= {"gain": c.gain, "epsilon": c.epsilon}
    columns |= {
        name: values
        for name, values in (("medoid", c.medoid), ("base_weight", c.base_weight))
        if values is not None
    }
    if manifest.files:
        file = np.searchsorted(manifest.file_starts, c.index, side="right") - 1
        names = np.array([storable_name(name) for name in manifest.files], dtype=object)
        columns |= {"file": names[file], "row_in_file": c.index - manifest.file_starts[file]}
    arrays = {name: arrow_array(values) for name, values in columns.items()}
    write_table(out, arrays, FOOTER_KEY, canonical_json(manifest.facts()))


def is_manifest(path: Path) -> bool:
    """Return whether a file is a craig manifest, as far as its footer tells."""
    return has_footer(path, FOOTER_KEY)


def read_manifest(path: str) -> Manifest:
    """Return the manifest in a file; ``-`` reads stdin.

    Raises
    ------
    ManifestError
        The file is missing, damaged, no craig manifest, of a newer schema, or contradicts itself.
    """
    source = "<stdin>" if path == "-" else path
    try:
        with open_seekable(path) as stream:
            file = pq.ParquetFile(stream)
            footer = (file.metadata.metadata or {}).get(FOOTER_KEY)
            if footer is None:
                raise ManifestError(
                    source,
                    "a Parquet file, but not a craig manifest",
                    remedy="Give a file written by craig select.",
                )
            facts = Facts(source, footer)
            check_columns(source, file.schema_arrow)
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise ManifestError(
            source, unreadable(error), remedy="Give a file written by craig select."
        ) from error
    return assemble(source, facts, table)


def check_columns(source: str, schema: pa.Schema) -> None:
    """Raise `ManifestError` unless all columns are there, each of its type."""
    optional = {"label", "medoid", "base_weight", "file", "row_in_file"}
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


def assemble(source: str, facts: Facts, table: pa.Table) -> Manifest:
    """Return the manifest that a footer and a table make, checked against each other."""
    columns = {
        name: values_of(source, name, table.column(name))
        for name in table.column_names
        if name in COLUMN_TYPES
    }
    classes = tuple(read_class(facts, entry) for entry in facts.objects("classes"))
    files = facts.objects("files")
    manifest = Manifest(
        coreset=Coreset(
            index=columns["index"],
            order=columns["order"],
            weight=columns["weight"],
            cluster_size=columns["cluster_size"],
            label=columns.get("label"),
            gain=columns["gain"],
            epsilon=columns["epsilon"],
            classes=classes,
            n_rows=facts.count("n"),
            n_columns=facts.count("d"),
            method=facts.get("method", str),
            metric=facts.get("metric", str),
            scale=facts.get("scale", str),
            task=facts.get("task", str),
            weights=facts.get("weights", str),
            seed=facts.count("seed"),
            notes=tuple(str(note) for note in facts.get("notes", list)),
            representative=facts.get("representative", str)
            if "representative" in facts.values
            else "medoid",
            medoid=columns.get("medoid"),
            base_weight=columns.get("base_weight"),
            calibration=facts.get("calibration", dict, type(None))
            if "calibration" in facts.values
            else None,
            n_given=facts.count("given") if "given" in facts.values else 0,
            parts=read_parts(facts),
            cost_budget=read_cost(facts, "budget"),
            cost_spent=read_cost(facts, "spent"),
        ),
        request=facts.get("request", dict),
        data_fingerprint=facts.get("data_fingerprint", str),
        files=tuple(facts.get("name", str, of=entry) for entry in files),
        file_starts=np.cumsum(
            [0, *(facts.count("rows", of=entry) for entry in files)], dtype=np.int64
        )
        if files
        else np.empty(0, np.int64),
        craig_version=facts.get("craig_version", str),
    )
    check_rows(source, manifest.coreset, facts.count("k"))
    check_files(source, manifest, columns)
    return manifest


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


def read_parts(facts: Facts) -> tuple[int, ...]:
    """Return the rows of each part that the data was selected in; none where there is no word of
    parts.
    """
    parts: list[Any] = facts.get("parts", list) if "parts" in facts.values else []
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
    if index.min() < 0 or index.max() >= coreset.n_rows:
        outside = index[(index < 0) | (index >= coreset.n_rows)][0]
        raise ManifestError(
            source, f"an index is not between 0 and {coreset.n_rows - 1}", value=str(outside)
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


def check_files(source: str, manifest: Manifest, columns: Mapping[str, Any]) -> None:
    """Raise `ManifestError` unless file and row in file are there where there are several files,
    and point to the row that index names.
    """
    if not manifest.files:
        return
    if manifest.file_starts[-1] != manifest.coreset.n_rows:
        raise ManifestError(source, "the rows of the files do not add up to the number of rows")
    for name in ("file", "row_in_file"):
        if name not in columns:
            raise ManifestError(source, f"column '{name}' is missing")
    index = manifest.coreset.index
    file = np.searchsorted(manifest.file_starts, index, side="right") - 1
    if (
        not np.array_equal(columns["row_in_file"], index - manifest.file_starts[file])
        or (np.array(manifest.files, object)[file] != columns["file"]).any()
    ):
        raise ManifestError(source, "file and row_in_file do not point to the row that index names")
