"""``craig apply``: read a manifest and its data, and write the chosen rows for another trainer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

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
from craig_cli.settings import InputSettings
from craig_cli.settings.apply import ApplySettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.workflows.picked import first_of
from craig_cli.workflows.stopwatch import Stopwatch, peak_memory_bytes
from craig_cli.writers import Subset

DELIMITED = ("csv", "tsv")


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
    The data is read once to be checked, and a second time where rows are copied as they stand.
    Memory: a block and the rows written, twice while they are written; with `first` all rows.
    """
    if settings.first is not None and any(path == "-" or Path(path).is_fifo() for path in paths):
        raise UsageError(
            "--first: the data is read twice, and a pipe can be read only once. Name a file."
        )
    check_outputs(settings, [*paths, manifest_path])
    watch = Stopwatch()
    manifest = read_manifest(manifest_path)
    inputs = restore_inputs(manifest_path, manifest.request.get("input", {}), paths, overrides)
    picks = Picks(manifest.coreset.index, manifest.coreset.weight, manifest.coreset.label)
    if settings.first is not None:
        with watch.stage("weights"):
            prefix = first_of(
                manifest_path,
                manifest,
                read_dataset(inputs, progress),
                paths,
                settings.first,
                settings.threads,
                progress,
            )
        picks = Picks(prefix.index, prefix.weight, prefix.label)
    if settings.order == "row":
        by = np.argsort(picks.index)
        picks = Picks(
            picks.index[by], picks.weight[by], None if picks.label is None else picks.label[by]
        )
    ascending = np.sort(picks.index)
    with watch.stage("read"):
        reading = Reading(inputs, progress)
        found = read_picks(reading, ascending, manifest.data_fingerprint, manifest.coreset.parts)
        picks = checked(manifest_path, manifest, found, picks, settings.force_mismatch)
    for path in output_paths(settings):
        check_not_input(path, [source.name for source in reading.sources])
    writing = Writing(
        reading, inputs, settings, found, picks, np.searchsorted(ascending, picks.index)
    )
    with watch.stage("write"), ExitStack() as stack:
        out = stack.enter_context(open_output(settings.output))
        side = (
            stack.enter_context(open_output(settings.weight_path))
            if settings.place == "file"
            else None
        )
        notes = writing.write(out, side)
    return ApplyReport(
        output=settings.output,
        format=settings.format,
        rows=found.n_rows,
        columns=found.n_columns,
        skipped_rows=len(reading.skipped),
        written=len(picks.index),
        order=settings.order,
        copied=writing.copies,
        weight_place=settings.place,
        weights_in={"column": settings.weight_name, "file": settings.weight_path}.get(
            settings.place
        ),
        weight_sum=float(picks.weight.sum()),
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=notes,
    )


def output_paths(settings: ApplySettings) -> list[str]:
    """Return the files that are to be written."""
    return (
        [settings.output, settings.weight_path] if settings.place == "file" else [settings.output]
    )


def check_outputs(settings: ApplySettings, inputs: list[str]) -> None:
    """Raise `UsageError` if the output, or the file of weights, cannot or must not be written."""
    if settings.output == "-" and settings.is_text:
        return
    for path in output_paths(settings):
        check_output(path, inputs, None, settings.force, f"{settings.format} output")


