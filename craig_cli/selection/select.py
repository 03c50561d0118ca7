"""Selecting a coreset: class by class, by the method asked for, then weights and epsilon from one assignment that all methods share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import Dataset, Progress, no_progress
from craig_cli.errors import InputError
from craig_cli.selection.baselines import random_picks, stratified_picks
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.selection.cells import cells_picks
from craig_cli.selection.classes import ClassPicks, ClassRows, split_classes, with_enough_digits
from craig_cli.selection.coreset import ClassSummary, Coreset
from craig_cli.selection.cover import cover
from craig_cli.selection.exact import PICKS_A_STEP, ExactGreedy
from craig_cli.selection.features import Features, make_features
from craig_cli.selection.groups import Group
from craig_cli.selection.threads import Workers
from craig_cli.settings import SelectionSettings

WEIGHTS = {"exact": "cluster", "cells": "cluster", "stratified": "cell", "random": "uniform"}


def select(dataset: Dataset, settings: SelectionSettings, progress: Progress = no_progress) -> Coreset:
    """Return the coreset of a data set.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
    progress : Progress
        Called with stage "select", picks made, and picks wanted (None under an epsilon budget).

    Raises
    ------
    UsageError
        The budget does not fit the data.
    InputError
        There are no rows.

    Notes
    -----
    Method ``exact`` solves the paper's eq. 8 (``--fraction``, ``--size``) or eq. 10 (``--epsilon``) greedily. Time about 3 n_c^2 d / 2 pairs
    a class before the lists, little after; memory 12 to 16 bytes a coordinate and 2 KB a row.
    """
    if dataset.n_rows == 0:
        raise InputError(dataset.files[0], "there are no rows", remedy="Give at least one row.")
    classes = split_classes(dataset.labels, dataset.n_rows, settings.task)
    features = make_features(dataset, settings.scale, settings.metric, settings.task)
    with Workers(settings.n_threads) as workers:
        if settings.budget.is_cover:
            picks = cover(features, classes, settings, workers, progress)
        else:
            sizes = class_sizes(budget_size(settings.budget, dataset.n_rows, len(classes)), np.array([len(c.index) for c in classes]))
            picks = []
            for number, (members, size) in enumerate(zip(classes, sizes.tolist(), strict=True)):
                report = partial(report_picks, progress, sum(len(p.rows) for p in picks), int(sizes.sum()))
                picks.append(select_class(features, members, size, number, settings, workers, report))
    return merge(dataset, classes, picks, settings, features.notes)


def report_picks(progress: Progress, before: int, total: int, made: int) -> None:
    """Report `made` picks of one class after those of the classes before it."""
    progress("select", before + made, total)


def measure(dataset: Dataset, settings: SelectionSettings, index: NDArray[np.int64]) -> Coreset:
    """Return the coreset that given picks make: clusters, gains and epsilons from scratch.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
        Scale, metric, task and threads count; the budget does not.
    index : ndarray of int64, shape (k,)
        Rows, in the order picked; at least one of each class.

    Notes
    -----
    Time at most n_c k_c d a class, less by pruning. ``weight`` is the cluster size, whatever the method was.
    """
    classes = split_classes(dataset.labels, dataset.n_rows, settings.task)
    features = make_features(dataset, settings.scale, settings.metric, settings.task)
    picks = []
    with Workers(settings.n_threads) as workers:
        for members in classes:
            place = np.full(dataset.n_rows, -1, np.int64)
            place[members.index] = np.arange(len(members.index))
            chosen = place[index]
            chosen = chosen[chosen >= 0]
            if len(chosen) == 0:
                raise InputError(dataset.files[0], f"no row of class {members.label} is selected", remedy="The picks do not belong to this data.")
            picks.append(with_enough_digits(features, members, workers, partial(given_picks, chosen)))
    return merge(dataset, classes, picks, settings, features.notes)


def given_picks(chosen: NDArray[np.int64], group: Group) -> tuple[NDArray[np.int64], None]:
    """Return the picks that the caller has chosen already."""
    return chosen, None


def select_class(
    features: Features, members: ClassRows, size: int, number: int, settings: SelectionSettings, workers: Workers, progress: Callable[[int], None]
) -> ClassPicks:
    """Return `size` picks of one class, the `number`-th, by the method of the settings."""
    rng = np.random.default_rng([settings.seed, number])
    state = rng.bit_generator.state

    def choose(group: Group) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        rng.bit_generator.state = state  # a second try, in float64, draws the same rows
        if settings.method == "random":
            return random_picks(len(members.index), size, rng)
        if settings.method == "stratified":
            return stratified_picks(features.group(members.index), size, rng)
        if settings.method == "cells":
            return group.rank[cells_picks(group, size, settings.cell_size, workers, progress)], None
        greedy = ExactGreedy(group)
        while len(greedy.picks) < size:
            greedy.extend(min(PICKS_A_STEP, size - len(greedy.picks)))
            progress(len(greedy.picks))
        return group.rank[greedy.picks], None

    return with_enough_digits(features, members, workers, choose)


def merge(
    dataset: Dataset, classes: Sequence[ClassRows], picks: Sequence[ClassPicks], settings: SelectionSettings, notes: tuple[str, ...]
) -> Coreset:
    """Return the picks of all classes as one coreset, in one order.

    Greedy picks are merged by falling gain (the greedy order for all classes together, under the class quotas); picks of other methods so
    that every prefix keeps the class ratios.
    """
    rows = np.concatenate([p.rows for p in picks])
    gain = np.concatenate([p.gain for p in picks])
    if WEIGHTS[settings.method] == "cluster":
        falling = np.concatenate([np.minimum.accumulate(p.gain) for p in picks])  # `cells` may gain a little more again
        by = np.argsort(-falling, kind="stable")
    else:
        by = np.argsort(np.concatenate([(np.arange(len(p.rows)) + 0.5) / len(p.rows) for p in picks]), kind="stable")
    return Coreset(
        index=rows[by],
        order=np.arange(len(rows), dtype=np.int32),
        weight=np.concatenate([p.weight for p in picks])[by],
        cluster_size=np.concatenate([p.cluster_size for p in picks])[by],
        label=None if dataset.labels is None else dataset.labels[rows[by]],
        gain=gain[by],
        epsilon=np.concatenate([p.epsilon for p in picks])[by],
        classes=tuple(
            ClassSummary(c.label, len(c.index), len(p.rows), p.final_epsilon, p.medoid_epsilon if settings.method == "exact" else float("nan"))
            for c, p in zip(classes, picks, strict=True)
        ),
        n_rows=dataset.n_rows,
        n_columns=dataset.n_columns,
        method=settings.method,
        metric=settings.metric,
        scale=settings.scale,
        task=settings.task,
        weights=WEIGHTS[settings.method],
        seed=settings.seed,
        notes=notes,
    )
