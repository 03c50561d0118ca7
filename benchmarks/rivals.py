"""A section of EVIDENCE.md: what other subsets of the same size leave, and what Newton's steps from
random rows do. Run by itself it measures and prints the section: ``python benchmarks/rivals.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from bench import table
from datasets import REAL, SHARED
from evidence import RIVAL_PARTS, Kept, Record, say
from measuring import thinned
from subsets import CALIBRATED, RECIPES, drawn

from craig_cli.calibration.coresets import importance_scores
from craig_cli.dataset import Dataset
from craig_cli.evaluation.rivals import RIVALS, drawn_by_scores
from craig_cli.evaluation.subsampled_newton import NAMES as STEPS
from craig_cli.evaluation.subsampled_newton import newton_path
from craig_cli.readers import read_dataset
from craig_cli.selection.methods.importance import importance_picks
from craig_cli.settings import InputSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem, make_problem, newton
from craig_cli.training.problem import Array

L2 = (1e-6, 1e-5, 3e-4, 1e-2)
SEEDS = 5
WHOLE = "importance, all classes together"
OURS = "clusters" + CALIBRATED
ROWS = {
    "random": RECIPES["random"].words,
    "stratified": RECIPES["stratified"].words,
    "importance": RECIPES["importance"].words + ", class by class",
    WHOLE: "the same, drawn from all rows at once",
    "lewis": "l1 Lewis weights (Mai, Musco and Rao 2021)",
    "leverage": "roots of leverages + 1/n (Munteanu et al. 2018)",
    "local-case-control": "local case-control, weights 1/probability (Fithian and Hastie 2014)",
    **{name: f"random rows, {name[-1]} subsampled Newton step(s)" for name in STEPS},
    OURS: "a random row of each cluster, calibrated weights, by the defaults of `craig select`",
}


def data_set(name: str, max_rows: int) -> Dataset:
    """Return a set of two classes; of covtype16, class 2 against the rest."""
    if name == "covtype16":
        inputs = InputSettings((str(SHARED / "covtype16.csv.gz"),), label="Cover_Type")
        dataset = read_dataset(inputs)
        assert dataset.labels is not None
        dataset = replace(dataset, labels=(dataset.labels == 2).astype(np.int64))
    else:
        dataset = REAL[name]()
    return thinned(dataset, max_rows or dataset.n_rows)


def path_of(problem: Problem) -> list[Array]:
    """Return the optimum at each of `L2`, by Newton's method, each from that of the next larger."""
    models, latest = {}, np.zeros((problem.n_outputs, problem.n_columns + 1))
    for l2 in sorted(L2, reverse=True):
        models[l2] = latest = newton.minimise(problem, l2, latest)
    return [models[l2] for l2 in L2]


def measure(part: str, max_rows: int) -> list[Record]:
    """Return the residual on all rows of each kind of subset, seed and strength."""
    data, _, size = part.partition("-")
    dataset, fraction = data_set(data, max_rows), float(size)
    problem = make_problem(dataset.rows, dataset.labels, "logistic", threads=2)
    best = [problem.full_pass(model, l2)[0] for model, l2 in zip(path_of(problem), L2, strict=True)]
    records: list[Record] = [
        {"rows": problem.n_rows, "columns": problem.n_columns, "picks": 0, "optima": best}
    ]

    def note(name: str, seed: int, models: Sequence[Array], passes: Sequence[float] = ()) -> None:
        values = [problem.full_pass(model, l2)[0] for model, l2 in zip(models, L2, strict=True)]
        residuals = [max(value - least, 0.0) for value, least in zip(values, best, strict=True)]
        records.append({"name": name, "seed": seed, "residuals": residuals, "passes": [*passes]})

    for seed in range(SEEDS):
        made = {
            name: drawn(dataset, "classification", name, fraction, seed)
            for name in ("random", "stratified", "importance")
        }
        made[OURS] = drawn(
            dataset, "classification", "clusters", fraction, seed, is_calibrated=True
        )
        subsets = {name: (coreset.index, coreset.weight) for name, coreset in made.items()}
        records[0]["picks"] = size = len(made["random"].index)
        scores = {name: rival.scores(problem, seed) for name, rival in RIVALS.items()}
        pilot = CalibrationSettings(seed=seed)
        lengths = importance_scores(dataset, "classification", pilot)
        subsets[WHOLE] = importance_picks(lengths, size, np.random.default_rng(seed))
        for name, own in scores.items():
            rng = np.random.default_rng(seed)
            subsets[name] = drawn_by_scores(own, problem.weights, size, rng)
        for name, subset in subsets.items():
            note(name, seed, path_of(problem.subset(*subset)))
        sample = problem.subset(*subsets["random"])
        paths = [newton_path(problem, sample, l2, len(STEPS)) for l2 in L2]
        share = sample.n_rows / problem.n_rows
        for number, name in enumerate(STEPS, 1):
            steps = [path[number] for path in paths]
            passes = [step.passes + share * step.sample_passes for step in steps]
            note(name, seed, [step.model for step in steps], passes)
        say(f"{part}: seed {seed}")
    return records


def found(records: Sequence[Record], name: str, measured: str) -> Array:
    """Return what was measured of one kind, (seeds, strengths)."""
    return np.array([r[measured] for r in records if r.get("name") == name])


def text(kept: Kept) -> str:
    """Return the section."""
    out = [
        "The residual f - f* on all rows at the optimum of the weighted subset, for the logistic "
        f"loss at four strengths of the regulariser: means of {SEEDS} seeds, bold the least of a "
        "column, and in brackets passes over all rows where a model takes any.\n",
        *(f"- *{name}*: {words}." for name, words in ROWS.items()),
        "\nNewton's steps are no subset: each takes the gradient of all rows, the Hessian of the "
        "random ones (of all rows, once a step had to be halved or was slow), and serves one loss "
        "and strength.\n",
    ]
    for part, records in kept.items():
        data, _, size = part.partition("-")
        facts = records[0]
        out.append(
            f"### {data}, {float(size):.0%}\n\n{facts['rows']:,} x {facts['columns']:,}, "
            f"{facts['picks']:,} rows\n"
        )
        means = {name: found(records, name, "residuals").mean(axis=0) for name in ROWS}
        least = np.min(list(means.values()), axis=0)
        lines = []
        for name, mean in means.items():
            cells = [
                f"**{own:.1e}**" if own == best else f"{own:.1e}"
                for own, best in zip(mean, least, strict=True)
            ]
            if name in STEPS:
                passes = found(records, name, "passes").mean(axis=0)
                cells = [f"{cell} ({p:.1f})" for cell, p in zip(cells, passes, strict=True)]
            lines.append([name, *cells])
        out.append(table(" | ".join(["subset", *(f"l2 {l2:g}" for l2 in L2)]), lines))
    return "\n".join(out)


def main() -> None:
    """Measure, and print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=RIVAL_PARTS, action="append", help="only these sets")
    parser.add_argument("--max-rows", type=int, default=0, help="a trial of the script itself")
    given = parser.parse_args()
    print(text({part: measure(part, given.max_rows) for part in given.part or RIVAL_PARTS}))


if __name__ == "__main__":
    main()
