"""Labels that look like amounts or ids are refused before any work, and classes never are."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from craig_cli import select_coreset
from craig_cli.dataset import Dataset
from craig_cli.errors import InputError, UsageError
from craig_cli.readers import read_dataset
from craig_cli.selection.budgets import budget_size
from craig_cli.selection.class_count import check_classes, check_part, smoothness
from craig_cli.settings import Budget, InputSettings

RNG = np.random.default_rng(0)
TO_DO = "Give --task regression to predict a number, or --task classification if each is a class."


def repeated(counts):
    """Return labels 1, 2, ..., each as often as said, mixed."""
    labels = np.repeat(np.arange(1, len(counts) + 1), counts)
    return np.random.default_rng(1).permutation(labels)


def names(n_classes, n_rows):
    return np.array([f"class {k % n_classes}" for k in range(n_rows)], object)


def long_tail(n_classes):
    """Return the rows of classes of very different sizes, in no order, one of them tiny."""
    return (
        np.random.default_rng(3).permutation([2, *np.geomspace(3, 800, n_classes - 1)]).astype(int)
    )


HUMP = (800 * np.exp(-0.5 * ((np.arange(1, 30) - 9) / 4) ** 2)).astype(int)
"""Rows of an amount such as the rings of abalones."""


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            repeated(HUMP),
            "t.csv: the labels look like amounts, not classes: 23 different numbers in 7,877 rows, "
            "1 to 23, neighbouring numbers having about as many rows, and 2 of them fewer than 5. "
            + TO_DO,
        ),
        (
            np.round(RNG.normal(size=300), 1),
            "with fractions. " + TO_DO,
        ),
        (RNG.integers(60, size=300), "58 different numbers in 300 rows, 0 to 59, 5.2 rows each. "),
        (
            np.arange(40),
            "t.csv: the labels look like ids, not classes: 40 different ones in 40 rows, such as "
            "'0', in ascending or descending order. Name the column of the classes with --label, "
            "or use --no-label; or give --task regression if they are amounts, or --task "
            "classification if each is a class.",
        ),
        (np.arange(1000, 900, -1), "look like ids"),
        (
            np.array([f"user-{k}" for k in range(50)], object),
            "t.csv: the labels look like ids, not classes: 50 different ones in 50 rows, such as "
            "'user-0'. Name the column of the classes with --label, or use --no-label; or give "
            "--task classification if each is a class.",
        ),
    ],
    ids=["hump", "fractions", "few rows", "rising", "falling", "texts"],
)
def test_what_looks_like_no_classes(labels, message):
    with pytest.raises(InputError) as error:
        check_classes("t.csv", labels)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, 1, 2]),
        np.arange(20),
        np.array(["a", "b", "c"], object),
        np.linspace(0, 1, 11).repeat(9),
        RNG.integers(10, size=500),
        RNG.integers(1, 27, size=20_000),
        repeated(long_tail(53)),
        repeated([100] * 300),
        names(151, 151 * 100),
        names(5000, 15_000),
    ],
    ids=[
        "three",
        "twenty",
        "text",
        "grades",
        "digits",
        "letters",
        "long tail",
        "faces",
        "intents",
        "names",
    ],
)
def test_what_may_be_classes(labels):
    check_classes("t.csv", labels)


def test_fractions_of_a_part_are_told_and_nothing_else():
    amounts = Dataset(np.zeros((50, 1)), np.linspace(0, 1, 50))
    with pytest.raises(InputError, match="look like amounts"):
        check_part(InputSettings(("t.csv",)), amounts)
    check_part(InputSettings(("t.csv",), task_given=True), amounts)
    check_part(InputSettings(("t.csv",)), Dataset(np.zeros((50, 1)), np.arange(50)))


def test_smoothness_by_hand():
    assert smoothness(np.arange(1, 30), HUMP + 1) > 0.9
    assert smoothness(np.arange(26), np.full(26, 70)) == 0
    assert smoothness(np.array([1, 1000, 2000]), np.array([5, 6, 7])) == 0
    assert abs(smoothness(np.arange(53), long_tail(53))) < 0.4


def test_python_says_it_in_its_own_words():
    rows = RNG.normal(size=(60, 2))
    with pytest.raises(InputError) as error:
        select_coreset(rows, np.linspace(0, 1, 60), fraction=0.5)
    assert str(error.value) == (
        "y: the labels look like amounts, not classes: 60 different numbers in 60 rows, 0 to 1, "
        'with fractions. Give task="regression" to predict a number, or task="classification" if '
        "each is a class."
    )
    target = np.linspace(0, 1, 60)
    assert len(select_coreset(rows, target, fraction=0.5, task="regression").index) == 30
    assert len(select_coreset(rows, target, fraction=1, task="classification").index) == 60


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (
            {"fraction": 10},
            "fraction: 10 is not above 0 and at most 1. For 10 % write fraction=0.1.",
        ),
        (
            {"fraction": "10%"},
            "fraction: '10%' is not a number above 0 and at most 1. For 10 % write fraction=0.1.",
        ),
        (
            {"size": 0.1},
            "size: 0.1 is not a whole number of rows. For 10 % of the rows write fraction=0.1.",
        ),
        ({"size": 2.5}, "size: 2.5 is not a whole number of rows."),
    ],
)
def test_a_share_in_python(budget, message):
    with pytest.raises(UsageError) as error:
        select_coreset(np.zeros((4, 1)), **budget)
    assert str(error.value) == message


def test_more_classes_than_picks_name_regression():
    with pytest.raises(UsageError) as error:
        budget_size(Budget(fraction=0.01), 1000, 28)
    assert str(error.value) == (
        "--fraction 0.01: 10 rows cannot stand for 28 classes. Use --size 28 or more, --task "
        "regression if the label is a number to predict, or --no-label."
    )


def test_real_data(shared_data):
    """Abalone's rings are amounts; the 150 intents of clinc150 are classes."""
    inputs = InputSettings((str(shared_data / "abalone.trn.bz2"),), format="libsvm")
    with pytest.raises(InputError, match="look like amounts, not classes: 28 different numbers"):
        check_classes("abalone", read_dataset(inputs).labels)
    intents = pq.read_table(shared_data / "clinc150.parquet", columns=["intent"])["intent"]
    check_classes("clinc150", np.array(intents.to_pylist(), object))