def checked(
    source: str, manifest: Manifest, found: PickedRows, picks: Picks, force_mismatch: bool
) -> Picks:
    """Return the picks, their labels those of the data where the manifest was made of other data;
    raises `InputError` unless that is allowed.
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


@dataclass(frozen=True)
class Writing:
    """Everything that is known once the data has been read.

    Parameters
    ----------
    reading : Reading
    inputs : InputSettings
    settings : ApplySettings
    found : PickedRows
        In the order of the data.
    picks : Picks
        In the order of the output.
    by : ndarray of int64, shape (k,)
        Place in `found` of each pick.
    """

    reading: Reading
    inputs: InputSettings
    settings: ApplySettings
    found: PickedRows
    picks: Picks
    by: NDArray[np.int64]

    @property
    def copies(self) -> bool:
        """Whether rows are written as they stand: the files are of the format asked for, or both
        are delimited text.
        """
        formats, wanted = {source.format for source in self.reading.sources}, self.settings.format
        if wanted in DELIMITED:
            return len(formats) == 1 and formats <= set(DELIMITED)
        return wanted in ("libsvm", "parquet") and formats == {wanted}

    @property
    def weight_name(self) -> str | None:
        """The column of weights, if there is to be one."""
        return self.settings.weight_name if self.settings.place == "column" else None

    def write(self, out: BinaryIO, side: BinaryIO | None) -> tuple[str, ...]:
        """Write the rows, and the weights to `side` where they go to a file of their own; return
        what the user should know.
        """
        from craig_cli.writers import text

        if side is not None:
            text.write_weights(side, self.picks.weight)
        with text.compressed(out, self.settings.compression) as stream:
            return self._copy(stream) if self.copies else self._convert(stream)

    def _copy(self, out: BinaryIO) -> tuple[str, ...]:
        """Write rows as they stand."""
        from craig_cli.readers.rows_as_written import picked_records, picked_table
        from craig_cli.writers import text

        ascending = np.sort(self.picks.index)
        if self.settings.format == "parquet":
            from craig_cli.writers.binary import copy_table

            table = picked_table(self.reading, self.inputs, ascending, self.found.file_starts)
            copy_table(out, table.take(self.by), self.picks.weight, self.weight_name)
            return ()
        names, delimiters = (
            (None, ("", "")) if self.settings.format == "libsvm" else self._delimited_head()
        )
        records = picked_records(self.reading, self.inputs, ascending, self.found.file_starts)
        records = [records[place] for place in self.by.tolist()]
        if self.settings.format == "libsvm":
            text.copy_libsvm(out, records, self.picks.weight, self.settings.place == "inline")
        else:
            text.copy_delimited(
                out, names, records, delimiters, self.picks.weight, self.weight_name
            )
        return ()

    def _delimited_head(self) -> tuple[list[str] | None, tuple[str, str]]:
        """Return the names of all columns (None: no header is written), and the delimiters of the
        files and of the output.
        """
        from craig_cli.readers.csv import delimiter_of
        from craig_cli.readers.rows_as_written import header_names

        first, *others = self.reading.sources
        names, old = header_names(first, self.inputs), delimiter_of(first, self.inputs)
        for source in others:
            if header_names(source, self.inputs) != names:
                remedy = "Write another format with --to, which takes the rows as numbers."
                raise InputError(
                    source.name, f"its columns differ from those of {first.name}", remedy=remedy
                )
        new = (
            old
            if first.format == self.settings.format
            else {"csv": ",", "tsv": "\t"}[self.settings.format]
        )
        return (names if self.inputs.header else None), (old, new)

    def _convert(self, out: BinaryIO) -> tuple[str, ...]:
        """Write rows as the numbers they were read as, or no rows."""
        from craig_cli.writers import binary, text

        chosen, picks = self.settings.format, self.picks
        if chosen == "npz":
            binary.write_npz(out, picks.index, picks.weight, picks.label)
            return ()
        rows, label_name = self.found.rows.take(self.by, axis=0), self.inputs.label or "label"
        names = self.reading.column_names
        if names is not None and label_name in names:
            raise UsageError(
                f"--label: a column and the labels are both named '{label_name}'. "
                f"Rename one of them."
            )
        subset = Subset(
            picks.index,
            picks.weight,
            rows,
            picks.label,
            names,
            label_name,
            self.inputs.task == "regression",
        )
        if chosen == "libsvm":
            text.write_libsvm(out, subset, self.settings.place == "inline")
        elif chosen == "vw":
            told = text.write_vw(out, subset)
            return (told,) if told else ()
        elif chosen in DELIMITED:
            text.write_delimited(out, subset, "," if chosen == "csv" else "\t", self.weight_name)
        elif chosen == "parquet":
            binary.write_parquet(out, subset, self.weight_name)
        else:
            binary.write_hdf5(out, subset, self.weight_name)
        return ()
