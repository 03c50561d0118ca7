"""What is measured of the choices behind ``craig select --for linear``: residuals, on all rows, of
optima on weighted picks.

Each case is one weighting of one set of picks. What is measured is kept in ``build/study.jsonl``,
under settings with nothing left open, so that parts can be measured one at a time and again at no
cost. `calibration` writes them up.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from datasets import REAL, ROOT

from craig_cli.calibration.constraints import Constraints, row_gradients
from craig_cli.calibration.coresets import class_numbers, pilot_problem
from craig_cli.calibration.rounds import Calibration, Rounds, run_rounds
from craig_cli.dataset import Dataset, as_dense
from craig_cli.selection import Coreset, select
from craig_cli.selection.selector import assign
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem, make_problem, newton, optimum
from craig_cli.training.problem import Array, pack

RESULTS = ROOT / "build" / "study.jsonl"
OPTIMA = ROOT / "build" / "optima.json"
PATH = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
IN_GRADIENTS = "gradients:"
"""Before a method: it sees the rows' gradients at a pilot in place of the rows."""
NEAREST = "nearest"
"""A representative of this study alone: the row whose gradient is nearest to the mean of its
cluster.
"""
STRANGE = {"logistic": "squared-hinge", "softmax": "squared-hinge", "squared": "squared"}
"""A loss that nothing is calibrated for, by the one that is."""
HINGE_L2 = 1e-3
CHOICES = ("pilot_l2", "rounds", "ridge", "pilot_rows", "rows_a_constraint")
SECOND_MOMENTS = "second_moments"
"""A choice of this study alone: the diagonal of the Hessian at each pilot is to come out, too."""
PATHS = {"fashion-mnist": (1e-4, 1e-2, 1.0), "reuters": (1e-5, 1e-3, 1e-1)}
"""Strengths for the sets whose optima take long."""


@dataclass(frozen=True)
class Case:
    """A weighting of some picks.

    Parameters
    ----------
    data : str
        A real set.
    fraction : float
    picks : str
        A method; ``/10`` after it lets greedy see a tenth of the rows, ``+random`` draws a row of
        each cluster.
    seed : int
    calibration : mapping
        Settings that differ from the defaults, and `SECOND_MOMENTS` or not; None for the method's
        own weights.
    boosted : bool
        Whether a gradient-boosted model is trained, too.
    """

    data: str
    fraction: float
    picks: str
    seed: int = 0
    calibration: dict[str, Any] | None = field(default_factory=dict)
    boosted: bool = False

    @property
    def settings(self) -> CalibrationSettings:
        """How weights are calibrated."""
        chosen = {
            name: value
            for name, value in (self.calibration or {}).items()
            if name != SECOND_MOMENTS
        }
        return CalibrationSettings("calibrated", seed=self.seed, **chosen)

    @property
    def has_second_moments(self) -> bool:
        """Whether the curvature is calibrated, too."""
        return SECOND_MOMENTS in (self.calibration or {})

    @property
    def key(self) -> str:
        """The case as text, nothing left to defaults."""
        resolved = (
            None
            if self.calibration is None
            else {name: getattr(self.settings, name) for name in CHOICES}
        )
        if resolved is not None and self.has_second_moments:
            resolved[SECOND_MOMENTS] = True
        return json.dumps(
            [self.data, self.fraction, self.picks, self.seed, resolved, self.boosted],
            sort_keys=True,
        )


@cache
def data_set(name: str) -> tuple[Dataset, Problem]:
    """Return a data set, and the problem of all its rows."""
    dataset, task = REAL[name](), task_of(name)
    return dataset, pilot_problem(dataset, task, CalibrationSettings("calibrated"), "")


def task_of(name: str) -> str:
    """Return whether a set is one of classes or of numbers."""
    return "regression" if name == "abalone" else "classification"


