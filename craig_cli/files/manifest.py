"""The manifest: a coreset as a Parquet file with a JSON footer.

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
from numpy.typing import NDArray

from craig_cli import __version__
from craig_cli.files.manifest_checks import (
    COLUMN_TYPES,
    check_columns,
    check_files,
    check_rows,
    read_class,
    read_cost,
    read_parts,
    read_skipped,
)
from craig_cli.files.parquet_footer import (
    Facts,
    arrow_array,
    canonical_json,
    footer_of,
    has_footer,
    open_table,
    schema_version,
    storable_name,
    values_of,
    write_table,
)
from craig_cli.selection import ClassSummary, Coreset
from craig_cli.storage.location import Location

FOOTER_KEY = b"craig"
REMEDY = "Give a file written by craig select."
PROXIES = ("features", "file")
"""What distances are taken among: the columns of the data, or rows that a trainer wrote; of these
the request has the fingerprint.
"""
TOLD = ("method", "metric", "scale", "task", "seed", "representative", "weights")
"""What the footer states as the coreset does."""
GRADIENT_ERROR_BOUND = {
    "form": "|| sum over all rows of grad f_i(w) - sum over selected rows of weight_j grad f_j(w) "
    "|| <= C * epsilon.total",
    "assumptions": "cluster weights; || grad f_i(w) - grad f_j(w) || <= C * distance(i, j) for "
    "rows of one class. "
    "C depends on the loss and on ||w||, it is not computed here (paper: eq. 9, appendix B.1).",
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
        Row at which each file begins, then the number of rows, skipped ones included; empty if
        `files` is.
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
        facts = {
            "schema_version": schema_version(c.skipped_rows),
            "craig_version": self.craig_version,
            **{name: getattr(c, name) for name in TOLD},
            "calibration": None if c.calibration is None else dict(c.calibration),
            "proxy": PROXIES["proxy" in self.request],
            "n": c.n_rows,
            "d": c.n_columns,
            "k": len(c.index),
            "classes": [class_facts(summary) for summary in c.classes],
            "epsilon": {
                "total": c.epsilon_total,
                "mean": c.epsilon_mean,
                "definition": c.epsilon_definition,
            },
            "gradient_error_bound": GRADIENT_ERROR_BOUND,
            "data_fingerprint": self.data_fingerprint,
            "request": dict(self.request),
            "request_fingerprint": fingerprint_request(self.request, self.data_fingerprint),
            "files": [
                {"name": storable_name(name), "rows": rows}
                for name, rows in zip(self.files, np.diff(self.file_starts).tolist(), strict=False)
            ],
            "notes": list(c.notes),
        }
        if c.skipped_rows:
            facts["skipped"] = {"rows": c.skipped_rows, "mark": c.skipped_mark}
        if c.allocation != "proportional":
            facts["allocation"] = c.allocation
        if c.n_given:
            facts["given"] = c.n_given
        if c.parts:
            facts["parts"] = list(c.parts)
        if c.is_weighted:
            column = self.column_of("weight_column")
            facts["row_weights"] = {"column": column, "sum": c.total_weight}
        if c.cost_budget is not None:
            column = self.column_of("cost_column")
            facts["cost"] = {"column": column, "budget": c.cost_budget, "spent": c.cost_spent}
        return facts

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
    """Write a manifest to a stream that need not be seekable.

    Memory: the file is built in memory, some 60 bytes a selected row.
    """
    arrays = {name: arrow_array(values) for name, values in columns_of(manifest).items()}
    write_table(out, arrays, FOOTER_KEY, canonical_json(manifest.facts()))


def columns_of(manifest: Manifest) -> dict[str, Any]:
    """Return the columns of a manifest by name, arrays of shape (k,)."""
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
        for name, values in (("medoid", c.medoid), ("base_weight", c.base_weight), ("id", c.ids))
        if values is not None
    }
    if manifest.files:
        file = np.searchsorted(manifest.file_starts, c.index, side="right") - 1
        names = np.array([storable_name(name) for name in manifest.files], dtype=object)
        columns |= {"file": names[file], "row_in_file": c.index - manifest.file_starts[file]}
    return columns


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
    location = Location.of(path)
    with open_table(location, REMEDY) as file:
        footer = footer_of(file, FOOTER_KEY, location, "craig manifest", REMEDY)
        facts = Facts(location.source, footer)
        check_columns(location.source, file.schema_arrow)
        table = file.read()
    return assemble(location.source, facts, table)


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
            representative=facts.get("representative", str, default="medoid"),
            medoid=columns.get("medoid"),
            base_weight=columns.get("base_weight"),
            calibration=facts.get("calibration", dict, type(None), default=None),
            n_given=facts.count("given", default=0),
            parts=read_parts(facts),
            cost_budget=read_cost(facts, "budget"),
            cost_spent=read_cost(facts, "spent"),
            ids=columns.get("id"),
            allocation=facts.get("allocation", str, default="proportional"),
            **read_skipped(facts),
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
    check_files(
        source, manifest.files, manifest.file_starts, manifest.coreset.n_input_rows, columns
    )
    return manifest
