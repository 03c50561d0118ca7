"""Rows that a manifest, or a file of weights, has picked of the data: whether they belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration import calibrated_prefix
from craig_cli.dataset import Dataset, Progress
from craig_cli.errors import InputError
from craig_cli.files.encoding import describe_encoding
from craig_cli.files.manifest import Manifest, fingerprint_request, read_manifest
from craig_cli.files.request import (
    check_not_proxied,
    describe_inputs,
    restore_calibration,
    restore_inputs,
    restore_settings,
)
from craig_cli.files.weights import read_weights
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.skipped import checked_positions
from craig_cli.selection import Coreset
from craig_cli.selection.numbering import by_position, check_same_skipped
from craig_cli.settings import InputSettings
from craig_cli.settings.training import TrainFiles
from craig_cli.storage.atomic import check_not_input
from craig_cli.training.problem import Array
from craig_cli.workflows.stopwatch import Stopwatch

SAME_DATA = "Give the data and the reading options it was made with."
MAY_FORCE = (
    "Give the data and the reading options it was made with, or --force-mismatch to use its row "
    "numbers all the same."
)


class PickedBy(Protocol):
    """The files that say which rows to take: a manifest, or hand-made weights."""

    @property
    def coreset(self) -> str | None: ...
    @property
    def weights_file(self) -> str | None: ...
    @property
    def force_mismatch(self) -> bool: ...


def fingerprint_for(manifest: Manifest | None, dataset: Dataset) -> str:
    """Return the fingerprint of the data, made of those of parts where the manifest's is."""
    if manifest is None:
        return fingerprint(dataset)
    return fingerprint(dataset, manifest.data_fingerprint, manifest.coreset.parts)


def check_belongs(
    source: str, manifest: Manifest, data_fingerprint: str, remedy: str = SAME_DATA
) -> None:
    """Raise `InputError` unless a manifest was made of the data."""
    if manifest.data_fingerprint != data_fingerprint:
        problem = (
            f"it was selected from other data ({manifest.data_fingerprint}, and this is "
            f"{data_fingerprint})"
        )
        raise InputError(source, problem, remedy=remedy)


def chosen_rows(
    files: PickedBy, manifest: Manifest | None, dataset: Dataset, data_fingerprint: str
) -> tuple[NDArray[np.int64] | None, Array | None]:
    """Return the rows to train on, in greedy order, and their weights; None for all rows.

    Rows are positions among those of the data set.
    """
    if manifest is not None:
        if not files.force_mismatch:
            check_belongs(str(files.coreset), manifest, data_fingerprint, MAY_FORCE)
        if manifest.data_fingerprint == data_fingerprint:
            check_same_skipped(manifest.coreset, dataset.skipped, str(files.coreset))
        index, weights = manifest.coreset.index, manifest.coreset.weight
    elif files.weights_file is not None:
        index, weights = read_weights(files.weights_file)
    else:
        return None, None
    source, remedy = files.coreset or files.weights_file or "", "Give the data it belongs to."
    outside = index[(index < 0) | (index >= dataset.n_input_rows)]
    if len(outside):
        raise InputError(
            source,
            f"an index is not between 0 and {dataset.n_input_rows - 1}",
            value=str(outside[0]),
            remedy=remedy,
        )
    if manifest is not None:
        return coreset_within(source, manifest, dataset, data_fingerprint).index, weights
    return checked_positions(source, index, dataset.skipped, dataset.n_rows, remedy), weights


def coreset_within(
    source: str, manifest: Manifest, dataset: Dataset, data_fingerprint: str
) -> Coreset:
    """Return the coreset of a manifest by positions among the rows of a data set."""
    is_of_other_data = manifest.data_fingerprint != data_fingerprint
    return by_position(manifest.coreset, dataset, source, is_of_other_data)


def each_once(index: NDArray[np.int64], weights: Array) -> tuple[NDArray[np.int64], Array]:
    """Return each row once, in the order of its first mention, with the sum of its weights."""
    rows, first, number = np.unique(index, return_index=True, return_inverse=True)
    order = np.argsort(first)
    summed: Array = np.bincount(number, weights).astype(np.float64)
    return rows[order], summed[order]


def first_of(
    source: str,
    manifest: Manifest,
    dataset: Dataset,
    paths: tuple[str, ...],
    first: int,
    threads: int,
) -> Coreset:
    """Return the first picks of the manifest in file `source`, calibrated as it is; rows are
    positions among those of the data set.
    """
    check_not_proxied("--first", source, manifest.request)
    _, selection = restore_settings(source, manifest.request, paths, {}, threads)
    coreset = coreset_within(source, manifest, dataset, fingerprint_for(manifest, dataset))
    calibration = restore_calibration(source, manifest.request, threads)
    return calibrated_prefix(dataset, selection, coreset, first, calibration)


@dataclass(frozen=True)
class RowsToTrain:
    """Data, and which of its rows to train on.

    Parameters
    ----------
    dataset : Dataset
    inputs : InputSettings
    index, weights : ndarray, shape (k,), or None
        None for all rows.
    data_fingerprint : str
    manifest : Manifest or None
    """

    dataset: Dataset
    inputs: InputSettings
    index: NDArray[np.int64] | None
    weights: Array | None
    data_fingerprint: str
    manifest: Manifest | None

    def facts(self) -> dict[str, Any]:
        """Return what a model's file keeps of them, in JSON types."""
        m = self.manifest
        return {
            "input": describe_inputs(self.inputs),
            "columns": list(self.dataset.column_names or ()),
            "encoding": describe_encoding(self.dataset.encoding),
            "data_fingerprint": self.data_fingerprint,
            "coreset_fingerprint": m and fingerprint_request(m.request, m.data_fingerprint),
        }


def reading_of(
    files: TrainFiles, overrides: Mapping[str, Any]
) -> tuple[Manifest | None, InputSettings]:
    """Return the manifest of a training, and how its data is read.

    Reading options are those given now, else those that the manifest records, else the defaults.
    """
    if files.coreset is None:
        return None, InputSettings(files.paths, task_given="task" in overrides, **overrides)
    manifest = read_manifest(files.coreset)
    recorded = manifest.request.get("input", {})
    return manifest, restore_inputs(files.coreset, recorded, files.paths, overrides)


def read_rows(
    files: TrainFiles,
    manifest: Manifest | None,
    inputs: InputSettings,
    threads: int,
    watch: Stopwatch,
    progress: Progress,
) -> RowsToTrain:
    """Return the data of a training, and the rows that a manifest or a file of weights names."""
    with watch.stage("read"):
        dataset = read_dataset(inputs, progress)
        data_fingerprint = fingerprint_for(manifest, dataset)
    check_not_input(files.output, dataset.files)
    inputs = replace(inputs, index_base=dataset.index_base)
    index, weights = chosen_rows(files, manifest, dataset, data_fingerprint)
    if manifest is not None and files.first is not None:
        source = str(files.coreset)
        with watch.stage("weights"):
            prefix = first_of(
                source, manifest, dataset, files.paths, files.first, threads, progress
            )
        index, weights = prefix.index, prefix.weight
    return RowsToTrain(dataset, inputs, index, weights, data_fingerprint, manifest)
