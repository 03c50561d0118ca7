"""Solvers: the optimum against scikit-learn, every solver against the optimum, and equal results
for equal rows.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from problems import (
    KINDS,
    TASKS,
    as_kind,
    made_labels,
    made_problem,
    made_rows,
    uneven,
    value_and_gradient,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import ORDERS, SCHEDULES, names
from craig_cli.settings.catalog import SOLVERS as CATALOG
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Problem, check_options, fit, make_problem, optimum
from craig_cli.training.losses import LOSSES
from craig_cli.training.solvers import SOLVERS, Incremental

L2 = 0.05
SLACK = {"momentum": 1e-3, "sgd": 1e-3, "adagrad": 2e-4, "adam": 1e-4}
"""How far above the optimum, relative to the objective at zero, solvers that go to no tolerance may
end on 400 rows; the others 1e-9.
"""
STEPPING = [name for name, solver in SOLVERS.items() if issubclass(solver, Incremental)]


def model_of(result):
    return np.column_stack([result.coef, result.intercept])


def test_every_solver_of_the_catalog_is_there():
    assert ("auto", *SOLVERS) == names(CATALOG)
    assert all(solver.name == name for name, solver in SOLVERS.items())
    assert set(SLACK) == {name for name, solver in SOLVERS.items() if not solver.remedy}


# The optimum


@pytest.mark.thinned
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("loss", "classes"), TASKS)
def test_the_gradient_vanishes_at_the_optimum(loss, classes, intercept, kind):
    problem = made_problem(loss, classes, kind, weights=uneven(60), intercept=intercept)
    best = optimum(problem, L2)
    coef, constant = value_and_gradient(problem, best.coef, best.intercept, L2)[1:]
    assert best.converged
    assert np.abs(coef).max() < 1e-7
    assert np.abs(constant).max() < 1e-7
    assert intercept or not best.intercept.any()
    assert best.objective == problem.objective(best.coef, best.intercept, L2)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_and_softmax_agree_with_scikit_learn(classes, weighted):
    rows = made_rows(200)
    labels, weights = made_labels(rows, classes), uneven(200) if weighted else np.ones(200)
    best = optimum(
        make_problem(rows, labels, "logistic" if classes == 2 else "softmax", weights), L2
    )
    theirs = LogisticRegression(C=1 / (L2 * weights.sum()), tol=1e-12, max_iter=10_000).fit(
        rows, labels, weights
    )
    np.testing.assert_allclose(best.coef, theirs.coef_, atol=2e-6)
    if classes == 2:
        np.testing.assert_allclose(best.intercept, theirs.intercept_, atol=2e-6)
    else:
        np.testing.assert_allclose(
            best.intercept - best.intercept.mean(),
            theirs.intercept_ - theirs.intercept_.mean(),
            atol=2e-6,
        )


@pytest.mark.parametrize("weighted", [False, True])
def test_squared_agrees_with_ridge(weighted):
    rows = made_rows(200)
    targets, weights = made_labels(rows, 0), uneven(200) if weighted else np.ones(200)
    best = optimum(make_problem(rows, targets, "squared", weights, regression=True), L2)
    theirs = Ridge(alpha=L2 * weights.sum(), solver="cholesky").fit(rows, targets, weights)
    np.testing.assert_allclose(best.coef[0], theirs.coef_, rtol=1e-7)
    np.testing.assert_allclose(best.intercept[0], theirs.intercept_, rtol=1e-7)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_squared_hinge_agrees_with_linear_svc(classes, weighted):
    """Without an intercept, which liblinear regularises; several classes are one against the rest
    there too.
    """
    rows = made_rows(200)
    labels, weights = made_labels(rows, classes), uneven(200) if weighted else np.ones(200)
    best = optimum(make_problem(rows, labels, "squared-hinge", weights, intercept=False), L2)
    theirs = LinearSVC(
        C=1 / (L2 * weights.sum()), dual=False, tol=1e-12, fit_intercept=False, max_iter=10_000
    ).fit(rows, labels, weights)
    np.testing.assert_allclose(best.coef, theirs.coef_, atol=2e-6)


@pytest.mark.parametrize(("loss", "classes"), TASKS)
def test_whole_weights_are_repeated_rows_at_the_optimum(loss, classes):
    weights, whole = uneven(60), made_problem(loss, classes)
    weighted = optimum(replace(whole, weights=weights), L2)
    repeated = optimum(whole.subset(np.repeat(np.arange(60), weights.astype(int))), L2)
    np.testing.assert_allclose(model_of(weighted), model_of(repeated), atol=1e-6)


def test_softmax_of_two_classes_is_logistic():
    """The difference of the two rows of coefficients costs half as much to keep long."""
    two, one = optimum(made_problem("softmax", 2), L2), optimum(made_problem("logistic", 2), L2 / 2)
    np.testing.assert_allclose(two.coef[1] - two.coef[0], one.coef[0], atol=1e-6)


def test_one_against_the_rest_is_so_many_problems_of_two_classes():
    rows = made_rows(60)
    labels = made_labels(rows, 3)
    several = optimum(made_problem("smoothed-hinge", 3), L2)
    for c in range(3):
        alone = optimum(make_problem(rows, labels == c, "smoothed-hinge"), L2)
        np.testing.assert_allclose(several.coef[c], alone.coef[0], atol=1e-6)


# Every solver


@pytest.mark.thinned(together=2)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("loss", "classes"), TASKS)
def test_every_solver_reaches_the_optimum(solver, loss, classes, weighted, kind):
    problem = made_problem(loss, classes, kind, 400, uneven(400) if weighted else None)
    best = optimum(problem, L2)
    start = problem.objective(np.zeros_like(best.coef), np.zeros_like(best.intercept), L2)
    result = fit(
        problem,
        TrainSettings(
            solver=solver, l2=L2, epochs=150, tolerance=1e-8 if SOLVERS[solver].remedy else 0.0
        ),
    )
    assert -1e-12 <= (result.objective - best.objective) / start <= SLACK.get(solver, 1e-9)


@pytest.mark.parametrize("order", names(ORDERS))
@pytest.mark.parametrize("solver", STEPPING)
@pytest.mark.parametrize("classes", [2, 3])
def test_sparse_rows_are_dense_rows_epoch_by_epoch(solver, order, classes):
    fits = []
    for kind in KINDS:
        problem = made_problem("logistic", classes, kind, weights=uneven(60))
        fits.append(
            fit(problem, TrainSettings(solver=solver, l2=L2, epochs=12, order=order, tolerance=0))
        )
    for result in fits[1:]:
        for one, other in zip(fits[0].trace, result.trace, strict=True):
            assert (one.epoch, one.passes) == (other.epoch, other.passes)
            assert other.objective == pytest.approx(one.objective, rel=1e-9)
            assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_same_bytes_each_time_for_any_number_of_threads(solver):
    rows = made_rows(9_000)
    models = []
    for threads in (1, 2, 3):
        problem = make_problem(rows, made_labels(rows, 3), "softmax", threads=threads)
        result = fit(problem, TrainSettings(solver=solver, l2=L2, epochs=3))
        models.append(
            (
                result.coef.tobytes(),
                result.intercept.tobytes(),
                [point.objective for point in result.trace],
            )
        )
    assert models[0] == models[1] == models[2]


@pytest.mark.parametrize("kind", KINDS)
def test_projection_keeps_the_model_short(kind):
    problem = made_problem("logistic", 3, kind)
    lengths = []

    def watch(epoch, passes, seconds, coef, intercept):
        lengths.append(np.linalg.norm(coef))

    fit(problem, TrainSettings(solver="sgd", l2=0, radius=0.25, epochs=20), watch=watch)
    assert len(lengths) == 21
    assert max(lengths) <= 0.25 * (1 + 1e-12)
    assert lengths[-1] > 0.2


@pytest.mark.parametrize("solver", SOLVERS)
def test_watch_sees_every_point_of_the_trace(solver):
    seen = []
    problem = made_problem("logistic", 2)

    def watch(epoch, passes, seconds, coef, intercept):
        seen.append((epoch, passes, problem.objective(coef, intercept, L2)))

    result = fit(problem, TrainSettings(solver=solver, l2=L2, epochs=4), watch=watch)
    assert [(epoch, passes) for epoch, passes, _ in seen] == [
        (point.epoch, point.passes) for point in result.trace
    ]
    assert [value for _, _, value in seen] == pytest.approx(
        [point.objective for point in result.trace], rel=1e-12
    )
    assert seen[0] == (0, result.trace[0].passes, pytest.approx(np.log(2)))
    assert [point.seconds for point in result.trace] == sorted(
        point.seconds for point in result.trace
    )


@pytest.mark.parametrize(
    ("solver", "passes"),
    [("sgd", [0, 1, 2]), ("adam", [0, 1, 2]), ("saga", [1, 2, 3]), ("svrg", [0, 2, 4])],
)
def test_passes_count_gradients_of_rows(solver, passes):
    result = fit(made_problem("logistic", 2), TrainSettings(solver=solver, epochs=2, tolerance=0))
    assert [point.passes for point in result.trace] == passes


def test_a_start_at_the_optimum_is_done_at_once():
    problem = made_problem("logistic", 3)
    best = optimum(problem, L2)
    for solver in ("saga", "svrg", "lbfgs", "newton"):
        result = fit(
            problem,
            TrainSettings(solver=solver, l2=L2, tolerance=1e-6),
            (best.coef, best.intercept),
        )
        assert (len(result.trace), result.converged) == (1, True)
        np.testing.assert_allclose(result.coef, best.coef, rtol=1e-14)


def test_a_start_of_another_shape():
    with pytest.raises(
        UsageError,
        match=r"^--init: the model has 1 x 5 coefficients, not 3 x 5 as "
        r"the data needs\.$",
    ):
        fit(made_problem("softmax", 3), TrainSettings(), (np.zeros((1, 5)), np.zeros(1)))


def test_a_step_that_diverges_is_an_error_with_a_remedy():
    with pytest.raises(UsageError) as caught:
        fit(
            made_problem("squared", 0),
            TrainSettings(solver="sgd", step=1e4, schedule="constant", epochs=200),
        )
    assert str(caught.value) == (
        "--step: 10000 is too large, --solver sgd diverged. Try a smaller one, or --tune."
    )


# Awkward data


def awkward(name):
    rows = made_rows(200, seed=4)
    if name == "units":
        rows = rows * np.array([1e-3, 1, 10, 1e3, 1e4]) + np.array([0, 0, 0, 0, 1e5])
    if name == "constant column":
        rows[:, 2] = 7
    if name == "empty column":
        rows[:, 2] = 0
    if name == "duplicates":
        rows = np.repeat(rows[:4], 50, axis=0)
    if name == "huge":
        rows = rows * 1e150
    if name == "tiny":
        rows = rows * 1e-150
    if name == "zero":
        rows = rows * 0
    return rows


@pytest.mark.thinned(together=2)
@pytest.mark.parametrize(
    "name", ["units", "constant column", "empty column", "duplicates", "huge", "tiny", "zero"]
)
@pytest.mark.parametrize("l2", [0.0, 1e-3])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["float64", "sparse"])
def test_usual_steps_never_end_higher_than_they_began(solver, l2, name, kind):
    rows = awkward(name)
    labels = np.arange(200) % 3 % 2
    for intercept in (True, False):
        problem = make_problem(as_kind(rows, kind), labels, "logistic", intercept=intercept)
        result = fit(problem, TrainSettings(solver=solver, l2=l2, epochs=30))
        assert result.objective <= result.trace[0].objective * (1 + 1e-9)
        assert np.isfinite(result.coef).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_row(solver):
    problem = make_problem(np.array([[2.0]]), np.array([3.0]), "squared", regression=True)
    result = fit(problem, TrainSettings(solver=solver, l2=0.1, epochs=300))
    assert result.objective < result.trace[0].objective
    assert solver != "lbfgs" or (
        abs(result.coef[0, 0]) < 1e-6 and result.intercept[0] == pytest.approx(3)
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_rows_of_weight_nought_change_nothing(solver):
    rows, weights = made_rows(60), np.ones(60)
    labels = made_labels(rows, 2)
    rows[50:] *= 1e4
    weights[50:] = 0
    few, all_rows = (
        make_problem(rows[:50], labels[:50], "logistic"),
        make_problem(rows, labels, "logistic", weights),
    )
    settings = TrainSettings(solver=solver, l2=L2, epochs=100)
    assert fit(all_rows, settings).objective == pytest.approx(
        fit(few, settings).objective, rel=2e-2
    )


@pytest.mark.parametrize("solver", ("saga", "svrg"))
def test_rows_of_tiny_weight_do_not_hold_up_the_reduced_solvers(solver):
    problem = made_problem(
        "logistic", 2, weights=10.0 ** np.random.default_rng(5).uniform(-2, 2, 60)
    )
    result = fit(
        problem, TrainSettings(solver=solver, order="sampled", l2=1e-2, epochs=1000, tolerance=1e-8)
    )
    assert (
        result.converged
    )  # a row that is drawn once in a thousand epochs would leave an old gradient in the table


def test_values_that_cannot_be_squared():
    problem = make_problem(np.array([[1e200], [1.0]]), np.array([0, 1]), "logistic")
    for solver in SOLVERS:
        with pytest.raises(UsageError) as caught:
            fit(problem, TrainSettings(solver=solver))
        assert str(caught.value) == (
            "There are values too large to be squared: divide the columns by their spread first."
        )


@pytest.mark.parametrize("solver", SOLVERS)
def test_options_that_a_solver_cannot_use(solver):
    given = {"radius": 1.0, "step": 0.1, "schedule": "constant", "decay": 0.5, "tune": True}
    given["order"] = "greedy"
    problem = made_problem("logistic", 2)
    refused = SOLVERS[solver].refused
    assert set(refused) <= set(given)
    for option, value in given.items():
        settings = TrainSettings(solver=solver, epochs=1, **{option: value})
        if option in refused:
            for check in (check_options, lambda settings: fit(problem, settings)):
                with pytest.raises(UsageError) as caught:
                    check(settings)
                assert str(caught.value).startswith(f"--{option}: ")
                assert solver in str(caught.value)
        else:
            assert fit(problem, settings).settings.solver == solver


def test_a_solver_that_is_not_there(monkeypatch):
    with pytest.raises(UsageError, match=r"^--solver: 'other' is not one of auto, sgd, "):
        TrainSettings(solver="other")
    settings = TrainSettings(solver="svrg")
    monkeypatch.delitem(SOLVERS, "svrg")
    with pytest.raises(UsageError, match=r"^--solver: 'svrg' is not one of sgd, "):
        fit(made_problem("logistic", 2), settings)


def test_labels_that_the_loss_of_a_problem_cannot_take():
    with pytest.raises(UsageError, match=r"^The logistic loss needs classes, "):
        fit(replace(made_problem("squared", 0), loss=LOSSES["logistic"]), TrainSettings())


def test_schedules_are_those_of_the_catalog():
    for schedule in names(SCHEDULES):
        result = fit(
            made_problem("logistic", 2), TrainSettings(solver="sgd", schedule=schedule, epochs=3)
        )
        assert result.objective < result.trace[0].objective


@pytest.mark.parametrize("solver", ["sgd", "saga"])
def test_compiling_is_not_on_the_clock(solver, monkeypatch):
    """The first call of a kernel in a process may take seconds: here the first epoch of any solver
    object takes a third of one.
    """
    slow = [0.3]

    class Cold(SOLVERS[solver]):
        def run_epoch(self, visits, step):
            time.sleep(slow.pop() if slow else 0)
            super().run_epoch(visits, step)

    plain = fit(made_problem("logistic", 2), TrainSettings(solver=solver, epochs=3, tolerance=0))
    monkeypatch.setitem(SOLVERS, solver, Cold)
    result = fit(made_problem("logistic", 2), TrainSettings(solver=solver, epochs=3, tolerance=0))
    assert not slow
    assert result.seconds < 0.2
    np.testing.assert_array_equal(
        result.coef, plain.coef
    )  # the step that is thrown away leaves no trace
    assert result.passes == plain.passes


def test_lbfgs_compiles_before_its_clock(monkeypatch):
    slow, squares = [0.3], Problem.squares

    def cold(self):
        time.sleep(slow.pop() if slow else 0)
        return squares(self)

    monkeypatch.setattr(Problem, "squares", cold)
    assert fit(made_problem("logistic", 2), TrainSettings(solver="lbfgs", epochs=3)).seconds < 0.2
    assert not slow
