"""The section of PAPER.md on ResNet-20 and CIFAR-10, and its pictures, from the runs that
`paper_cifar` keeps: prose quotes what was measured, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import paper_pictures as pictures
from datasets import at_hand, cifar10
from matplotlib.figure import Figure
from numpy.typing import NDArray
from paper_cifar_plan import (
    ALL,
    CRAIG,
    EVERY,
    FIXED,
    FRESH,
    LAYER,
    RESET,
    SELECTING,
    SHARES,
    TIMED,
    Cell,
    cell_of,
)
from paper_claims import Claim
from paper_claims import share as share_of
from paper_page import table

COLOURS = {
    FIXED: "#9ca3af",
    FRESH: "#ea580c",
    CRAIG: "#2563eb",
    LAYER: "#7c3aed",
    RESET: "#0d9488",
    TIMED: "#facc15",
}
WAYS = (FIXED, FRESH, *SELECTING, TIMED)

ALIKE = 1.5
"""Speeds of one machine differ by less."""

Run = dict[str, Any]
Runs = dict[Cell, Run]

HEAD = """
## Figures 5 and 6 on the paper's own data: ResNet-20 on CIFAR-10

50,000 images (a copy packed as JPEG, so with loss), ResNet-20 (He et al. 2016, 0.27 million weights), SGD with momentum 0.9, weight decay 1e-4, batches of about
128, random crops and flips, as the authors' code has it (github.com/baharanm/craig, train_resnet_icml.py); `make paper-large`, {cores} cores, {hours:.1f} hours, at {commits}. {images}
The step is the paper's, in proportion to the epochs: up to 0.1 in the first tenth, a tenth of it from the half on, a hundredth from three quarters on. The authors
train for 200 epochs; here it is {epochs}, so that each run takes minutes. All ways at a share take the same number of backward passes; accuracies are on all 10,000
test images. A selection chooses, within each class, among {pools} rows drawn anew, and its forward pass over them is in its seconds.

