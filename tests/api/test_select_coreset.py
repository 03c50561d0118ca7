"""`select_coreset`: arrays in, the same coreset whatever they are held in."""

from __future__ import annotations

import doctest
import importlib

import numpy as np
import pytest
import scipy.sparse as sp

import craig_cli
from craig_cli import select_coreset
from craig_cli.errors import CraigError, InputError, UsageError
from craig_cli.settings.catalog import METHODS, names

ROWS = np.array([[0.0], [1], [2], [3], [10], [11], [12], [13], [0], [1], [2], [9]])
LABELS = [0] * 8 + [1] * 4
W = "sample_weight"
SMALL = "from 0, is not above 0"


def test_a_coreset_that_a_hand_can_check():
    coreset = select_coreset(ROWS, LABELS, size=3, purpose="local")
    assert isinstance(coreset, craig_cli.Coreset)
    assert sorted(
        zip(coreset.index.tolist(), coreset.weight.tolist(), coreset.label.tolist(), strict=True)
    ) == [(3, 4, 0), (5, 4, 0), (9, 4, 1)]
    assert coreset.epsilon_total == 20


@pytest.mark.parametrize(
    "rows",
    [
        ROWS.tolist(),
        ROWS.astype(np.int64),
        ROWS.astype(np.float32),
        np.asfortranarray(ROWS),
        sp.csr_array(ROWS),
        sp.csc_matrix(ROWS),
        sp.coo_array(ROWS),
    ],
    ids=["list", "int", "float32", "fortran", "csr", "csc", "coo"],
)
def test_every_kind_of_rows_gives_the_same(rows):
    wanted, found = select_coreset(ROWS, LABELS, size=5), select_coreset(rows, LABELS, size=5)
    assert found.index.tolist() == wanted.index.tolist()
    if sp.issparse(rows):  # calibration adds up sparse rows in another order
        assert found.weight == pytest.approx(wanted.weight, rel=1e-8)
    else:
        assert found.weight.tolist() == wanted.weight.tolist()


@pytest.mark.parametrize(
    "labels",
    [
        np.array(LABELS),
        np.array(LABELS, np.uint8),
        np.array(LABELS, bool),
        np.array(LABELS, float),
        [str(v) for v in LABELS],
        np.array(LABELS).astype(str),
    ],
    ids=["int64", "uint8", "bool", "float", "strings", "str_"],
)
def test_every_kind_of_labels_gives_the_same(labels):
    wanted, found = select_coreset(ROWS, LABELS, size=5), select_coreset(ROWS, labels, size=5)
    assert found.index.tolist() == wanted.index.tolist()
    assert found.label.tolist() == [type(found.label.tolist()[0])(v) for v in wanted.label.tolist()]


@pytest.mark.parametrize(
    ("first", "second", "labels"),
    [
        (("0", "0.0", "+0"), ("1", "01", "1e0"), [0, 1]),
        (("0.50", "5e-1", ".5"), ("1", "01", "1e0"), [0.5, 1.0]),
        (("no", "no", "no"), ("1", "01", "1e0"), ["1", "no"]),
    ],
)
@pytest.mark.parametrize("kind", [list, np.array, lambda values: np.array(values, object)])
def test_strings_are_compared_by_value_as_those_of_a_file(tmp_path, first, second, labels, kind):
    texts = [*first * 2, *second * 2]
    path = tmp_path / "t.csv"
    rows = "".join(f"{text},{row[0]}\n" for text, row in zip(texts, ROWS, strict=True))
    path.write_text(f"label,a\n{rows}")
    found = select_coreset(np.array(ROWS)[:, :1], kind(texts), size=4)
    of_file = select_coreset(str(path), size=4)
    for coreset in (found, of_file):
        assert sorted(c.label for c in coreset.classes) == labels
        assert [type(c.label) for c in coreset.classes] == [type(label) for label in labels]
    assert found.index.tolist() == of_file.index.tolist()
    assert found.notes == of_file.notes


def test_without_labels_all_rows_are_one_group():
    coreset = select_coreset(ROWS, fraction=0.25)
    assert (coreset.label, coreset.weight.sum(), len(coreset.classes)) == (None, 12, 1)


def test_weights_and_costs_that_a_hand_can_check():
    coreset = select_coreset(ROWS, LABELS, size=3, purpose="local", sample_weight=np.arange(12))
    assert sorted(zip(coreset.index.tolist(), coreset.weight.tolist(), strict=True)) == [
        (2, 6),
        (5, 22),
        (10, 38),
    ]
    assert coreset.epsilon_total == (1 + 3 + 4 + 6 + 7 * 2) + (8 * 2 + 9 + 11 * 7)
    costs = np.where(np.arange(12) == 10, 5, 1)
    coreset = select_coreset(ROWS, LABELS, budget_cost=3, costs=costs, sample_weight=np.arange(12))
    assert (coreset.cost_spent, coreset.cost_budget, coreset.weights) == (3, 3, "cluster")
    assert 10 not in coreset.index.tolist()


