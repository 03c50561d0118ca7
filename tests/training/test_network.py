"""The network: its passes and steps against a slow twin, its gradient against differences, weights
against repeated rows.
"""

from __future__ import annotations

import numpy as np
import pytest

from craig_cli.errors import UsageError
from craig_cli.kernels import network as kernels
from craig_cli.selection.reselection import reselected_rows, rows_by_length
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers
from craig_cli.training.network import NO_CLASS, Network, made_network
from craig_cli.training.reselection import Chosen, Pass, Reselection, as_scales, fit_network

N, D, H, M = 23, 7, 5, 3


def made(
    activation: str = "sigmoid", dtype: str = "float64"
) -> tuple[np.ndarray, np.ndarray, Network]:
    """Rows with stretches of zeros, their classes, and a network whose weights are all at work."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(N, D))
    rows[rng.random((N, D)) < 0.3] = 0
    rows[::4, :4] = 0
    weights = [rng.normal(size=shape).astype(dtype) for shape in ((D, H), (H,), (H, M), (M,))]
    return rows.astype(dtype), rng.integers(0, M, N), Network(*weights, activation)


def copied(network: Network) -> Network:
    return Network(*(array.copy() for array in network.arrays[1:]), network.activation)


def twin_outputs(network: Network, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hidden units and p, the obvious way."""
    z = rows @ network.first + network.first_bias
    units = np.maximum(z, 0) if network.activation == "relu" else 1 / (1 + np.exp(-z))
    scores = units @ network.second + network.second_bias
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return units, p / p.sum(axis=1, keepdims=True)


def twin_objective(
    network: Network, rows: np.ndarray, classes: np.ndarray, scales: np.ndarray, l2: float
) -> float:
    _, p = twin_outputs(network, rows)
    penalty = 0.5 * l2 * ((network.first**2).sum() + (network.second**2).sum())
    return float((scales * -np.log(p[np.arange(len(p)), classes])).mean() + penalty)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pass_is_that_of_the_twin(activation, dtype):
    rows, classes, network = made(activation, dtype)
    classes = np.where(np.arange(N) % 5 == 0, NO_CLASS, classes)
    with Workers(2) as workers:
        outputs = network.outputs(rows, classes, workers, with_units=True)
    units, p = twin_outputs(network, rows.astype(np.float64))
    known = np.flatnonzero(classes >= 0)
    losses, residuals = np.zeros(N), p.copy()
    residuals[known, classes[known]] -= 1
    losses[known] = -np.log(p[known, classes[known]])
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(outputs.residuals, residuals, atol=tolerance)
    np.testing.assert_allclose(outputs.losses, losses, atol=5 * tolerance)
    np.testing.assert_allclose(outputs.units, units, atol=5 * tolerance)
    np.testing.assert_allclose(outputs.probabilities(classes), p, atol=tolerance)
    assert outputs.errors(classes) == np.mean(p.argmax(axis=1) != classes)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_a_step_is_the_gradient_by_differences(activation):
    rows, classes, network = made(activation)
    scales, l2, step, gap = np.random.default_rng(1).random(N) * 2, 0.03, 1e-3, 1e-6
    before = copied(network)
    settings = NetworkSettings(batch=N, step=step, l2=l2)
    network.take_epoch(rows, classes, scales, np.arange(N), settings)
    for old, new, decays in zip(
        before.arrays[1:], network.arrays[1:], (True, False, True, False), strict=True
    ):
        moved = (old - new) / step
        for place in [tuple(np.unravel_index(k, old.shape)) for k in range(old.size)]:
            kept = old[place]
            values = []
            for sign in (1, -1):
                old[place] = kept + sign * gap
                values.append(twin_objective(before, rows, classes, scales, l2))
            old[place] = kept
            assert moved[place] == pytest.approx((values[0] - values[1]) / (2 * gap), abs=1e-6), (
                old.shape,
                place,
                decays,
            )


