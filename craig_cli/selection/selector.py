"""Selecting a coreset: class by class, by the method asked for, then weights and epsilon from one
assignment that all methods share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.selection.baselines import (
    Draw,
    draw_at_random,
    draw_by_importance,
    stratified_picks,
    weighted_picks,
)
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.selection.cells import cells_picks
from craig_cli.selection.classes import (
    ClassPicks,
    ClassRows,
    absorb_picks,
    classes_of,
    split_classes,
    with_enough_digits,
)
from craig_cli.selection.constraints import (
    PickConstraints,
    constrained_first,
    constrained_greedy,
    pick_constraints,
    sizes_with,
)
from craig_cli.selection.coreset import ClassSummary, Coreset
from craig_cli.selection.costs import resolve_method
from craig_cli.selection.cover import cover
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.fasterpam import fasterpam_picks
from craig_cli.selection.groups import Group, make_group
from craig_cli.selection.knapsack import knapsack_picks
from craig_cli.selection.lazy_greedy import PICKS_A_STEP, LazyGreedy
from craig_cli.selection.representatives import random_members, represented, varied_members
from craig_cli.selection.row_weights import row_weights, uneven
from craig_cli.selection.scaling import Features, make_features
from craig_cli.selection.shared_scaling import scaled_by_parts
from craig_cli.settings import DRAWN, SelectionSettings
from craig_cli.threads import Workers

WEIGHTS = {
    "exact": "cluster",
    "stochastic": "cluster",
    "cells": "cluster",
    "stratified": "cell",
    "random": "uniform",
    "importance": "inverse",
}
REPRESENTATIVES = 1
"""Third part of the seed of the representatives' draws, so that they are not those of the picks."""


