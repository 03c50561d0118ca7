"""``craig verify``: whether a manifest belongs to the data, keeps its promises, and states the
epsilon that the data gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels, Progress, no_progress
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.files.manifest import Manifest, read_manifest
from craig_cli.files.request import restore_settings
from craig_cli.readers import read_dataset
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.proxy import read_proxy
from craig_cli.reports.base import counted
from craig_cli.reports.verify import Check, VerifyReport
from craig_cli.selection import Coreset, measure
from craig_cli.selection.assembly import with_ids
from craig_cli.selection.checks import broken_promises
from craig_cli.selection.methods import METHODS
from craig_cli.selection.numbering import by_position
from craig_cli.selection.proxy import proxied
from craig_cli.settings import InputSettings, SelectionSettings
from craig_cli.workflows.picked import fingerprint_for
from craig_cli.workflows.stopwatch import Stopwatch

TOLERANCE = 1e-9
"""Of epsilon, relative: sums of the same distances in the same order differ by less on any machine.
"""


def verify_manifest(
    paths: tuple[str, ...],
    manifest_path: str,
    *,
    overrides: Mapping[str, Any],
    threads: int = 0,
    progress: Progress = no_progress,
) -> VerifyReport:
    """Return the outcome of each check of a manifest against its data.

    Parameters
    ----------
    paths : tuple of str
        The data, read with the options that the manifest records.
    manifest_path : str
    overrides : mapping
        Reading options to use instead, by their name in `InputSettings`.
    threads : int
        0: the CPUs this process may use.
    progress : Progress
    """
    watch = Stopwatch()
    manifest = read_manifest(manifest_path)
    inputs, selection = restore_settings(manifest_path, manifest.request, paths, overrides, threads)
    with watch.stage("read"):
        dataset = read_dataset(inputs, progress)
        found = fingerprint_for(manifest, dataset)
        proxy = read_known_proxy(manifest_path, manifest.request, inputs, dataset, progress)
    with watch.stage("check"):
        coreset, checks = check_data(manifest, dataset, found)
        checks += [*check_proxy(manifest.request, proxy), check_promises(manifest)]
        if all(check.passed for check in checks[1:]):
            measured, selection = (
                (dataset, selection) if proxy is None else proxied(dataset, proxy.rows, selection)
            )
            checks += check_measures(coreset, measured, selection)
        else:
            checks.append(Check("clusters and epsilon", None, "the checks above must hold first"))
    reasons = dataset.skipped.reasons
    return VerifyReport(manifest_path, tuple(checks), watch.seconds, dataset.n_rows, reasons)


def read_known_proxy(
    source: str,
    request: Mapping[str, Any],
    inputs: InputSettings,
    dataset: Dataset,
    progress: Progress,
) -> Dataset | None:
    """Return the rows that a manifest was selected by, where these are a proxy's."""
    if "proxy" in request and inputs.proxy is None:
        raise UsageError(f"--proxy: '{printable(source)}' was selected by a proxy: name its file.")
    if "proxy" not in request and inputs.proxy is not None:
        raise UsageError(
            f"--proxy: '{printable(source)}' was selected by the columns of the data. Leave it out."
        )
    return None if inputs.proxy is None else read_proxy(inputs.proxy, dataset, progress)


def check_proxy(request: Mapping[str, Any], proxy: Dataset | None) -> list[Check]:
    """Return the check of the manifest's statement about a proxy."""
    stated = request.get("proxy")
    if proxy is None or not isinstance(stated, Mapping):
        return []
    return [compare("proxy fingerprint", str(stated.get("fingerprint")), fingerprint(proxy))]


def check_data(manifest: Manifest, dataset: Dataset, found: str) -> tuple[Coreset, list[Check]]:
    """Return the coreset by positions among the rows of the data, and the checks of the manifest's
    statements about these.
    """
    coreset = manifest.coreset
    checks = [
        compare("data fingerprint", manifest.data_fingerprint, found),
        compare("shape", shape_in_words(coreset), shape_in_words(dataset)),
    ]
    if not checks[1].passed:
        return coreset, [*checks, Check("labels", None, "the shape must hold first")]
    try:
        coreset = by_position(coreset, dataset, "manifest")
    except InputError as error:
        return coreset, [*checks, Check("row numbers", False, error.problem)]
    return coreset, [
        *checks,
        check_labels(coreset, dataset.labels),
        *check_row_weights(coreset, dataset),
        *check_cost(coreset, dataset),
        *check_ids(coreset, dataset),
    ]


def check_row_weights(coreset: Coreset, dataset: Dataset) -> list[Check]:
    """Return the check of the sum of the weights that the rows have; none where neither side has
    any.
    """
    if not coreset.is_weighted and dataset.weights is None:
        return []
    if dataset.weights is None or not coreset.is_weighted:
        return [
            Check(
                "row weights",
                False,
                f"only the {'manifest' if dataset.weights is None else 'data'} has weights of rows",
            )
        ]
    stated, seen = coreset.total_weight, float(dataset.weights.sum())
    return [
        Check(
            "row weights",
            is_close(np.array(stated), np.array(seen)),
            f"{stated:.10g} in all stated, {seen:.10g} from the data",
        )
    ]


def check_cost(coreset: Coreset, dataset: Dataset) -> list[Check]:
    """Return the check of what the picks cost; none where there is no budget of costs."""
    if coreset.cost_budget is None or coreset.cost_spent is None:
        return []
    if dataset.costs is None:
        return [Check("cost", False, "only the manifest has costs")]
    seen = float(dataset.costs[coreset.index].sum())
    said = (
        f"{coreset.cost_spent:.10g} of {coreset.cost_budget:.10g} stated, {seen:.10g} from the data"
    )
    return [Check("cost", is_close(np.array(coreset.cost_spent), np.array(seen)), said)]


