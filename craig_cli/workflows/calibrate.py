"""``craig calibrate``: read a manifest and its data, calibrate, check, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from craig_cli.calibration import calibrated_coreset, calibrated_prefix
from craig_cli.dataset import Progress, no_progress
from craig_cli.files.manifest import is_manifest, read_manifest, write_manifest
from craig_cli.files.request import (
    check_not_proxied,
    describe_calibration,
    restore_settings,
)
from craig_cli.platform import peak_memory_bytes
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.reports.calibrate import CalibrateReport
from craig_cli.selection import check_coreset
from craig_cli.selection.numbering import by_position, by_row_number
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.workflows.picked import check_belongs, fingerprint_for
from craig_cli.workflows.stopwatch import Stopwatch


@dataclass(frozen=True)
class CalibrateFiles:
    """What calibration reads and writes.

    Parameters
    ----------
    paths : tuple of str
        The data.
    manifest : str
    output : str
        ``-`` is stdout.
    first : int or None
        How many of the picks to take; None for all.
    force : bool
        Replace an output that is not a manifest.
    """

    paths: tuple[str, ...]
    manifest: str
    output: str
    first: int | None = None
    force: bool = False


def calibrate_to_file(
    files: CalibrateFiles,
    settings: CalibrationSettings,
    overrides: Mapping[str, Any],
    progress: Progress = no_progress,
) -> CalibrateReport:
    """Calibrate the weights of a manifest, write it anew, and return what was done.

    Parameters
    ----------
    files : CalibrateFiles
    settings : CalibrationSettings
    overrides : mapping
        Reading options given now, by their name in `InputSettings`; the others are those that the
        manifest records.
    progress : Progress
    """
    check_output(files.output, files.paths, is_manifest, files.force)
    watch = Stopwatch()
    manifest = read_manifest(files.manifest)
    inputs, selection = restore_settings(
        files.manifest, manifest.request, files.paths, overrides, settings.threads
    )
    if files.first is not None:
        check_not_proxied("--first", files.manifest, manifest.request)
    with watch.stage("read"):
        dataset = read_dataset(inputs, progress)
        check_belongs(files.manifest, manifest, fingerprint_for(manifest, dataset))
    check_not_input(files.output, dataset.files)
    with watch.stage("calibrate"):
        coreset = by_position(manifest.coreset, dataset, files.manifest)
        if files.first is None and coreset.weights != "shard":
            coreset = calibrated_coreset(dataset, coreset, settings, progress)
        else:  # rows of shards have not been assigned
            first = len(coreset.index) if files.first is None else files.first
            coreset = calibrated_prefix(dataset, selection, coreset, first, settings, progress)
        coreset = by_row_number(coreset, dataset.skipped)
        check_coreset(coreset)
    request = {**manifest.request, "calibration": describe_calibration(settings)}
    if files.first is not None:
        request["first"] = files.first
    with watch.stage("write"), open_output(files.output) as out:
        data_fingerprint = (
            manifest.data_fingerprint
            if coreset.parts == manifest.coreset.parts
            else fingerprint(dataset)
        )
        write_manifest(
            out,
            replace(
                manifest,
                coreset=coreset,
                request=request,
                data_fingerprint=data_fingerprint,
                file_starts=dataset.file_starts if manifest.files else manifest.file_starts,
            ),
        )
    return CalibrateReport(
        output=files.output,
        rows=dataset.n_rows,
        columns=dataset.n_columns,
        skipped_rows=dataset.skipped_rows,
        skipped=dataset.skipped.reasons,
        selected=len(coreset.index),
        weights=coreset.weights,
        calibration=coreset.calibration,
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=(*dataset.notes, *coreset.notes),
    )
