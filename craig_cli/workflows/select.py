"""``craig select``: read, select, check, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from craig_cli.calibration import calibrating_bytes, fits_beside, make_coreset
from craig_cli.compiling import COMPILING
from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import ResourceError
from craig_cli.files.manifest import (
    Manifest,
    class_facts,
    is_manifest,
    read_manifest,
    write_manifest,
)
from craig_cli.files.request import describe_request, extended
from craig_cli.platform import peak_memory_bytes
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.limited import as_rows, read_limited, to_disk
from craig_cli.readers.proxy import read_proxy, split_key
from craig_cli.readers.sources import format_of
from craig_cli.reports.select import SelectReport
from craig_cli.selection import Coreset
from craig_cli.selection.class_count import check_task
from craig_cli.selection.memory import check_limit, plan, reading_bytes
from craig_cli.selection.numbering import by_position
from craig_cli.settings import InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.skipped import SkippedRows
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.storage.location import Location
from craig_cli.storage.spill import Spill, SpillArray
from craig_cli.workflows.picked import check_belongs, fingerprint_for
from craig_cli.workflows.stopwatch import Stopwatch

ROADS: dict[str, tuple[str, ...]] = {
    "libsvm": ("libsvm", "sparse"),
    "csv": ("csv", "dense"),
    "tsv": ("csv", "dense"),
}
"""Kernels by format of the input, as `craig_cli.kernels.ahead` names them; of others dense ones."""


def select_to_file(
    inputs: InputSettings,
    selection: SelectionSettings,
    output: str,
    *,
    calibration: CalibrationSettings | None = None,
    may_fall_back: bool = False,
    extend: str | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> SelectReport:
    """Select a coreset, write its manifest to `output`, and return what was done.

    Parameters
    ----------
    inputs : InputSettings
    selection : SelectionSettings
    output : str
        ``-`` stands for stdout. Checked before anything is read.
    calibration : CalibrationSettings, optional
        Default: the weights of the method.
    may_fall_back : bool
        Whether medoids may stand for clusters where rows do not fit in memory, instead of a
        refusal.
    extend : str, optional
        A manifest of the same data, to go on from.
    force : bool
        Replace an existing file that is not a manifest.
    progress : Progress
    """
    check_files(inputs, output, force)
    calibration = calibration or CalibrationSettings(seed=selection.seed)
    watch = Stopwatch()
    COMPILING.roads = roads_of(inputs)
    COMPILING.may_have_help = not selection.memory_limit
    earlier = None if extend is None else read_manifest(extend)
    if earlier is not None:
        selection = extended(str(extend), earlier, selection)
    with Spill() as spill:
        with watch.stage("read"):
            dataset, on_disk, selection = read_within_limit(
                inputs, selection, calibration, may_fall_back, spill, progress
            )
            check_room(dataset, on_disk, selection, calibration)
            proxy = None
            if inputs.proxy is not None:
                proxy = read_proxy(inputs.proxy, dataset, progress)
            data_fingerprint = fingerprint(dataset)
            if earlier is not None:
                check_belongs(str(extend), earlier, fingerprint_for(earlier, dataset))
                selection = replace(selection, extend=row_numbers(str(extend), earlier, dataset))
        check_not_input(output, dataset.files)
        coreset = make_coreset(
            dataset,
            selection,
            calibration,
            proxy=None if proxy is None else proxy.rows,
            on_disk=None if on_disk is None else (on_disk, spill),
            progress=progress,
            stage=watch.stage,
        )
    known = None if proxy is None else proxy_facts(proxy)
    inputs = replace(inputs, index_base=dataset.index_base)
    request = describe_request(inputs, selection, calibration, known)
    manifest = manifest_of(coreset, request, dataset, data_fingerprint)
    with watch.stage("write"), open_output(output) as out:
        write_manifest(out, manifest)
    report = report_of(output, coreset, dataset.skipped, watch.seconds, spill.peak)
    return replace(report, notes=(*dataset.notes, *report.notes), data=inputs.paths)


def roads_of(inputs: InputSettings) -> tuple[str, ...]:
    """Return which kernels a selection will need, by the name of its first file."""
    first = Location.of(inputs.paths[0]).file_name
    return ROADS.get(inputs.format or format_of(first) or "", ("dense",))


def check_files(inputs: InputSettings, output: str, force: bool) -> None:
    """Raise `UsageError` if the output cannot be written, or is one of the files to read."""
    proxies = [] if inputs.proxy is None else [split_key(inputs.proxy)[0]]
    check_output(output, [*inputs.paths, *proxies], is_manifest, force)


def row_numbers(source: str, earlier: Manifest, dataset: Dataset) -> tuple[int, ...]:
    """Return the picks of an earlier manifest as rows of the input as it lies now."""
    picks = by_position(earlier.coreset, dataset, source).picks
    return tuple(dataset.skipped.numbers_of(picks).tolist())


def manifest_of(
    coreset: Coreset, request: Mapping[str, Any], dataset: Dataset, data_fingerprint: str
) -> Manifest:
    """Return a coreset with where it came from."""
    several = len(dataset.files) > 1
    return Manifest(
        coreset=coreset,
        request=request,
        data_fingerprint=data_fingerprint,
        files=dataset.files if several else (),
        file_starts=dataset.file_starts if several else np.empty(0, np.int64),
    )


def report_of(
    output: str,
    coreset: Coreset,
    skipped: SkippedRows,
    seconds: Mapping[str, float],
    temporary_bytes: int = 0,
) -> SelectReport:
    """Return what is told of a coreset that was selected and written."""
    cost = None
    if coreset.cost_budget is not None:
        cost = {"budget": coreset.cost_budget, "spent": float(coreset.cost_spent or 0.0)}
    return SelectReport(
        output=output,
        rows=coreset.n_rows,
        columns=coreset.n_columns,
        skipped_rows=len(skipped),
        skipped=skipped.reasons,
        selected=len(coreset.index),
        method=coreset.method,
        reason=coreset.reason,
        classes=[class_facts(summary) for summary in coreset.classes],
        epsilon=coreset.epsilon_total,
        epsilon_mean=coreset.epsilon_mean,
        epsilon_share=share_of_medoid(coreset),
        representative=coreset.representative,
        weights=coreset.weights,
        allocation=coreset.allocation,
        calibration=coreset.calibration,
        seconds=seconds,
        peak_memory_bytes=peak_memory_bytes(),
        temporary_bytes=temporary_bytes,
        notes=coreset.notes,
        weight_sum=coreset.total_weight if coreset.is_weighted else None,
        cost=cost,
        is_labelled=coreset.label is not None,
    )


def proxy_facts(proxy: Dataset) -> dict[str, Any]:
    """Return what the manifest tells of a proxy, in JSON types."""
    return {"fingerprint": fingerprint(proxy), "columns": proxy.n_columns}


def read_within_limit(
    inputs: InputSettings,
    selection: SelectionSettings,
    calibration: CalibrationSettings,
    may_fall_back: bool,
    spill: Spill,
    progress: Progress,
) -> tuple[Dataset, SpillArray | None, SelectionSettings]:
    """Return the data set, its rows on disk if they are to be selected from there, and the settings
    with no more threads than memory is for.

    Settings of rows on disk have medoids, if they may.
    """
    for option, given in (
        ("--proxy", inputs.proxy),
        ("--weight-column", inputs.weight_column),
        ("--cost-column", inputs.cost_column),
    ):
        if selection.memory_limit and given is not None:
            raise ResourceError(f"{option}: its rows are held in memory. Leave out --memory-limit.")
    limit = selection.memory_limit
    if limit and inputs.missing == "median":
        raise ResourceError(
            "--missing median: all numbers are held in memory to find it. Use --missing mean, or "
            "leave out --memory-limit."
        )
    if not limit:
        dataset, on_disk = read_dataset(inputs, progress), None
    else:
        check_limit(limit)
        dataset, on_disk = read_limited(inputs, limit, reading_bytes, spill, progress)
    if not selection.extend:
        check_task(inputs, dataset)
    if not limit:
        return dataset, None, selection
    medoids = replace(selection, representative="medoid")
    is_from_disk, threads = plan(
        dataset,
        medoids if may_fall_back else selection,
        calibrating_bytes(dataset, selection, calibration),
    )
    if is_from_disk and may_fall_back:
        selection = medoids
    if is_from_disk and on_disk is None:
        on_disk = to_disk(dataset, spill)
        dataset = replace(dataset, rows=as_rows(on_disk))
    elif on_disk is not None and not is_from_disk:
        dataset = replace(dataset, rows=on_disk[:])
        on_disk.close()
        on_disk = None
    return dataset, on_disk, replace(selection, threads=threads)


def check_room(
    dataset: Dataset,
    on_disk: SpillArray | None,
    selection: SelectionSettings,
    calibration: CalibrationSettings,
) -> None:
    """Raise `ResourceError` if weights are to be calibrated on rows that are on disk, and the
    memory limit has no room for it.
    """
    if on_disk is None or calibration.weights != "calibrated":
        return
    if not fits_beside(dataset, selection, calibration):
        raise ResourceError(
            "--weights calibrated: --memory-limit leaves no room for it beside the rows. Give a "
            "higher one."
        )


def share_of_medoid(coreset: Coreset) -> float | None:
    """Return epsilon over that of one medoid a class; None where that is unknown, or zero."""
    medoid = sum(summary.medoid_epsilon for summary in coreset.classes)
    return coreset.epsilon_total / medoid if medoid > 0 else None
