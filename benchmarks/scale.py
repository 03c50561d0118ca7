"""How a selection in parts scales: `make scale` runs every measurement, each in less than four
minutes, and writes SCALE.md.

Run ``python benchmarks/scale.py MEASUREMENT`` for one of them, which leaves
``benchmarks/kept/scale/MEASUREMENT.json``; `scale_report` prints the page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from craig_cli.dataset import Dataset, SparseRows
from craig_cli.selection import select
from craig_cli.selection.greedi import Partial, select_part
from craig_cli.selection.greedi_assign import assign_part, merged_coreset
from craig_cli.selection.greedi_merge import merge_offers, merge_partials
from craig_cli.selection.partition_tree import (
    SAMPLE_A_CELL,
    grow_partition_tree,
    route_part,
    sample_part,
    select_cell,
)
from craig_cli.settings import Budget, SelectionSettings

BUILT = Path(__file__).parents[1] / "build" / "scale"
KEPT = Path(__file__).parent / "kept" / "scale"
"""What was measured, until it is measured again."""
N_COLUMNS, FILE_ROWS, N_FILES, FRACTION = 64, 60_000, 8, 0.01
OVERSAMPLING = 3.0
WORKERS = (1, 2)
PARTS = (2, 4, 8, 16, 32, 64)
STEPS = ("offer", "merge", "assign", "route")


def clusters(n_rows: int, seed: int, n_columns: int = N_COLUMNS) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 rows in 500 clusters of unequal size and width, and their classes, two; all
    seeds draw from the same clusters.
    """
    shape, rng = np.random.default_rng(0), np.random.default_rng([seed, 1])
    share = shape.dirichlet(np.full(500, 0.5))
    centres, widths = shape.normal(size=(500, n_columns)), shape.uniform(0.2, 0.6, size=(500, 1))
    cluster = rng.choice(500, size=n_rows, p=share)
    rows = (centres[cluster] + widths[cluster] * rng.normal(size=(n_rows, n_columns))).astype(
        np.float32
    )
    return rows, (rows[:, :8].sum(axis=1) > 0).astype(np.int64)


def files(n_files: int) -> list[str]:
    """Return Parquet files of `FILE_ROWS` rows each; made if they are not there."""
    names = []
    BUILT.mkdir(parents=True, exist_ok=True)
    for f in range(n_files):
        path = BUILT / f"{f}.parquet"
        if not path.exists():
            rows, labels = clusters(FILE_ROWS, f)
            table = pa.table({"label": labels, **{f"x{c}": rows[:, c] for c in range(N_COLUMNS)}})
            pq.write_table(table, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)
        names.append(str(path))
    return names


