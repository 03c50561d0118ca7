"""PAPER.md and its pictures, from the numbers of `paper.py`: prose quotes what was measured, and
nothing else.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import paper_pictures as pictures
from paper_claims import claims, number
from paper_speedups import ALL, NEAR, Halves, halves, near, ratios, reached, share_ratio
from speed import CLAIMS

PAGE = Path(__file__).parents[1] / "PAPER.md"
SETS = {
    "covtype16": "A sixth of covtype, the paper's own set, class 2 against the rest, in random halves",
    "ijcnn1": "The paper's own set, its training and its test file",
}
CIFAR = "cifar.json"
"""The kept numbers of `paper_cifar`, beside the pictures."""
NETWORK, MISSING = "\n## Figures 5 and 6", "\n## Not measured"
"""How the sections begin that are written apart from the others, and last."""
NETWORK_CLAIMS = ("| figure 5", "| figure 6")

HEAD = """# The paper's experiments, measured again

Mirzasoleiman, Bilmes and Leskovec, *Coresets for Data-efficient Training of Machine Learning Models*, ICML 2020: each claim of the abstract, of
section 5 and of theorems 1 and 2, and what this program measures. Made by `make paper` ({date}, {minutes:.0f} minutes of measuring on two shared
CPUs). *CRAIG* is the paper's choice: medoids, cluster weights. *Default* is what `craig select` does today: some medoids exchanged, calibrated
weights. Looking at the objective is never in the times.

{table}
Speed-ups are a / b / c: a without the selection, b with it, c with it and the search of settings, which both sides do; each to {near:g} times the
residual that the subset comes to. A speed-up holds if b comes to it.
"""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def median(values: Sequence[float | None]) -> float:
    """Return the median; None is never."""
    return float(np.median([np.inf if value is None else value for value in values]))


def figure_1(name: str, numbers: dict[str, Any]) -> str:
    """Return what is said of figure 1 on one data set."""
    pictures.figure_1(name, numbers)
    trials = numbers["trials"]
    seconds = {
        kind: median([trial["selection_seconds"][kind] for trial in trials])
        for kind in trials[0]["selection_seconds"]
    }
    optima = {
        kind: number(median([trial["subset_optima"][kind] for trial in trials]))
        for kind in trials[0]["subset_optima"]
    }
    rows = [
        # Of ijcnn1 the paper says no more than that of figure 3.
        figure_1_row(numbers, solver, kind, CLAIMS[name, solver] if name == "covtype16" else None)
        for solver, runs in trials[0]["runs"].items()
        for kind in runs
    ]
    head = (
        "solver | rows | tuning, s | run, s | residual | test error | reaches, s | all rows, s | "
        "to CRAIG's, s | speed-up | selection counted | tuning counted | both | the paper's"
    )
    selections = ", ".join(f"{kind} {seconds[kind]:.2g} s" for kind in seconds)
    n_calibrated = sum(trial["is_calibrated"] for trial in trials)
    return f"""
## Figure 1: logistic regression, {name}

{SETS[name]}: {numbers["rows"]:,} x {numbers["columns"]} to train on, {numbers["test_rows"]:,} to test on. l2 1e-5, {trials[0]["picks"]:,} rows, {len(trials)} trials; medians. The grid of first steps
(SGD: and of schedules) is searched for each alike, by the loss on its own rows. Selection (`{trials[0]["method"]}`): {selections}.
Calibrated weights were kept in {n_calibrated} of {len(trials)} trials.

![loss residual and test error by time](docs/paper/fig1-{name}.png)

