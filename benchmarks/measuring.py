"""One measurement, in a child process of its own: ``run(Task(...))`` starts this file, which prints
a `Measured` as JSON.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

LIMIT = 120
"""Seconds that a selection may take, unless the task says otherwise."""
WARM_UP_ROWS = 512
SHORT = 1.0
REPEATS = 3
"""What takes less than `SHORT` seconds is run so often, and the shortest time counts."""
PRODUCT_ROWS = 1024
"""Rows of one product: their products stay in the cache until the largest are found."""
NO_DATA = "left out: no data"
"""The failure of a task whose data set is not at hand."""


@dataclass(frozen=True)
class Task:
    """What to measure.

    Parameters
    ----------
    data : str
        A real set; ``made:ROWS``; ``negatives:ROWS``, the first of ijcnn1; ``shape:NAME``, an
        awkward one; ``wide:NAME`` or ``wide:ROWS``, one group of wide rows.
    what : str
        A competitor, or one of `OTHERS` (below): what is measured then is in ``seconds``.
    fraction : float
        The budget, of all rows.
    limit : int
        Seconds.
    max_rows : int
        Take no more rows than that, evenly spaced; 0 for all.
    """

    data: str
    what: str
    fraction: float = 0.1
    limit: int = LIMIT
    max_rows: int = 0


@dataclass(frozen=True)
class Measured:
    """What came out; `failure` says why if nothing did, and the numbers are NaN then.

    Parameters
    ----------
    n, d, k, classes : int
        Rows, columns, picks, classes.
    seconds : float
        Wall-clock time of the selection stage.
    growth, peak : float
        Memory at the peak of that stage, over what was held before it and in all, in MB.
    loss : float
        L(S), by `craig_cli.selection.measure` for every competitor alike.
    """

    failure: str = ""
    n: int = 0
    d: int = 0
    k: int = 0
    classes: int = 0
    seconds: float = math.nan
    growth: float = math.nan
    peak: float = math.nan
    loss: float = math.nan


@cache
def run(task: Task) -> Measured:
    """Return what a task took, measured once a run of the bench; progress goes to stderr."""
    if not is_at_hand(task):
        return Measured(NO_DATA)
    begun = time.perf_counter()
    command = [sys.executable, __file__, json.dumps(asdict(task))]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode == 0:
        measured = Measured(**json.loads(child.stdout.splitlines()[-1]))
    elif child.returncode == -signal.SIGALRM:
        measured = Measured(f"> {task.limit} s")
    elif child.returncode == -signal.SIGKILL or "MemoryError" in child.stderr:
        measured = Measured("out of memory")
    else:
        measured = Measured(
            "failed: "
            + (child.stderr.strip().splitlines() or [f"status {child.returncode}"])[-1][:100]
        )
    outcome = measured.failure or f"{measured.seconds:.3f} s"
    print(
        f"{time.perf_counter() - begun:6.1f} s  {task.data}, {task.what}, {task.fraction:.0%}: "
        f"{outcome}",
        file=sys.stderr,
        flush=True,
    )
    return measured


def on_one_core() -> None:
    """Keep this process to one core, where the system lets it: several measurements can run."""
    from threadpoolctl import threadpool_limits

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    threadpool_limits(1)


def is_at_hand(task: Task) -> bool:
    """Return whether the data of a task is there, or made."""
    import datasets  # not with this file: `start` measures what imports take

    kind, _, argument = task.data.partition(":")
    if kind == "wide":
        kind = argument
    name = "ijcnn1" if kind == "negatives" or task.what == "LIBSVM text" else kind
    return name not in datasets.SETS or bool(datasets.at_hand([name]))


def load(task: Task) -> tuple[Any, str]:
    """Return the data set of a task and whether it is classification or regression."""
    import datasets
    import numpy as np
    import shapes
    from competitors import dense

    from craig_cli.dataset import Dataset

    kind, _, argument = task.data.partition(":")
    if kind == "made":
        return datasets.made(min(int(argument), task.max_rows or int(argument))), "classification"
    if kind == "shape":
        return shapes.make(
            argument, min(shapes.SHAPES[argument][1], task.max_rows)
        ), "classification"
    if kind == "wide":
        rows = wide_rows(argument, task.max_rows)
        return Dataset(rows, np.zeros(len(rows), np.int64)), "classification"
    if kind == "negatives":
        whole = datasets.REAL["ijcnn1"]()
        rows = dense(whole)[whole.labels == -1][
            : min(int(argument), task.max_rows or int(argument))
        ]
        return Dataset(rows, np.zeros(len(rows), np.int64)), "classification"
    dataset = datasets.SETS[kind]()
    return thinned(
        dataset, task.max_rows or dataset.n_rows
    ), "regression" if kind == "abalone" else "classification"


def wide_rows(name: str, max_rows: int) -> Any:
    """Return the rows of a wide set by its name, or made ones by their number."""
    import datasets

    if name.isdigit():
        return datasets.embeddings(min(int(name), max_rows or int(name))).rows
    dataset = datasets.SETS[name]()
    return thinned(dataset, max_rows or dataset.n_rows).rows


def thinned(dataset: Any, n: int) -> Any:
    """Return `n` evenly spaced rows, or all if there are no more."""
    import numpy as np

    if n >= dataset.n_rows:
        return dataset
    index = np.linspace(0, dataset.n_rows - 1, n).astype(np.int64)
    rows = dataset.rows.take(index, axis=0)
    return replace(dataset, rows=rows, labels=dataset.labels[index], file_starts=np.array([0, n]))


def with_far_row(dataset: Any) -> Any:
    """Return dense rows with one of them so far out that its class is compared in float64; sparse
    ones as they are.
    """
    import numpy as np

    if not isinstance(dataset.rows, np.ndarray):
        return dataset
    rows = dataset.rows.copy()
    rows[0] = 1e6 * (1 + np.abs(rows).max())
    return replace(dataset, rows=rows)


def selection(task: Task) -> Measured:
    """Return what a competitor took: small selections first, so that compiled code is at hand, that
    for many rows of a class and for float64 too, then the one that counts: one in which no more
    had to be compiled.
    """
    import numpy as np
    from competitors import COMPETITORS

    from craig_cli.compiling import COMPILING
    from craig_cli.selection import dense_group, measure
    from craig_cli.settings import Budget, SelectionSettings

    pick = COMPETITORS[task.what]
    dataset, kind = load(task)

    def budget(some: Any) -> int:
        classes = 1 if kind == "regression" else len(np.unique(some.labels))
        return max(classes, math.floor(task.fraction * some.n_rows + 0.5))

    tiny = thinned(dataset, WARM_UP_ROWS)
    for few in (tiny, with_far_row(tiny)):
        for most in (0, dense_group.ROWS_ALL_DISTANCES):
            with patch.object(dense_group, "ROWS_ALL_DISTANCES", most):
                pick(few, budget(few), kind)
    size, seconds = budget(dataset), []
    while len(seconds) < REPEATS and sum(seconds) < SHORT:
        if not seconds:
            before = forget_peak()
        compiling, begun = COMPILING.seconds, time.perf_counter()
        signal.alarm(task.limit)
        index = np.asarray(pick(dataset, size, kind), np.int64)
        signal.alarm(0)
        if COMPILING.seconds == compiling:
            seconds.append(time.perf_counter() - begun)
    peak = peak_megabytes()
    coreset = measure(dataset, SelectionSettings(Budget(size=size), task=kind), index)
    classes = len(coreset.classes)
    return Measured(
        "",
        dataset.n_rows,
        dataset.n_columns,
        len(index),
        classes,
        min(seconds),
        peak - before,
        peak,
        coreset.epsilon_total,
    )


def forget_peak() -> float:
    """Forget the largest memory held so far, where the system can, and return what it is then."""
    with contextlib.suppress(OSError), Path("/proc/self/clear_refs").open("w") as file:
        file.write("5")  # Linux
    return peak_megabytes()


def peak_megabytes() -> float:
    """Return the largest memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e6 / 1024
    )


