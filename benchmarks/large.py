"""Ten million rows in two gigabytes: `craig select --memory-limit` on a made Parquet file, measured
from outside; prints one row of a table.

Run ``python benchmarks/large.py [ROWS]`` with craig installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BUILT = Path(__file__).parents[1] / "build" / "data"
N_COLUMNS, N_CLUSTERS, BLOCK_ROWS = 32, 2000, 100_000


def make_parquet(n_rows: int) -> Path:
    """Return a Parquet file of float32 rows in clusters of unequal size and width, two classes;
    made block by block if it is not there.
    """
    path = BUILT / f"large-{n_rows}.parquet"
    if path.exists():
        return path
    BUILT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    share = rng.dirichlet(np.full(N_CLUSTERS, 0.5))
    centres = rng.normal(size=(N_CLUSTERS, N_COLUMNS)).astype(np.float32)
    widths = rng.uniform(0.2, 0.6, size=(N_CLUSTERS, 1)).astype(np.float32)
    normal = rng.normal(size=N_COLUMNS)
    schema = pa.schema(
        [pa.field("label", pa.int8()), *(pa.field(f"x{c}", pa.float32()) for c in range(N_COLUMNS))]
    )
    unfinished = path.with_suffix(".part")
    with pq.ParquetWriter(unfinished, schema) as writer:
        for start in range(0, n_rows, BLOCK_ROWS):
            cluster = rng.choice(N_CLUSTERS, size=min(BLOCK_ROWS, n_rows - start), p=share)
            rows = centres[cluster] + widths[cluster] * rng.normal(
                size=(len(cluster), N_COLUMNS)
            ).astype(np.float32)
            labels = (rows @ normal + rng.normal(size=len(rows)) > 0).astype(np.int8)
            writer.write_table(
                pa.table(
                    [pa.array(labels), *(pa.array(column) for column in rows.T)], schema=schema
                )
            )
    return unfinished.rename(path)


def main() -> None:
    """Make the data, run the command, and print what it took."""
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    data, manifest = make_parquet(n_rows), BUILT / "large-cs.parquet"
    command = [
        sys.executable,
        "-m",
        "craig_cli",
        "select",
        str(data),
        "--fraction",
        "0.01",
        "--method",
        "cells",
        "--memory-limit",
        "2G",
    ]
    begun = time.perf_counter()
    child = subprocess.Popen(
        [*command, "--json", "--force", "-o", str(manifest)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    facts = json.loads(child.stdout.read() or "{}")
    _, status, usage = os.wait4(child.pid, 0)
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6
    wall = time.perf_counter() - begun
    if status != 0:
        sys.exit(f"craig select failed with status {os.waitstatus_to_exitcode(status)}")
    print(
        "| rows | columns | picks | wall s | CPU s | peak MB | temporary MB | L | L a row | "
        "stages |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    stages = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in facts["seconds"].items())
    print(
        f"| {n_rows:,} | {N_COLUMNS} | {facts['selected']:,} | {wall:.0f} | {cpu:.0f} "
        f"| {peak:,.0f} | {facts['temporary_bytes'] / 1e6:,.0f} | {facts['epsilon']:.6g} | "
        f"{facts['epsilon_mean']:.6g} | {stages} |"
    )


if __name__ == "__main__":
    main()