- *fixed random*: one random subset throughout. *fresh random*: other rows each epoch, none twice until all were taken, so this is training on all rows cut short.
- *CRAIG, p - y*: medoids of the residuals (the paper's eq. 16). *CRAIG, layer*: of the gradient by the last layer's weights, p - y times its inputs{held}.
- Momentum goes on through a selection, for all ways; *momentum reset* is CRAIG by p - y with the velocity set to 0 at each.
- *fresh random, as long*: fresh random rows for as many epochs as take the seconds of CRAIG by p - y, its selection counted.
"""


def section(kept: dict[str, Any], missing: list[Cell]) -> str:
    """Return the section; draws fig5.png, and fig6.png where the images are at hand."""
    runs = {cell_of(run): run for run in kept["runs"]}
    parts = [head(runs)]
    if lines_of(runs):
        figure_5(runs)
        parts.append("\n![accuracy by share](docs/paper/fig5.png)\n")
        parts += ["\n" + accuracies(runs), "\n" + times(runs)]
    parts.append("\n" + "\n".join(sentences(runs)) + "\n")
    stages = next((run for run in runs.values() if "stages" in run), None)
    if stages is not None:
        parts.append(chosen_images(stages))
    if missing:
        n = len(runs) + len(missing)
        parts.append(f"\n{len(runs)} of {n} planned runs are kept; a dash stands for the others.\n")
    return "".join(parts)


def rates(runs: Runs) -> str:
    """Return how many images went forward and backward a second, and what that says of seconds."""
    found = [run["backward"] / run["steps_seconds"] for run in runs.values()]
    said = f"{min(found):.0f} to {max(found):.0f} images a second went forward and backward"
    if max(found) < ALIKE * min(found):
        return f"{said}."
    return f"{said}, by the machine that a run was made on: seconds of one run can be compared."


def head(runs: Runs) -> str:
    """Return what was done."""
    kinds = SELECTING if lines_of(runs) else (FIXED, FRESH, ALL)
    by_share = {cell.share: run["epochs"] for cell, run in runs.items() if cell.way in kinds}
    epochs = ", ".join(f"{n} ({share:.0%})" for share, n in sorted(by_share.items()))
    pools = sorted({run["pool"] for run in runs.values() if run["pool"]})
    held = [run["held_share"][1] for run in runs.values() if "held_share" in run]
    seconds = sum(run["steps_seconds"] + run["selection_seconds"] for run in runs.values())
    return HEAD.format(
        cores=" or ".join(map(str, sorted({run["cores"] for run in runs.values()}))),
        hours=seconds / 3600,
        commits=", ".join(sorted({run["commit"] for run in runs.values()})),
        images=rates(runs),
        epochs=epochs,
        pools=" to ".join(f"{n:,}" for n in (pools[:1] + pools[1:][-1:])) or "no",
        held=f" (their leading directions: {np.mean(held):.1%} of the squared length)"
        if held
        else "",
    )


def like(runs: Runs, way: str, share: float, every: int) -> list[Run]:
    """Return the runs of all seeds; ways that select nothing are the same for any `every`."""
    every = every if way in (*SELECTING, TIMED) else 0
    return [
        r for cell, r in runs.items() if (cell.way, cell.share, cell.every) == (way, share, every)
    ]


def mean_of(found: list[Run], what: str, digits: int = 0) -> str:
    """Return the mean of some numbers of runs; a dash where there are none."""
    return f"{np.mean([run[what] for run in found]):,.{digits}f}" if found else "-"


def spread_in_words(found: list[Run]) -> str:
    """Return the mean accuracy of runs, and half of the range where there are several."""
    values = [100 * run["accuracy"] for run in found]
    if not values:
        return "-"
    half = f" ± {(max(values) - min(values)) / 2:.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{half}"


def lines_of(runs: Runs) -> list[tuple[float, int]]:
    """Return the shares, and how often rows are selected, of which there is a run that selects."""
    return [
        (share, every)
        for share in sorted(SHARES)
        for every in sorted(EVERY)
        if any(like(runs, way, share, every) for way in SELECTING)
    ]


def accuracies(runs: Runs) -> str:
    """Return the table of accuracies."""
    rows = [
        [f"{share:.0%}", str(every), *(spread_in_words(like(runs, w, share, every)) for w in WAYS)]
        for share, every in lines_of(runs)
    ]
    note = "Test accuracy, %: the mean of the seeds, ± half of their range.\n\n"
    return note + table(["share", "selected every, epochs", *WAYS], rows)


def times(runs: Runs) -> str:
    """Return the table of seconds."""
    rows = []
    for share, every in lines_of(runs):
        fresh, craig, layer, timed = (
            like(runs, way, share, every) for way in (FRESH, CRAIG, LAYER, TIMED)
        )
        rows.append(
            [
                f"{share:.0%}",
                str(every),
                mean_of(fresh or craig, "epochs"),
                mean_of(fresh or craig, "backward"),
                mean_of(fresh, "steps_seconds"),
                mean_of(craig, "steps_seconds"),
                mean_of(craig, "selection_seconds"),
                mean_of(layer, "selection_seconds"),
                mean_of(timed, "epochs"),
                mean_of(timed, "steps_seconds"),
            ]
        )
    names = ["share", "every", "epochs", "backward passes", "fresh random: steps, s"]
    names += ["CRAIG, p - y: steps, s", "selection, s", "layer: selection, s"]
    return table([*names, "as long: epochs", "steps, s"], rows)


def differences(runs: Runs, way: str, other: str) -> NDArray[np.float64]:
    """Return by how many points runs of a way are above those of another, at the same share, `every`
    and seed.
    """
    found = []
    for cell, run in runs.items():
        every = cell.every if other in (*SELECTING, TIMED) else 0
        rival = runs.get(Cell(other, cell.share, every, cell.seed))
        if cell.way == way and rival is not None:
            found.append(100 * (run["accuracy"] - rival["accuracy"]))
    return np.array(found)


def compared(differences: NDArray[np.float64]) -> str:
    """Return in how many cases one is above the other, and by how much."""
    wins = np.count_nonzero(differences > 0)
    cases = "case" if len(differences) == 1 else "cases"
    return (
        f"in {wins} of {len(differences)} {cases} (mean {differences.mean():+.2f} points, "
        f"{differences.min():+.2f} to {differences.max():+.2f})"
    )


def sentences(runs: Runs) -> Iterable[str]:
    """Yield what holds."""
    yield "The paper: CRAIG is above random rows at the same share. Here, by equal backward passes:\n"
    for way in SELECTING:
        against = [
            f"{words} {compared(found)}"
            for other, words in (
                (FIXED, "above one fixed random subset"),
                (FRESH, "above fresh random rows"),
            )
            if len(found := differences(runs, way, other))
        ]
        if against:
            yield f"- *{way}* is {', and '.join(against)}."
    for way, other, words in (
        (CRAIG, LAYER, "CRAIG by p - y is above CRAIG by the last layer's gradient"),
        (CRAIG, RESET, "Momentum kept through selections is above momentum reset"),
    ):
        if len(found := differences(runs, way, other)):
            yield f"- {words} {compared(found)}."
    if len(found := differences(runs, CRAIG, TIMED)):
        yield (
            f"\nBy equal time, its selection counted, CRAIG by p - y is above fresh random rows "
            f"{compared(found)}."
        )
    for run in (r for cell, r in runs.items() if cell.way == ALL):
        yield (
            f"\nAll rows in {run['epochs']} epochs, {run['backward']:,} backward passes, come to "
            f"{100 * run['accuracy']:.2f} % in {run['steps_seconds']:,.0f} s."
        )


def spreads_of(run: Run) -> list[float]:
    """Return the mean distance of a chosen image to the nearest other, stage by stage."""
    return [stage["spread"] for stage in run["stages"].values()]


def has_spread(run: Run) -> bool:
    """Return whether the chosen images are further apart at the end than at the beginning."""
    return spreads_of(run)[-1] > spreads_of(run)[0]


def claims_of(kept: dict[str, Any]) -> list[Claim]:
    """Return the paper's claims, what the runs say, and whether they hold."""
    runs = {cell_of(run): run for run in kept["runs"]}
    found = []
    for words, other in (
        ("above random rows of the same share, one subset throughout", FIXED),
        ("above random rows, others each epoch", FRESH),
    ):
        if len(above := differences(runs, CRAIG, other)):
            n = np.count_nonzero(above > 0)
            found.append(
                Claim(
                    f"figure 5: ResNet-20 on CIFAR-10, CRAIG ends {words}",
                    f"{compared(above)}, p - y",
                    share_of(n, len(above)),
                )
            )
    for run in (run for run in runs.values() if "stages" in run):
        spreads = spreads_of(run)
        found.append(
            Claim(
                "figure 6: the chosen images repeat each other less as training goes on",
                f"mean distance to the nearest other pick {spreads[0]:.2f} at first, {spreads[-1]:.2f} at last",
                "yes" if has_spread(run) else "no",
            )
        )
    return found


def chosen_images(run: Run) -> str:
    """Return what is said of figure 6; draws it where the images are at hand."""
    if at_hand(["cifar10"]):
        figure_6(run["stages"], cifar10("train")[0])
    rows = [
        [epoch, f"{stage['share_of_heaviest_tenth']:.0%}", f"{stage['spread']:.2f}"]
        for epoch, stage in run["stages"].items()
    ]
    verdict = "do" if has_spread(run) else "do not"
    return f"""
The images of the largest weights of each class among CRAIG's {run["share"]:.0%} by p - y, selected anew each epoch, at the beginning, in the middle and at the end:

![chosen images](docs/paper/fig6.png)

{table(["epoch", "weight on the heaviest tenth", "mean distance to the nearest other pick, as images"], rows)}
The paper: the chosen images repeat each other less as training goes on. By the last column they {verdict} here.
"""


def figure_5(runs: Runs) -> None:
    """Draw the accuracy by the share of the rows: a panel for each `every`, a dot a seed."""
    figure, axes = pictures.panels(len(EVERY), 5.4, 3.8)
    shares = sorted({share for share, _ in lines_of(runs)})
    for one, every in zip(axes, sorted(EVERY), strict=True):
        for way in WAYS:
            points = [(s, found) for s in shares if (found := like(runs, way, s, every))]
            means = [100 * np.mean([run["accuracy"] for run in found]) for _, found in points]
            dashes = ":" if way == TIMED else "-"
            one.plot([100 * s for s, _ in points], means, dashes, color=COLOURS[way], label=way)
            for share, found in points:
                values = [100 * run["accuracy"] for run in found]
                one.plot([100 * share] * len(values), values, ".", color=COLOURS[way])
        one.set_title("selected anew each epoch" if every == 1 else f"every {every} epochs")
        one.set(xscale="log", xlabel="share of the rows, %", ylabel="test accuracy, %")
        one.set_xticks([100 * s for s in shares], [f"{100 * s:g}" for s in shares])
        one.minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    pictures.save(figure, "fig5")


def figure_6(stages: dict[str, Any], rows: NDArray[np.uint8]) -> None:
    """Draw the images of the largest weights: a line a stage, a block of columns a class."""
    figure = Figure(figsize=(13, 1.1 * len(stages)), layout="constrained")
    axes = figure.subplots(len(stages), 1, squeeze=False)[:, 0]
    widest = max(len(own) for stage in stages.values() for own in stage["rows"])
    for one, (epoch, stage) in zip(axes, stages.items(), strict=True):
        blocks = []
        for own in stage["rows"]:
            block = np.full((32, 32 * widest + 8, 3), 255, np.uint8)
            for place, row in enumerate(own):
                block[:, 32 * place : 32 * (place + 1)] = rows[row]
            blocks.append(block)
        one.imshow(np.hstack(blocks), interpolation="nearest")
        one.set_title(f"epoch {epoch}", fontsize=9, loc="left")
        one.set_axis_off()
    pictures.save(figure, "fig6")