@cache
def picked(data: str, fraction: float, picks: str, seed: int) -> Coreset:
    """Return a coreset with the weights of its method."""
    dataset, _ = data_set(data)
    seen = (
        replace(dataset, rows=gradients_at_pilot(data))
        if picks.startswith(IN_GRADIENTS)
        else dataset
    )
    method, _, representative = picks.removeprefix(IN_GRADIENTS).partition("+")
    method, _, part = method.partition("/")
    settings = SelectionSettings(
        Budget(fraction=fraction),
        method,
        seed=seed,
        task=task_of(data),
        sample_rows=dataset.n_rows // int(part) if part else 0,
        representative="medoid" if representative in ("", NEAREST) else representative,
    )
    coreset = select(seen, settings)
    if representative == NEAREST:
        coreset = replace(
            coreset,
            index=nearest_gradients(
                data, assign(seen, settings, coreset.index), len(coreset.index)
            ),
        )
    return coreset


@cache
def gradients_at_pilot(data: str) -> np.ndarray:
    """Return the gradient of each row (n, d + 1) at the model of all rows at l2 1e-3, as features
    for selection.
    """
    _, problem = data_set(data)
    model = fitted(problem, 1e-3)
    return row_gradients(problem, model, as_dense(problem.rows)).astype(np.float32)


def nearest_gradients(data: str, cluster: np.ndarray, k: int) -> np.ndarray:
    """Return the row of each cluster whose gradient is nearest to the mean of its cluster."""
    gradients = gradients_at_pilot(data).astype(np.float64)
    means = np.zeros((k, gradients.shape[1]))
    np.add.at(means, cluster, gradients)
    means /= np.bincount(cluster, minlength=k)[:, None]
    by = np.lexsort((np.square(gradients - means[cluster]).sum(axis=1), cluster))
    return by[np.searchsorted(cluster[by], np.arange(k))]


def fitted(problem: Problem, l2: float, start: Array | None = None) -> Array:
    """Return the optimum (m, d + 1), by Newton's method where there are few columns, else by
    L-BFGS.
    """
    first = np.zeros((problem.n_outputs, problem.n_columns + 1)) if start is None else start
    if newton.suits(problem):
        return newton.minimise(problem, l2, first)
    found = optimum(problem, l2, (first[:, :-1], first[:, -1]))
    return pack(found.coef, found.intercept)


def losses_of(data: str) -> list[tuple[str, float]]:
    """Return the losses and strengths that a set is judged by; the last is not calibrated for."""
    _, problem = data_set(data)
    path = PATHS.get(data, PATH)
    strange = STRANGE[problem.loss.name]
    return [(problem.loss.name, l2) for l2 in sorted(path, reverse=True)] + (
        [(strange, HINGE_L2)] if strange != problem.loss.name else []
    )


def problem_of(data: str, loss: str) -> Problem:
    """Return the problem of all rows for a loss."""
    dataset, problem = data_set(data)
    if loss == problem.loss.name:
        return problem
    assert dataset.labels is not None
    return make_problem(dataset.rows, dataset.labels, loss)


@cache
def least(data: str) -> dict[str, float]:
    """Return f* for each loss and strength of a set, kept from one run to the next."""
    known: dict[str, dict[str, float]] = json.loads(OPTIMA.read_text()) if OPTIMA.exists() else {}
    found, start = known.setdefault(data, {}), None
    for loss, l2 in losses_of(data):
        if (name := f"{loss} {l2:g}") not in found:
            problem = problem_of(data, loss)
            start = fitted(problem, l2, start if loss == data_set(data)[1].loss.name else None)
            found[name] = problem.full_pass(start, l2)[0]
            print(data, name, found[name], file=sys.stderr, flush=True)
            OPTIMA.write_text(json.dumps(known, indent=1))
    return found


