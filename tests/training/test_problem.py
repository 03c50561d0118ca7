"""The objective and its gradient over weighted rows: against plain sums, finite differences,
repeated rows and other kinds of rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import KINDS, TASKS, made_labels, made_problem, made_rows, uneven, value_and_gradient
from reference import objective

from craig_cli.dataset import as_dense
from craig_cli.errors import UsageError
from craig_cli.training import make_problem
from craig_cli.training.problem import MOST_CHUNKS, best_class

L2 = 0.3


def made_model(problem, seed=3):
    model = np.random.default_rng(seed).normal(size=(problem.n_outputs, problem.n_columns + 1))
    model[:, -1] *= problem.constant
    return model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "classes"), TASKS)
def test_the_objective_against_plain_sums(loss, classes, kind):
    problem = made_problem(loss, classes, kind, n=150, weights=uneven(150))
    model = made_model(problem)
    expected = objective(loss, made_rows(150), problem.targets, problem.weights, model, L2)
    assert problem.objective(model[:, :-1], model[:, -1], L2) == pytest.approx(expected, rel=1e-12)
    assert value_and_gradient(problem, model[:, :-1], model[:, -1], L2)[0] == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("loss", "classes"), TASKS)
def test_the_gradient_by_finite_differences(loss, classes, intercept, kind):
    problem = made_problem(loss, classes, kind, n=150, weights=uneven(150), intercept=intercept)
    model, width = made_model(problem), 1e-6
    measured = np.zeros_like(model)
    for place in np.ndindex(model.shape):
        for side in (1, -1):
            moved = model.copy()
            moved[place] += side * width
            measured[place] += (
                side * problem.objective(moved[:, :-1], moved[:, -1], L2) / (2 * width)
            )
    coef, constant = value_and_gradient(problem, model[:, :-1], model[:, -1], L2)[1:]
    np.testing.assert_allclose(np.column_stack([coef, constant]), measured, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "classes"), TASKS)
def test_whole_weights_are_repeated_rows(loss, classes, kind):
    weights = uneven(60)
    whole = made_problem(loss, classes, kind)
    index = np.repeat(np.arange(60), weights.astype(int))
    weighted, repeated = replace(whole, weights=weights), whole.subset(index)
    model = made_model(whole)
    for one, other in zip(
        *(value_and_gradient(p, model[:, :-1], model[:, -1], L2) for p in (weighted, repeated)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    assert weighted.errors(model[:, :-1], model[:, -1]) == pytest.approx(
        repeated.errors(model[:, :-1], model[:, -1]), rel=1e-12
    )


def test_threads_change_no_bit():
    rows = made_rows(20_000)
    labels = made_labels(rows, 3)
    values = []
    for threads in (1, 2, 3, 8):
        problem = make_problem(rows, labels, "softmax", threads=threads)
        model = made_model(problem)
        value, coef, intercept = value_and_gradient(problem, model[:, :-1], model[:, -1], L2)
        values.append(
            (
                value,
                coef.tobytes(),
                intercept.tobytes(),
                problem.scores(coef, intercept).tobytes(),
                problem.squares()[1].tobytes(),
            )
        )
    assert values[0] == values[1] == values[2] == values[3]


def test_a_pass_over_more_rows_than_a_piece_holds():
    rows = made_rows(20_000)
    problem = make_problem(rows, made_labels(rows, 0), "squared", regression=True)
    model = made_model(problem)
    scores = rows @ model[0, :-1] + model[0, -1]
    gap = scores - problem.targets
    value, coef, intercept = value_and_gradient(problem, model[:, :-1], model[:, -1], 0.0)
    assert value == pytest.approx((gap**2).mean() / 2, rel=1e-12)
    np.testing.assert_allclose(coef[0], gap @ rows / len(rows), rtol=1e-10)
    assert intercept[0] == pytest.approx(gap.mean(), rel=1e-10)
    np.testing.assert_allclose(
        problem.scores(model[:, :-1], model[:, -1])[:, 0], scores, rtol=1e-12
    )
    assert len(rows) / 4096 < MOST_CHUNKS


@pytest.mark.parametrize("kind", KINDS)
def test_squares_and_rows_taken(kind):
    problem = made_problem("logistic", 2, kind, weights=uneven(60))
    rows = made_rows(60)
    lengths, columns = problem.squares()
    np.testing.assert_allclose(lengths, (rows**2).sum(axis=1))
    np.testing.assert_allclose(columns, problem.shares @ rows**2)
    index = np.array([7, 7, 0, 59])
    np.testing.assert_array_equal(as_dense(problem.rows.take(index, axis=0)), rows[index])


def test_five_points_by_hand():
    """Scores are -2 ... 2 and labels those of their signs, but for the last: squared hinge pays 1
    at score 0, and 9 for the last.
    """
    rows = np.array([[-2.0], [-1], [0], [1], [2]])
    problem = make_problem(
        rows,
        np.array(["a", "a", "b", "b", "a"], object),
        "squared-hinge",
        np.array([1.0, 1, 1, 1, 2]),
    )
    one, none = np.ones((1, 1)), np.zeros(1)
    assert problem.objective(one, none, 0.5) == pytest.approx((1 + 2 * 9) / 6 + 0.25)
    assert value_and_gradient(problem, one, none, 0.5)[1:][0][0, 0] == pytest.approx(
        2 * 2 * 3 * 2 / 6 + 0.5
    )
    assert problem.errors(one, none) == pytest.approx(3 / 6)
    assert problem.class_numbers().tolist() == [0, 0, 1, 1, 0]


def test_ties_of_scores_go_to_the_first_class():
    assert best_class(np.array([[0.0], [1e-9]])).tolist() == [0, 1]
    assert best_class(np.array([[1.0, 1.0, 0.0]])).tolist() == [0]


def test_a_subset_keeps_the_classes_of_all_rows():
    problem = made_problem("softmax", 3)
    part = problem.subset(np.flatnonzero(problem.targets != 1))
    assert (part.n_outputs, part.classes.tolist()) == (3, [0, 1, 2])


@pytest.mark.parametrize(
    "weights", [[1.0, 1], [1.0, -1, 1], [np.nan, 1, 1], [np.inf, 1, 1], [0.0, 0, 0]]
)
def test_weights_refused(weights):
    with pytest.raises(
        UsageError,
        match=r"^Weights: there must be one for each of 3 rows, finite "
        r"and at least 0, and not all 0\.$",
    ):
        make_problem(np.eye(3), np.array([0, 1, 0]), "logistic", np.array(weights))


@pytest.mark.parametrize(
    ("labels", "loss", "regression", "message"),
    [
        (
            [1, 1],
            "logistic",
            False,
            "There is one class only ('1'): nothing to tell apart. For a "
            "number to predict use --task regression.",
        ),
        (
            [1, 2],
            "logistic",
            True,
            "The logistic loss needs classes, and the target is a number. Use squared.",
        ),
    ],
)
def test_labels_refused(labels, loss, regression, message):
    with pytest.raises(UsageError) as caught:
        make_problem(np.eye(2), np.array(labels), loss, regression=regression)
    assert str(caught.value) == message
