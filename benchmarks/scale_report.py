"""The page of `make scale`: what was measured, the cost model fitted to it, predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from large import table as large_table
from scale import FILE_ROWS, FRACTION, KEPT, MEASUREMENTS, N_COLUMNS, N_FILES, OVERSAMPLING, PARTS

from craig_cli.kernels.reverse_greedy import BLOCK, SHELVES
from craig_cli.kernels.tiles import TILE

ROWS, WORKERS, PART_ROWS = 1_000_000_000, 100, 1_000_000
"""What is predicted for: rows, workers of one core, rows a part."""
SIZES = (100_000, 1_000_000, 10_000_000)
ROW_BYTES = 4 * N_COLUMNS + 16
"""Of a row that is sent to its cell."""
PREDICTED = (
    "picks",
    "offer",
    "route (`cells`)",
    "merge (one worker)",
    "assign",
    "in all (rows)",
    "exchanged, GB",
    "with `cells`, GB",
    "GB a worker",
    "with `cells`, GB a worker",
    "GB, the merge",
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(
        "| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)
    )


def scaling_rows(name: str, runs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a line for each run of one partition: seconds, and what two workers gain."""
    whole = [run["seconds"]["select"] + run["seconds"]["assign"] for run in runs]
    one, two, half = whole
    notes = (
        "",
        f"strong: {one / two:.2f} times as fast",
        f"weak: twice the rows on two workers take {two / half:.2f} times as long",
    )
    return [
        [
            name,
            f"{run['files'] * FILE_ROWS:,}",
            str(run["workers"]),
            f"{run['seconds']['select']:.1f}",
            f"{run['seconds']['assign']:.1f}",
            note,
        ]
        for run, note in zip(runs, notes, strict=True)
    ]


def workers(found: Mapping[str, Any]) -> str:
    """Return the section on one and two workers."""
    if "rows" not in found or "cells" not in found:
        return (
            "## Workers\n\nStrong and weak scaling on one and two workers were not measured "
            "when this page was made; `make scale` does so."
        )
    lines = [*scaling_rows("rows", found["rows"]), *scaling_rows("cells", found["cells"])]
    with_cells = base_bytes(found) + part_bytes(FILE_ROWS) + N_FILES * FILE_ROWS * ROW_BYTES
    return f"""## Workers

`--engine dask`, workers of one process and one thread, {N_COLUMNS} float32 columns, two classes, {FRACTION:.0%} of the rows, a Parquet
file of {FILE_ROWS:,} rows a part. Seconds of the two stages; starting the cluster is not counted, loading packages and kernels on the workers is.

{table(["partition", "rows", "workers", "select, s", "assign, s", ""], lines)}

Both workers share one machine's memory bandwidth and caches, and the client and the scheduler run on the same two cores. The largest process of
any run held {in_mb(peak_of(found["rows"]))} (`rows`), of which {in_mb(base_bytes(found))} remain when
the {in_mb(part_bytes(FILE_ROWS))} of a part by the model below are taken off: Dask, pyarrow and compiled kernels. With `cells` it held
{in_mb(peak_of(found["cells"]))}; the model gives {in_mb(with_cells)} where one worker has all rows in its cells."""


def in_mb(n_bytes: float) -> str:
    """Return a number of bytes in words."""
    return f"{n_bytes / 1e6:,.0f} MB"


def peak_of(runs: Sequence[Mapping[str, Any]]) -> int:
    """Return the bytes of the largest process of some runs."""
    return int(max(run["peak_bytes"] for run in runs))


def part_bytes(n_rows: int) -> int:
    """Return the bytes that a part takes: rows as read, tiles and distances of its larger class."""
    return n_rows * N_COLUMNS * (4 + 12 + 4)


def base_bytes(found: Mapping[str, Any]) -> int:
    """Return the bytes that a worker holds besides its part."""
    return peak_of(found["rows"]) - part_bytes(FILE_ROWS) if "rows" in found else 400_000_000


def pairs_looked_at(candidates: Any) -> Any:
    """Return the pairs of candidates that a merge looks at, block by block: all of those of the
    nearest shelves, and one of each shelf.
    """
    near = SHELVES * TILE * BLOCK
    return candidates * (np.minimum(candidates, near) + candidates / TILE)