def residuals(data: str, index: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Return f - f* on all rows at the optimum on weighted rows, by loss and strength."""
    out: dict[str, float] = {}
    start = None
    for loss, l2 in losses_of(data):
        problem = problem_of(data, loss)
        first = start if loss == data_set(data)[1].loss.name else None
        start = model = fitted(problem.subset(index, weight), l2, first)
        out[f"{loss} {l2:g}"] = problem.full_pass(model, l2)[0] - least(data)[f"{loss} {l2:g}"]
    return out


def boosted_loss(data: str, index: np.ndarray, weight: np.ndarray) -> float:
    """Return the log-loss, on the rows that are not picked, of a gradient-boosted model trained on
    weighted rows.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
    from sklearn.metrics import log_loss  # type: ignore[import-untyped]

    dataset, problem = data_set(data)
    assert dataset.labels is not None
    rows = as_dense(problem.rows)
    model = HistGradientBoostingClassifier(random_state=0, early_stopping=False)
    keep = weight > 0
    model.fit(
        rows[index[keep]],
        dataset.labels[index[keep]],
        sample_weight=weight[keep] * (keep.sum() / weight.sum()),
    )
    others = np.setdiff1d(np.arange(dataset.n_rows), index)
    return float(
        log_loss(dataset.labels[others], model.predict_proba(rows[others]), labels=model.classes_)
    )


class WithSecondMoments(Rounds):
    """Rounds of a calibration under which the diagonal of the Hessian at each pilot is to come out,
    too.
    """

    def _constraints(self) -> list[Constraints]:
        return super()._constraints() + [self._curvatures(pilot) for pilot in self._pilots]

    def _curvatures(self, pilot: Array) -> Constraints:
        """Return the constraints of one pilot: means of phi'' x_k^2 over all rows."""
        whole, parts = (
            curvature_of_rows(problem, pilot) for problem in (self._problem, self._part)
        )
        scales = np.sqrt(np.square(whole).mean(axis=0))
        used = scales > 0
        return Constraints(parts[:, used] / scales[used], whole.mean(axis=0)[used] / scales[used])


def curvature_of_rows(problem: Problem, model: Array) -> Array:
    """Return the diagonal of the Hessian of each row's loss by the weights (n, m d)."""
    _, slopes = problem.full_pass(model, 0.0, np.empty_like(model))
    curvatures = problem.loss.second_derivatives(slopes)
    return (curvatures[:, :, None] * np.square(as_dense(problem.rows))[:, None, :]).reshape(
        problem.n_rows, -1
    )


def calibrated(case: Case, coreset: Coreset) -> Calibration:
    """Return a calibration of picks."""
    dataset, problem = data_set(case.data)
    rounds = WithSecondMoments if case.has_second_moments else Rounds
    return run_rounds(
        rounds(
            problem,
            class_numbers(dataset, task_of(case.data)),
            coreset.index,
            coreset.weight,
            case.settings,
        )
    )


def measured(case: Case) -> dict[str, Any]:
    """Return what a case came to."""
    coreset = picked(case.data, case.fraction, case.picks, case.seed)
    weight, facts = coreset.weight, {}
    if case.calibration is not None:
        done = calibrated(case, coreset)
        said = done.summary
        weight, facts = (
            done.weight,
            {
                "kept": said.rounds_kept,
                "constraints": said.constraints,
                "effective": said.effective_rows,
            },
        )
    out = {"k": len(weight), **facts, "residuals": residuals(case.data, coreset.index, weight)}
    if case.boosted:
        out["boosted"] = boosted_loss(case.data, coreset.index, weight)
    return out


def known_results() -> dict[str, dict[str, Any]]:
    """Return what has been measured so far, by the keys of the cases."""
    if not RESULTS.exists():
        return {}
    lines = (json.loads(line) for line in RESULTS.read_text().splitlines())
    return {line["case"]: line for line in lines}


def measured_once(case: Case) -> dict[str, Any]:
    """Return what a case came to, measured only if that has not been kept."""
    kept = known_results().get(case.key)
    if kept is None:
        begun = time.perf_counter()
        kept = {"case": case.key, **measured(case)}
        RESULTS.parent.mkdir(exist_ok=True)
        with RESULTS.open("a") as file:
            file.write(json.dumps(kept) + "\n")
        print(f"{time.perf_counter() - begun:5.1f} s  {case.key}", file=sys.stderr, flush=True)
    return kept


SEEDS = (0, 1, 2)
DEFAULT = "cells+varied"
AIMED = {"ijcnn1": (0.1, 0.01), "flights": (0.01, 0.001), "adult": (0.1, 0.01)}
"""Sets and sizes that the aims are for."""
CHEAPER = {"random": {}, "stratified": {}, "cells/10+varied": {}, "cells+random": {}, "cells": {}}
OTHERS: dict[str, tuple[tuple[str, float], ...]] = {
    "abalone": (("abalone", 0.1), ("abalone", 0.01)),
    "reuters": (("reuters", 0.1),),
    "fashion-mnist": (("fashion-mnist", 0.1),),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "1 pilot (1e-4)": {"pilot_l2": (1e-4,)},
    "2 pilots (1e-5, 1e-2)": {"pilot_l2": (1e-5, 1e-2)},
    "3 pilots (1e-5 ... 1e-1)": {"pilot_l2": (1e-5, 1e-3, 1e-1)},
    "4 pilots (1e-6 ... 1)": {"pilot_l2": (1e-6, 1e-4, 1e-2, 1.0)},
    "7 pilots (1e-6 ... 1)": {"pilot_l2": PATH},
    "1 round": {"rounds": 1},
    "2 rounds": {"rounds": 2},
    "8 rounds": {"rounds": 8},
    "ridge 0.01": {"ridge": 0.01},
    "ridge 0.1": {"ridge": 0.1},
    "ridge 0.3": {"ridge": 0.3},
    "pilots on 500 rows": {"pilot_rows": 500},
    "pilots on 8,000 rows": {"pilot_rows": 8000},
    "and second moments": {SECOND_MOMENTS: True},
}
"""Settings beside the defaults."""
REPRESENTATIVES = (
    "cells",
    "cells+nearest",
    "cells+random",
    "gradients:cells+random",
    "gradients:cells+nearest",
)


def cases(part: str) -> Iterator[Case]:
    """Give the cases of a part: ``aims-SET``, ``sizes-SET``, ``settings-SET``, ``representatives``,
    ``boosting`` or ``others-SET``.
    """
    what, _, data = part.partition("-")
    if what == "aims":
        for fraction, seed in product(AIMED[data], SEEDS):
            yield Case(data, fraction, "random", seed, None)
            yield Case(data, fraction, DEFAULT, seed)
            yield Case(data, fraction, "cells", seed, None)
            yield Case(data, fraction, "cells+random", seed, None)
            for picks in CHEAPER:
                yield Case(data, fraction, picks, seed)
    elif what == "sizes":
        for fraction, seed in product((0.001, 0.003, 0.03, 0.3, 0.5), SEEDS[:2]):
            yield Case(data, fraction, "random", seed, None)
            yield Case(data, fraction, DEFAULT, seed)
            yield Case(data, fraction, "cells", seed, None)
    elif what == "settings":
        for fraction, seed, variant in product(AIMED[data], SEEDS[:2], VARIANTS):
            yield Case(data, fraction, DEFAULT, seed, VARIANTS[variant])
    elif what == "representatives":
        for (name, fraction), picks in product(
            (("ijcnn1", 0.01), ("flights", 0.01)), REPRESENTATIVES
        ):
            yield from (Case(name, fraction, picks, 0, calibration) for calibration in (None, {}))
    elif what == "boosting":
        for name, fraction, seed in (
            *product(("ijcnn1",), (0.1, 0.01), SEEDS[:2]),
            *product(("flights",), (0.01,), SEEDS[:2]),
        ):
            yield from (
                Case(name, fraction, picks, seed, None, True)
                for picks in ("random", "cells", "cells+random")
            )
            yield Case(name, fraction, DEFAULT, seed, {}, True)
    else:
        for (name, fraction), seed in product(
            OTHERS[data], SEEDS[: 1 if data == "fashion-mnist" else 2]
        ):
            yield Case(name, fraction, "random", seed, None)
            yield from (
                Case(name, fraction, picks, seed, calibration)
                for picks in (DEFAULT, "stratified")
                for calibration in (None, {})
            )


if __name__ == "__main__":
    for part in sys.argv[1:]:
        for case in cases(part):
            measured_once(case)