@pytest.mark.parametrize("batch", [1, 4, 5, 10])
def test_batches_are_steps_one_after_the_other(batch):
    rows, classes, network = made()
    other, scales = copied(network), np.random.default_rng(2).random(N)
    visits = np.random.default_rng(4).permutation(N)
    settings = NetworkSettings(batch=batch, step=0.1, l2=0.01)
    network.take_epoch(rows, classes, scales, visits, settings)
    for start in range(0, N, batch):
        own = visits[start : start + batch]
        units, p = twin_outputs(other, rows[own])
        p[np.arange(len(own)), classes[own]] -= 1
        p *= scales[own, None] / len(own)
        back = (p @ other.second.T) * units * (1 - units)
        for array, gradient in (
            (other.second, units.T @ p + 0.01 * other.second),
            (other.second_bias, p.sum(axis=0)),
            (other.first, rows[own].T @ back + 0.01 * other.first),
            (other.first_bias, back.sum(axis=0)),
        ):
            array -= 0.1 * gradient
    for mine, theirs in zip(network.arrays[1:], other.arrays[1:], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)


def test_weights_are_repeated_rows():
    rows, classes, network = made()
    other, times = copied(network), np.random.default_rng(5).integers(0, 4, N)
    repeated = np.repeat(np.arange(N), times)
    settings = [NetworkSettings(batch=size, step=0.5, l2=0.01) for size in (N, len(repeated))]
    network.take_epoch(rows, classes, times / times.mean(), np.arange(N), settings[0])
    other.take_epoch(
        rows[repeated],
        classes[repeated],
        np.ones(len(repeated)),
        np.arange(len(repeated)),
        settings[1],
    )
    for mine, theirs in zip(network.arrays[1:], other.arrays[1:], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
def test_kernels_run_plain_too():
    rows, classes, network = made()
    other = copied(network)
    visits = np.arange(6)
    kept = [np.zeros((N, M)) for _ in range(2)]
    kernels.batch_steps(rows, classes, np.ones(N), visits, 4, 0.1, 0.01, *network.arrays, kept[0])
    kernels.batch_steps.py_func(
        rows, classes, np.ones(N), visits, 4, 0.1, 0.01, *other.arrays, kept[1]
    )
    np.testing.assert_allclose(*kept, rtol=1e-12)
    for mine, theirs in zip(network.arrays[1:], other.arrays[1:], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    found = [(np.zeros((N, M)), np.zeros(N), np.zeros((N, H))) for _ in range(2)]
    for kernel, arrays in zip(
        (kernels.forward_pass, kernels.forward_pass.py_func), found, strict=True
    ):
        kernel(rows, classes, np.arange(N)[::-1].copy(), 2, 20, *network.arrays, *arrays)
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-15)


def test_steps_keep_the_residuals_of_their_rows():
    rows, classes, network = made()
    with Workers(1) as workers:
        expected = network.outputs(rows, classes, workers).residuals
    kept = np.full((N, M), np.nan)
    visits = np.array([4, 2, 9])
    network.take_epoch(
        rows, classes, np.full(N, 5.0), visits, NetworkSettings(batch=3, step=0.1), kept
    )
    np.testing.assert_allclose(
        kept[visits], expected[visits], atol=1e-12
    )  # as they were before the step, whatever the weight
    assert np.isnan(np.delete(kept, visits, axis=0)).all()


def test_the_layers_gradients_add_up_to_that_of_the_step():
    rows, classes, network = made()
    before = copied(network)
    with Workers(1) as workers:
        gradients = (
            network.outputs(rows, classes, workers, with_units=True)
            .layer_gradients()
            .reshape(N, H + 1, M)
        )
    network.take_epoch(
        rows, classes, np.ones(N), np.arange(N), NetworkSettings(batch=N, step=1.0, l2=0.0)
    )
    np.testing.assert_allclose(
        gradients.mean(axis=0)[:H], before.second - network.second, atol=1e-12
    )
    np.testing.assert_allclose(
        gradients.mean(axis=0)[H], before.second_bias - network.second_bias, atol=1e-12
    )


@pytest.fixture(scope="module")
def clusters() -> tuple[np.ndarray, np.ndarray]:
    """600 rows around three centres, a class each."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 600)
    return (rng.normal(size=(3, 6))[classes] * 2 + rng.normal(size=(600, 6))).astype(
        np.float32
    ), classes


@pytest.mark.parametrize(
    ("method", "by"),
    [("groups", "residual"), ("groups", "layer"), ("cells", "residual"), ("random", "residual")],
)
def test_coresets_on_the_way(clusters, method, by):
    rows, classes = clusters
    settings = NetworkSettings(
        hidden=8, epochs=6, step=0.2, fraction=0.2, reselect_every=2, reselect_by=by, method=method
    )
    fits, seen = [], []
    for threads in (1, 2):
        chosen = []

        def watch(point, network, rows_of_epoch, kept=chosen):
            kept.append(rows_of_epoch)

        fits.append(
            fit_network(
                rows,
                classes,
                3,
                NetworkSettings(**{**vars(settings), "threads": threads}),
                choose=reselected_rows,
                watch=watch,
            )
        )
        seen.append(chosen)
    for mine, theirs in zip(fits[0].network.arrays[1:], fits[1].network.arrays[1:], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert seen[0][0] is None
    for epoch in range(1, 7):
        now = seen[0][epoch]
        np.testing.assert_array_equal(now.index, seen[1][epoch].index)
        assert len(np.unique(now.index)) == 120
        for c in range(3):
            assert now.weights[classes[now.index] == c].sum() == pytest.approx((classes == c).sum())
        assert (now is seen[0][epoch - 1]) == (epoch % 2 == 0)
    last = fits[0].trace[-1]
    assert last.passes == pytest.approx(6 * 0.2)
    assert last.error < 0.1 < fits[0].trace[0].error
    assert last.objective < fits[0].trace[0].objective


def test_the_pass_of_the_trace_saves_one_and_changes_nothing(clusters):
    rows, classes = clusters
    settings = NetworkSettings(hidden=8, step=0.2, fraction=0.2)
    found = []
    for is_shared in (False, True):
        network = made_network(6, 3, settings, np.random.default_rng(0))
        seconds = 0.0
        with Workers(2) as workers:
            selecting = Reselection(rows, classes, settings, None, workers)
            for epoch in range(3):
                latest = Pass(network.outputs(rows, classes, workers), 1000.0)
                selecting.choose(reselected_rows, network, epoch, latest if is_shared else None)
                index, scales = as_scales(selecting.chosen, len(rows))
                network.take_epoch(rows, classes, scales, index, settings, selecting.kept)
                seconds += 1000.0 * (1.0 if epoch == 0 else 0.8) * is_shared
        assert seconds <= selecting.seconds < seconds + 100
        found.append((index.tobytes(), *(array.tobytes() for array in network.arrays[1:])))
    assert found[0] == found[1]


def test_importance_draws_by_what_the_steps_left_and_makes_no_pass(clusters, monkeypatch):
    rows, classes = clusters
    monkeypatch.setattr(Reselection, "_proxy", kept_proxy := spied(Reselection._proxy))
    fits, seen = [], []
    for threads in (1, 2):
        settings = NetworkSettings(
            hidden=8, epochs=6, step=0.2, fraction=0.2, method="importance", threads=threads
        )
        chosen = []
        fits.append(
            fit_network(
                rows,
                classes,
                3,
                settings,
                choose=reselected_rows,
                watch=lambda point, network, now, kept=chosen: kept.append(now),
            )
        )
        seen.append(chosen)
    for mine, theirs in zip(fits[0].network.arrays[1:], fits[1].network.arrays[1:], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    trained_on = np.zeros(600, bool)
    for epoch, proxy in zip(range(6), kept_proxy.results, strict=False):
        known = np.isfinite(proxy).all(axis=1)
        np.testing.assert_array_equal(known, trained_on)  # by steps alone
        now = seen[0][epoch + 1]
        assert len(np.unique(now.index)) == 120
        assert now.weights.sum() == pytest.approx(600)
        assert (np.ptp(now.weights) > 1e-9) == (epoch > 0)  # nothing is known at first
        trained_on[now.index] = True
    assert fits[0].trace[-1].error < 0.1


def spied(method):
    """Return a method that keeps copies of what it returns in its ``results``."""

    def call(*arguments):
        found = method(*arguments)
        call.results.append(found.copy())
        return found

    call.results = []
    return call


def test_rows_drawn_by_length_give_the_mean_gradient_of_all():
    rng = np.random.default_rng(6)
    gradients = rng.normal(size=(400, 3)) * rng.exponential(size=(400, 1)) ** 2
    gradients[::3] = np.nan  # not known, and drawn all the same
    true = np.where(np.isnan(gradients), rng.normal(size=(400, 3)), gradients) + 0.2
    classes = np.arange(400) % 2
    means, uniform = [], []
    for seed in range(400):
        draw = np.random.default_rng(seed)
        index, weights = rows_by_length(gradients, classes, 0.1, draw)
        assert len(np.unique(index)) == 40
        assert weights.sum() == pytest.approx(400)
        means.append(weights @ true[index] / 400)
        uniform.append(true[draw.choice(400, 40, replace=False)].mean(axis=0))
    error = np.std(means, axis=0) / np.sqrt(400)
    np.testing.assert_array_less(np.abs(np.mean(means, axis=0) - true.mean(axis=0)), 5 * error)
    assert np.square(np.std(means, axis=0)).sum() < 0.7 * np.square(np.std(uniform, axis=0)).sum()


def test_no_length_at_all_is_no_obstacle():
    index, weights = rows_by_length(
        np.zeros((10, 2)), np.arange(10) % 2, 0.5, np.random.default_rng(0)
    )
    assert (len(np.unique(index)), weights.tolist()) == (5, [2.0] * 5)


def test_fixed_rows_and_all_rows(clusters):
    rows, classes = clusters
    settings = NetworkSettings(hidden=8, epochs=3, step=0.2)
    whole = fit_network(rows, classes, 3, settings)
    same = fit_network(rows, classes, 3, settings, fixed=Chosen(np.arange(600), np.full(600, 2.5)))
    assert whole.trace[-1].objective == same.trace[-1].objective
    with pytest.raises(UsageError) as caught:
        fit_network(
            rows * np.float32(1e20),
            classes,
            3,
            NetworkSettings(hidden=8, epochs=3, step=1e6, activation="relu"),
        )
    assert str(caught.value) == (
        "--step: 1e+06 is too large, the network diverged. Try a smaller one, or scale the columns."
    )


def test_relu_starts_wider():
    rng = np.random.default_rng
    sigmoid, relu = (
        made_network(400, 10, NetworkSettings(activation=a), rng(0)) for a in ("sigmoid", "relu")
    )
    assert float(relu.first.std()) == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    assert float(sigmoid.first.std()) == pytest.approx(np.sqrt(2 / 500), rel=0.02)


def test_sparse_rows_are_laid_out():
    from problems import as_kind, made_rows

    rows = made_rows(9)
    np.testing.assert_array_equal(
        as_kind(rows, "sparse").dense(np.float32), rows.astype(np.float32)
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"hidden": 0}, "--hidden: 0 is not at least 1."),
        ({"reselect_every": 0}, "--reselect-every: 0 is not at least 1."),
        (
            {"fraction": 1.5},
            "--fraction: 1.5 is not above 0 and at most 1. For 1.5 % write --fraction 0.015.",
        ),
        (
            {"fraction": 0.001},
            "--fraction: 0.001 is less than 0.005, and groups become too large. "
            "Use --reselect-method cells.",
        ),
        ({"step": 0.0}, "--step: 0.0 is not a finite number above 0."),
        ({"l2": -1.0}, "--l2: -1.0 is not a finite number of at least 0."),
        (
            {"method": "auto"},
            "--reselect-method: 'auto' is not one of groups, cells, exact, stratified, importance, "
            "random.",
        ),
    ],
)
def test_settings_check_themselves(options, text):
    with pytest.raises(UsageError) as caught:
        NetworkSettings(**options)
    assert str(caught.value) == text
