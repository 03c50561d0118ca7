"""Hashes of manifests made through the command: what a change of structure must leave as it is.

    python benchmarks/manifest_hashes.py            compare with manifest_hashes.json
    python benchmarks/manifest_hashes.py --write    write that file anew

Each case is a selection from rows made here. Hashed are all columns of the manifest and its footer,
but for the version. Calibrated weights and those of importance hang on the rounding of a solver, so
of them a sum is kept, compared to seven digits, in place of the bytes, and nothing of what a
calibration says of itself. Hashes are of one kind of processor.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import os
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq

from craig_cli.cli import main
from craig_cli.selection.methods import METHODS

KEPT = Path(__file__).with_suffix(".json")
METRICS = ("euclidean", "cosine")
SCALES = ("none", "standard", "minmax", "unit")
PURPOSES = ("any", "linear", "local")
ROWS = ("dense", "sparse")
DIGITS = 1e-7
"""Newton's method ends where a step promises 1e-9 of the loss, sooner or later by rounding."""
ROUNDED = ("weight", "base_weight")
"""Columns that hang on a pilot."""


def write_data(folder: Path) -> None:
    """Write the rows of all cases: dense ones with duplicates, and mostly zeros; three classes,
    whole weights, costs.
    """
    rng = np.random.default_rng(7)
    n = 900
    dense = (
        rng.normal(size=(n, 6)) * np.geomspace(1, 30, 6)
        + 5.0 * rng.normal(size=(9, 6))[rng.integers(9, size=n)]
    )
    dense[::10] = dense[1::10]
    text = np.where(rng.random((n, 300)) < 0.02, rng.random((n, 300)), 0.0)
    for name, rows in (("dense", dense), ("sparse", text)):
        label = np.digitize(
            rows @ rng.normal(size=rows.shape[1]) + 0.1 * rng.normal(size=n), (-0.5, 1.0)
        )
        with h5py.File(folder / f"{name}.h5", "w") as file:
            if name == "dense":
                file["X"] = rows
            else:
                owner, column = np.nonzero(rows)
                group = file.create_group("X")
                group["indptr"] = np.searchsorted(owner, np.arange(n + 1))
                group["indices"], group["data"] = column, rows[owner, column]
                group.attrs["shape"] = rows.shape
            file["label"], file["importance"] = label, rng.integers(1, 5, n).astype(float)
            file["price"] = rng.integers(1, 9, n).astype(float)


def cases() -> dict[str, list[str]]:
    """Return the options of each case by its name."""
    found = {}
    for kind, method, purpose, weighted in itertools.product(
        ROWS, METHODS, PURPOSES, (False, True)
    ):
        for metric, scale in [
            *((metric, "none") for metric in METRICS),
            *(("euclidean", scale) for scale in SCALES[1:]),
        ]:
            options = [
                f"{kind}.h5",
                "--size",
                "60",
                "--method",
                method,
                "--metric",
                metric,
                "--scale",
                scale,
                "--for",
                purpose,
            ]
            name = f"{kind} {method} {metric} {scale} {purpose}" + (" weighted" if weighted else "")
            found[name] = options + (["--weight-column", "importance"] if weighted else [])
    more = {
        "cover": ["--mean-epsilon", "20"],
        "refine": ["--size", "40", "--refine", "--for", "local"],
        "one group": ["--size", "40", "--no-label"],
        "regression": ["--size", "40", "--task", "regression", "--label", "price"],
        "sample": ["--size", "40", "--sample-rows", "300"],
        "paper": ["--fraction", "0.05", "--paper"],
        "all rows": ["--fraction", "1"],
        "costs": ["--budget-cost", "200", "--cost-column", "price"],
    }
    return found | {f"dense {name}": ["dense.h5", *options] for name, options in more.items()}


def select(name: str, options: list[str]) -> dict[str, str | float]:
    """Return the hash of the manifest that options make, and the sum that stands for weights."""
    code = main(["select", *options, "--quiet", "--force", "-o", "cs.parquet"])
    if code:
        raise SystemExit(f"{name}: exit code {code}")
    table = pq.read_table("cs.parquet")
    footer = json.loads(table.schema.metadata[b"craig"])
    footer.pop("craig_version", None)
    footer.pop("calibration", None)
    has_pilot = footer["weights"] == "calibrated" or " importance " in name
    digest = hashlib.sha256(json.dumps(footer, sort_keys=True).encode())
    for column in table.column_names:
        if not (has_pilot and column in ROUNDED):
            digest.update(column.encode() + repr(table[column].to_pylist()).encode())
    found: dict[str, str | float] = {"hash": digest.hexdigest()[:16]}
    if has_pilot:
        found["weights"] = float(table["weight"].to_numpy() @ np.sqrt(1.0 + np.arange(len(table))))
    return found


def differs(one: dict[str, str | float], other: dict[str, str | float]) -> bool:
    """Return whether two results are not the same."""
    close = math.isclose(
        float(one.get("weights", 0)), float(other.get("weights", 0)), rel_tol=DIGITS
    )
    return one["hash"] != other["hash"] or not close


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_data(Path(folder))
        results = {name: select(name, options) for name, options in cases().items()}
    kept = json.loads(KEPT.read_text())
    if arguments.write:
        # What has not changed keeps its last digits, so that the file tells what has.
        results |= {
            name: kept[name]
            for name in kept.keys() & results.keys()
            if not differs(kept[name], results[name])
        }
        lines = [f"{json.dumps(name)}: {json.dumps(results[name])}" for name in sorted(results)]
        KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        sys.exit(0)
    changed = [name for name in kept if name not in results or differs(kept[name], results[name])]
    print("\n".join(changed))
    print(f"{len(kept)} manifests, {len(changed)} changed", file=sys.stderr)
    sys.exit(5 if changed else 0)
