"""How fast ``craig train`` is: rows and entries a second of an epoch, and what each solver takes to
come near the optimum.

The section "Training" of ``make bench``; ``python benchmarks/training.py`` prints it alone.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from datasets import SETS, lacking, left_out, made, source_of
from sgd import epoch_seconds

from craig_cli.dataset import SparseRows
from craig_cli.settings.catalog import SOLVERS, names
from craig_cli.settings.training import AUTO, TrainSettings
from craig_cli.training import Problem, fit, make_problem, optimum
from craig_cli.training.schedules import Visits
from craig_cli.training.solvers import SOLVERS as CLASSES
from craig_cli.training.solvers import Incremental

INCREMENTAL = {name: s for name, s in CLASSES.items() if issubclass(s, Incremental)}
EPOCH_ROWS, SPARSE_COLUMNS, SPARSE_ENTRIES = 290_506, 47_000, 10
DENSE_TARGET, SPARSE_TARGET = 8, 15
"""Million rows, and million entries, a second."""
L2, NEAR = 1e-5, 1e-6
COMPARED = [name for name in names(SOLVERS) if name != AUTO]
MEASURED = ("ijcnn1", "flights", "covtype16", "adult", "reuters", "abalone")


def fastest_epoch(problem: Problem, solver: str, epochs: int = 6) -> float:
    """Return the seconds of the fastest epoch, rows shuffled; neither compiling nor drawing the
    order is in it, as in `sgd.py`.
    """
    settings = TrainSettings(solver=solver, l2=L2, epochs=epochs, order="shuffled")
    visits = Visits(problem, "shuffled", np.random.default_rng(0))
    step = INCREMENTAL[solver].usual_step(problem, settings, visits.scales)
    running = INCREMENTAL[solver](
        problem, settings, visits.scales, np.zeros((problem.n_outputs, problem.n_columns + 1))
    )
    seconds = []
    for _ in range(epochs):
        rows = visits.next()
        begun = time.perf_counter()
        running.run_epoch(rows, step)
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def sparse_problem() -> Problem:
    """Return rows of ten entries, their columns drawn as words are: a few in most rows, most in a
    few.
    """
    rng = np.random.default_rng(0)
    columns = (
        np.minimum(rng.zipf(1.3, (EPOCH_ROWS, 3 * SPARSE_ENTRIES)) - 1, 10**9) % SPARSE_COLUMNS
    )
    indices = [np.unique(row)[:SPARSE_ENTRIES] for row in columns]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in indices])]).astype(np.int64)
    matrix = sp.csr_array(
        (rng.normal(size=starts[-1]), np.concatenate(indices), starts),
        shape=(EPOCH_ROWS, SPARSE_COLUMNS),
    )
    labels = (matrix @ rng.normal(size=SPARSE_COLUMNS) > 0).astype(np.int64)
    return make_problem(
        SparseRows(starts, matrix.indices.astype(np.int32), matrix.data, SPARSE_COLUMNS),
        labels,
        "logistic",
        threads=1,
    )


def epoch_table() -> None:
    """Print what an epoch of each incremental solver does a second, on one core."""
    data = made(EPOCH_ROWS)
    assert data.labels is not None
    dense, sparse = make_problem(data.rows, data.labels, "logistic", threads=1), sparse_problem()
    entries = len(sparse.rows.values)  # type: ignore[union-attr]
    print(
        "| solver | dense float32, d = 54: million rows/s | sparse: million entries/s |\n| --- | "
        "--- | --- |"
    )
    print(f"| target, of sgd | >= {DENSE_TARGET} | >= {SPARSE_TARGET} |")
    print(
        f"| plain compiled SGD, float32 model (`sgd.py`) | "
        f"{EPOCH_ROWS / epoch_seconds(data.rows, data.labels) / 1e6:.1f} | - |"
    )
    for solver in INCREMENTAL:
        rates = (
            EPOCH_ROWS / fastest_epoch(dense, solver) / 1e6,
            entries / fastest_epoch(sparse, solver) / 1e6,
        )
        print(f"| {solver} | {rates[0]:.1f} | {rates[1]:.1f} |", flush=True)


def solver_line(name: str) -> str:
    """Return the epochs and seconds that each solver takes to come within 1e-6 of the optimum, or
    where it ends.
    """
    data = SETS[name]()
    assert data.labels is not None
    problem = make_problem(data.rows, data.labels, regression=name == "abalone")
    best = optimum(problem, L2)
    cells = []
    for solver in COMPARED:
        steps = issubclass(CLASSES[solver], Incremental)
        settings = TrainSettings(
            solver=solver, l2=L2, epochs=60 if steps else None, tolerance=0 if steps else None
        )
        fit(problem.subset(np.arange(1000)), replace(settings, epochs=1))
        trace = fit(problem, settings).trace
        near = next((point for point in trace if point.objective - best.objective <= NEAR), None)
        cells.append(
            f"{near.epoch} in {near.seconds:.2f} s"
            if near
            else f"{trace[-1].objective - best.objective:.1e} left"
        )
    first = (
        f"{name}: {problem.n_rows:,} x {problem.n_columns}, {problem.loss.name}",
        f"{best.objective:.9f}",
    )
    return f"| {' | '.join([*first, *cells])} |"


def main() -> None:
    """Print all tables."""
    epoch_table()
    heads = ["data", "f*", *COMPARED]
    print(f"\n| {' | '.join(heads)} |\n| {' | '.join(['---'] * len(heads))} |")
    for name in MEASURED:
        if not lacking(source_of(name)):
            print(solver_line(name), flush=True)
    if absent := left_out(MEASURED):
        print(f"\n{absent}", end="")


if __name__ == "__main__":
    main()
