"""The partial manifest: what one part offers, as a Parquet file with a JSON footer.

The only place that knows its column names. A row a candidate; the footer has the request, the
files, and a summary of the columns of each class, from which all parts make the same scales and
distances. Equal parts give equal bytes.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from craig_cli import __version__
from craig_cli.errors import ManifestError
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
from craig_cli.readers.numbers import first_unusable
from craig_cli.selection.column_summary import ColumnSummary
from craig_cli.selection.greedi import Candidates, Partial
from craig_cli.selection.shared_scaling import Summary
from craig_cli.skipped import SkippedRows, SkipReason
from craig_cli.storage.location import Location

FOOTER_KEY = b"craig-partial"
SUMMARY = ("low", "high", "mean", "squares", "middle")
REMEDY = "Give files written by craig select --partial."


@dataclass(frozen=True)
class FileShare:
    """The rows that one file gives to a part.

    Parameters
    ----------
    name : str
        As the user named it.
    rows : int
        As they lie, skipped ones included.
    bytes : int
        Of the whole file.
    is_continued : bool
        Whether an earlier part has the rows before.
    """

    name: str
    rows: int
    bytes: int
    is_continued: bool = False


@dataclass(frozen=True)
class PartialFile:
    """A partial and where it came from.

    Parameters
    ----------
    partial : Partial
    files : tuple of FileShare
    request : mapping
        Every option that changes the numbers, in JSON types.
    data_fingerprint : str
        Of the rows of the part.
    skipped : SkippedRows
        By their numbers in the part as it lies; without examples.
    craig_version : str
        That wrote it.
    notes : tuple of str
        What the user should know of how the rows were read; not in the file.
    """

    partial: Partial
    files: tuple[FileShare, ...]
    request: Mapping[str, Any]
    data_fingerprint: str
    skipped: SkippedRows = field(default_factory=SkippedRows)
    craig_version: str = __version__
    notes: tuple[str, ...] = ()


def packed(values: NDArray[np.float64]) -> str:
    """Return float64 numbers as text, to the last bit."""
    return base64.b64encode(
        zlib.compress(np.ascontiguousarray(values, "<f8").tobytes(), 6)
    ).decode()


def unpacked(text: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the numbers that `packed` has written; raises `ValueError` if too few, or if one is
    not finite.
    """
    data = zlib.decompress(base64.b64decode(text, validate=True))
    numbers = np.frombuffer(data, "<f8").reshape(shape).copy()
    if not np.isfinite(numbers).all():
        raise ValueError("numbers")
    return numbers


def columns_text(columns: ColumnSummary) -> str:
    """Return a summary as text, but for the number of rows."""
    return packed(np.stack([getattr(columns, name) for name in SUMMARY]))


def write_partial(out: BinaryIO, file: PartialFile) -> None:
    """Write a partial manifest. Memory: the file is built in memory, the candidates twice."""
    summary, candidate_sets = file.partial.summary, file.partial.candidate_sets
    columns: dict[str, Any] = {
        "row": np.concatenate([o.rows for o in candidate_sets]),
        **{
            name: np.concatenate([getattr(o, name) for o in candidate_sets])
            for name in ("gain", "size", "spread")
        },
    }
    if candidate_sets[0].labels is not None:
        columns["label"] = np.concatenate(
            [o.labels for o in candidate_sets if o.labels is not None]
        )
    points = np.concatenate([o.points for o in candidate_sets])
    arrays = {name: arrow_array(values) for name, values in columns.items()}
    arrays["points"] = pa.FixedSizeListArray.from_arrays(
        arrow_array(points.reshape(-1)), points.shape[1]
    )
    footer = {
        "schema_version": schema_version(len(file.skipped)),
        "craig_version": file.craig_version,
        "request": dict(file.request),
        "data_fingerprint": file.data_fingerprint,
        "n": summary.n_rows,
        "d": summary.n_columns,
        "names": None if summary.names is None else list(summary.names),
        "skipped_rows": len(file.skipped),
        "files": [
            {"name": storable_name(f.name), "rows": f.rows, "bytes": f.bytes} for f in file.files
        ],
        "classes": [
            {
                "label": label,
                "n": own.n_rows,
                "candidates": len(candidates.rows),
                "wide": candidates.is_float64,
                "columns": columns_text(own),
            }
            for label, own, candidates in zip(
                summary.labels, summary.columns, candidate_sets, strict=True
            )
        ],
        "targets": [columns_text(target) for target in summary.targets],
    }
    if len(file.skipped):
        footer["skipped"] = {
            "rows": packed(file.skipped.rows.astype(np.float64)),
            "reasons": [list(reason) for reason in file.skipped.reasons],
        }
    write_table(out, arrays, FOOTER_KEY, canonical_json(footer))


