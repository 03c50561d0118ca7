"""The door to a coreset; calibration of a whole coreset, and the scores of importance sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.calibrator import Calibration, Calibrator, is_too_wide
from craig_cli.calibration.costs import fits_beside
from craig_cli.calibration.problems import class_numbers, importance_scores, pilot_problem
from craig_cli.dataset import Dataset, Progress, Rows, no_progress
from craig_cli.errors import UsageError
from craig_cli.selection import Coreset, check_coreset
from craig_cli.selection.assembly import with_ids
from craig_cli.selection.numbering import by_row_number, constraints_by_position
from craig_cli.selection.outofcore import class_order, select_from_disk
from craig_cli.selection.prefix import first_picks
from craig_cli.selection.proxy import select_by
from craig_cli.selection.representatives import Standing
from craig_cli.settings import SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.storage.spill import Spill, SpillArray
from craig_cli.training.problem import Array

TOO_WIDE = (
    "The weights are not calibrated: {coordinates:,} coordinates of a gradient are too many for "
    "{picks:,} picks to give much."
)
NO_ROOM = (
    "The weights were not calibrated, for which --memory-limit leaves no room: they are those of "
    "the method."
)


Stage: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""Times what is done within it, under a name."""


def untimed(name: str) -> AbstractContextManager[None]:
    """Return a stage that nobody times."""
    return nullcontext()


def make_coreset(
    dataset: Dataset,
    settings: SelectionSettings,
    calibration: CalibrationSettings | None = None,
    *,
    proxy: Rows | None = None,
    on_disk: tuple[SpillArray, Spill] | None = None,
    progress: Progress = no_progress,
    stage: Stage = untimed,
) -> Coreset:
    """Return a coreset, made from first to last: scores, selection, calibration, check.

    The one door to a coreset of rows in one place, for the command and for Python alike. Rows are
    named by their numbers in the input as it lies, in the settings and in the coreset; only within
    are they positions among the rows of the data set.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
    calibration : CalibrationSettings, optional
        Default: the weights of the method.
    proxy : Rows, optional
        What distances are taken among in place of the rows, one for each.
    on_disk : (SpillArray, Spill), optional
        The rows where memory does not hold them, and the space they are in.
    progress : Progress
    stage : callable, optional
        ``with stage(name)`` is put round the stages "select" and "calibrate".

    Raises
    ------
    UsageError
        The settings do not fit the data.
    InputError
        There are no rows, or all those of a class have zero weight.
    ContractError
        The coreset breaks a promise, which would be a defect.

    Notes
    -----
    Time and memory: those of the method (`selection.costs`, `selection.memory`) and of calibration
    (`calibration.costs`).
    """
    calibration = calibration or CalibrationSettings(seed=settings.seed)
    settings = constraints_by_position(settings, dataset)
    plan = Plan(dataset, settings.task, calibration, stage, progress)
    with stage("select"):
        if on_disk is not None:
            rows, spill = on_disk
            coreset, by_class = select_from_disk(dataset, rows, settings, spill, progress)
        else:
            scores = None
            if settings.method == "importance" and proxy is None:
                scores = importance_scores(dataset, settings.task, calibration)
            coreset = select_by(dataset, proxy, settings, progress, scores, plan.exchanged)
    if on_disk is None:
        coreset = plan.calibrated(coreset)
    elif calibration.weights != "cluster":
        if fits_beside(dataset, settings, calibration):
            coreset = calibrated_on_disk(dataset, by_class, coreset, calibration, stage, progress)
        else:
            coreset = replace(coreset, notes=(*coreset.notes, NO_ROOM))
    coreset = by_row_number(coreset, dataset.skipped)
    check_coreset(coreset)
    return with_ids(coreset, dataset)