def sgd(task: Task) -> Measured:
    """Return the seconds of an epoch of SGD over the rows of a task."""
    from competitors import dense
    from sgd import epoch_seconds

    dataset, _ = load(task)
    return Measured(
        n=dataset.n_rows, d=dataset.n_columns, seconds=epoch_seconds(dense(dataset), dataset.labels)
    )


def plain_product(task: Task) -> Measured:
    """Return the seconds of matrix products alone that tell for each unit row the nearest of evenly
    spaced ones, as many as would be picked: how fast the machine is, whatever the selection.
    """
    import numpy as np

    rows = np.asarray(load(task)[0].rows)
    some = np.ascontiguousarray(rows[:: round(1 / task.fraction)].T)
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        for first in range(0, len(rows), PRODUCT_ROWS):
            (rows[first : first + PRODUCT_ROWS] @ some).argmax(axis=1)
        seconds.append(time.perf_counter() - begun)
    return Measured(n=rows.shape[0], d=rows.shape[1], k=some.shape[1], seconds=min(seconds))


def parse(task: Task) -> Measured:
    """Return the CPU seconds that ijcnn1, as text, takes to be read once code is compiled, all
    threads together; ``n`` is its bytes.
    """
    import bz2
    import tempfile

    import datasets

    from craig_cli.readers import read_dataset
    from craig_cli.settings import InputSettings

    text = b"".join(
        bz2.decompress((datasets.DATA / f"ijcnn1.{part}.bz2").read_bytes())
        for part in ("trn", "tst")
    )
    with tempfile.NamedTemporaryFile(suffix=".libsvm") as file:
        file.write(text)
        file.flush()
        seconds = []
        for _ in range(REPEATS):
            begun = time.process_time()
            read_dataset(InputSettings((file.name,)))
            seconds.append(time.process_time() - begun)
    return Measured(n=len(text), seconds=min(seconds))


def start(task: Task) -> Measured:
    """Return what the first `craig select` of a process takes more than its second: to import, and
    to load kernels that are cached.
    """
    import tempfile

    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            begun = time.perf_counter()
            from craig_cli.settings import Budget, InputSettings, SelectionSettings
            from craig_cli.workflows.select import select_to_file

            inputs = InputSettings(
                (str(Path(__file__).parents[1] / "sample_data" / "sample.libsvm"),)
            )
            select_to_file(
                inputs, SelectionSettings(Budget(fraction=0.1)), f"{folder}/cs.parquet", force=True
            )
            seconds.append(time.perf_counter() - begun)
    return Measured(seconds=seconds[0] - seconds[1])


OTHERS: dict[str, Callable[[Task], Measured]] = {
    "an epoch of SGD": sgd,
    "the plain product": plain_product,
    "LIBSVM text": parse,
    "start": start,
}


if __name__ == "__main__":
    task = Task(**json.loads(sys.argv[1]))
    print(json.dumps(asdict(OTHERS.get(task.what, selection)(task))))
