"""Weights count in ``--scale``: a row of weight 3 is there three times, and one of 0 is not."""

from dataclasses import replace

import numpy as np
import pytest
from reference import weighted_spread
from test_lazy_greedy import sparse

from craig_cli import select_coreset
from craig_cli.dataset import Dataset
from craig_cli.selection.scaling import make_features
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.threads import Workers

N = 90
RNG = np.random.default_rng(11)
ROWS = RNG.normal(size=(N, 4)) * np.array([1.0, 30.0, 0.2, 5.0]) + 3
WEIGHTS = RNG.integers(0, 4, N)
ROWS[WEIGHTS == 0] *= 40  # as far off as to show wherever they counted
TARGET = ROWS[:, 0] * 7
REPEATED = np.repeat(np.arange(N), WEIGHTS)


def features(rows, weights, task="classification", target=TARGET, **settings):
    chosen = SelectionSettings(Budget(size=5), task=task, **settings)
    labels = target if task == "regression" else None
    with Workers(2) as workers:
        return make_features(Dataset(rows, labels, weights=weights), chosen, workers)


@pytest.mark.parametrize("kind", ["float64", "float32", "sparse"])
@pytest.mark.parametrize("factor", [1.0, 1e-3, 1e120, 1e-300])
def test_scales_are_those_of_repeated_rows(kind, factor):
    """Up to 1e-12; low and high to the last bit."""
    rows = ROWS.astype(np.float32) if kind == "float32" else ROWS
    deviation, low, high = weighted_spread(rows, WEIGHTS)
    given = sparse(rows) if kind == "sparse" else rows
    standard = features(given, WEIGHTS * factor, scale="standard").scaling.divisors
    minmax = features(given, WEIGHTS * factor, scale="minmax").scaling.divisors
    np.testing.assert_allclose(standard, deviation.astype(float), rtol=1e-12)
    assert minmax.tolist() == (high.astype(float) - low.astype(float)).tolist()
    assert features(given, WEIGHTS * factor, scale="unit").scaling.divisors is None


def test_columns_with_zeros_of_sparse_rows():
    rows = np.where(RNG.random((N, 4)) < 0.7, 0.0, ROWS)
    rows[WEIGHTS > 0, 3] = 2.0  # nothing but for rows that are not there
    deviation, low, high = weighted_spread(rows, WEIGHTS)
    for given in (rows, sparse(rows)):
        standard = features(given, 1.0 * WEIGHTS, scale="standard").scaling.divisors
        minmax = features(given, 1.0 * WEIGHTS, scale="minmax").scaling.divisors
        spread = np.where(deviation > 1e-9, deviation, 1.0).astype(float)
        np.testing.assert_allclose(standard, spread, rtol=1e-12)
        assert minmax[:3].tolist() == (high - low)[:3].astype(float).tolist()
        assert minmax[3] == 1.0


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_the_target_of_a_regression_is_scaled_alike(scale):
    deviation, low, high = weighted_spread(TARGET[:, None], WEIGHTS)
    wanted = {"standard": deviation, "minmax": high - low}[scale]
    found = features(ROWS, 1.0 * WEIGHTS, "regression", scale=scale).scaling.target_divisor
    assert found == pytest.approx(float(wanted[0]), rel=1e-12)


@pytest.mark.parametrize("scale", ["none", "standard", "minmax"])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_picks_are_those_of_repeated_rows(scale, is_sparse):
    rows, repeated = ROWS, ROWS[REPEATED]
    if is_sparse:
        rows, repeated = sparse(rows), sparse(repeated)
    chosen = SelectionSettings(Budget(size=12), "exact", scale=scale)
    from craig_cli.selection import select

    weighted = select(Dataset(rows, None, weights=1.0 * WEIGHTS), chosen)
    plain = select(Dataset(repeated, None), chosen)
    assert weighted.index.tolist() == REPEATED[plain.index].tolist()
    assert weighted.epsilon_total == pytest.approx(plain.epsilon_total, rel=1e-9)
    np.testing.assert_allclose(weighted.weight, plain.weight)


def test_equal_weights_are_no_weights_to_the_last_bit():
    for scale in ("standard", "minmax"):
        plain = features(ROWS, None, scale=scale).scaling.divisors
        assert features(ROWS, np.full(N, 0.3), scale=scale).scaling.divisors.tobytes() == (
            plain.tobytes()
        )


def test_any_number_of_threads_gives_the_same_bits():
    rows = np.tile(ROWS, (2000, 1))
    weights = RNG.random(len(rows))
    chosen = SelectionSettings(Budget(size=5), scale="standard")
    found = set()
    for threads in (1, 3):
        with Workers(threads) as workers:
            made = make_features(Dataset(rows, None, weights=weights), chosen, workers)
        found.add(made.scaling.divisors.tobytes())
    assert len(found) == 1


def test_the_note_on_spread_counts_weights():
    rows, weights = ROWS.copy(), np.ones(N)
    rows[:, :] = RNG.normal(size=rows.shape)
    rows[5, 1], weights[5] = 1e4, 0
    assert features(rows, None).notes[0].startswith("Column spreads differ by a factor of")
    assert features(rows, weights).notes == ()


def test_python_takes_sample_weight_into_the_scale():
    weighted = select_coreset(
        ROWS, size=12, sample_weight=WEIGHTS, scale="standard", method="exact", purpose="local"
    )
    plain = select_coreset(
        ROWS[REPEATED], size=12, scale="standard", method="exact", purpose="local"
    )
    assert weighted.index.tolist() == REPEATED[plain.index].tolist()


def test_what_is_measured_again_is_scaled_alike():
    from craig_cli.selection import measure, select

    dataset = Dataset(ROWS, None, weights=1.0 * WEIGHTS)
    chosen = SelectionSettings(Budget(size=12), "exact", scale="standard")
    first = select(dataset, chosen)
    again = measure(dataset, replace(chosen, budget=Budget(size=12)), first.index)
    assert again.epsilon_total == first.epsilon_total
