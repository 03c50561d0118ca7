"""``craig describe``: look at all columns of some data, and propose a command."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from craig_cli.dataset import Progress, SparseRows, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.readers import expand_sources
from craig_cli.readers.gather import Reading
from craig_cli.readers.profile import MOST_DISTINCT, profile_sources
from craig_cli.readers.proposal import propose
from craig_cli.readers.proposed_command import joined
from craig_cli.readers.refused import check_options
from craig_cli.readers.sources import Source
from craig_cli.reports.describe import DescribeReport
from craig_cli.settings import InputSettings
from craig_cli.workflows.stopwatch import Stopwatch

LABELS_SHOWN = 10


def describe_data(inputs: InputSettings, progress: Progress = no_progress) -> DescribeReport:
    """Return what some data holds; all of it is read once.

    Raises
    ------
    InputError
        There are no rows, or it cannot be read at all.
    """
    watch = Stopwatch()
    with watch.stage("read"):
        sources = expand_sources(inputs)
        if not sources:
            raise UsageError("There is no input: name a file, a directory, or - for stdin.")
        check_options(sources, inputs)
        is_table = [source.reader.read_columns is not None for source in sources]
        found = (
            table_facts(sources, inputs, progress)
            if all(is_table)
            else matrix_facts(sources, inputs, progress)
        )
    if found["rows"] == 0:
        raise InputError(
            sources[0].name, "there are no rows", remedy="Give at least one row of data."
        )
    return DescribeReport(
        files=[source.name for source in sources],
        formats=sorted({source.format for source in sources}),
        seconds=sum(watch.seconds.values()),
        **found,
    )


def table_facts(
    sources: tuple[Source, ...], inputs: InputSettings, progress: Progress
) -> dict[str, Any]:
    """Return what columns of tables hold, and what becomes of them."""
    profile = profile_sources(sources, inputs, progress)
    proposal = propose(profile, inputs, inputs.paths)
    return {
        "rows": profile.rows,
        "columns": len(profile.columns),
        "described": [
            {
                **asdict(use.column),
                "examples": list(use.column.examples),
                "use": use.words,
                "is_ready": use.is_ready,
            }
            for use in proposal.uses
        ],
        "table": proposal.lines(),
        "numbers": {},
        "command": proposal.command,
        "notes": list(proposal.notes),
    }


def matrix_facts(
    sources: tuple[Source, ...], inputs: InputSettings, progress: Progress
) -> dict[str, Any]:
    """Return what numbers and labels the rows of a matrix hold."""
    reading = Reading(inputs, progress, sources)
    n_columns, n_present, low, high = 0, 0, float("inf"), float("-inf")
    labels: Counter[Any] | None = None if inputs.no_label else Counter()
    for block in reading.blocks():
        rows = block.rows
        n_columns = max(n_columns, rows.shape[1])
        values = rows.values if isinstance(rows, SparseRows) else rows
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            n_present += int((values != 0).sum())
        if isinstance(rows, SparseRows) and values.size < rows.n_rows * rows.n_columns:
            low, high = min(low, 0.0), max(high, 0.0)
        if labels is not None and block.labels is not None and len(labels) <= MOST_DISTINCT:
            labels.update(block.labels.tolist())
    names = [] if inputs.format is None else ["--format", inputs.format]
    for option, value in (("--label", inputs.label), ("--rows-key", inputs.rows_key)):
        names += [] if value is None else [option, value]
    names += ["--no-label"] if inputs.no_label else []
    names += ["--index-base", "0"] if inputs.index_base == 0 else []
    is_many = labels is not None and len(labels) > min(1000, max(20, reading.n_rows // 2))
    if inputs.task == "regression" or is_many:
        names += ["--task", "regression"]
    words = ["craig", "select", *inputs.paths, *names]
    return {
        "rows": reading.n_rows,
        "columns": n_columns,
        "described": [],
        "table": [],
        "numbers": {
            "low": low,
            "high": high,
            "density": n_present / max(1, reading.n_rows * n_columns),
            "labels": labels_facts(labels),
        },
        "command": joined(words),
        "notes": [],
    }


def labels_facts(labels: Counter[Any] | None) -> dict[str, Any] | None:
    """Return how many labels there are, and the most frequent; None where there are none."""
    if not labels:
        return None
    return {
        "distinct": None if len(labels) > MOST_DISTINCT else len(labels),
        "most": [
            [int(name) if isinstance(name, float) and name.is_integer() else name, n]
            for name, n in labels.most_common(LABELS_SHOWN)
        ],
    }
