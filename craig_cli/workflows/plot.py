"""``craig plot``: a manifest, and its data if given, as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import UsageError, printable
from craig_cli.files.manifest import read_manifest
from craig_cli.files.request import restore_settings
from craig_cli.readers import read_dataset
from craig_cli.reports.manifest_plot import draw
from craig_cli.reports.panel_png import check_plotting
from craig_cli.reports.plot import PlotReport, View, Weights
from craig_cli.reports.projection import plane_view
from craig_cli.selection import Coreset
from craig_cli.selection.numbering import by_position
from craig_cli.settings import SelectionSettings
from craig_cli.skipped import SkipReason
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.storage.location import Location
from craig_cli.workflows.picked import check_belongs, fingerprint_for

KINDS = (".png", ".svg")
WIDTH = 72
"""Columns of text."""
CURVE_POINTS = 250
BINS = 24
VIEW_ROWS = 5_000
VIEW_PICKS = 500


def plot_manifest(
    paths: tuple[str, ...],
    manifest_path: str,
    output: str | None,
    *,
    overrides: Mapping[str, Any],
    force: bool = False,
    width: int = WIDTH,
    progress: Progress = no_progress,
) -> PlotReport:
    """Return what a manifest looks like, and write it as a picture where one is asked for.

    Parameters
    ----------
    paths : tuple of str
        The data, for the view of rows and picks; none for no view.
    manifest_path : str
    output : str or None
        A PNG or SVG file.
    overrides : mapping
        Reading options given now, by their name in `InputSettings`.
    force : bool
        Replace an existing file.
    width : int
        Columns of the text.
    progress : Progress
    """
    if not 40 <= width <= 10_000:
        raise UsageError(f"--width: {width} is not between 40 and 10000.")
    kind = "" if output is None else Location.of(output).suffix.lower()
    if output is not None:
        if kind not in KINDS:
            raise UsageError(
                f"--output: '{printable(output)}' does not end in {' or '.join(KINDS)}."
            )
        if kind == ".png":
            check_plotting("--output: a PNG")
        check_output(output, [*paths, manifest_path], None, force, "picture")
    manifest = read_manifest(manifest_path)
    coreset = manifest.coreset
    view: View | None = None
    skipped: tuple[SkipReason, ...] = ()
    if paths:
        inputs, selection = restore_settings(manifest_path, manifest.request, paths, overrides, 0)
        dataset = read_dataset(inputs, progress)
        check_belongs(manifest_path, manifest, fingerprint_for(manifest, dataset))
        if output is not None:
            check_not_input(output, dataset.files)
        view = view_of(dataset, selection, by_position(coreset, dataset, manifest_path))
        skipped = dataset.skipped.reasons
    report = replace(
        report_on(manifest_path, coreset, view), output=output, width=width, skipped=skipped
    )
    if output is not None:
        with open_output(output) as out:
            draw(out, report, kind[1:])
    return report


def report_on(source: str, coreset: Coreset, view: View | None) -> PlotReport:
    """Return what a coreset looks like; `source` is what it is called."""
    edges = weight_edges(coreset.weight)
    return PlotReport(
        manifest=source,
        picks=len(coreset.index),
        rows=coreset.n_rows,
        method=method_in_words(coreset),
        curve=curve_of(coreset),
        edges=tuple(edges.tolist()),
        weights=weights_of(coreset, edges),
        view=view,
        output=None,
        width=WIDTH,
    )


def method_in_words(c: Coreset) -> str:
    """Return how the picks were made and weighted."""
    return f"{c.method}, weights {c.weights}" + (
        "" if c.representative == "medoid" else f", representative {c.representative}"
    )


def curve_of(coreset: Coreset) -> tuple[tuple[int, float | None, float], ...]:
    """Return picks, epsilon over all classes and gain, at picks of about equal steps and equal
    ratios, the last included.
    """
    k = len(coreset.index)
    total, seen = np.zeros(k), np.zeros(k, np.int64)
    for summary in coreset.classes:
        own = np.flatnonzero(coreset.of_class(summary))
        latest = np.searchsorted(own, np.arange(k), side="right") - 1
        seen += latest >= 0
        total += np.where(latest >= 0, coreset.epsilon[own[np.maximum(latest, 0)]], 0)
    is_whole = seen == len(coreset.classes)
    steps = [
        spaced(1, k, CURVE_POINTS).round().astype(np.int64)
        for spaced in (np.linspace, np.geomspace)
    ]
    at = np.unique(np.concatenate([*steps, [int(is_whole.argmax()) + 1]])) - 1
    return tuple(
        (
            int(place) + 1,
            float(total[place]) if is_whole[place] else None,
            float(coreset.gain[place]),
        )
        for place in at
    )


def weight_edges(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of the bins of weights, in equal ratios from the smallest above 0 to the
    largest.
    """
    positive = weight[weight > 0]
    low, high = float(positive.min()), float(positive.max())
    return np.geomspace(low, high, BINS + 1) if high > low else np.array([low * 0.9, low * 1.1])


def weights_of(coreset: Coreset, edges: NDArray[np.float64]) -> tuple[Weights, ...]:
    """Return the weights of each class; those of 0 count in the first bin."""
    found = []
    for summary in coreset.classes:
        own = coreset.weight[coreset.of_class(summary)]
        bins = np.histogram(np.clip(own, edges[0], edges[-1]), edges)[0]
        label = None if summary.label is None else str(summary.label)
        found.append(
            Weights(
                label,
                len(own),
                float(own.min()),
                float(np.median(own)),
                float(own.max()),
                tuple(bins.tolist()),
            )
        )
    return tuple(found)


def view_of(dataset: Dataset, selection: SelectionSettings, coreset: Coreset) -> View:
    """Return some rows, and the first picks, in the plane.

    Rows are drawn at random, for evenly taken ones would all be alike where rows follow a cycle.
    """
    n = dataset.n_rows
    shown = np.sort(np.random.default_rng(0).choice(n, min(VIEW_ROWS, n), replace=False))
    picks = coreset.index[:VIEW_PICKS]
    places, share = plane_view(dataset, selection, np.concatenate([shown, picks]))
    labels = (
        ["all rows"] * len(picks)
        if coreset.label is None or len(coreset.classes) == 1
        else [str(label) for label in coreset.label[:VIEW_PICKS]]
    )
    at = places[len(shown) :].tolist()
    marked = tuple(
        (x, y, label, weight)
        for (x, y), label, weight in zip(
            at, labels, coreset.weight[:VIEW_PICKS].tolist(), strict=True
        )
    )
    return View(
        tuple((x, y) for x, y in places[: len(shown)].tolist()),
        marked,
        share,
        len(coreset.index),
    )