def is_partial(path: Path) -> bool:
    """Return whether a file is a partial manifest, as far as its footer tells."""
    return has_footer(path, FOOTER_KEY)


def read_partial(path: str) -> PartialFile:
    """Return the partial manifest in a file; ``-`` reads stdin.

    Raises
    ------
    ManifestError
        The file is missing, damaged, no partial manifest, of a newer schema, or contradicts itself.
    """
    location = Location.of(path)
    with open_table(location, REMEDY) as file:
        footer = footer_of(file, FOOTER_KEY, location, "partial manifest", REMEDY)
        table = file.read()
    try:
        return assemble(Facts(location.source, footer), table)
    except (ValueError, KeyError, TypeError, zlib.error, pa.ArrowException) as error:
        raise ManifestError(location.source, "a damaged partial manifest", remedy=REMEDY) from error


def assemble(facts: Facts, table: pa.Table) -> PartialFile:
    """Return the partial that a footer and a table make.

    Raises `ValueError` or `KeyError` where they do not fit.
    """
    n_rows, n_columns = facts.count("n"), facts.count("d")
    names: list[Any] | None = facts.get("names", list, type(None))
    columns = read_columns(facts.source, table, n_columns)
    candidate_sets, summaries, first = [], [], 0
    for entry in facts.objects("classes"):
        own = slice(first, first + facts.count("candidates", of=entry))
        candidate_sets.append(
            Candidates(
                label=facts.get("label", int, float, str, type(None), of=entry),
                rows=columns["row"][own],
                points=columns["points"][own],
                labels=columns["label"][own] if "label" in columns else None,
                gain=columns["gain"][own],
                size=columns["size"][own],
                spread=columns["spread"][own],
                is_float64=facts.get("wide", bool, of=entry),
            )
        )
        numbers = unpacked(entry["columns"], (len(SUMMARY), n_columns))
        summaries.append(ColumnSummary(facts.count("n", of=entry), *numbers))
        size = columns["size"][own]
        if len(size) == 0 or int(size.sum()) != summaries[-1].n_rows:
            raise ValueError("size")
        first = own.stop
    if (
        first != table.num_rows
        or sum(own.n_rows for own in summaries) != n_rows
        or not 0 <= columns["row"].min() <= columns["row"].max() < n_rows
    ):
        raise ValueError("rows")
    targets = [
        ColumnSummary(n_rows, *unpacked(text, (len(SUMMARY), 1)))
        for text in facts.get("targets", list)
    ]
    summary = Summary(
        n_rows,
        n_columns,
        None if names is None else tuple(map(str, names)),
        tuple(candidates.label for candidates in candidate_sets),
        tuple(summaries),
        tuple(targets),
    )
    files = tuple(
        FileShare(
            facts.get("name", str, of=f), facts.count("rows", of=f), facts.count("bytes", of=f)
        )
        for f in facts.objects("files")
    )
    return PartialFile(
        Partial(summary, tuple(candidate_sets)),
        files,
        facts.get("request", dict),
        facts.get("data_fingerprint", str),
        read_skipped(facts, sum(share.rows for share in files), n_rows),
        facts.get("craig_version", str),
    )


def read_skipped(facts: Facts, n_input_rows: int, n_rows: int) -> SkippedRows:
    """Return the rows that were skipped; raises `ValueError` where they do not add up."""
    n_skipped = facts.count("skipped_rows")
    if n_skipped == 0:
        return SkippedRows()
    if "skipped" not in facts.values:
        problem = "it does not say which rows were skipped, as craig of an older version made it"
        remedy = "Make it again (craig select --partial --force)."
        raise ManifestError(facts.source, problem, remedy=remedy)
    stated = facts.get("skipped", dict)
    rows = unpacked(stated["rows"], (n_skipped,)).astype(np.int64)
    if n_rows + n_skipped != n_input_rows or not (
        rows[0] >= 0 and rows[-1] < n_input_rows and (np.diff(rows) > 0).all()
    ):
        raise ValueError("skipped")
    reasons = tuple(
        SkipReason(str(problem), str(column), int(n)) for problem, column, n in stated["reasons"]
    )
    return SkippedRows(rows, reasons)


def read_columns(source: str, table: pa.Table, n_columns: int) -> dict[str, Any]:
    """Return the columns by name; raises `ValueError` or `KeyError` for those of another kind."""
    optional = ("label",) if "label" in table.column_names else ()
    columns = {
        name: values_of(source, name, table.column(name))
        for name in ("row", "gain", "size", "spread", *optional)
    }
    points: Any = np.from_dlpack(table.column("points").combine_chunks().flatten())
    if points.dtype not in (np.float32, np.float64) or first_unusable(points) is not None:
        raise ValueError("points")
    return {**columns, "points": points.reshape(table.num_rows, n_columns)}
