"""A section of EVIDENCE.md: what other subsets of the same size leave, and what Newton's steps from
random rows do. Run by itself it measures and prints the section: ``python benchmarks/rivals.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from bench import table
from datasets import at_hand
from evidence import RIVAL_PARTS, Kept, Record, say, set_of
from one_coreset_page import share_in_words
from optima import path_of, reference
from subsets import RECIPES, data_set, drawn, problem_of

from craig_cli.calibration import importance_scores
from craig_cli.evaluation.rivals import RIVALS, drawn_by_scores
from craig_cli.evaluation.subsampled_newton import NAMES as STEPS
from craig_cli.evaluation.subsampled_newton import newton_path
from craig_cli.selection.methods.importance import importance_picks
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training.problem import Array

L2 = (1e-6, 1e-5, 3e-4, 1e-2)
SEEDS = 5
WHOLE = "importance, all classes together"
RANDOM = "random"
OURS = ("any", "linear")
ROWS = {
    RANDOM: RECIPES[RANDOM].words,
    "stratified": RECIPES["stratified"].words,
    "importance": RECIPES["importance"].words + ", class by class",
    WHOLE: "the same, drawn from all rows at once",
    "lewis": "l1 Lewis weights (Mai, Musco and Rao 2021)",
    "leverage": "roots of leverages + 1/n (Munteanu et al. 2018)",
    "local-case-control": "local case-control, weights 1/probability (Fithian and Hastie 2014)",
    **{name: f"random rows, {name[-1]} subsampled Newton step(s)" for name in STEPS},
    **{name: RECIPES[name].words for name in OURS},
}


def measure(part: str, max_rows: int) -> list[Record]:
    """Return the residual on all rows of each kind of subset, seed and strength."""
    data, _, size = part.rpartition("-")
    dataset, fraction = data_set(data, max_rows), float(size)
    problem = problem_of(data, dataset)
    all_rows = reference(problem, L2)
    records: list[Record] = []

    def note(name: str, seed: int, models: Sequence[Array], passes: Sequence[float] = ()) -> None:
        residuals = all_rows.residuals(models)
        records.append({"name": name, "seed": seed, "residuals": residuals, "passes": [*passes]})

    for seed in range(SEEDS):
        subsets = {}
        for name in (RANDOM, "stratified", "importance", *OURS):
            coreset = drawn(dataset, data, RECIPES[name], fraction, seed)
            subsets[name] = coreset.index, coreset.weight
        picks = len(subsets[RANDOM][0])
        lengths = importance_scores(dataset, "classification", CalibrationSettings(seed=seed))
        subsets[WHOLE] = importance_picks(lengths, picks, np.random.default_rng(seed))
        for name, rival in RIVALS.items():
            own, rng = rival.scores(problem, seed), np.random.default_rng(seed)
            subsets[name] = drawn_by_scores(own, problem.weights, picks, rng)
        for name, subset in subsets.items():
            note(name, seed, path_of(problem.subset(*subset), L2))
        sample = problem.subset(*subsets[RANDOM])
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


def cell(records: Sequence[Record], name: str) -> str:
    """Return the mean residual at the least favourable and the most favourable strength, as shares
    of that of random rows, and the passes over all rows where a model takes any.
    """
    means = {kind: found(records, kind, "residuals").mean(axis=0) for kind in (RANDOM, name)}
    if name == RANDOM:
        return f"{means[name].max():.1e} to {means[name].min():.1e}"
    shares = means[name] / means[RANDOM]
    said = f"{share_in_words(shares.max())} to {share_in_words(shares.min())}"
    if name not in STEPS:
        return said
    return f"{said}; {found(records, name, 'passes').mean():.1f} passes"


def text(kept: Kept) -> str:
    """Return the section."""
    titles = {
        part: f"{part.rpartition('-')[0]} {float(part.rpartition('-')[2]):.0%}" for part in kept
    }
    lines = [
        [f"{name}: {words}", *(cell(records, name) for records in kept.values())]
        for name, words in ROWS.items()
    ]
    return (
        "The residual f - f* on all rows at the optimum of the weighted subset, for the logistic "
        f"loss at l2 {', '.join(f'{l2:g}' for l2 in L2)}: means of {SEEDS} seeds, as shares of "
        "those of random rows, at the strength where a subset is the worst and where it is the "
        "best (of random rows themselves, the residuals). Newton's steps are no subset: each takes "
        "the gradient of all rows and the Hessian of the random ones (of all rows, once a step had "
        "to be halved or was slow), and serves one loss and strength; passes are those over all "
        "rows.\n\n" + table(" | ".join(["subset", *titles.values()]), lines)
    )


def main() -> int:
    """Measure, and print the section; returns 1 if no set is at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=RIVAL_PARTS, action="append", help="only these sets")
    parser.add_argument("--max-rows", type=int, default=0, help="a trial of the script itself")
    given = parser.parse_args()
    parts = [part for part in given.part or RIVAL_PARTS if at_hand([set_of(part)])]
    if parts:
        print(text({part: measure(part, given.max_rows) for part in parts}))
    return 0 if parts else 1


if __name__ == "__main__":
    sys.exit(main())