class Plan:
    """How the weights of a data set's picks are made: one `Calibrator`, so one set of pilots, for
    the exchange of medoids during the selection and for the weights after it.

    Parameters
    ----------
    dataset : Dataset
    task : str
    settings : CalibrationSettings
        Under weights ``auto`` data that no pilot can be fitted to, or whose gradients have too many
        coordinates, is noted, not refused.
    stage : callable, optional
        As for `make_coreset`; what is done has the name "calibrate".
    progress : Progress, optional
        As for `Calibrator`.
    """

    def __init__(
        self,
        dataset: Dataset,
        task: str,
        settings: CalibrationSettings,
        stage: Stage = untimed,
        progress: Progress = no_progress,
    ) -> None:
        self._dataset, self._task, self._settings = dataset, task, settings
        self._stage, self._progress = stage, progress
        self._made: Made | None = None

    @cached_property
    def calibrator(self) -> Calibrator:
        """What makes the weights; raises `UsageError` where no pilot can be fitted."""
        problem = pilot_problem(self._dataset, self._task, self._settings, "--weights calibrated")
        return Calibrator(
            problem, class_numbers(self._dataset, self._task), self._settings, self._progress
        )

    def excuse(self, n_picks: int) -> str | None:
        """Return why weights ``auto`` of so many picks are not calibrated, if they are not; raises
        `UsageError` where they are to be, and cannot.
        """
        try:
            coordinates = self.calibrator.coordinates
        except UsageError as error:
            if self._settings.weights == "calibrated":
                raise
            return f"The weights are not calibrated: {error}"
        if is_too_wide(coordinates, n_picks, self._settings):
            return too_wide(coordinates, n_picks)
        return None

    def exchanged(self, standing: Standing) -> NDArray[np.int64]:
        """Return the row that is to stand for each cluster: the pick where weights are not to be
        calibrated, or where exchanges do not help.
        """
        if self._settings.weights == "cluster" or self.excuse(len(standing.rows)) is not None:
            return standing.rows
        with self._stage("calibrate"):
            rows = self.calibrator.exchanged(standing)
            exchanged = int(np.count_nonzero(rows != standing.rows))
            made = self.calibrator.calibrate(rows, standing.weight, exchanged)
        if exchanged and not made.summary.kept:
            return standing.rows
        self._made = Made(rows, standing.weight, made)
        return rows

    def calibrated(self, coreset: Coreset) -> Coreset:
        """Return a coreset with the weights that the settings ask for, where calibration helps."""
        coreset = uncalibrated(coreset)
        if self._settings.weights == "cluster":
            return coreset
        excuse = self.excuse(len(coreset.index))
        if excuse is not None:
            return replace(coreset, notes=(*coreset.notes, excuse))
        with self._stage("calibrate"):
            done = self._calibration(coreset)
        facts = {**done.summary.facts(), "base_weights": coreset.weights}
        if not done.summary.kept:
            return replace(coreset, calibration=facts)
        return replace(
            coreset,
            weight=done.weight,
            weights="calibrated",
            base_weight=coreset.weight,
            calibration=facts,
        )

    def _calibration(self, coreset: Coreset) -> Calibration:
        """Return the calibration of a coreset, made now unless it was during the exchange."""
        made = None if self._made is None else self._made.of(coreset)
        if made is not None:
            return made
        exchanged = None
        if coreset.representative == "exchanged":
            exchanged = int(np.count_nonzero(coreset.index != coreset.picks))
        return self.calibrator.calibrate(coreset.index, coreset.weight, exchanged)


class Made(NamedTuple):
    """The calibration of rows (k,) with some weights (k,)."""

    rows: NDArray[np.int64]
    before: Array
    calibration: Calibration

    def of(self, coreset: Coreset) -> Calibration | None:
        """Return the same in the order of a coreset; None if it has other rows or weights."""
        if len(coreset.index) != len(self.rows):
            return None
        order = np.argsort(self.rows)
        place = order[np.searchsorted(self.rows, coreset.index, sorter=order) % len(order)]
        is_same = np.array_equal(self.rows[place], coreset.index)
        if not is_same or not np.array_equal(self.before[place], coreset.weight):
            return None
        return replace(self.calibration, weight=self.calibration.weight[place])


def calibrated_coreset(
    dataset: Dataset,
    coreset: Coreset,
    settings: CalibrationSettings,
    progress: Progress = no_progress,
) -> Coreset:
    """Return a coreset with the weights that the settings ask for, where calibration helps.

    Parameters
    ----------
    dataset : Dataset
    coreset : Coreset
        Made of it; calibrated weights give way to those they were made of.
    settings : CalibrationSettings
        As for `Plan`.
    progress : Progress

    Raises
    ------
    UsageError
        The data has no labels, or the loss does not fit them.
    """
    return Plan(dataset, coreset.task, settings, progress=progress).calibrated(coreset)


def calibrated_on_disk(
    dataset: Dataset,
    by_class: SpillArray,
    coreset: Coreset,
    settings: CalibrationSettings,
    stage: Stage,
    progress: Progress,
) -> Coreset:
    """Return what `calibrated_coreset` does, of rows that lie on disk class by class; passes read
    them in blocks.
    """
    order = class_order(dataset, coreset.task)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    labels = None if dataset.labels is None else dataset.labels[order]
    sorted_rows = Dataset(cast("Array", by_class), labels)
    moved = replace(coreset, index=place[coreset.index])
    done = Plan(sorted_rows, coreset.task, settings, stage, progress).calibrated(moved)
    return replace(done, index=coreset.index)


def calibrated_prefix(
    dataset: Dataset,
    selection: SelectionSettings,
    coreset: Coreset,
    first: int,
    settings: CalibrationSettings,
    progress: Progress = no_progress,
) -> Coreset:
    """Return the coreset of the first picks of another, with the weights that the settings ask for;
    `selection` are those that the other was selected by.
    """
    return calibrated_prefixes(dataset, selection, coreset, [first], settings, progress)[0]


def calibrated_prefixes(
    dataset: Dataset,
    selection: SelectionSettings,
    coreset: Coreset,
    sizes: Sequence[int],
    settings: CalibrationSettings,
    progress: Progress = no_progress,
) -> list[Coreset]:
    """Return what `calibrated_prefix` does, of several numbers of picks; pilots are made once."""
    plan = Plan(dataset, coreset.task, settings, progress=progress)
    return [
        plan.calibrated(first_picks(dataset, selection, coreset, size, plan.exchanged))
        for size in sizes
    ]


def uncalibrated(coreset: Coreset) -> Coreset:
    """Return a coreset with the weights that calibrated ones were made of."""
    if coreset.base_weight is None:
        return coreset
    return replace(
        coreset,
        weight=coreset.base_weight,
        base_weight=None,
        weights=str((coreset.calibration or {}).get("base_weights", "cluster")),
        calibration=None,
    )


def too_wide(coordinates: int, picks: int) -> str:
    """Return what is said of a gradient that has too many coordinates for so many picks."""
    return TOO_WIDE.format(coordinates=coordinates, picks=picks)