def check_ids(coreset: Coreset, dataset: Dataset) -> list[Check]:
    """Return the check of the picks' ids; none where there are no ids."""
    if coreset.ids is None and dataset.ids is None:
        return []
    if coreset.ids is None or dataset.ids is None:
        where = "the data" if coreset.ids is None else "the manifest"
        return [Check("ids", False, f"only {where} has ids")]
    seen = with_ids(coreset, dataset).ids
    wrong = int(np.count_nonzero(seen != coreset.ids))
    said = f"{wrong:,} picks have another id in the data" if wrong else "those of the data"
    return [Check("ids", not wrong, said)]


def shape_in_words(rows: Coreset | Dataset) -> str:
    """Return the numbers of rows and columns."""
    return f"{counted(rows.n_rows, 'row')}, {counted(rows.n_columns, 'column')}"


def compare(name: str, stated: str, seen: str) -> Check:
    """Return the check of one statement about the data."""
    return Check(
        name,
        stated == seen,
        seen if stated == seen else f"the manifest says {stated}, the data has {seen}",
    )


def check_labels(coreset: Coreset, labels: Labels | None) -> Check:
    """Return the check of the picks' labels and of the rows of each class."""
    if labels is None or coreset.label is None:
        both_lack = labels is None and coreset.label is None
        return Check(
            "labels",
            both_lack,
            "none"
            if both_lack
            else "only the manifest has labels"
            if labels is None
            else "only the data has labels",
        )
    wrong = int(np.count_nonzero(labels[coreset.index] != coreset.label))
    if wrong:
        return Check(
            "labels",
            False,
            f"{wrong:,} of {len(coreset.label):,} picks have another label in the data",
        )
    if coreset.task != "regression":
        values, counts = np.unique(labels, return_counts=True)
        if dict(zip(values.tolist(), counts.tolist(), strict=True)) != {
            c.label: c.n_rows for c in coreset.classes
        }:
            return Check(
                "labels", False, "the classes, or their numbers of rows, differ from the data's"
            )
    return Check(
        "labels",
        True,
        f"those of the data, {len(coreset.classes):,} "
        f"{'class' if len(coreset.classes) == 1 else 'classes'}"
        if coreset.task != "regression"
        else "those of the data",
    )


def check_promises(manifest: Manifest) -> Check:
    """Return the check of what every coreset promises, whatever the data."""
    broken = broken_promises(manifest.coreset)
    sums = "weights of the rows" if manifest.coreset.is_weighted else "rows"
    return Check(
        "contracts",
        not broken,
        "; ".join(broken)
        or f"no row twice, weights sum to the {sums} of each class, epsilon never rises",
    )


def check_measures(coreset: Coreset, dataset: Dataset, selection: SelectionSettings) -> list[Check]:
    """Return the checks of clusters and epsilon against those computed from the data."""
    picks = coreset.picks
    try:
        measured = measure(
            dataset,
            selection,
            picks,
            None if coreset.medoid is None else coreset.index,
            coreset.parts,
        )
    except InputError as error:
        return [Check("clusters", False, error.problem)]
    if coreset.weights == "shard":
        holds = measured.epsilon_total <= coreset.epsilon_total * (1 + TOLERANCE)
        return [
            Check(
                "epsilon",
                holds,
                f"{coreset.epsilon_total:.10g} stated as a bound, "
                f"{measured.epsilon_total:.10g} from the data",
            )
        ]
    mine, theirs = np.argsort(coreset.index), np.argsort(measured.index)
    differ = int(np.count_nonzero(coreset.cluster_size[mine] != measured.cluster_size[theirs]))
    clusters = (
        f"{differ:,} of {len(mine):,} picks have another number of rows"
        if differ
        else "each pick has the rows nearest to it"
    )
    total = f"{coreset.epsilon_total:.10g} stated, {measured.epsilon_total:.10g} from the data"
    final = np.array(
        [(s.epsilon, m.epsilon) for s, m in zip(coreset.classes, measured.classes, strict=True)]
    )
    return [
        Check("clusters", differ == 0, clusters),
        Check("epsilon", is_close(final[:, 0], final[:, 1]), total),
        Check(
            "epsilon column",
            is_close(coreset.epsilon[mine], measured.epsilon[theirs]),
            "of each pick, on the way",
        ),
        Check("gain column", is_close(coreset.gain[mine], measured.gain[theirs]), "of each pick"),
        *check_base_weights(coreset, measured.weight[theirs][np.argsort(mine)]),
    ]


def check_base_weights(coreset: Coreset, of_clusters: NDArray[np.float64]) -> list[Check]:
    """Return the check of weights, or of what calibrated ones were made of, against the sizes of
    the clusters or the weights of their rows (k,).
    """
    if not METHODS[coreset.method].is_greedy or not (
        coreset.is_weighted or coreset.base_weight is not None
    ):
        return []
    what = "weights of the rows" if coreset.is_weighted else "sizes"
    if coreset.base_weight is None:
        return [
            Check("weights", is_close(coreset.weight, of_clusters), f"the {what} of the clusters")
        ]
    return [
        Check(
            "base weights",
            is_close(coreset.base_weight, of_clusters),
            f"the {what} of the clusters, before calibration",
        )
    ]


def is_close(stated: NDArray[np.float64], measured: NDArray[np.float64]) -> bool:
    """Return whether numbers agree up to the rounding of sums of their size."""
    return bool(
        np.allclose(
            stated,
            measured,
            rtol=TOLERANCE,
            atol=TOLERANCE * float(np.abs(measured).max(initial=0.0)),
        )
    )
