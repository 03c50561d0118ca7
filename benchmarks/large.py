"""Ten million rows in two gigabytes: `craig select` on a made Parquet file, with `--memory-limit` or
in parts of a million rows, measured from outside; prints one row of a table.

Run ``python benchmarks/large.py [ROWS [FRACTION [disk|parts|cells]]]`` with craig installed. What
came out is kept in ``benchmarks/kept/scale`` for SCALE.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from llvmlite.binding import get_host_cpu_features

BUILT = Path(__file__).parents[1] / "build" / "data"
SCALE = Path(__file__).parent / "kept" / "scale"
N_COLUMNS, N_CLUSTERS, BLOCK_ROWS, PART_ROWS = 32, 2000, 100_000, 1_000_000


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
    fraction = sys.argv[2] if len(sys.argv) > 2 else "0.01"
    road = sys.argv[3] if len(sys.argv) > 3 else "disk"
    data, manifest = make_parquet(n_rows), BUILT / "large-cs.parquet"
    command = [sys.executable, "-m", "craig_cli", "select", str(data), "--fraction", fraction]
    command += ["--method", "cells", "--weights", "cluster", "--representative", "medoid"]
    if road == "disk":
        command += ["--memory-limit", "2G" if float(fraction) <= 0.01 else "4G"]
    else:
        command += ["--parts", str(-(-n_rows // PART_ROWS)), "--partition", road]
        command[-1] = "rows" if road == "parts" else road
    begun = time.perf_counter()
    child = subprocess.Popen(
        [*command, "--json", "--force", "-o", str(manifest)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    facts = json.loads(child.stdout.read() or "{}")
    _, status, usage = os.wait4(child.pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    wall = time.perf_counter() - begun
    if status != 0:
        sys.exit(f"craig select failed with status {os.waitstatus_to_exitcode(status)}")
    found = {
        "rows": n_rows,
        "road": road,
        "picks": facts["selected"],
        "wall": wall,
        "cpu": cpu,
        "peak_bytes": usage.ru_maxrss * 1024,
        "temporary_bytes": facts.get("temporary_bytes") or 0,
        "epsilon": facts["epsilon"],
        "seconds": facts["seconds"],
        "avx512": bool(get_host_cpu_features().get("avx512f", False)),
    }
    SCALE.mkdir(parents=True, exist_ok=True)
    kept(n_rows, fraction, road).write_text(json.dumps(found))
    print(table([found]))


def kept(n_rows: int, fraction: str, road: str) -> Path:
    """Return the file that keeps what a run took."""
    return SCALE / f"large-{n_rows}-{fraction}-{road}.json"


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of some runs in Markdown."""
    lines = [
        "| rows | columns | road | picks | wall s | CPU s | peak MB | temporary MB | L a row | "
        "AVX-512 | stages |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        stages = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in run["seconds"].items())
        lines.append(
            f"| {run['rows']:,} | {N_COLUMNS} | {run['road']} | {run['picks']:,} "
            f"| {run['wall']:.0f} | {run['cpu']:.0f} | {run['peak_bytes'] / 1e6:,.0f} "
            f"| {run['temporary_bytes'] / 1e6:,.0f} | {run['epsilon'] / run['rows']:.6g} "
            f"| {'yes' if run['avx512'] else 'no'} | {stages} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