def run_dask(n_files: int, n_workers: int, partition: str) -> dict[str, Any]:
    """Return the seconds of each stage of one selection on so many workers, each a process of one
    thread.
    """
    command = [
        sys.executable,
        "-m",
        "craig_cli",
        "select",
        *files(n_files),
        "--fraction",
        str(FRACTION),
        "--method",
        "cells",
    ]
    command += [
        "--weights",
        "cluster",
        "--representative",
        "medoid",
        "--engine",
        "dask",
        "--threads",
        str(n_workers),
        "--partition",
        partition,
    ]
    child = subprocess.Popen(
        [*command, "--json", "--force", "-o", str(BUILT / "cs.parquet")], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    facts = json.loads(child.stdout.read())
    _, _, usage = os.wait4(child.pid, 0)  # of the largest of the client and its workers
    return {
        "files": n_files,
        "workers": n_workers,
        "seconds": facts["seconds"],
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def measure_scaling(partition: str) -> list[dict[str, Any]]:
    """Return runs for strong scaling (the same rows on 1 and 2 workers) and weak scaling (rows with
    the workers).
    """
    run_dask(1, 2, partition)  # kernels are compiled and files read once
    return [run_dask(n, w, partition) for n, w in ((N_FILES, 1), (N_FILES, 2), (N_FILES // 2, 1))]


def chosen(fraction: float = FRACTION, threads: int = 1) -> SelectionSettings:
    """Return the selection that is measured."""
    return SelectionSettings(Budget(fraction=fraction), method="cells", threads=threads)


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return the CPU seconds that a call took, which other processes disturb little, and what it
    returned.
    """
    begun = time.process_time()
    result = function(*arguments)
    return time.process_time() - begun, result


def measure_costs() -> list[dict[str, Any]]:
    """Return what each step takes on one thread, for parts of several sizes and several numbers of
    picks.
    """
    settings, found = chosen(), []
    for n_rows, fraction in (
        (2_000, 0.01),
        *((n, f) for n in (20_000, 40_000, 80_000) for f in (0.01, 0.04)),
    ):
        settings = chosen(fraction)
        parts = [Dataset(*clusters(n_rows, s)) for s in range(2)]
        candidate_sets = [timed(select_part, part, settings, OVERSAMPLING) for part in parts]
        merge_seconds, plan = timed(
            merge_partials, [partial for _, partial in candidate_sets], settings
        )
        assign_seconds, _ = timed(assign_part, parts[0], 0, plan, (False, False))
        partition_tree = grow_partition_tree(
            [sample_part(part, settings, SAMPLE_A_CELL) for part in parts], settings, 16
        )
        route_seconds, _ = timed(route_part, parts[0], 0, partition_tree, settings)
        candidates = [
            candidates for _, partial in candidate_sets for candidates in partial.candidate_sets
        ]
        found.append(
            {
                "rows": n_rows,
                "picks": sum(len(c.rows) for c in plan.classes),
                "candidates": plan.n_candidates,
                "candidate_bytes": sum(
                    o.points.nbytes
                    + o.rows.nbytes
                    + o.gain.nbytes
                    + o.size.nbytes
                    + o.spread.nbytes
                    for o in candidates
                ),
                "seconds": {
                    "offer": candidate_sets[0][0],
                    "merge": merge_seconds,
                    "assign": assign_seconds,
                    "route": route_seconds,
                },
            }
        )
    return found[1:]  # the first has loaded the kernels


def in_parts(
    rows: np.ndarray, labels: np.ndarray, n_parts: int, settings: SelectionSettings, by_cells: bool
) -> float:
    """Return the epsilon of a selection in parts."""
    ends = np.arange(n_parts + 1) * len(rows) // n_parts
    parts = [Dataset(rows[first:last], labels[first:last]) for first, last in pairwise(ends)]
    if by_cells:
        partition_tree = grow_partition_tree(
            [sample_part(part, settings, SAMPLE_A_CELL) for part in parts], settings, n_parts
        )
        pieces = [
            route_part(part, number, partition_tree, settings) for number, part in enumerate(parts)
        ]
        candidate_sets = [
            candidates
            for cell in range(partition_tree.n_cells)
            for candidates in select_cell([own[cell] for own in pieces], settings, OVERSAMPLING)
        ]
        plan = merge_offers(partition_tree.shared, candidate_sets, settings)
    else:
        partials: list[Partial] = [select_part(part, settings, OVERSAMPLING) for part in parts]
        plan = merge_partials(partials, settings)
    is_float64 = (False,) * len(plan.classes)
    return merged_coreset(
        plan,
        [assign_part(part, number, plan, is_float64) for number, part in enumerate(parts)],
        is_float64,
    ).epsilon_total


def ijcnn1() -> tuple[np.ndarray, np.ndarray] | None:
    """Return ijcnn1's rows, densely and in random order, where it is at hand."""
    from datasets import at_hand, data_file

    if not at_hand(["ijcnn1"]):
        return None
    dataset = data_file("ijcnn1.trn.bz2")
    assert isinstance(dataset.rows, SparseRows) and dataset.labels is not None
    rows = dataset.rows.dense()
    order = np.random.default_rng(0).permutation(len(rows))
    return rows[order], dataset.labels[order]


def measure_quality(name: str, data: tuple[np.ndarray, np.ndarray] | None) -> list[dict[str, Any]]:
    """Return L over that of one piece, for several numbers of parts; nothing without data."""
    found: list[dict[str, Any]] = []
    if data is None:
        return found
    for fraction in (0.01, 0.1):
        settings = chosen(fraction, threads=0)
        whole = select(Dataset(*data), settings).epsilon_total
        for by_cells in (False, True):
            ratios = [in_parts(*data, n_parts, settings, by_cells) / whole for n_parts in PARTS]
            found.append(
                {
                    "data": name,
                    "fraction": fraction,
                    "partition": "cells" if by_cells else "rows",
                    "ratios": ratios,
                }
            )
    return found


MEASUREMENTS: dict[str, Callable[[], Any]] = {
    "rows": lambda: measure_scaling("rows"),
    "cells": lambda: measure_scaling("cells"),
    "costs": measure_costs,
    "made": lambda: measure_quality(f"made, 30,000 x {N_COLUMNS}", clusters(30_000, 0)),
    "ijcnn1": lambda: measure_quality("ijcnn1, 49,990 x 22", ijcnn1()),
}


def main() -> None:
    """Run a measurement."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in MEASUREMENTS:
        sys.exit(f"usage: scale.py {'|'.join(MEASUREMENTS)}")
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(MEASUREMENTS[name]()))


if __name__ == "__main__":
    main()
