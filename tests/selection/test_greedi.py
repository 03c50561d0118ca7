"""Selecting in parts: what parts offer, what is picked among it, and that all rows are assigned as
in one piece.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from test_lazy_greedy import KINDS, made

from craig_cli.dataset import Dataset, Encoding, SparseRows
from craig_cli.errors import InputError, UsageError
from craig_cli.selection import check_coreset, measure, select
from craig_cli.selection.assignment import with_enough_digits
from craig_cli.selection.classes import split_classes
from craig_cli.selection.column_summary import merged, summarise
from craig_cli.selection.greedi import check_partitioned, n_candidates, select_part
from craig_cli.selection.greedi_assign import assign_part, merged_coreset, resolved_classes
from craig_cli.selection.greedi_merge import merge_offers, merge_partials
from craig_cli.selection.partition_tree import (
    SAMPLE_A_CELL,
    grow_partition_tree,
    route_part,
    sample_part,
    select_cell,
)
from craig_cli.selection.shared_scaling import share_scaling, summary_of
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.threads import Workers


def settings(size=None, fraction=None, **options):
    return SelectionSettings(
        Budget(size=size, fraction=fraction),
        **{"method": "cells", "cell_size": 128, "threads": 1, **options},
    )


def cut(rows, labels, n_parts):
    bounds = np.arange(n_parts + 1) * len(rows) // n_parts
    return [
        Dataset(rows[a:b], None if labels is None else labels[a:b]) for a, b in pairwise(bounds)
    ]


def assigned(parts, plan):
    def attempt(flags):
        results = [assign_part(part, number, plan, flags) for number, part in enumerate(parts)]
        return (results, flags), resolved_classes(results)

    coreset = merged_coreset(plan, *with_enough_digits(len(plan.classes), attempt))
    check_coreset(coreset)
    return coreset


def by_rows(parts, chosen, oversampling=3.0):
    partials = [select_part(part, chosen, oversampling) for part in parts]
    plan = merge_partials(partials, chosen, is_bounded=True)
    return assigned(parts, plan), plan


def by_cells(parts, chosen, n_cells):
    partition_tree = grow_partition_tree(
        [sample_part(part, chosen, SAMPLE_A_CELL) for part in parts], chosen, n_cells
    )
    pieces = [route_part(part, number, partition_tree, chosen) for number, part in enumerate(parts)]
    assert sorted(np.concatenate([p.index for own in pieces for p in own]).tolist()) == list(
        range(sum(p.n_rows for p in parts))
    )
    candidate_sets = [
        candidates
        for cell in range(partition_tree.n_cells)
        for candidates in select_cell([own[cell] for own in pieces], chosen, 3.0)
    ]
    return assigned(parts, merge_offers(partition_tree.shared, candidate_sets, chosen))


def assert_as_measured(coreset, whole, chosen):
    measured = measure(whole, chosen, coreset.index, parts=coreset.parts)
    mine, theirs = np.argsort(coreset.index), np.argsort(measured.index)
    for name in ("cluster_size", "gain", "epsilon", "label"):
        if getattr(coreset, name) is not None:
            np.testing.assert_array_equal(
                getattr(coreset, name)[mine], getattr(measured, name)[theirs], name
            )
    assert coreset.epsilon_total == pytest.approx(measured.epsilon_total, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_parts", (1, 5))
def test_contracts_hold_and_measures_are_those_in_one_piece(kind, n_parts):
    rows = made(kind, n=1000)
    for size in (1, 80, 1000):
        chosen = settings(size=size)
        coreset, plan = by_rows(cut(rows, None, n_parts), chosen)
        assert len(coreset.index) == size
        assert coreset.parts == tuple([1000 // n_parts] * n_parts)
        assert_as_measured(coreset, Dataset(rows, None), chosen)
        check_coreset(merged_coreset(plan, None, (False,)))
    assert coreset.epsilon_total == 0


OPTIONS = [{"scale": scale} for scale in ("none", "standard", "minmax", "unit")] + [
    {"metric": "cosine"},
    {"metric": "cosine", "scale": "standard"},
    {"task": "regression", "scale": "standard"},
    {"task": "regression", "scale": "unit"},
    {"method": "exact"},
    {"method": "stochastic", "delta": 0.1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_scales_metrics_targets_and_methods(options):
    rows = made("normal", n=1200) * np.linspace(0.1, 10, made("normal", n=1).shape[1])
    labels = rows[:, 0] * 2 if options.get("task") == "regression" else np.arange(1200) % 3
    chosen = settings(fraction=0.1, **options)
    coreset, _ = by_rows(cut(rows, labels, 3), chosen)
    assert_as_measured(coreset, Dataset(rows, labels), chosen)
    assert coreset.epsilon_total <= 1.15 * select(Dataset(rows, labels), chosen).epsilon_total


@pytest.mark.parametrize("partition", (by_rows, by_cells))
def test_epsilon_is_near_that_of_one_piece(partition):
    rows, labels = made("clusters", n=6000), np.arange(6000) % 2
    chosen = settings(fraction=0.1, cell_size=512)
    parts, whole = cut(rows, labels, 6), Dataset(rows, labels)
    coreset = by_rows(parts, chosen)[0] if partition is by_rows else by_cells(parts, chosen, 6)
    ratio = coreset.epsilon_total / select(whole, chosen).epsilon_total
    assert ratio <= (1.12 if partition is by_rows else 1.04)
    assert_as_measured(coreset, whole, chosen)


def test_more_candidates_bring_epsilon_nearer():
    rows = made("clusters", n=4000)
    few, many = (
        by_rows(cut(rows, None, 16), settings(fraction=0.05), oversampling)[0].epsilon_total
        for oversampling in (1.0, 8.0)
    )
    assert many < few


def test_the_stated_bound_holds_at_every_pick():
    rows, labels = made("clusters", n=1500), np.arange(1500) % 2
    chosen = settings(fraction=0.1)
    _, plan = by_rows(cut(rows, labels, 4), chosen)
    bound = merged_coreset(plan, None, (False, False))
    assert bound.weights == "shard"
    assert bound.notes == (
        "The rows were not assigned (--no-assign): weights are those of the "
        "shards, and epsilon is an upper bound.",
    )
    measured = measure(Dataset(rows, labels), chosen, bound.index, parts=bound.parts)
    assert (measured.epsilon <= bound.epsilon * (1 + 1e-9)).all()
    assert measured.epsilon_total <= bound.epsilon_total


def test_parts_without_some_classes_and_of_unequal_size():
    rows, labels = made("normal", n=900), np.sort(np.arange(900) % 3)
    chosen = settings(size=30)
    parts = [Dataset(rows[a:b], labels[a:b]) for a, b in ((0, 10), (10, 700), (700, 900))]
    coreset, _ = by_rows(parts, chosen)
    assert [(c.label, c.n_selected) for c in coreset.classes] == [(0, 10), (1, 10), (2, 10)]
    assert_as_measured(coreset, Dataset(rows, labels), chosen)
    assert_as_measured(by_cells(parts, chosen, 5), Dataset(rows, labels), chosen)


def test_text_labels_and_sparse_rows_whose_parts_end_at_different_columns():
    rows = np.round(made("normal", n=600), 1)
    rows[:300, -1] = 0
    sparse = SparseRows(
        np.concatenate([[0], np.cumsum((rows != 0).sum(axis=1))]),
        np.nonzero(rows)[1].astype(np.int32),
        rows[rows != 0],
        rows.shape[1],
    )
    labels = np.array(["yes", "no"], object)[np.arange(600) % 2]
    halves = [Dataset(sparse[own], labels[own]) for own in (slice(0, 300), slice(300, 600))]
    halves[0] = replace(halves[0], rows=replace(halves[0].rows, n_columns=sparse.shape[1] - 1))
    chosen = settings(fraction=0.1)
    coreset, _ = by_rows(halves, chosen)
    assert coreset.n_columns == rows.shape[1]
    assert_as_measured(coreset, Dataset(sparse, labels), chosen)
    assert_as_measured(coreset, Dataset(rows, labels), chosen)
    assert coreset.index.tolist() == by_rows(cut(rows, labels, 2), chosen)[0].index.tolist()


def test_rows_that_float32_does_not_resolve_are_assigned_in_float64():
    rows = np.column_stack([np.arange(600) % 2 * 1e9, np.arange(600) / 4])
    chosen, parts = settings(size=40), cut(rows, None, 3)
    coreset, plan = by_rows(parts, chosen)
    assigned = [assign_part(part, number, plan, (False,)) for number, part in enumerate(parts)]
    assert resolved_classes(assigned) == (False,)
    assert_as_measured(coreset, Dataset(rows, None), chosen)


def test_same_picks_for_any_number_of_threads():
    rows, labels = made("clusters", n=2000), np.arange(2000) % 2
    one, three = (
        by_rows(cut(rows, labels, 4), settings(fraction=0.1, threads=threads))[0]
        for threads in (1, 3)
    )
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes(), name


def test_summaries_of_parts_make_that_of_all():
    rows = made("normal", n=1000) * 100 + 7
    cuts = ((0, 100), (100, 101), (101, 1000))
    with Workers(1) as alone:
        whole = summarise(rows, alone)
        parts = merged([summarise(rows[a:b], alone, with_middle=True) for a, b in cuts])
    for name in ("low", "high"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    np.testing.assert_allclose(parts.mean, rows.mean(axis=0))
    np.testing.assert_allclose(parts.squares, rows.var(axis=0) * 1000)
    assert all(value in column for value, column in zip(parts.middle, rows.T, strict=True))
    ranks = (rows < parts.middle).mean(axis=0)
    assert (np.abs(ranks - 0.5) < 0.1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_agreed_frame_bounds_coordinates_and_distances(kind):
    rows = made(kind, n=400)
    dataset = Dataset(rows, None)
    for options in (
        {},
        {"scale": "standard"},
        {"scale": "unit"},
        {"metric": "cosine", "scale": "minmax"},
    ):
        summaries = [
            summary_of(part, split_classes(None, part.n_rows, "classification"), "classification")
            for part in cut(rows, None, 3)
        ]
        shared = share_scaling(summaries, settings(size=1, **options))
        fixed_point = shared.fixed_points[0][0]
        points = shared.features(dataset.rows, None).group(np.arange(400))
        assert np.abs(fixed_point.coordinates(points)).max() <= 1 + 1e-6
        some = points[::7]
        distances = np.sqrt(np.square(some[:, None] - some[None]).sum(axis=2))
        assert (distances / fixed_point.unit).max() <= fixed_point.auxiliary_distance


def test_each_part_offers_at_least_what_is_wanted_of_it():
    counts = np.array([1000, 20, 5, 975])
    assert n_candidates(settings(fraction=0.1), 3.0, counts) == [308, 14, 5, 301]
    assert n_candidates(settings(size=50), 3.0, counts) == [33, 9, 5, 33]
    counts = np.array([900, 100])
    assert n_candidates(settings(fraction=0.04, allocation="power"), 3.0, counts) == [98, 38]
    assert n_candidates(settings(size=40, allocation="equal"), 3.0, counts) == [28, 28]
    assert n_candidates(settings(fraction=0.5, allocation="power"), 1.0, counts) == [408, 100]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"method": "random"},
            "--method random: parts of the data are selected from by auto, "
            "cells, exact, stochastic. Choose one of these.",
        ),
        (
            {"sample_rows": 5},
            "--sample-rows: it needs all rows in one place, and they are selected "
            "from in parts. Leave it out.",
        ),
        (
            {"refine": True},
            "--refine: it needs all rows in one place, and they are selected from "
            "in parts. Leave it out.",
        ),
        (
            {"include": (3,), "method": "exact"},
            "--include: it needs all rows in one place, and "
            "they are selected from in parts. Leave it out.",
        ),
        (
            {"exclude": (3,), "method": "exact"},
            "--exclude: it needs all rows in one place, and "
            "they are selected from in parts. Leave it out.",
        ),
        (
            {"extend": (3,), "method": "exact"},
            "--extend: it needs all rows in one place, and they "
            "are selected from in parts. Leave it out.",
        ),
        (
            {"representative": "random"},
            "--representative random: it needs all rows in one place, "
            "and they are selected from in parts. Leave it out.",
        ),
    ],
)
def test_what_cannot_be_done_in_parts(options, message):
    with pytest.raises(UsageError) as error:
        check_partitioned(settings(size=5, **options))
    assert str(error.value) == message


def test_an_epsilon_budget_cannot_be_kept_in_parts():
    with pytest.raises(UsageError) as error:
        check_partitioned(SelectionSettings(Budget(epsilon=1.0)))
    assert str(error.value) == (
        "--epsilon, --mean-epsilon: no part knows the epsilon of all. Use --fraction or --size."
    )


def test_rows_of_few_entries_are_refused():
    rows = SparseRows(np.arange(11), np.arange(10, dtype=np.int32), np.ones(10), 1000)
    with pytest.raises(UsageError) as error:
        select_part(Dataset(rows, None, ("text.libsvm",)), settings(size=2), 3.0)
    assert str(error.value) == (
        "text.libsvm: rows that are 99.9% zeros are selected in one piece only, not in parts."
    )


def test_parts_that_do_not_go_together():
    chosen = settings(size=4)
    numbers = Dataset(made("normal", n=50), np.arange(50) % 2, encoding=Encoding(("a", "b")))
    other = replace(numbers, encoding=Encoding(("a", "c")))
    with pytest.raises(InputError) as error:
        merge_partials([select_part(part, chosen, 3.0) for part in (numbers, other)], chosen)
    assert str(error.value) == (
        "<parts>: their columns are not the same. Give parts with the same "
        "columns in the same order."
    )


def test_an_error_of_a_worker_arrives_as_it_was():
    error = InputError(
        "a.csv", "a value is not finite", row=3, column=2, value="nan", remedy="Correct it."
    )
    received = pickle.loads(pickle.dumps(error))
    assert (type(received), str(received)) == (
        InputError,
        "a.csv:3:2: a value is not finite (value 'nan'). Correct it.",
    )


def test_other_data_than_the_parts():
    rows = made("normal", n=100)
    chosen = settings(size=4)
    coreset, _ = by_rows(cut(rows, None, 2), chosen)
    with pytest.raises(InputError) as error:
        measure(
            Dataset(rows[:90], None), chosen, coreset.index[coreset.index < 90], parts=coreset.parts
        )
    assert str(error.value) == (
        "<memory>: it has 90 rows, and the parts that it was selected in "
        "100. Give the data of all parts, in their order."
    )