def test_sparse_rows_are_not_changed():
    matrix = sp.csr_array(
        (np.array([2.0, 1, 0]), np.array([1, 0, 1]), np.array([0, 2, 3])), shape=(2, 2)
    )
    select_coreset(matrix, size=1)
    assert (matrix.data.tolist(), matrix.indices.tolist()) == ([2, 1, 0], [1, 0, 1])


@pytest.mark.parametrize(
    ("rows", "labels", "options", "error", "message"),
    [
        (
            ROWS,
            None,
            {},
            UsageError,
            "A budget is missing: give exactly one of fraction, size, epsilon, mean_epsilon or "
            "budget_cost.",
        ),
        (
            ROWS,
            None,
            {"size": 3, "method": "best"},
            UsageError,
            f"method: 'best' is not one of {', '.join(names(METHODS))}.",
        ),
        (ROWS[:, 0], None, {"size": 3}, UsageError, "X: has 1 dimensions, not 2 (rows, columns)."),
        (
            ROWS.astype(complex),
            None,
            {"size": 3},
            UsageError,
            "X: holds complex128, not real numbers.",
        ),
        (np.array([["a"]]), None, {"size": 1}, UsageError, "X: holds <U1, not real numbers."),
        (
            [[1.0], [np.nan]],
            None,
            {"size": 1},
            InputError,
            "X: the value in row 1 and column 0, counted from 0, is not finite (value 'nan'). "
            "Remove or fill it first.",
        ),
        (
            sp.csr_array([[1.0], [np.inf]]),
            None,
            {"size": 1},
            InputError,
            "X: the value in row 1 and column 0, counted from 0, is not finite (value 'inf'). "
            "Remove or fill it first.",
        ),
        (
            np.empty((0, 2)),
            None,
            {"size": 1},
            InputError,
            "<memory>: there are no rows. Give at least one row.",
        ),
        (ROWS, LABELS[1:], {"size": 3}, UsageError, "y: has shape (11,), not (12,) as X has rows."),
        (
            ROWS,
            ["a", *LABELS[1:]],
            {"size": 3},
            UsageError,
            "y: mixes strings and numbers.",
        ),
        (
            ROWS,
            [[1]] * 12,
            {"size": 3},
            UsageError,
            "y: has shape (12, 1), not (12,) as X has rows.",
        ),
        (ROWS, [1j] * 12, {"size": 3}, UsageError, "y: holds complex128, not numbers or strings."),
        (
            ROWS,
            [np.nan] * 12,
            {"size": 3},
            InputError,
            "y: row 0, counted from 0, has no label. Remove or fill it first.",
        ),
        (
            ROWS,
            np.full(12, 2**63, np.uint64),
            {"size": 3},
            UsageError,
            "y: a label is above 2^63 - 1.",
        ),
        (
            ROWS,
            None,
            {"size": 3, W: [1] * 11},
            UsageError,
            f"{W}: has shape (11,) of int64, not (12,) of numbers as X has rows.",
        ),
        (
            ROWS,
            None,
            {"size": 3, W: ["1"] * 12},
            UsageError,
            f"{W}: has shape (12,) of <U1, not (12,) of numbers as X has rows.",
        ),
        (
            ROWS,
            None,
            {"size": 3, W: [*[1] * 11, -2]},
            InputError,
            f"{W}: that of row 11, from 0, is negative (value '-2.0'). Correct it first.",
        ),
        (
            ROWS,
            None,
            {"size": 3, W: [np.inf] * 12},
            InputError,
            f"{W}: the value in row 0, counted from 0, is not finite (value 'inf'). Remove or "
            "fill it first.",
        ),
        (
            ROWS,
            None,
            {"budget_cost": 3, "costs": [0] * 12},
            InputError,
            f"costs: that of row 0, {SMALL} (value '0.0'). Correct it first.",
        ),
        (
            ROWS,
            None,
            {"budget_cost": 3},
            UsageError,
            "budget_cost and costs go together: give both, or neither.",
        ),
        (
            ROWS,
            None,
            {"size": 3, "task": "regression"},
            UsageError,
            "task='regression' needs a numeric target.",
        ),
    ],
)
def test_what_is_refused(rows, labels, options, error, message):
    with pytest.raises(CraigError) as caught:
        select_coreset(rows, labels, **options)
    assert (type(caught.value), str(caught.value)) == (error, message)


@pytest.mark.needs("pandas")
@pytest.mark.parametrize("name", ["coreset", "evaluate", "select"])
def test_the_examples_of_the_docstrings(name):
    found = doctest.testmod(importlib.import_module(f"craig_cli.api.{name}"))
    assert found.attempted and not found.failed