{table(head.split(" | "), rows)}
*Reaches*: seconds of the subset, and of all rows, to 1.05 times the residual that the subset comes to; the speed-ups are to that. *To CRAIG's*:
seconds to 1.05 times the residual that CRAIG comes to. Dotted lines leave the selection out. Solved to the end, the optima of the subsets have on
all rows the residuals {", ".join(f"{kind} {value}" for kind, value in optima.items())}.
"""


def figure_1_row(numbers: dict[str, Any], solver: str, kind: str, claim: float | None) -> list[str]:
    """Return the row of a solver and of the rows that it is run on: medians of the trials."""
    trials = [trial["runs"][solver] for trial in numbers["trials"]]
    own = [trial[kind] for trial in trials]
    ends = np.median([run["curve"][-1] for run in own], axis=0)
    craig = [reached(t[kind]["curve"], near(t["CRAIG"]["curve"])) for t in trials]
    facts = [
        solver.upper(),
        kind,
        number(median([run["tuning_seconds"] for run in own])),
        number(ends[0]),
        number(ends[1], 2),
        f"{100 * ends[2]:.2f} %",
    ]
    if kind == ALL:
        return [*facts, "-", "-", number(median(craig)), *["-"] * 5]
    targets = [(run["curve"], t[ALL]["curve"]) for run, t in zip(own, trials, strict=True)]
    times = [
        median([reached(curve, near(mine)) for mine, curve in pairs])
        for pairs in (
            [(mine, mine) for mine, _ in targets],
            targets,
        )
    ]
    speedups = [number(ratio, 2) for ratio in ratios(numbers["trials"], solver, kind)]
    claimed = number(claim) if kind == "CRAIG" else "-"
    return [*facts, *map(number, times), number(median(craig)), *speedups, claimed]


def figure_2(found: dict[str, Any]) -> str:
    """Return what is said of figure 2."""
    pictures.figure_2(found)
    rows = [
        [
            name,
            f"{float(share):.0%}",
            *(f"{min(errors[key]):.2g} to {max(errors[key]):.2g}" for key in errors),
        ]
        for name, numbers in found.items()
        for share, errors in numbers["shares"].items()
    ]
    sizes = " and ".join(f"{numbers['rows']:,} of {name}" for name, numbers in found.items())
    return f"""
## Figure 2: the gradient error along training

Ten epochs of SGD on all training rows, {sizes}; at each model, the distance between the mean gradient of all rows and that of the weighted
subset, over the largest full gradient met. The bound is certified for every model as long as the one at hand (`craig evaluate`).

![gradient errors and the bound](docs/paper/fig2.png)

{table(["set", "share", "CRAIG", "random, mean of 10", "bound"], rows)}"""


def figure_3(numbers: dict[str, Any]) -> str:
    """Return what is said of figure 3."""
    pictures.figure_3(numbers)
    rows = [
        [
            f"{row['fraction']:.0%}",
            number(row["CRAIG"]["residual"]),
            number(row["CRAIG"]["seconds"]),
            number(row["CRAIG"]["selection_seconds"]),
            number(share_ratio(row, "CRAIG"), 2),
            number(share_ratio(row, "CRAIG", True), 2),
            number(row["random"]["residual"]),
            number(share_ratio(row, "random"), 2),
        ]
        for row in numbers["shares"]
    ]
    head = (
        "share | CRAIG: residual | seconds | selection, s | speed-up | selection counted | "
        "random: residual | speed-up"
    )
    full = numbers["full"]
    return f"""
## Figure 3: SGD on 10 % to 90 % of ijcnn1

Each share is tuned as in figure 1; the speed-up is to 1.05 times the residual that the subset comes to. An epoch on all rows takes
{1000 * full["curve"][1][0]:.1f} ms, the search of its settings {full["tuning_seconds"]:.2f} s.

![speed-up and residual by share](docs/paper/fig3.png)

{table(head.split(" | "), rows)}"""


def theorems(found: dict[str, Any]) -> str:
    """Return what is said of the theorems."""
    pictures.theorems(found)
    rows = [
        [
            name,
            tau,
            *(number(run["distances"][epoch]) for epoch in (0, -1)),
            *(number(run[key][-1]) for key in ("convex", "smooth")),
        ]
        for name, numbers in found.items()
        for tau, run in numbers["runs"].items()
    ]
    facts = "; ".join(
        f"{name}: {numbers['picks']:,} picks, {numbers['error']:.3g} on ||w|| <= "
        f"{numbers['radius']:.3g}"
        for name, numbers in found.items()
    )
    mu = next(iter(found.values()))["mu"]
    return f"""
## Theorems 1 and 2: the distance to w* along incremental steps

Logistic regression with l2 = {mu:g} (so that the bounds say something) and no intercept, CRAIG's tenth taken in greedy order, steps a / k^tau in epoch
k. Certified gradient error a row ({facts}). The bounds are iterated from the start: convex D'^2 <= (1 - A mu) D^2 + 2 A e D + A^2 G^2, smooth
D' <= (1 - A mu) D + A e + A^2 beta G (A the step of an epoch, e the gradient error, G the most that the parts can move, beta their smoothness).

![distances and bounds](docs/paper/theorems.png)

