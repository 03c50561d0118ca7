"""The comparison of ``craig evaluate`` from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import scipy.sparse as sp
from numpy.typing import ArrayLike

from craig_cli.api.coreset import Coreset
from craig_cli.api.tables import frame_of, html_table
from craig_cli.api.watching import warn_of, watched
from craig_cli.asked import check_reading, data_of, dataset_of, in_full, make, recorded
from craig_cli.dataset import Dataset, Progress
from craig_cli.errors import UsageError
from craig_cli.reports.comparison import HEAD, heading, label, table_rows
from craig_cli.reports.evaluate import EvaluateReport
from craig_cli.reports.evaluation_plot import picture
from craig_cli.reports.panel_png import check_plotting, shown
from craig_cli.settings.evaluation import EvaluateFiles, EvaluateSettings, parse_baselines
from craig_cli.settings.training import TrainSettings
from craig_cli.training import check_options
from craig_cli.words import in_arguments, in_words_of
from craig_cli.workflows.evaluate import compare_all, evaluation_of
from craig_cli.workflows.stopwatch import Stopwatch

ARGUMENTS = {"test": "X_test"}
"""Arguments that are not called as the options of ``craig evaluate``."""
Rows: TypeAlias = (
    ArrayLike | sp.sparray | sp.spmatrix | os.PathLike[str] | Sequence[os.PathLike[str]] | Any
)


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """How the model that a coreset gives compares with those of other rows.

    Parameters
    ----------
    report : EvaluateReport
        All that was measured: ``report.facts()`` in JSON types, ``report.comparisons`` with the
        curves.
    """

    report: EvaluateReport

    def verdict(self) -> list[str]:
        """Return whether it is as good as all rows, better than random ones, and pays: a sentence
        each.
        """
        return [in_arguments(str(verdict), ARGUMENTS) for verdict in self.report.verdicts()]

    def summary(self) -> str:
        """Return what ``craig evaluate`` prints."""
        return in_arguments(self.report.text(), ARGUMENTS)

    def to_pandas(self) -> Any:
        """Return the comparison as a DataFrame, a row for each loss, l2 and kind of subset.

        ``residual`` is f - f* on all rows after convergence, the mean over the seeds; ``epochs``,
        ``passes``, ``seconds`` and ``speedup`` are those to the residual in ``target``, NaN where a
        run does not come there; ``coreset`` is how the coreset does against the subset.
        """
        rows: list[dict[str, Any]] = []
        for c in self.report.comparisons:
            for r in c.results:
                low, high = r.residual_range
                is_other = r.name not in ("all rows", "coreset")
                way = dict.fromkeys(("epochs", "passes", "seconds", "speedup"))
                if r.reached is not None:
                    way = vars(r.reached) | {"speedup": r.speedup}
                rows.append(
                    {
                        "loss": c.loss,
                        "l2": c.l2,
                        "subset": label(r.name),
                        "rows": r.runs[0].rows,
                        "residual": r.residual,
                        "lowest": low,
                        "highest": high,
                        "test_error": r.test_error,
                        "gradient_error": r.gradient_error,
                        "target": c.target,
                        **way,
                        "selection_seconds": r.selection_seconds,
                        "coreset": c.standing(r.name) if is_other else None,
                    }
                )
        numbers = set(rows[0]) - {"loss", "subset", "coreset", "rows"}
        return frame_of({name: [row[name] for row in rows] for name in rows[0]}).astype(
            dict.fromkeys(numbers, float)
        )

    def plot(self) -> Any:
        """Return the curves of ``craig evaluate --plot`` as axes of matplotlib (the extra
        ``plot``), an array of three for each loss and l2.
        """
        with in_words_of():
            check_plotting("plot()")
        return shown(*picture(self.report))

    def __repr__(self) -> str:
        return f"<Evaluation: {self.report.headline()}>"

    def _repr_html_(self) -> str:
        """Return the verdict and the tables as HTML, for notebooks."""
        verdicts = self.report.verdicts()
        parts = [html_table((v.question, f"{v.answer}: {v.reason}") for v in verdicts)]
        for c in self.report.comparisons:
            cells = table_rows(c, self.report.is_regression)
            parts += [html_table([(heading(c),)]), html_table(cells, HEAD)]
        return "".join(parts)


def evaluate_coreset(
    coreset: Coreset | str | os.PathLike[str],
    X: Rows,
    y: ArrayLike | Sequence[str] | str | None = None,
    *,
    X_test: Rows = None,
    y_test: ArrayLike | Sequence[str] | str | None = None,
    sample_weight: ArrayLike | Sequence[float] | str | None = None,
    costs: ArrayLike | Sequence[float] | str | None = None,
    loss: str | Sequence[str] | None = None,
    l2: float | Sequence[float] = EvaluateSettings.l2,
    baselines: str | Sequence[str] | None = EvaluateSettings.baselines,
    seeds: int = EvaluateSettings.seeds,
    w_norm: float | None = EvaluateSettings.w_norm,
    residual: float | None = EvaluateSettings.residual,
    selection_seconds: float | None = EvaluateSettings.selection_seconds,
    intercept: bool = TrainSettings.intercept,
    solver: str = TrainSettings.solver,
    epochs: int | None = TrainSettings.epochs,
    step: float | None = TrainSettings.step,
    schedule: str | None = TrainSettings.schedule,
    decay: float | None = TrainSettings.decay,
    tune: bool = TrainSettings.tune,
    seed: int = TrainSettings.seed,
    threads: int | None = None,
    force_mismatch: bool = False,
    progress: bool | Progress | None = None,
    **reading: Any,
) -> Evaluation:
    """Return how the model that a coreset gives compares with those of all rows, and of as many
    rows drawn in other ways.

    Parameters
    ----------
    coreset : Coreset, or name of a manifest
    X, y : as for `select_coreset`
        The data that it was selected from. Names of columns and reading options are those of the
        selection, unless given.
    X_test, y_test : as `X` and `y`, optional
        Rows to measure the test error on. Without `y_test`, their labels are the column of `X_test`
        that `y` names.
    sample_weight, costs : as for `select_coreset`, optional
        Those of the selection, where they were arrays.
    loss : str or sequence of str, optional
        Default: by the labels.
    l2 : float or sequence of float
        Weight of the regulariser.
    baselines : str or sequence of str, optional
        What the coreset is compared with. Default: all that apply.
    seeds : int
        Random subsets of each kind.
    w_norm, residual, selection_seconds : float, optional
        As for ``craig evaluate``. The selection is run again, and timed, unless its seconds are
        given.
    intercept, solver, epochs, step, schedule, decay, tune, seed, threads
        How all models are trained, as for ``craig evaluate``.
    force_mismatch : bool
        Use a coreset of other data.
    progress : bool, callable or None
        As for `select_coreset`.
    **reading
        As for `select_coreset`.

    Returns
    -------
    Evaluation
        A table in a notebook; `Evaluation.to_pandas` gives its numbers.

    Raises
    ------
    InputError
        The coreset was selected from other data, or a value cannot be used.
    UsageError
        The options contradict each other.

    Examples
    --------
    >>> import numpy as np
    >>> from craig_cli import evaluate_coreset, select_coreset
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> coreset = select_coreset(X, X[:, 0] > 0, size=40)
    >>> evaluation = evaluate_coreset(coreset, X, X[:, 0] > 0, l2=0.01, baselines=["random"])
    >>> evaluation.to_pandas()["subset"].tolist()
    ['all rows', 'coreset', 'random']
    """
    asked = locals()
    check_reading(reading, evaluate_coreset)
    with in_words_of(ARGUMENTS), watched(progress) as callback:
        found = coreset if isinstance(coreset, Coreset) else Coreset.load(coreset)
        report = evaluated(found, asked, callback)
    report = replace(report, notes=tuple(in_arguments(note, ARGUMENTS) for note in report.notes))
    warn_of(report)
    return Evaluation(report)


evaluate_coreset.__signature__ = in_full(evaluate_coreset)  # type: ignore[attr-defined]


def evaluated(coreset: Coreset, asked: Mapping[str, Any], progress: Progress) -> EvaluateReport:
    """Return the comparison that the arguments ask for; errors are in the words of the command."""
    asked = {**asked, "threads": asked["threads"] or 0}
    losses, l2, baselines = asked["loss"], asked["l2"], asked["baselines"]
    if baselines is not None and not isinstance(baselines, str):
        baselines = ",".join(baselines)
    settings = make(
        EvaluateSettings,
        asked,
        losses=(losses,) if losses is None or isinstance(losses, str) else tuple(losses),
        l2=tuple(map(float, l2)) if isinstance(l2, Sequence) else (float(l2),),
        baselines=parse_baselines(baselines),
        train=make(TrainSettings, asked, loss=None, l2=TrainSettings.l2),
    )
    check_options(settings.train)
    watch, manifest = Stopwatch(), coreset.manifest
    with watch.stage("read"):
        asked = recorded(manifest.request, asked)
        data = data_of(asked, asked["y"])
        dataset = dataset_of(data, progress)
        files = EvaluateFiles(
            data.inputs.paths, coreset="coreset", force_mismatch=asked["force_mismatch"]
        )
        evaluation = evaluation_of(
            files,
            manifest,
            dataset,
            replace(data.inputs, task_given=True),
            test_rows(asked, dataset, progress),
            settings.train.threads,
        )
    return compare_all(evaluation, manifest, settings, watch, progress)


def test_rows(asked: Mapping[str, Any], dataset: Dataset, progress: Progress) -> Dataset | None:
    """Return the rows to test on, with the columns of the data; None without any."""
    X, y = asked["X_test"], asked["y_test"]
    if X is None:
        if y is not None:
            raise UsageError("y_test: there is no X_test.")
        return None
    if y is None and isinstance(asked["y"], str):
        y = asked["y"]
    data = data_of({**asked, "X": X, "sample_weight": None, "costs": None}, y, dataset)
    return dataset_of(data, progress, dataset.encoding)
