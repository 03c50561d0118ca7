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
from craig_cli.kernels.libsvm import NO_QUERY
from craig_cli.platform import peak_memory_bytes
from craig_cli.readers import read_dataset
from craig_cli.readers.gather import Reading
from craig_cli.readers.picks import PickedRows, check_all_found, read_picks
from craig_cli.reports.apply import ApplyReport
from craig_cli.selection.numbering import by_row_number, check_same_skipped
from craig_cli.settings.apply import ApplySettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.storage.location import Location
from craig_cli.workflows.picked import first_of
from craig_cli.workflows.stopwatch import Stopwatch
from craig_cli.writers import Subset, Target, compressed, write_weights


@dataclass(frozen=True)
class Picks:
    """What is to be written: rows, their weights and labels, in the order of the output."""

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
    label: Labels | None
    ids: NDArray[Any] | None = None


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
                manifest_path, manifest, dataset, paths, settings.first, settings.threads
            )
            coreset = by_row_number(coreset, dataset.skipped)
    by = np.argsort(coreset.index) if settings.order == "row" else np.arange(len(coreset.index))
    label = None if coreset.label is None else coreset.label[by]
    ids = None if coreset.ids is None else coreset.ids[by]
    picks = Picks(coreset.index[by], coreset.weight[by], label, ids)
    with watch.stage("read"):
        reading = Reading(inputs, progress)
        is_whole = coreset.skipped_rows == 0 and settings.first is None
        found = find(reading, manifest, picks, target, by_position=is_whole)
        if found.fingerprint != manifest.data_fingerprint and is_whole and len(reading.skipped):
            # Of other data only the row numbers are taken, and these are the data's own.
            reading = Reading(inputs, progress, reading.sources)
            found, is_whole = find(reading, manifest, picks, target), False
        if found.fingerprint == manifest.data_fingerprint:
            check_same_skipped(coreset, reading.skipped.rows(), manifest_path)
        check_all_found(reading, found, picks.index, is_whole)
        picks = checked(manifest_path, manifest, found, picks, settings.force_mismatch)
        picks, of_groups = kept_together(picks, found, copies(reading, target))
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
        skipped=reading.skipped.rows().reasons,
        written=len(picks.index),
        order=settings.order,
        copied=copies(reading, target),
        weight_place=target.place,
        weights_in=target.outputs[1].name if target.place == "file" else target.column,
        weight_sum=float(picks.weight.sum()),
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=tuple(filter(None, (told, of_groups))),
    )


def find(
    reading: Reading, manifest: Manifest, picks: Picks, target: Target, by_position: bool = False
) -> PickedRows:
    """Return the rows of the data that are picked."""
    label = manifest.coreset.label
    return read_picks(
        reading,
        np.sort(picks.index),
        manifest.data_fingerprint,
        manifest.coreset.parts,
        with_texts=copies(reading, target),
        by_position=by_position,
        is_text=label is not None and label.dtype == object,
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


def kept_together(picks: Picks, found: PickedRows, is_copied: bool) -> tuple[Picks, str]:
    """Return the picks, those of one qid one after the other, and what the user should know of it.

    Groups are in the order of their first pick; a row without a qid is a group of its own. Where
    rows are not copied, no qid is written, and the picks stay in their order.
    """
    if found.queries is None:
        return picks, ""
    if not is_copied:
        return picks, "The qid of rows is not written: only LIBSVM text made of LIBSVM text has it."
    queries = found.queries[np.searchsorted(np.sort(picks.index), picks.index)]
    alone = np.arange(len(queries)) - len(queries)  # below any qid, each another
    groups = np.where(queries == NO_QUERY, alone + NO_QUERY, queries)
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    by = np.argsort(first[group], kind="stable")
    label = None if picks.label is None else picks.label[by]
    told = "Rows of one qid stand together, in the order of their first picks."
    return Picks(picks.index[by], picks.weight[by], label), told


def copies(reading: Reading, target: Target) -> bool:
    """Return whether rows are written as they stand: all files are of the kind that is written."""
    formats, kind = {source.format for source in reading.sources}, target.writer.written_as
    return len(formats) == 1 and kind == reading.sources[0].reader.written_as != ""


def write_rows(reading: Reading, found: PickedRows, picks: Picks, target: Target) -> str:
    """Write the picks, and their weights to a file beside; return what the user should know."""
    by = np.searchsorted(np.sort(picks.index), picks.index)
    reader, writer = reading.sources[0].reader, target.writer
    with ExitStack() as stack:
        out, *side = (stack.enter_context(open_output(output)) for output in target.outputs)
        for beside in side:
            write_weights(beside, picks.weight)
        with compressed(out, target.compression) as stream:
            if copies(reading, target) and reader.read_as_written and writer.copy:
                rows = reader.read_as_written(reading, found.numbers, found.records)
                writer.copy(stream, rows, by, picks.weight, target)
                return ""
            return writer.write(stream, subset_of(reading, found, picks, by, target), target)


def subset_of(
    reading: Reading, found: PickedRows, picks: Picks, by: NDArray[np.int64], target: Target
) -> Subset:
    """Return the rows as numbers; `by` is the place in `found` of each pick."""
    encoding, settings = reading.encoding, reading.settings
    names = None if encoding is None else encoding.column_names
    label_name = settings.label or "label"
    if target.writer.holds_rows and names is not None and label_name in names:
        raise UsageError(
            f"--label: a column and the labels are both named '{label_name}'. Rename one of them."
        )
    return Subset(
        found.numbers[by],
        picks.weight,
        found.rows.take(by, axis=0) if target.writer.holds_rows else found.rows,
        picks.label,
        names,
        label_name,
        settings.task == "regression",
        picks.ids,
        settings.id_column or "id",
    )
