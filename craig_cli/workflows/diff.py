"""``craig diff``: two manifests compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from craig_cli.files.manifest import Manifest, read_manifest
from craig_cli.reports.diff import Difference, DiffReport

DERIVED = ("request_fingerprint", "k", "epsilon", "classes", "calibration", "gradient_error_bound")
"""Facts that follow from others, or have a line of their own."""
COLUMNS = ("index", "weight", "cluster_size", "gain", "epsilon", "label", "medoid", "base_weight")


def diff_manifests(first: str, second: str) -> DiffReport:
    """Return how the manifests in two files differ; the data is not read."""
    one, other = read_manifest(first), read_manifest(second)
    a, b = one.coreset, other.coreset
    rows = np.union1d(a.index, b.index)
    weights = []
    for c in (a, b):
        of_row = np.zeros(len(rows))
        of_row[np.searchsorted(rows, c.index)] = c.weight
        weights.append(of_row)
    is_shared = np.isin(rows, a.index) & np.isin(rows, b.index)
    change = np.abs(weights[0] - weights[1])
    length = min(len(a.index), len(b.index))
    unlike = np.flatnonzero(a.index[:length] != b.index[:length])
    differences = fact_differences(one, other)
    return DiffReport(
        first=first,
        second=second,
        picks=(len(a.index), len(b.index)),
        shared=int(is_shared.sum()),
        first_in_both=int(unlike[0]) if len(unlike) else length,
        weight_sums=(float(a.weight.sum()), float(b.weight.sum())),
        weight_moved=float(change.sum() / 2 / max(a.weight.sum(), b.weight.sum())),
        largest_weight_change=float(change[is_shared].max(initial=0.0)),
        epsilon=(a.epsilon_total, b.epsilon_total),
        differences=differences,
        same=not differences
        and all(equal_columns(getattr(a, name), getattr(b, name)) for name in COLUMNS),
    )


def equal_columns(one: Any, other: Any) -> bool:
    """Return whether two columns are the same, or both missing."""
    return (one is None and other is None) or (
        one is not None and other is not None and bool(np.array_equal(one, other))
    )


def fact_differences(one: Manifest, other: Manifest) -> list[Difference]:
    """Return what the footers state differently, nested things by their path."""
    a, b = (
        flat(
            {k: v for k, v in m.facts().items() if k not in DERIVED}
            | {"allocation": m.coreset.allocation}
        )
        for m in (one, other)
    )
    found = [
        Difference(name, a.get(name), b.get(name))
        for name in dict.fromkeys([*a, *b])
        if a.get(name) != b.get(name)
    ]
    stated = {d.name for d in found}
    # The request repeats what is stated beside it: method, metric, scale, task, seed,
    # representative.
    found = [
        d
        for d in found
        if not (d.name.startswith("request.") and d.name.removeprefix("request.") in stated)
    ]
    classes_a, classes_b = (
        {str(c["label"]): c for c in m.facts()["classes"]} for m in (one, other)
    )
    for label in dict.fromkeys([*classes_a, *classes_b]):
        for key in ("n", "k", "epsilon"):
            x, y = classes_a.get(label, {}).get(key), classes_b.get(label, {}).get(key)
            if x != y:
                found.append(Difference(f"class {label} {key}", x, y))
    return found


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, names joined by full stops."""
    leaves: dict[str, Any] = {}
    for name, value in facts.items():
        leaves |= (
            flat(value, f"{prefix}{name}.")
            if isinstance(value, Mapping)
            else {prefix + name: value}
        )
    return leaves
