"""The table of methods: every name of the catalog, what it can do, and that it does it."""

from __future__ import annotations

import numpy as np
import pytest
from test_greedi import by_rows, cut
from test_lazy_greedy import made, sparse
from test_outofcore import from_disk

from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.selection import check_coreset, select
from craig_cli.selection.greedi import check_partitioned
from craig_cli.selection.methods import METHODS
from craig_cli.settings import Budget, SelectionSettings, catalog

ABILITIES = ("draws", "order", "constraints", "disk", "parts")


def settings(method, **options):
    return SelectionSettings(options.pop("budget", Budget(size=30)), method=method, **options)


def in_parts(rows, chosen):
    check_partitioned(chosen)
    return by_rows(cut(rows, None, 2), chosen)


def test_the_table_has_the_names_of_the_catalog():
    assert ("auto", *METHODS) == catalog.names(catalog.METHODS)
    assert {a for entry in catalog.METHODS for a in entry.abilities} == set(ABILITIES)


@pytest.mark.parametrize("form", (np.asarray, sparse))
@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_sound_coreset(method, form):
    dataset = Dataset(form(made("clusters")), np.arange(700) % 3)
    coreset = select(dataset, settings(method))
    check_coreset(coreset)
    assert (coreset.method, coreset.weights) == (method, METHODS[method].weights)
    again = select(dataset, settings(method, threads=1))
    assert coreset.index.tolist() == again.index.tolist()
    other = select(dataset, settings(method, seed=1))
    draws = method in catalog.methods_that("draws") or method == "stochastic"
    assert (coreset.index.tolist() == other.index.tolist()) is not draws


@pytest.mark.parametrize("method", METHODS)
def test_what_a_method_cannot_do_is_refused_and_what_it_can_is_done(method):
    rows, able = made("normal"), {a: catalog.methods_that(a) for a in ABILITIES}
    tries = {
        "order": lambda: settings(method, budget=Budget(mean_epsilon=2.0)),
        "constraints": lambda: settings(method, include=(3, 5)),
        "parts": lambda: in_parts(rows, settings(method)),
    }
    for ability, work in tries.items():
        if method in able[ability]:
            work()
        else:
            with pytest.raises(UsageError, match=method):
                work()
    if method in able["disk"]:
        assert len(from_disk(rows, 30, method=method).index) == 30


def test_a_method_that_is_none_is_refused():
    with pytest.raises(UsageError, match="--method: 'medoids' is not one of auto, exact, cells"):
        settings("medoids")
