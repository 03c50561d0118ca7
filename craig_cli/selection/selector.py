"""Selecting a coreset: class by class, by the method asked for, from rows wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError
from craig_cli.selection.assembly import assemble, common_order
from craig_cli.selection.assignment import (
    is_resolved_by_trial,
    measure_picks,
    nearest_picks,
    with_enough_digits,
)
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.selection.classes import ClassPicks, ClassRows, classes_of
from craig_cli.selection.constraints import (
    PickConstraints,
    constrained_first,
    given_rows,
    sizes_with,
)
from craig_cli.selection.coreset import ClassSummary, Coreset
from craig_cli.selection.costs import resolve_method
from craig_cli.selection.cover import cover
from craig_cli.selection.knapsack import knapsack_picks
from craig_cli.selection.methods import METHODS, ClassTask
from craig_cli.selection.representatives import Exchanged, represented, with_other_rows
from craig_cli.selection.resolution import naming_far_rows
from craig_cli.selection.row_groups import MemoryGroups, RowSource
from craig_cli.selection.scaling import Features, make_features
from craig_cli.selection.shared_scaling import scaled_by_parts
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers


def select(
    dataset: Dataset,
    settings: SelectionSettings,
    progress: Progress = no_progress,
    scores: NDArray[np.float64] | None = None,
    exchanged: Exchanged | None = None,
) -> Coreset:
    """Return the coreset of a data set in memory.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
    progress : Progress
        Called with stage "select", picks made, and picks wanted (None under an epsilon budget).
    scores : ndarray of float64, shape (n,), optional
        What method ``importance`` draws rows by; default: all alike.
    exchanged : callable, optional
        Gives the rows that are to stand for the clusters under representative ``exchanged``;
        default: the picks.

    Raises
    ------
    UsageError
        The budget does not fit the data.
    InputError
        There are no rows.

    Notes
    -----
    Method ``exact`` solves the paper's eq. 8 (``--fraction``, ``--size``) or eq. 10 (``--epsilon``)
    greedily; `costs` has the time and memory.
    """
    if dataset.n_rows == 0:
        remedy = "Give at least one row."
        raise InputError(dataset.files[0], "there are no rows", remedy=remedy)
    if dataset.weights is not None:
        settings.check_weighted()
    classes = classes_of(dataset, settings.task, scores)
    with Workers(settings.n_threads) as workers:
        features = make_features(dataset, settings, workers)
        source = RowSource(features, workers, progress)
        return select_from(source, dataset, classes, settings, exchanged)


def select_from(
    source: RowSource,
    dataset: Dataset,
    classes: Sequence[ClassRows],
    settings: SelectionSettings,
    exchanged: Exchanged | None = None,
) -> Coreset:
    """Return the coreset of rows wherever they are; of the data set only shape, labels and costs
    are looked at.
    """
    with naming_far_rows(dataset):
        return coreset_from(source, dataset, classes, settings, exchanged)


def coreset_from(
    source: RowSource,
    dataset: Dataset,
    classes: Sequence[ClassRows],
    settings: SelectionSettings,
    exchanged: Exchanged | None,
) -> Coreset:
    """Return what `select_from` does; raises `FarRow`."""
    counts = np.array([len(c.index) for c in classes])
    settings, reason = resolve_method(settings, counts, source.features.n_columns)
    method = METHODS[settings.method]
    given = given_rows(settings, classes, dataset.n_rows)
    order = None
    if settings.budget.budget_cost is not None:
        picks, order = knapsack_picks(source, classes, settings)
    elif settings.budget.is_cover:
        picks = cover(source, classes, settings, given)
    else:
        picks = picks_by_class(source, classes, settings, given)
    if settings.representative != "medoid":
        facts = source.features, classes, picks, settings, source.workers, given, exchanged
        picks = with_other_rows(*facts)
    order = common_order(picks, method.is_greedy) if order is None else order
    if given is not None:
        order = constrained_first(picks, order, settings)
    return coreset_of(dataset, classes, picks, order, settings, (source.notes, reason))


def shares_of_classes(
    settings: SelectionSettings, counts: NDArray[np.int64], given: Sequence[PickConstraints] | None
) -> NDArray[np.int64]:
    """Return how many rows to pick of each class, of a budget of so many rows in all."""
    size = budget_size(settings.budget, int(counts.sum()), len(counts))
    if given is None:
        return class_sizes(size, counts, settings.allocation)
    return sizes_with(given, size, counts, settings.budget, settings.allocation)


def picks_by_class(
    source: RowSource,
    classes: Sequence[ClassRows],
    settings: SelectionSettings,
    given: Sequence[PickConstraints] | None,
) -> list[ClassPicks]:
    """Return as many picks of each class as its share of the budget is."""
    sizes = shares_of_classes(settings, np.array([len(c.index) for c in classes]), given)
    picks: list[ClassPicks] = []
    for number, (members, share) in enumerate(zip(classes, sizes.tolist(), strict=True)):
        report = partial(source.report, sum(len(p.rows) for p in picks), int(sizes.sum()))
        own = None if given is None else given[number]
        picks.append(select_class(source, members, number, share, settings, report, own))
    return picks


def select_class(
    source: RowSource,
    members: ClassRows,
    number: int,
    size: int,
    settings: SelectionSettings,
    report: Callable[[int], None],
    given: PickConstraints | None = None,
) -> ClassPicks:
    """Return `size` picks of one class, the `number`-th, by the method of the settings.

    They are chosen and measured in float32 where that resolves the distances, else in float64. The
    final distances are computed in float64 in any case: they tell whether the quantised ones of
    most rows lie too close together, against the extent of their class. Where choosing is slow,
    as many picks made at no cost tell beforehand.
    """
    method, workers = METHODS[settings.method], source.workers

    def attempt(flags: tuple[bool, ...]) -> tuple[ClassPicks | None, tuple[bool, ...]]:
        groups = source.groups(number, members, flags[0])
        try:
            if (method.has_trial or settings.refine) and not flags[0]:
                if not is_resolved_by_trial(groups, size, workers):
                    return None, (False,)
                groups.group(0).reset()
            rng = np.random.default_rng([settings.seed, number])
            task = ClassTask(
                members, groups, size, source.features, settings, rng, workers, report, given
            )
            chosen, weight = method.choose(task)
            measured, is_resolved = measure_picks(groups, members.index, chosen, workers, weight)
            return measured, (is_resolved,)
        finally:
            groups.close()

    picks = with_enough_digits(1, attempt)
    assert picks is not None
    return picks


def coreset_of(
    dataset: Dataset,
    classes: Sequence[ClassRows],
    picks: Sequence[ClassPicks],
    order: NDArray[np.int64],
    settings: SelectionSettings,
    told: tuple[tuple[str, ...], str],
) -> Coreset:
    """Return the picks of all classes as one coreset; `told` are notes, and why ``auto`` chose."""
    rows = np.concatenate([p.rows for p in picks])
    has_costs = settings.budget.budget_cost is not None and dataset.costs is not None
    # Only where it is plain greedy, the first pick is the medoid.
    is_plain = settings.method == "exact" and not (
        settings.refine or settings.sample_rows or settings.is_constrained or has_costs
    )
    summaries = [
        ClassSummary(
            c.label,
            len(c.index),
            len(p.rows),
            p.final_epsilon,
            p.medoid_epsilon if is_plain else float("nan"),
            None if c.weights is None else c.total_weight,
        )
        for c, p in zip(classes, picks, strict=True)
    ]
    return assemble(
        picks,
        summaries,
        None if dataset.labels is None else dataset.labels[rows],
        order,
        settings,
        n_rows=dataset.n_rows,
        n_columns=dataset.n_columns,
        weights=METHODS[settings.method].weights,
        sample_rows=settings.sample_rows,
        notes=told[0],
        reason=told[1],
        cost_budget=settings.budget.budget_cost if has_costs else None,
        cost_spent=float(dataset.costs[rows[order]].sum())
        if has_costs and dataset.costs is not None
        else None,
        n_given=min(len(set(settings.extend + settings.include)), len(rows)),
    )


def measure(
    dataset: Dataset,
    settings: SelectionSettings,
    index: NDArray[np.int64],
    representatives: NDArray[np.int64] | None = None,
    parts: Sequence[int] = (),
    exchanged: Exchanged | None = None,
) -> Coreset:
    """Return the coreset that given picks make: clusters, gains and epsilons from scratch.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
        Scale, metric, task, threads and given rows (positions) count; the budget does not.
    index : ndarray of int64, shape (k,)
        Rows, in the order picked; at least one of each class.
    representatives : ndarray of int64, shape (k,), optional
        The row that represents the cluster of each pick. Default: drawn anew, if the settings ask
        for that.
    parts : sequence of int, optional
        Rows of each part that the data was selected in: distances are quantised as they were then.
    exchanged : callable, optional
        As for `select`.

    Notes
    -----
    Time at most n_c k_c d a class, less by pruning. ``weight`` is that of the cluster, whatever the
    method was.
    """
    classes = classes_of(dataset, settings.task)
    picks: list[ClassPicks] = []
    with Workers(settings.n_threads) as workers, naming_far_rows(dataset):
        if parts:
            features, classes = scaled_by_parts(dataset, classes, settings, parts)
        else:
            features = make_features(dataset, settings, workers)
        for members in classes:
            own, chosen = picks_of_class(dataset, members, index)
            measured = measured_in_memory(features, members, chosen, workers)
            if representatives is not None:
                local = np.searchsorted(members.index, representatives[own])
                measured = represented(features, members, measured, local, workers)
            picks.append(measured)
        if settings.representative != "medoid" and representatives is None:
            given = given_rows(settings, classes, dataset.n_rows)
            picks = with_other_rows(features, classes, picks, settings, workers, given, exchanged)
    counts = np.array([len(c.index) for c in classes])
    settings, reason = resolve_method(settings, counts, features.n_columns)
    place = np.empty(dataset.n_rows, np.int64)
    place[index] = np.arange(len(index))
    order = np.argsort(place[np.concatenate([p.picks for p in picks])])
    return coreset_of(dataset, classes, picks, order, settings, (features.notes, reason))


def measured_in_memory(
    features: Features, members: ClassRows, chosen: NDArray[np.int64], workers: Workers
) -> ClassPicks:
    """Return given picks of a class, measured in float32 where that resolves them, else float64."""

    def attempt(flags: tuple[bool, ...]) -> tuple[ClassPicks, tuple[bool, ...]]:
        groups = MemoryGroups(features, members, flags[0], workers)
        picks, is_resolved = measure_picks(groups, members.index, chosen, workers)
        return picks, (is_resolved,)

    return with_enough_digits(1, attempt)


def assign(
    dataset: Dataset, settings: SelectionSettings, index: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each row the position in `index` of the pick it belongs to: itself, or the nearest
    of its class.

    Parameters and time are those of `measure`. Distances are compared in float32: of picks equally
    near but for rounding, any may be meant.
    """
    picks = np.empty(dataset.n_rows, np.int64)
    with Workers(settings.n_threads) as workers:
        features = make_features(dataset, settings, workers)
        for members in classes_of(replace(dataset, weights=None), settings.task):
            position, chosen = picks_of_class(dataset, members, index)
            groups = MemoryGroups(features, members, False, workers)
            rows = groups.picks(chosen)
            (piece,) = groups.pieces(rows)
            picks[members.index] = position[nearest_picks(piece, rows)[0]]
    return picks


def picks_of_class(
    dataset: Dataset, members: ClassRows, index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions in `index` of the picks of one class, and their rows within the class.

    Raises
    ------
    InputError
        There is none.
    """
    place = np.full(dataset.n_rows, -1, np.int64)
    place[members.index] = np.arange(len(members.index))
    position = np.flatnonzero(place[index] >= 0)
    if len(position) == 0:
        raise InputError(
            dataset.files[0],
            f"no row of class {members.label} is selected",
            remedy="The picks do not belong to this data.",
        )
    return position, place[index[position]]
