"""Selection and training on the real data sets of ``CRAIG_DATA``, where they are at hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from reference import distance_matrix, naive_greedy

from craig_cli.cli import main
from craig_cli.dataset import Dataset, SparseRows
from craig_cli.readers import read_dataset
from craig_cli.selection import check_coreset, measure, select
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import fit, make_problem, optimum


def read(folder, name, **settings):
    return read_dataset(InputSettings((str(folder / name),), **settings))


def first_rows(dataset, n):
    return dataset.rows[:n].dense()


def test_the_first_rows_of_ijcnn1_against_plain_greedy(shared_data):
    rows = first_rows(read(shared_data, "ijcnn1.trn.bz2"), 1500)
    picks, _, remaining = naive_greedy(distance_matrix(rows), 150)
    coreset = select(Dataset(rows, None), SelectionSettings(Budget(size=150), method="exact"))
    np.testing.assert_array_equal(coreset.index, picks)
    assert coreset.epsilon_total == pytest.approx(remaining[-1], rel=1e-9)


@pytest.mark.slow
def test_ijcnn1_at_ten_percent(shared_data):
    dataset = read(shared_data, "ijcnn1.trn.bz2")
    exact, cells, again = (
        select(dataset, SelectionSettings(Budget(fraction=0.1), method=m, threads=t))
        for m, t in (("exact", 2), ("cells", 2), ("exact", 1))
    )
    for coreset in (exact, cells):
        check_coreset(coreset)
        assert [(c.label, c.n_rows, c.n_selected) for c in coreset.classes] == [
            (-1, 45137, 4514),
            (1, 4853, 485),
        ]
    assert cells.epsilon_total <= 1.01 * exact.epsilon_total
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(exact, name).tobytes() == getattr(again, name).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    (
        ("adult.trn.bz2", {"index_base": 0}),
        ("reuters.trn.bz2", {}),
        ("abalone.trn.bz2", {"task": "regression"}),
    ),
)
def test_cells_are_near_exact(shared_data, name, settings):
    dataset = read(shared_data, name, **settings)
    if name.startswith("adult"):  # exact takes 10 s on all of it
        some = np.arange(0, dataset.n_rows, 4)
        thick = first_rows(dataset, dataset.n_rows)[some]
        dataset = Dataset(thick, dataset.labels[some])
    if name.startswith("reuters"):
        assert isinstance(dataset.rows, SparseRows)
    task = settings.get("task", "classification")
    exact, cells = (
        select(dataset, SelectionSettings(Budget(fraction=0.1), method=m, task=task))
        for m in ("exact", "cells")
    )
    check_coreset(exact)
    check_coreset(cells)
    assert cells.epsilon_total <= 1.02 * exact.epsilon_total
    measured = measure(dataset, SelectionSettings(Budget(fraction=0.1), task=task), exact.index)
    np.testing.assert_array_equal(measured.cluster_size, exact.cluster_size)


def test_the_command_on_ijcnn1(shared_data, tmp_path, capsys):
    output = str(tmp_path / "cs.parquet")
    data = str(shared_data / "ijcnn1.trn.bz2")
    assert main(["select", data, "--fraction", "0.1", "-o", output, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["rows"], facts["columns"], facts["selected"], facts["method"]) == (
        49990,
        22,
        4999,
        "cells",
    )
    assert main(["verify", data, output]) == 0
    assert main(["verify", str(shared_data / "ijcnn1.tst.bz2"), output]) == 5
    assert "FAILED" in capsys.readouterr().out


def test_a_column_0_makes_the_file_zero_based(shared_data, tmp_path, capsys):
    assert (
        main(
            [
                "select",
                str(shared_data / "adult.tst.bz2"),
                "--size",
                "10",
                "-o",
                str(tmp_path / "cs.parquet"),
            ]
        )
        == 0
    )
    assert "Columns count from 0, as index 0 occurs" in capsys.readouterr().err


@pytest.mark.slow
def test_training_on_ijcnn1(shared_data, tmp_path, capsys):
    """SAGA reaches the optimum of L-BFGS; known numbers: f* of l2 = 1e-5, and the errors at it."""
    data, facts = str(shared_data / "ijcnn1.trn.bz2"), {}
    for solver in ("lbfgs", "saga"):
        assert (
            main(
                ["train", data, "--solver", solver, "-o", str(tmp_path / f"{solver}.npz"), "--json"]
            )
            == 0
        )
        (facts[solver],) = json.loads(capsys.readouterr().out)["models"]
    assert facts["lbfgs"]["converged"]
    assert facts["lbfgs"]["objective"] == pytest.approx(0.185577, abs=1e-6)
    assert 0 <= facts["saga"]["objective"] - facts["lbfgs"]["objective"] < 1e-7
    assert (
        main(
            [
                "predict",
                str(shared_data / "ijcnn1.tst.bz2"),
                str(tmp_path / "saga.npz"),
                "-o",
                str(tmp_path / "p.parquet"),
                "--json",
            ]
        )
        == 0
    )
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["columns"]) == (91701, 22)
    assert report["error"] == pytest.approx(0.08, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["sgd", "momentum", "adagrad", "adam", "saga", "svrg"])
def test_usual_steps_on_unscaled_abalone(shared_data, solver):
    dataset = read(shared_data, "abalone.trn.bz2", task="regression")
    problem = make_problem(dataset.rows, dataset.labels, "squared", regression=True)
    best, result = optimum(problem, 1e-5), fit(problem, TrainSettings(solver=solver, l2=1e-5))
    assert (result.objective - best.objective) / result.trace[0].objective < 0.02
