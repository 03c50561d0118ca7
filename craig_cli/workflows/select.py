"""``craig select``: read, select, check, write."""

from __future__ import annotations

import numpy as np

from craig_cli.blocks import Progress, no_progress
from craig_cli.manifest import Manifest, class_facts, is_manifest, write_manifest
from craig_cli.output import check_not_input, check_output, open_output
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.report import SelectReport
from craig_cli.selection import Coreset, check_coreset, select
from craig_cli.settings import InputSettings, SelectionSettings
from craig_cli.workflows.request import describe_request
from craig_cli.workflows.stopwatch import Stopwatch, peak_memory_bytes


def select_to_file(
    inputs: InputSettings, selection: SelectionSettings, output: str, *, force: bool = False, progress: Progress = no_progress
) -> SelectReport:
    """Select a coreset, write its manifest to `output`, and return what was done.

    Parameters
    ----------
    inputs : InputSettings
    selection : SelectionSettings
    output : str
        ``-`` stands for stdout. Checked before anything is read.
    force : bool
        Replace an existing file that is not a manifest.
    progress : Progress
    """
    check_output(output, inputs.paths, is_manifest, force)
    watch = Stopwatch()
    with watch.stage("read"):
        dataset = read_dataset(inputs, progress)
        data_fingerprint = fingerprint(dataset)
    check_not_input(output, dataset.files)
    with watch.stage("select"):
        coreset = select(dataset, selection, progress)
        check_coreset(coreset)
    several = len(dataset.files) > 1
    manifest = Manifest(
        coreset=coreset,
        request=describe_request(inputs, selection),
        data_fingerprint=data_fingerprint,
        files=dataset.files if several else (),
        file_starts=dataset.file_starts if several else np.empty(0, np.int64),
    )
    with watch.stage("write"), open_output(output) as out:
        write_manifest(out, manifest)
    return SelectReport(
        output=output,
        rows=dataset.n_rows,
        columns=dataset.n_columns,
        skipped_rows=dataset.skipped_rows,
        selected=len(coreset.index),
        method=coreset.method,
        reason=coreset.reason,
        classes=[class_facts(summary) for summary in coreset.classes],
        epsilon=coreset.epsilon_total,
        epsilon_mean=coreset.epsilon_mean,
        epsilon_share=share_of_medoid(coreset),
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=coreset.notes,
    )


def share_of_medoid(coreset: Coreset) -> float | None:
    """Return epsilon over that of one medoid a class; None where that is unknown, or zero."""
    medoid = sum(summary.medoid_epsilon for summary in coreset.classes)
    return coreset.epsilon_total / medoid if medoid > 0 else None