def fitted(costs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return seconds a row of offers and routing, a candidate and a pair of the merge, a row of the
    assignment and a row and pick of it.
    """
    rows, picks, candidates = (
        np.array([run[name] for run in costs], float) for name in ("rows", "picks", "candidates")
    )
    seconds = {
        name: np.array([run["seconds"][name] for run in costs])
        for name in ("offer", "merge", "assign", "route")
    }
    base, pair = np.linalg.lstsq(np.column_stack([rows, rows * picks]), seconds["assign"])[0]
    merge, blocks = np.linalg.lstsq(
        np.column_stack([candidates, pairs_looked_at(candidates)]), seconds["merge"]
    )[0]
    return {
        "offer": float(seconds["offer"] @ rows / (rows @ rows)),
        "route": float(seconds["route"] @ rows / (rows @ rows)),
        "merge": max(float(merge), 0.0),
        "blocks": max(float(blocks), 0.0),
        "assign": max(float(base), 0.0),
        "pair": max(float(pair), 0.0),
        "candidate_bytes": float(
            np.mean([run["candidate_bytes"] / run["candidates"] for run in costs])
        ),
    }


def predicted(cost: Mapping[str, float], base: int, size: int) -> list[str]:
    """Return a line of the prediction for `size` picks, on workers that take `base` bytes of their
    own.
    """
    own = ROWS / WORKERS
    candidates = OVERSAMPLING * size + 16 * ROWS / PART_ROWS
    offer, route, assign = (
        cost["offer"] * own,
        cost["route"] * own,
        (cost["assign"] + cost["pair"] * size) * own,
    )
    merge = cost["merge"] * candidates + cost["blocks"] * float(pairs_looked_at(candidates))
    pick_bytes = size * (8 * N_COLUMNS + 40)
    exchanged = cost["candidate_bytes"] * candidates + pick_bytes * WORKERS
    shuffled = exchanged + ROWS * ROW_BYTES
    a_worker = base + part_bytes(PART_ROWS) + 2 * pick_bytes
    merging = base + candidates * (28 * N_COLUMNS + 200) + candidates * cost["candidate_bytes"]
    return [
        f"{size:,}",
        hours(offer), hours(route), hours(merge), hours(assign), hours(offer + merge + assign),
        f"{exchanged / 1e9:,.0f}", f"{shuffled / 1e9:,.0f}", f"{a_worker / 1e9:.1f}", f"{(a_worker + own * ROW_BYTES) / 1e9:.1f}",
        f"{merging / 1e9:.1f}",
    ]  # fmt: skip


def hours(seconds: float) -> str:
    """Return a time in words."""
    return (
        f"{seconds:,.0f} s"
        if seconds < 600
        else f"{seconds / 60:,.0f} min"
        if seconds < 36_000
        else f"{seconds / 3600:,.0f} h"
    )


def quality(found: Mapping[str, Any]) -> str:
    """Return the section on L."""
    runs = found.get("made", []) + found.get("ijcnn1", [])
    lines = [
        [
            run["data"],
            f"{run['fraction']:.0%}",
            run["partition"],
            *(f"{ratio:.3f}" for ratio in run["ratios"]),
        ]
        for run in runs
    ]
    return f"""## Quality

L, the sum of the distances of all rows to their picks, over that of `--method cells` on all rows in one piece. Rows in random order; parts
are of equal length (`rows`), or about as many compact cells as parts (`cells`, at least one a class). `--oversampling {OVERSAMPLING:g}`.

{table(["data", "picks", "partition", *(f"{parts} parts" for parts in PARTS)], lines)}

One or two parts lose 1 to 2 % already: of the candidates, not the rows, is known what each is worth to the others, and picks do not move to the
medoids of their clusters at the end, as those of one piece do. Random parts do not see how the rows of the others lie: each offers a coarse net
over all rows, and the nets of many parts lie across each other as if drawn at random; a higher `--oversampling` helps. Compact cells hardly overlap, and
lose about as little at 64 parts as at 2."""


def large(found: Mapping[str, Any]) -> str:
    """Return the section on many rows and picks, on disk and in parts."""
    in_parts = (
        "in ten parts of a million rows, one after the other"
        if any(run["road"] == "parts" for run in found["large"])
        else "parts were not measured when this page was made"
    )
    return f"""## Ten million rows, a million picks

`python benchmarks/large.py 10000000 0.1 disk` (and `parts`): 32 float32 columns in 2,000 clusters, two classes, a Parquet file, `--method cells`,
weights the sizes of clusters. On disk with `--memory-limit 4G`; {in_parts}. Processors without AVX-512 take longer for each distance.

{large_table(found["large"])}

The assignment takes most of it: every row meets every pick until some columns tell that it is too far. Bounds by balls and boxes help where rows
lie in few directions, not here: in 32 dimensions most tiles of rows are within reach of most picks."""


def model(found: Mapping[str, Any]) -> str:
    """Return the section on the cost model."""
    costs, base = found["costs"], base_bytes(found)
    cost = fitted(costs)
    fits = [
        (cost["assign"] + cost["pair"] * run["picks"]) * run["rows"] / run["seconds"]["assign"]
        for run in costs
    ]
    fit = f"fitted over measured {min(fits):.2f} to {max(fits):.2f}"
    assign = (
        f"{cost['assign'] * 1e6:.2f} us a row, and {cost['pair'] * 1e9:.3f} ns a row and "
        f"pick "
        f"({fit})"
    )
    lines = [
        ["offer", "each part", f"{cost['offer'] * 1e6:.1f} us a row"],
        ["route (`cells`)", "each part", f"{cost['route'] * 1e6:.2f} us a row"],
        [
            "merge",
            "one worker",
            f"{cost['merge'] * 1e6:.0f} us a candidate, and "
            f"{cost['blocks'] * 1e9:.1f} ns a pair that is looked at",
        ],
        ["assign", "each part", assign],
        [
            "exchange",
            "parts to the merge, picks to all",
            f"{cost['candidate_bytes']:.0f} bytes a "
            f"candidate, {8 * N_COLUMNS + 40} a "
            f"pick and worker",
        ],
        ["exchange (`cells`)", "parts to cells", f"{ROW_BYTES} bytes a row"],
        [
            "memory",
            "each worker",
            f"{in_mb(base)}, {part_bytes(1)} bytes a row of a part (two equal classes), "
            f"{2 * (8 * N_COLUMNS + 40)} bytes a pick, "
            f"and with `cells` {ROW_BYTES} bytes a row of its cells",
        ],
        [
            "memory",
            "the merge",
            f"{28 * N_COLUMNS + 200 + cost['candidate_bytes']:.0f} bytes a candidate",
        ],
    ]
    return f"""## The cost model

Fitted to the CPU seconds of the steps, one by one on one thread, {len(costs)} runs of 20,000 to 80,000 rows a part and 1 % to 4 % of the rows;
bytes are those of the arrays that are sent, memory is reckoned from the arrays that are held.

{table(["step", "where", "cost"], lines)}

The assignment compares every pick with the bounding boxes of all tiles of 128 rows: a product, with a small constant. The merge compares the tiles of
candidates with blocks of {BLOCK} candidates: all blocks up to {SHELVES * TILE * BLOCK:,} candidates, and beyond that those of the {SHELVES} nearest shelves of {TILE} blocks.

## A prediction, not a measurement

{ROWS:,} rows of {N_COLUMNS} float32 columns on {WORKERS} workers of one core, in parts of {PART_ROWS:,} rows, by the model above; time to read the
data ({ROWS * N_COLUMNS * 4 / 1e9:,.0f} GB, twice, or three times with `cells`) and to wait for the network is not in it.

{table(PREDICTED, [predicted(cost, base, size) for size in SIZES])}

The assignment (every pick against every tile of rows) decides beyond 100,000 picks, and the merge, all candidates in one place, comes after it."""


def page(found: Mapping[str, Any]) -> str:
    """Return SCALE.md."""
    sections = [quality(found), workers(found)]
    sections += [large(found)] if found["large"] else []
    sections += [model(found)] if "costs" in found else []
    return "\n\n".join(
        [
            "# How a selection in parts scales",
            "Made by `make scale`, on two cores. [Parts](docs/explanation/parts.md) says what is "
            "computed.",
            *sections,
        ]
    )


def main() -> None:
    """Print the page, of the measurements that there are."""
    made = {name: KEPT / f"{name}.json" for name in MEASUREMENTS}
    found = {name: json.loads(path.read_text()) for name, path in made.items() if path.exists()}
    found["large"] = [json.loads(path.read_text()) for path in sorted(KEPT.glob("large-1*-0.1-*"))]
    print(page(found))


if __name__ == "__main__":
    main()
