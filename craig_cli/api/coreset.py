"""What `select_coreset` returns: the selected rows, and what one does with them."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import Any

from craig_cli import selection
from craig_cli.api.rows import at_hand, count_rows, take, without_column
from craig_cli.api.tables import frame_of, html_table
from craig_cli.asked import data_of, dataset_of, recorded
from craig_cli.dataset import no_progress
from craig_cli.errors import UsageError
from craig_cli.files.manifest import (
    Manifest,
    columns_of,
    is_manifest,
    read_manifest,
    write_manifest,
)
from craig_cli.files.request import restore_settings
from craig_cli.reports.base import aligned, worst_strength
from craig_cli.reports.manifest_plot import picture
from craig_cli.reports.panel_png import check_plotting, shown
from craig_cli.reports.plot import View
from craig_cli.reports.select import SelectReport
from craig_cli.selection.numbering import by_position
from craig_cli.skipped import SkippedRows
from craig_cli.storage.atomic import check_output, open_output
from craig_cli.words import in_arguments, in_words_of
from craig_cli.workflows.plot import report_on, view_of
from craig_cli.workflows.select import report_of

NAME = "coreset"
"""What errors call it: the argument."""
OF_THE_FILE = ("written", "next")
"""Lines of the summary on the manifest, which the command writes."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Coreset(selection.Coreset):
    """Selected rows and their weights, the first pick first: what `select_coreset` returns.

    Its arrays are those of the manifest, and `to_pandas` gives them as a table. The rows themselves
    stay where they are: `apply` takes them of the data, or of anything else with the same rows.

    Parameters
    ----------
    index : ndarray of int64, shape (k,)
        The rows selected, from 0.
    weight : ndarray of float64, shape (k,)
        What each counts in training: ``fit(X, y, sample_weight=weight)``.
    manifest : Manifest
        What `save` writes: the picks, what was asked, and the fingerprint of the data.
    report : SelectReport
        What the command would tell, ``report.facts()`` in JSON types; without times where the
        coreset was loaded.
    **others
        As of `craig_cli.selection.Coreset`, notes in the words of the arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from craig_cli import select_coreset
    >>> X = np.array([[0.0], [1.0], [2.0], [10.0]])
    >>> coreset = select_coreset(X, size=2)
    >>> rows, _, weight = coreset.apply(X)
    >>> rows.tolist(), weight.tolist()
    ([[1.0], [10.0]], [3.0, 1.0])
    """

    manifest: Manifest
    report: SelectReport

    @classmethod
    def of(cls, manifest: Manifest, report: SelectReport) -> Coreset:
        """Return the coreset of a manifest; `report` is in the words of the command."""
        core = manifest.coreset
        found = {field.name: getattr(core, field.name) for field in fields(core)}
        notes = tuple(map(in_arguments, report.notes))
        found |= {"notes": notes, "reason": in_arguments(report.reason)}
        return cls(**found, manifest=manifest, report=replace(report, notes=notes))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Coreset:
        """Return the coreset in a manifest, of `save` or of ``craig select``.

        Raises
        ------
        ManifestError
            The file is missing, damaged, or no manifest.
        """
        with in_words_of():
            manifest = read_manifest(os.fspath(path))
        return cls.of(manifest, report_of("", manifest.coreset, SkippedRows(), {}))

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the manifest that ``craig select -o`` writes, for the commands and for `load`.

        Parameters
        ----------
        path : str or path
            A file, or an object in a store.
        force : bool
            Replace an existing file that is not a manifest.

        Raises
        ------
        UsageError
            The file is there and is not a manifest, or its folder is not there.
        """
        output = os.fspath(path)
        kept = replace(self, notes=self.manifest.coreset.notes)
        with in_words_of({"output": "path"}):
            check_output(output, (), is_manifest, force)
            with open_output(output) as out:
                write_manifest(out, replace(self.manifest, coreset=kept))

    def apply(self, X: Any, y: Any = None) -> tuple[Any, Any, Any]:
        """Return the selected rows of `X`, those of `y`, and their weights, the first pick first.

        Parameters
        ----------
        X : array, scipy sparse matrix, table of pandas, polars or pyarrow, tensor or list
            The data that was selected from, or other columns, pictures or texts of the same rows.
        y : array, column, list or str, optional
            Labels; the name of a column of `X`, which is then taken out of it.

        Returns
        -------
        tuple
            Rows and labels of the kinds of `X` and `y` (None without `y`), and `weight`.

        Raises
        ------
        UsageError
            `X` or `y` has another number of rows, or is a file.
        """
        X = at_hand("X", X)
        if isinstance(y, str):
            X, y = without_column(X, y)
        found: list[Any] = []
        for name, values in (("X", X), ("y", at_hand("y", y))):
            if values is None:
                found.append(None)
                continue
            check_rows(name, count_rows(values), self)
            found.append(take(values, self.index))
        return found[0], found[1], self.weight

    def to_pandas(self) -> Any:
        """Return the columns of the manifest as a DataFrame, a row for each pick, the first pick
        first.

        Column ``index`` is the row of the data, from 0: ``frame.iloc[table["index"]]``.
        """
        return frame_of(columns_of(replace(self.manifest, coreset=self)))

    def summary(self) -> str:
        """Return the lines that ``craig select`` prints, with all notes."""
        return aligned([*self._lines(), *(("note", note) for note in self.notes)])

    def plot(self, X: Any = None, y: str | None = None) -> Any:
        """Return the pictures of ``craig plot`` as axes of matplotlib (the extra ``plot``), an
        array of shape (3,), or (4,) with `X`: what coverage costs and gains, weights, and the rows.

        Parameters
        ----------
        X : as for `select_coreset`, optional
            The rows that were selected from, shown with the picks in the plane.
        y : str, optional
            The column of labels of a table or a file. Default: that of the selection.
        """
        with in_words_of():
            check_plotting("plot()")
            view = None if X is None else self._view(X, y)
        return shown(*picture(report_on(NAME, self, view)))

    def _view(self, X: Any, y: str | None) -> View:
        """Return rows and picks in the plane."""
        request = self.manifest.request
        given = {"X": X, "y": y, "sample_weight": None, "costs": None, "reading": {}}
        asked = recorded(request, given)
        dataset = dataset_of(data_of(asked, asked["y"]), no_progress)
        check_rows("X", dataset.n_input_rows, self)
        _, settings = restore_settings(NAME, request, ("X",), {}, 0)
        return view_of(dataset, settings, by_position(self, dataset, NAME))

    def _lines(self) -> list[tuple[str, str]]:
        """Return the lines of the summary but for notes, in the words of the arguments."""
        return [
            (word, in_arguments(rest))
            for word, rest in self.report.brief_lines()
            if word not in OF_THE_FILE
        ]

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        groups = "" if self.label is None else f", {len(self.classes):,} classes"
        found = worst_strength(self.calibration or {}) if self.weights == "calibrated" else None
        quality = "" if found is None else f", suboptimality {found[1]:.1e}"
        return (
            f"<Coreset: {len(self):,} of {self.n_rows:,} rows{groups}, method {self.method}, "
            f"weights {self.weights};\n coverage cost {self.epsilon_mean:.6g} a row{quality}>"
        )

    def _repr_html_(self) -> str:
        """Return the summary as a table of HTML, for notebooks."""
        return html_table(self._lines())


def check_rows(name: str, n_rows: int, coreset: Coreset) -> None:
    """Raise `UsageError` unless a coreset is of so many rows."""
    if n_rows != coreset.n_input_rows:
        raise UsageError(
            f"{name}: it has {n_rows:,} rows, and the coreset is of {coreset.n_input_rows:,}."
        )


def load_coreset(path: str | os.PathLike[str]) -> Coreset:
    """Return the coreset in a manifest: the same as `Coreset.load`."""
    return Coreset.load(path)
