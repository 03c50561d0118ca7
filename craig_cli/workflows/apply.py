"""``craig apply``: read a manifest and its data, and write the chosen rows for another trainer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Progress, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.files.manifest import Manifest, read_manifest
from craig_cli.files.request import restore_inputs
from craig_cli.readers import read_dataset
from craig_cli.readers.gather import Reading
from craig_cli.readers.picks import PickedRows, read_picks
from craig_cli.reports.apply import ApplyReport
from craig_cli.settings.apply import ApplySettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.storage.location import Location
from craig_cli.workflows.picked import first_of
from craig_cli.workflows.stopwatch import Stopwatch, peak_memory_bytes
from craig_cli.writers import Subset, Target, compressed, write_weights


@dataclass(frozen=True)
class Picks:
    """What is to be written: rows, their weights and labels, in the order of the output."""

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
    label: Labels | None


def apply_to_file(
    paths: tuple[str, ...],
    manifest_path: str,
    settings: ApplySettings,
    target: Target,
    overrides: Mapping[str, Any],
    progress: Progress = no_progress,
) -> ApplyReport:
    """Write the chosen rows of a data set, and return what was done.

    Parameters
    ----------
    paths : tuple of str
        The data.
    manifest_path : str
    settings : ApplySettings
    target : Target
        What `settings` say is written.
    overrides : mapping
        Reading options given now, by their name in `InputSettings`; the others are those that the
        manifest records.
    progress : Progress

    Raises
    ------
    UsageError
        The output cannot be used, or does not suit the data.
    InputError
        The manifest was made of other data.

    Notes
    -----
    The data is read once, and Parquet a second time where rows are copied as they stand.
    Memory: a block and the rows written, twice while they are written; with `first` all rows.
    """
    check_files(paths, manifest_path, settings, target)
    watch = Stopwatch()
    manifest = read_manifest(manifest_path)
    inputs = restore_inputs(manifest_path, manifest.request.get("input", {}), paths, overrides)
    coreset = manifest.coreset
    if settings.first is not None:
        with watch.stage("weights"):
            dataset = read_dataset(inputs, progress)
            coreset = first_of(
                manifest_path, manifest, dataset, paths, settings.first, settings.threads, progress
            )
    by = np.argsort(coreset.index) if settings.order == "row" else np.arange(len(coreset.index))
    label = None if coreset.label is None else coreset.label[by]
    picks = Picks(coreset.index[by], coreset.weight[by], label)
    with watch.stage("read"):
        reading = Reading(inputs, progress)
        ascending = np.sort(picks.index)
        found = read_picks(
            reading,
            ascending,
            manifest.data_fingerprint,
            manifest.coreset.parts,
            with_texts=copies(reading, target),
            is_text=coreset.label is not None and coreset.label.dtype == object,
        )
        picks = checked(manifest_path, manifest, found, picks, settings.force_mismatch)
    for output in target.outputs:
        check_not_input(output, [source.location for source in reading.sources])
    with watch.stage("write"):
        told = write_rows(reading, found, picks, target)
    return ApplyReport(
        output=settings.output,
        format=target.format,
        rows=found.n_rows,
        columns=found.n_columns,
        skipped_rows=len(reading.skipped),
        written=len(picks.index),
        order=settings.order,
        copied=copies(reading, target),
        weight_place=target.place,
        weights_in=target.outputs[1].name if target.place == "file" else target.column,
        weight_sum=float(picks.weight.sum()),
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=(told,) if told else (),
    )


def check_files(
    paths: tuple[str, ...], manifest_path: str, settings: ApplySettings, target: Target
) -> None:
    """Raise `UsageError` if a file cannot be read as it must be, or not written."""
    data, manifest = [Location.of(path) for path in paths], Location.of(manifest_path)
    if manifest.is_standard and any(file.is_standard for file in data):
        raise UsageError("DATA and MANIFEST cannot both be read from stdin: name a file for one.")
    if settings.first is not None and any(file.is_standard or file.is_pipe for file in data):
        raise UsageError(
            "--first: the data is read twice, and a pipe can be read only once. Name a file."
        )
    if target.location.is_standard and target.is_text:
        return
    for output in target.outputs:
        kind = f"{target.format} output"
        check_output(output, [*data, manifest], None, settings.force, kind)


def checked(
    source: str, manifest: Manifest, found: PickedRows, picks: Picks, force_mismatch: bool
) -> Picks:
    """Return the picks, with the labels of the data where the manifest was made of other data.

    Raises `InputError` unless that is allowed.
    """
    if manifest.data_fingerprint == found.fingerprint:
        return picks
    if not force_mismatch:
        problem = (
            f"it was selected from other data ({manifest.data_fingerprint}, and this is "
            f"{found.fingerprint})"
        )
        remedy = (
            "Give the data and the reading options it was made with, or --force-mismatch to "
            "use its row numbers all the same."
        )
        raise InputError(source, problem, remedy=remedy)
    by = np.searchsorted(np.sort(picks.index), picks.index)
    return replace(picks, label=None if found.labels is None else found.labels[by])


def copies(reading: Reading, target: Target) -> bool:
    """Return whether rows are written as they stand: all files are of the kind that is written."""
    formats, kind = {source.format for source in reading.sources}, target.writer.written_as
    return len(formats) == 1 and kind == reading.sources[0].reader.written_as != ""


def write_rows(reading: Reading, found: PickedRows, picks: Picks, target: Target) -> str:
    """Write the picks, and their weights to a file beside; return what the user should know."""
    ascending = np.sort(picks.index)
    by = np.searchsorted(ascending, picks.index)
    reader, writer = reading.sources[0].reader, target.writer
    with ExitStack() as stack:
        out, *side = (stack.enter_context(open_output(output)) for output in target.outputs)
        for beside in side:
            write_weights(beside, picks.weight)
        with compressed(out, target.compression) as stream:
            if copies(reading, target) and reader.read_as_written and writer.copy:
                rows = reader.read_as_written(reading, ascending, found.records)
                writer.copy(stream, rows, by, picks.weight, target)
                return ""
            return writer.write(stream, subset_of(reading, found, picks, by, target), target)


def subset_of(
    reading: Reading, found: PickedRows, picks: Picks, by: NDArray[np.int64], target: Target
) -> Subset:
    """Return the rows as numbers; `by` is the place in `found` of each pick."""
    names, settings = reading.column_names, reading.settings
    label_name = settings.label or "label"
    if target.writer.holds_rows and names is not None and label_name in names:
        raise UsageError(
            f"--label: a column and the labels are both named '{label_name}'. Rename one of them."
        )
    return Subset(
        picks.index,
        picks.weight,
        found.rows.take(by, axis=0) if target.writer.holds_rows else found.rows,
        picks.label,
        names,
        label_name,
        settings.task == "regression",
    )
