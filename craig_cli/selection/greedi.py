"""The first round of a selection in parts: what each part offers, alone and unseen by the others.

Two-round distributed greedy, GreeDi (Mirzasoleiman, Karbasi, Sarkar and Krause 2013): every part
selects among its own rows, by any greedy method; a second round selects among what all parts offer
(`greedi_merge`), and all rows are assigned to its picks (`greedi_assign`). The parts may be rows as
they lie, or compact cells (`partition_tree`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels, Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.readers.labels import class_labels, like_classes
from craig_cli.selection.budgets import class_quotas
from craig_cli.selection.classes import ClassPicks, ClassRows, Label, split_classes
from craig_cli.selection.row_groups import RowSource
from craig_cli.selection.scaling import make_features
from craig_cli.selection.selector import select_class
from craig_cli.selection.shared_scaling import SharedScaling, Summary, as_read, summary_of
from craig_cli.settings import SelectionSettings
from craig_cli.settings.catalog import methods_that
from craig_cli.settings.parts import needs_all_rows
from craig_cli.threads import Workers

SPARE = 8
"""So many candidates a class does a part offer beyond its share, so that small parts can give more
than that.
"""


@dataclass(frozen=True)
class Candidates:
    """What one part offers of one class: the one that gained most first.

    Parameters
    ----------
    label : int, float, str or None
    rows : ndarray of int64, shape (m,)
        The candidates: rows of the part.
    points : ndarray of float32 or float64, shape (m, d)
        The candidates as read, laid out densely.
    labels : Labels or None
        Of the candidates.
    gain : ndarray of float64, shape (m,)
        What each gained in its part.
    size : ndarray of int64, shape (m,)
        Rows of the part nearest to it.
    spread : ndarray of float64, shape (m,)
        The sum of the distances of these.
    is_float64 : bool
        Whether distances took float64.
    """

    label: Label
    rows: NDArray[np.int64]
    points: NDArray[np.floating]
    labels: Labels | None
    gain: NDArray[np.float64]
    size: NDArray[np.int64]
    spread: NDArray[np.float64]
    is_float64: bool

    def labelled(self, shared: SharedScaling) -> Candidates:
        """Return the same, with the label that the class has in the whole."""
        if self.label is None:
            return self
        (label,) = like_classes(class_labels([self.label]), shared.labels).tolist()
        return replace(self, label=label, labels=shared.labelled(self.labels))


@dataclass(frozen=True)
class Partial:
    """What one part tells of its rows, and offers; a class each, in the same order."""

    summary: Summary
    candidate_sets: tuple[Candidates, ...]


def check_partitioned(settings: SelectionSettings) -> None:
    """Raise `UsageError` for a selection that cannot be made in parts."""
    able = methods_that("parts")
    if settings.method not in able:
        raise UsageError(
            f"--method {settings.method}: parts of the data are selected from by "
            f"{', '.join(sorted(able))}. Choose one of these."
        )
    if settings.budget.is_cover:
        raise UsageError(
            "--epsilon, --mean-epsilon: no part knows the epsilon of all. Use --fraction or --size."
        )
    for option, given in (
        ("--budget-cost", settings.budget.budget_cost is not None),
        ("--sample-rows", settings.sample_rows),
        ("--refine", settings.refine),
        ("--include", settings.include),
        ("--exclude", settings.exclude),
        ("--extend", settings.extend),
        (f"--representative {settings.representative}", settings.representative != "medoid"),
    ):
        if given:
            raise needs_all_rows(option)


def resolved(settings: SelectionSettings) -> SelectionSettings:
    """Return the settings that parts select by: ``cells`` in place of ``auto``."""
    return replace(settings, method="cells") if settings.method == "auto" else settings


def n_candidates(
    settings: SelectionSettings, oversampling: float, counts: NDArray[np.int64]
) -> list[int]:
    """Return how many rows of each class a part offers that has `counts` of them.

    Under ``--fraction`` its share, `oversampling` times; under ``--size`` as many as if there were
    no other part (GreeDi's choice), since nobody knows the share. Either way all parts together
    offer at least what is wanted; of each class where that is in proportion to its rows, or where
    parts are alike.
    """
    if settings.budget.size is not None:
        quotas = class_quotas(settings.budget.size, counts, settings.allocation)
    else:
        assert settings.budget.fraction is not None
        size = settings.budget.fraction * int(counts.sum())
        quotas = [oversampling * q for q in class_quotas(size, counts, settings.allocation)]
    return [
        min(count, math.ceil(round(quota, 6)) + SPARE)
        for count, quota in zip(counts.tolist(), quotas, strict=True)
    ]


def select_part(
    dataset: Dataset,
    settings: SelectionSettings,
    oversampling: float,
    progress: Progress = no_progress,
) -> Partial:
    """Return what one part offers.

    Parameters
    ----------
    dataset : Dataset
        The rows of the part.
    settings : SelectionSettings
        With a budget for all parts together; scales are those of the part's own columns, as others
        are not known here.
    oversampling : float
        At least 1: see `n_candidates`.
    progress : Progress
        Called with stage "select", and candidates.

    Raises
    ------
    UsageError
        The rows are so sparse that they cannot be laid out densely.

    Notes
    -----
    Time and memory are those of the method on the rows of the part.
    """
    settings = resolved(settings)
    classes = split_classes(dataset.labels, dataset.n_rows, settings.task)
    summary = summary_of(dataset, classes, settings.task)
    counts = np.array([len(c.index) for c in classes])
    wanted = n_candidates(settings, oversampling, counts)
    found: list[Candidates] = []
    with Workers(settings.n_threads) as workers:
        features = replace(make_features(dataset, settings, workers), is_dense=True)
        source = RowSource(features, workers, progress)
        for number, (members, size) in enumerate(zip(classes, wanted, strict=True)):
            report = partial(source.report, sum(len(c.rows) for c in found), sum(wanted))
            picks = select_class(source, members, number, size, settings, report)
            found.append(candidates_of_class(dataset, members, picks))
    return Partial(summary, tuple(found))


def candidates_of_class(dataset: Dataset, members: ClassRows, picks: ClassPicks) -> Candidates:
    """Return the picks of one class as what a part offers of it."""
    by = np.argsort(-picks.gain, kind="stable")
    rows = picks.rows[by]
    return Candidates(
        label=members.label,
        rows=rows,
        points=as_read(dataset, rows).astype(dataset.rows.dtype),
        labels=None if dataset.labels is None else dataset.labels[rows],
        gain=picks.gain[by],
        size=picks.cluster_size[by],
        spread=picks.spread[by],
        is_float64=picks.is_float64,
    )