def select(
    dataset: Dataset,
    settings: SelectionSettings,
    progress: Progress = no_progress,
    scores: NDArray[np.float64] | None = None,
) -> Coreset:
    """Return the coreset of a data set.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
    progress : Progress
        Called with stage "select", picks made, and picks wanted (None under an epsilon budget).
    scores : ndarray of float64, shape (n,), optional
        What method ``importance`` draws rows by; default: all alike.

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
        raise InputError(dataset.files[0], "there are no rows", remedy="Give at least one row.")
    if dataset.weights is not None:
        settings.check_weighted()
    classes = classes_of(dataset, settings.task)
    with Workers(settings.n_threads) as workers:
        features = make_features(dataset, settings.scale, settings.metric, settings.task, workers)
        counts = np.array([len(c.index) for c in classes])
        settings, reason = resolve_method(settings, counts, features.n_columns)
        given = (
            pick_constraints(settings, classes, dataset.n_rows) if settings.is_constrained else None
        )
        order = None
        if settings.budget.budget_cost is not None:
            picks, order = knapsack_picks(features, classes, settings, workers, progress)
        elif settings.budget.is_cover:
            picks = cover(features, classes, settings, workers, progress, given)
        else:
            size = budget_size(settings.budget, dataset.n_rows, len(classes))
            sizes = (
                class_sizes(size, counts)
                if given is None
                else sizes_with(given, size, counts, settings.budget)
            )
            picks = []
            for number, (members, size) in enumerate(zip(classes, sizes.tolist(), strict=True)):
                report = partial(
                    report_picks, progress, sum(len(p.rows) for p in picks), int(sizes.sum())
                )
                members = replace(members, scores=None if scores is None else scores[members.index])
                own = None if given is None else given[number]
                picks.append(
                    select_class(features, members, size, number, settings, workers, report, own)
                )
        if settings.representative != "medoid":
            picks = with_other_rows(features, classes, picks, settings, workers, given)
    order = common_order(picks, WEIGHTS[settings.method]) if order is None else order
    return merge(
        dataset,
        classes,
        picks,
        order if given is None else constrained_first(picks, order, settings),
        settings,
        features.notes,
        reason,
    )


def report_picks(progress: Progress, before: int, total: int, made: int) -> None:
    """Report `made` picks of one class after those of the classes before it."""
    progress("select", before + made, total)


def with_other_rows(
    features: Features,
    classes: Sequence[ClassRows],
    picks: Sequence[ClassPicks],
    settings: SelectionSettings,
    workers: Workers,
    given: Sequence[PickConstraints] | None = None,
) -> list[ClassPicks]:
    """Return the picks with a random row of each cluster in place of the pick, or with varied ones,
    as the settings say.

    Rows to include stay, those to exclude are not drawn.
    """
    drawn = []
    for number, (members, of_class) in enumerate(zip(classes, picks, strict=True)):
        assert of_class.cluster is not None
        rng = np.random.default_rng([settings.seed, number, REPRESENTATIVES])
        allowed = None if given is None else given[number].is_allowed(len(members.index))
        weights = uneven(members.weights)
        local = random_members(of_class.cluster, of_class.cluster_size, rng, allowed, weights)
        if given is not None and allowed is not None:
            included = slice(given[number].n_extended, len(given[number].first))
            local[included] = given[number].first[included]
            stays = np.zeros(len(local), bool)
            stays[included] = True
            allowed &= ~stays[of_class.cluster]
        if weights is not None:
            allowed = weights > 0 if allowed is None else allowed & (weights > 0)
        if settings.representative == "varied":
            local = varied_members(
                features.in_parts(members.index, workers), of_class.cluster, local, rng, allowed
            )
        drawn.append(represented(features, members, of_class, local, workers))
    return drawn


def measure(
    dataset: Dataset,
    settings: SelectionSettings,
    index: NDArray[np.int64],
    representatives: NDArray[np.int64] | None = None,
    parts: Sequence[int] = (),
) -> Coreset:
    """Return the coreset that given picks make: clusters, gains and epsilons from scratch.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
        Scale, metric, task and threads count; the budget does not.
    index : ndarray of int64, shape (k,)
        Rows, in the order picked; at least one of each class.
    representatives : ndarray of int64, shape (k,), optional
        The row that represents the cluster of each pick. Default: drawn anew, if the settings ask
        for that.
    parts : sequence of int, optional
        Rows of each part that the data was selected in: distances are rounded as they were then.

    Notes
    -----
    Time at most n_c k_c d a class, less by pruning. ``weight`` is that of the cluster, whatever the
    method was.
    """
    classes = classes_of(dataset, settings.task)
    picks = []
    with Workers(settings.n_threads) as workers:
        if parts:
            features, classes = scaled_by_parts(dataset, classes, settings, parts)
        else:
            features = make_features(
                dataset, settings.scale, settings.metric, settings.task, workers
            )
        for members in classes:
            own, chosen = picks_of_class(dataset, members, index)
            measured = with_enough_digits(features, members, workers, partial(given_picks, chosen))
            if representatives is not None:
                measured = represented(
                    features,
                    members,
                    measured,
                    np.searchsorted(members.index, representatives[own]),
                    workers,
                )
            picks.append(measured)
        if settings.representative != "medoid" and representatives is None:
            picks = with_other_rows(features, classes, picks, settings, workers)
    settings, reason = resolve_method(
        settings, np.array([len(c.index) for c in classes]), features.n_columns
    )
    place = np.empty(dataset.n_rows, np.int64)
    place[index] = np.arange(len(index))
    by = np.argsort(
        place[np.concatenate([p.rows if p.medoid is None else p.medoid for p in picks])]
    )
    return merge(dataset, classes, picks, by, settings, features.notes, reason)


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
        features = make_features(dataset, settings.scale, settings.metric, settings.task, workers)
        for members in split_classes(dataset.labels, dataset.n_rows, settings.task):
            position, chosen = picks_of_class(dataset, members, index)
            group = make_group(features.in_parts(members.index, workers), False, workers)
            picks[members.index] = position[absorb_picks(group, chosen)[0]]
    return picks


def picks_of_class(
    dataset: Dataset, members: ClassRows, index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions in `index` of the picks of one class, and their rows within the class;
    raises `InputError` if there is none.
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


def given_picks(chosen: NDArray[np.int64], group: Group) -> tuple[NDArray[np.int64], None]:
    """Return the picks that the caller has chosen already."""
    return chosen, None


def select_class(
    features: Features,
    members: ClassRows,
    size: int,
    number: int,
    settings: SelectionSettings,
    workers: Workers,
    progress: Callable[[int], None],
    given: PickConstraints | None = None,
) -> ClassPicks:
    """Return `size` picks of one class, the `number`-th, by the method of the settings."""

    def choose(group: Group) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        rng = np.random.default_rng(
            [settings.seed, number]
        )  # a second try, in float64, draws the same rows
        if settings.method in DRAWN:
            return weighted_picks(
                members.weights,
                len(members.index),
                size,
                drawing(features, members, settings.method, rng, workers),
            )
        some = sample_of_class(len(members.index), size, len(features), settings.sample_rows, rng)
        if some is None:
            return group.rank[
                greedy_picks(group, size, settings, rng, workers, progress, given)
            ], None
        seen = row_weights(members.weights, len(members.index), group.is_float64).take(some)
        part = make_group(
            features.in_parts(members.index[some], workers), group.is_float64, workers, weights=seen
        )
        return some[part.rank[greedy_picks(part, size, settings, rng, workers, progress)]], None

    is_slow = settings.method in ("exact", "stochastic") or settings.refine
    return with_enough_digits(features, members, workers, choose, size if is_slow else 0)


def drawing(
    features: Features, members: ClassRows, method: str, rng: np.random.Generator, workers: Workers
) -> Draw:
    """Return what draws rows of one class by a method that has no greedy order."""
    if method == "random":
        return partial(draw_at_random, rng)
    if method == "importance":
        return partial(
            draw_by_importance,
            np.ones(len(members.index)) if members.scores is None else members.scores,
            rng,
        )
    return lambda rows, size, own: stratified_picks(
        features.in_parts(members.index[rows], workers), size, rng, workers, own
    )


def sample_of_class(
    n_members: int, size: int, n_rows: int, sample_rows: int, rng: np.random.Generator
) -> NDArray[np.int64] | None:
    """Return the rows of a class that greedy sees under ``--sample-rows``, ascending: the class's
    share, at least `size`; None for all.
    """
    share = max(size, sample_rows * n_members // n_rows)
    if sample_rows == 0 or share >= n_members:
        return None
    return np.sort(rng.choice(n_members, share, replace=False))


def greedy_picks(
    group: Group,
    size: int,
    settings: SelectionSettings,
    rng: np.random.Generator,
    workers: Workers,
    progress: Callable[[int], None],
    given: PickConstraints | None = None,
) -> NDArray[np.int64]:
    """Return the positions of `size` picks by one of the greedy methods, swapped afterwards under
    ``--refine``.
    """
    if settings.refine:
        if not isinstance(group, DenseGroup):
            raise UsageError("--refine: it needs dense rows, and these are sparse. Leave it out.")
        plain = replace(settings, refine=False)
        return fasterpam_picks(
            group, greedy_picks(group, size, plain, rng, workers, progress), workers, progress
        )
    if settings.method == "cells":
        return cells_picks(group, size, settings.cell_size, workers, progress)
    draw = None
    if settings.method == "stochastic":
        n_candidates = min(
            group.n_rows, math.ceil(group.n_rows / size * math.log(1 / settings.delta))
        )
        draw = partial(draw_candidates, rng, np.argsort(group.rank), n_candidates)
    greedy = LazyGreedy(group, draw) if given is None else constrained_greedy(group, given, draw)
    while len(greedy.picks) < size:
        greedy.extend(min(PICKS_A_STEP, size - len(greedy.picks)))
        progress(len(greedy.picks))
    return np.array(greedy.picks, np.int64)


def draw_candidates(
    rng: np.random.Generator, positions: NDArray[np.int64], n_candidates: int, n_picks: int
) -> NDArray[np.int64]:
    """Return `n_candidates` rows drawn uniformly for each pick (Mirzasoleiman et al. 2015: n / k
    ln(1 / delta) of them), as positions.
    """
    return positions[rng.integers(len(positions), size=(n_picks, n_candidates))]


def common_order(picks: Sequence[ClassPicks], weights: str) -> NDArray[np.int64]:
    """Return the order of the picks of all classes, as places among them class by class.

    Greedy picks are merged by falling gain (the greedy order for all classes together, under the
    class quotas); picks of other methods so that every prefix keeps the class ratios.
    """
    if weights == "cluster":
        falling = np.concatenate(
            [np.minimum.accumulate(p.gain) for p in picks]
        )  # not all methods have gains that never rise
        return np.argsort(-falling, kind="stable")
    return np.argsort(
        np.concatenate([(np.arange(len(p.rows)) + 0.5) / len(p.rows) for p in picks]), kind="stable"
    )


def merge(
    dataset: Dataset,
    classes: Sequence[ClassRows],
    picks: Sequence[ClassPicks],
    by: NDArray[np.int64],
    settings: SelectionSettings,
    notes: tuple[str, ...],
    reason: str,
) -> Coreset:
    """Return the picks of all classes as one coreset, in the order `by`."""
    rows = np.concatenate([p.rows for p in picks])
    has_costs = settings.budget.budget_cost is not None and dataset.costs is not None
    # Where it is, the first pick is the medoid.
    is_plain_greedy = settings.method == "exact" and not (
        settings.refine or settings.sample_rows or settings.is_constrained or has_costs
    )
    return Coreset(
        index=rows[by],
        order=np.arange(len(rows), dtype=np.int32),
        weight=np.concatenate([p.weight for p in picks])[by],
        cluster_size=np.concatenate([p.cluster_size for p in picks])[by],
        label=None if dataset.labels is None else dataset.labels[rows[by]],
        gain=np.concatenate([p.gain for p in picks])[by],
        epsilon=np.concatenate([p.epsilon for p in picks])[by],
        classes=tuple(
            ClassSummary(
                c.label,
                len(c.index),
                len(p.rows),
                p.final_epsilon,
                p.medoid_epsilon if is_plain_greedy else float("nan"),
                None if c.weights is None else float(c.weights.sum()),
            )
            for c, p in zip(classes, picks, strict=True)
        ),
        n_rows=dataset.n_rows,
        n_columns=dataset.n_columns,
        method=settings.method,
        metric=settings.metric,
        scale=settings.scale,
        task=settings.task,
        representative=settings.representative,
        medoid=None
        if settings.representative == "medoid"
        else np.concatenate([p.rows if p.medoid is None else p.medoid for p in picks])[by],
        weights=WEIGHTS[settings.method],
        seed=settings.seed,
        sample_rows=settings.sample_rows,
        reason=reason,
        notes=notes,
        cost_budget=settings.budget.budget_cost if has_costs else None,
        cost_spent=float(dataset.costs[rows[by]].sum())
        if has_costs and dataset.costs is not None
        else None,
        n_given=min(len(set(settings.extend + settings.include)), len(rows)),
    )