{table(["set", "tau", "distance at first", "after 100 epochs", "bound, convex", "bound, smooth"], rows)}"""


def figure_4(part: dict[str, Any], half: Halves) -> str:
    """Return what is said of figure 4, of its numbers and of those of all trials."""
    pictures.figure_4(part["runs"])
    rows = [
        [
            kind,
            f"{half.passes[kind]:.3g}",
            f"{half.steps[kind]:.2f}",
            f"{half.selection[kind]:.2f}",
            f"{half.loss[kind]:.4f}",
            f"{half.accuracy[kind]:.2f} +- {half.spread[kind]:.2f}",
        ]
        for kind in part["runs"]
    ]
    head = "rows | backward passes | steps, s | selection, s | training loss | test accuracy, %"
    if np.isfinite(half.full_seconds):
        there = f"after {half.full_passes:.3g} passes and {half.full_seconds:.2f} s"
    else:
        there = "never"
    spent = half.steps["CRAIG"] + half.selection["CRAIG"]
    saved = half.steps[ALL] - half.steps["CRAIG"]
    return f"""
## Figure 4: a two-layer network, half of the rows selected anew each epoch

MNIST, {part["rows"]:,} images to train on; to test on, the first {part["test_rows"]:,} of its 10,000 test images: no more were at hand. 784 - 100 sigmoid - softmax, batches
of 10, step 0.01, l2 1e-4, {part["epochs"]} epochs, {half.n_trials} trials (seeds); `craig train --model mlp --fraction 0.5`. Backward passes are in passes over all rows.

![loss and accuracy by epochs, backward passes and seconds](docs/paper/fig4.png)

{table(head.split(" | "), rows)}
CRAIG's half ends at {half.accuracy["CRAIG"]:.2f} % after {half.passes["CRAIG"]:.3g} passes and {spent:.2f} s; all rows come there {there}. After as many passes all rows are at
{half.full_accuracy_then:.2f} %. The selections take {half.selection["CRAIG"] / saved:.0%} of the time that half as many steps save.
"""


def cifar() -> Any:
    """Return the module of figures 5 and 6, if numbers of it are kept; None else."""
    if not (pictures.FOLDER / CIFAR).exists():
        return None
    import paper_cifar  # imports this file

    return paper_cifar


def gathered(parts: dict[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the numbers by figure, those of several sets by set and trials together, and a line
    for each part that is missing.
    """
    found: dict[str, Any] = {}
    missing = []
    for name in names:
        numbers = parts.get(name, {"numbers": {"missing": "not run"}})["numbers"]
        figure, _, part = name.partition("-")
        if "missing" in numbers:
            missing.append(f"{name}: {numbers['missing']}")
        elif figure == "fig4" and figure in found:
            for kind, trials in numbers["runs"].items():
                found[figure]["runs"][kind] = found[figure]["runs"][kind] + trials
        elif figure == "fig4":
            found[figure] = {**numbers, "runs": dict(numbers["runs"])}
        elif part:
            found.setdefault(figure, {})[part] = numbers
        else:
            found[figure] = numbers
    return found, missing


def write_page(parts: dict[str, Any], names: Sequence[str]) -> None:
    """Write PAPER.md and the pictures, of the parts that are there; of all names, those that are
    missing are said to be.
    """
    found, missing = gathered(parts, names)
    texts = [figure_1(name, numbers) for name, numbers in found.get("fig1", {}).items()]
    sections: dict[str, Callable[[Any], str]] = {
        "fig2": figure_2,
        "fig3": figure_3,
        "theorems": theorems,
    }
    texts += [write(found[name]) for name, write in sections.items() if name in found]
    facts = dict(found)
    if part := found.get("fig4"):
        facts["fig4"] = halves(part["runs"])
        texts.append(figure_4(part, facts["fig4"]))
    head = HEAD.format(
        date=datetime.datetime.now(datetime.UTC).date(),
        minutes=sum(parts[name]["seconds"] for name in names if name in parts) / 60,
        near=NEAR,
        table=table(["the paper's claim", "measured here", "holds"], claims(facts)),
    )
    notes = "".join(f"- {note}\n" for note in missing)
    PAGE.write_text(head + "".join(texts) + (f"{MISSING}\n\n{notes}" if missing else ""))
    if (network := cifar()) is not None and (section := network.text()):
        write_network(section, network.claims())


def write_network(section: str, rows: Sequence[Sequence[str]]) -> None:
    """Put the section on figures 5 and 6, and their claims, into PAPER.md, for those it had."""
    text, missing, notes = PAGE.read_text().partition(MISSING)
    lines = [
        line
        for line in text.partition(NETWORK)[0].splitlines(keepends=True)
        if not line.startswith(NETWORK_CLAIMS)
    ]
    first = next(place for place, line in enumerate(lines) if line.startswith("|"))
    end = lines.index("\n", first)
    lines[end:end] = [f"| {' | '.join(row)} |\n" for row in rows]
    PAGE.write_text("".join(lines).rstrip("\n") + f"\n\n{section.strip()}\n" + missing + notes)
