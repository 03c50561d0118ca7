"""PAPER.md and its pictures, from the numbers of `paper.py`: prose quotes what was measured, and
nothing else.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import paper_pictures as pictures

PAGE = Path(__file__).parents[1] / "PAPER.md"
SETS = {
    "flights": "flights (delayed or not; real, of covtype's shape)",
    "covtype": "covtype, the paper's own",
}

HEAD = """# The paper's experiments, measured again

Mirzasoleiman, Bilmes and Leskovec, *Coresets for Data-efficient Training of Machine Learning Models*, ICML 2020, section 5, with the data that can
be had and this program; made by `make paper` ({date}, {minutes:.0f} minutes of measuring on two shared CPUs). CRAIG is the paper's choice throughout:
medoids, cluster weights. Their abstract says what there is to find: practically the same solution, up to 6 times faster for logistic regression
and 3 times for deep networks. {epoch}Selection is counted unless it says otherwise; looking at the objective is never in the times.
"""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return (
        "\n".join(
            [
                "| " + " | ".join(head) + " |",
                "|" + "---|" * len(head),
                *("| " + " | ".join(row) + " |" for row in rows),
            ]
        )
        + "\n"
    )


def number(value: float | None, digits: int = 3) -> str:
    """Return a number in few digits; a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.{digits}g}"


def figure_1(name: str, numbers: dict[str, Any]) -> str:
    """Return what is said of figure 1 on one data set."""
    pictures.figure_1(name, numbers)
    rows, better = [], 0
    for solver, runs in numbers["runs"].items():
        target = near(runs["CRAIG"]["curve"])
        for subset, run in runs.items():
            end = run["curve"][-1]
            rows.append(
                [
                    solver.upper(),
                    subset,
                    f"{run['tried']} in {run['tuning_seconds']:.2f} s",
                    number(end[0]),
                    number(end[1]),
                    f"{100 * end[2]:.2f} %",
                    number(reached_at(run["curve"], target)),
                ]
            )
        better += runs["CRAIG"]["curve"][-1][1] < runs["random"]["curve"][-1][1]
    optima = numbers["subset_optima"]
    return f"""
## Figure 1: logistic regression, {SETS[name]}

{numbers["rows"]:,} x {numbers["columns"]} (a random half; errors on the other half), l2 1e-5, a tenth of the rows. The grid of steps (six first steps;
SGD: exponential with four decays and k-inverse with three) is searched for each subset alike, by the training loss. The selection (`{numbers["method"]}`)
takes {numbers["selection_seconds"]:.2f} s. The optimum has a test error of {100 * numbers["optimum_error"]:.2f} %. *Reaches*: seconds to 1.05 times the residual that CRAIG comes to.

![loss residual and test error by time](docs/paper/fig1-{name}.png)

{table(["solver", "rows", "tuning: tried", "seconds", "residual", "test error", "reaches, s"], rows)}
The paper: CRAIG comes to practically the same loss and error as all rows, sooner, and random rows do not. Here CRAIG's tenth ends below the random
tenth with {better} of {len(numbers["runs"])} solvers. Solved to the end, its optimum has a residual of {number(optima["CRAIG"])} on all rows, that of the random tenth {number(optima["random"])}:
no solver on these rows comes below that. ([Calibration](docs/explanation/calibration.md) mends it: other representatives and weights.)
"""


def near(curve: list[list[float]]) -> float:
    """Return 1.05 times the least residual of a curve."""
    return 1.05 * min(point[1] for point in curve)


def reached_at(curve: list[list[float]], target: float) -> float | None:
    """Return the seconds after which a curve is at or below a residual."""
    return next((point[0] for point in curve if point[1] <= target), None)


def figure_2(numbers: dict[str, Any]) -> str:
    """Return what is said of figure 2."""
    pictures.figure_2(numbers)
    rows, sentences = [], []
    for share, found in numbers["shares"].items():
        craig, random, bound = (np.array(found[key]) for key in ("craig", "random", "bound"))
        rows.append(
            [
                f"{float(share):.0%}",
                *(f"{values.min():.3g} to {values.max():.3g}" for values in (craig, random, bound)),
            ]
        )
        sentences.append(
            f"at {float(share):.0%} CRAIG's error is the smaller at "
            f"{np.count_nonzero(craig < random)} of {len(craig)} points"
        )
        sentences.append(f"{np.count_nonzero(craig <= bound)} of {len(craig)} are under the bound")
    return f"""
## Figure 2: the gradient error along training, ijcnn1

Ten epochs of SGD on all {numbers["rows"]:,} rows; at each model, the distance between the mean gradient of all rows and that of the weighted subset, over the largest
full gradient met. The bound is certified for every model as long as the one at hand, and leaves no constant open (`craig evaluate`).

![gradient errors and the bound](docs/paper/fig2.png)

{table(["share", "CRAIG", "random, mean of 10", "bound"], rows)}
The paper: the error of CRAIG is far below that of random rows, and below the theoretical epsilon. Here {"; ".join(sentences)}.
"""


def figure_3(numbers: dict[str, Any]) -> str:
    """Return what is said of figure 3."""
    pictures.figure_3(numbers)
    rows = []
    for row in numbers["shares"]:
        craig = row["CRAIG"]
        ratios = [
            number(pictures.speedup(row, *pair))
            for pair in (("CRAIG", 0.0), ("CRAIG", row["selection_seconds"]), ("random", 0.0))
        ]
        residuals = [number(row[name]["residual"]) for name in ("CRAIG", "random")]
        rows.append(
            [
                f"{row['fraction']:.0%}",
                residuals[0],
                number(craig["seconds"]),
                number(row["selection_seconds"]),
                *ratios[:2],
                residuals[1],
                ratios[2],
            ]
        )
    ratios = [pictures.speedup(row, "CRAIG", 0.0) for row in numbers["shares"]]
    best = int(np.nanargmax(ratios)) if np.isfinite(ratios).any() else None
    found = (
        "no share came there sooner"
        if best is None
        else (
            f"the largest speed-up is "
            f"{ratios[best]:.2g}, at "
            f"{numbers['shares'][best]['fraction']:.0%}"
        )
    )
    counted = [
        pictures.speedup(row, "CRAIG", row["selection_seconds"]) for row in numbers["shares"]
    ]
    return f"""
## Figure 3: SGD on 10 % to 90 % of ijcnn1

Each share is trained with the tuned schedule; the speed-up is the time of SGD on all rows over that on the subset, to 1.05 times the residual that
the subset comes to.

![speed-up and residual by share](docs/paper/fig3.png)

{table(["share", "CRAIG: residual", "seconds", "selection, s", "speed-up", "with selection", "random: residual", "speed-up"], rows)}
The paper: CRAIG's subsets come to the same loss sooner than all rows. Here, selection aside, {found}; with the selection counted for this one run
{np.count_nonzero(np.array(counted) > 1)} of {len(counted)} shares are faster than all rows: one pass of SGD takes {numbers["full"]["curve"][1][0] * 1000:.1f} ms. The search of the grid on all rows takes {numbers["full"]["tuning_seconds"]:.2f} s.
"""


def theorems(numbers: dict[str, Any]) -> str:
    """Return what is said of the theorems."""
    pictures.theorems(numbers)
    rows = [
        [
            tau,
            number(run["distances"][0]),
            number(run["distances"][-1]),
            number(run["convex"][-1]),
            number(run["smooth"][-1]),
            "yes" if run["holds"] and run["stays_in_ball"] else "no",
        ]
        for tau, run in numbers["runs"].items()
    ]
    return f"""
## Theorems 1 and 2: the distance to w* along incremental steps

Logistic regression on ijcnn1 with l2 = {numbers["mu"]:g} (so that the bounds say something) and no intercept, {numbers["picks"]:,} picks of CRAIG taken in greedy order, steps a / k^tau in
epoch k. The certified gradient error on the ball ||w|| <= {numbers["radius"]:.3g} is {numbers["error"]:.3g} a row. Iterated from the start: for convex parts
D'^2 <= (1 - A mu) D^2 + 2 A e D + A^2 G^2, for smooth ones D' <= (1 - A mu) D + A e + A^2 beta G (A the step of an epoch, e the gradient error, G the most that
the parts can move, beta their smoothness): the inequalities that the theorems sum up.

![distances and bounds](docs/paper/theorems.png)

{table(["tau", "distance at first", "after 100 epochs", "bound, convex", "bound, smooth", "under both all along"], rows)}
"""


def figure_4(parts: list[dict[str, Any]]) -> str:
    """Return what is said of figure 4."""
    runs = {
        name: [trial for part in parts for trial in part["runs"][name]]
        for name in ("all rows", "CRAIG", "random")
    }
    pictures.figure_4(runs)
    rows = []
    for name, trials in runs.items():
        points = np.array(trials)
        accuracy = 100 * points[:, -1, 4]
        rows.append(
            [
                name,
                f"{points[:, -1, 1].mean():.2f}",
                f"{points[:, -1, 2].mean():.2f}",
                f"{points[:, -1, 3].mean():.4f}",
                f"{accuracy.mean():.2f} +- {accuracy.std():.2f}",
            ]
        )
    full, craig, random = (np.array(runs[name]) for name in ("all rows", "CRAIG", "random"))
    epochs = parts[0]["epochs"]
    an_epoch, selection = full[:, -1, 1].mean() / epochs, craig[:, -1, 2].mean() / epochs
    target = 100 * craig[:, -1, 4].mean()
    spent = craig[:, -1, 1].mean() + craig[:, -1, 2].mean()
    times = [first_above(full[:, :, 1] + full[:, :, 2], 100 * full[:, :, 4], target), spent]
    faster = (
        "all rows never come there"
        if times[0] is None
        else (f"all rows take {times[0]:.2f} s, {times[0] / times[1]:.2f} times as long")
    )
    wins = int(np.count_nonzero(craig[:, -1, 4] > random[:, -1, 4]))
    return f"""
## Figure 4: a two-layer network, half of the rows selected anew each epoch

Fashion-MNIST (60,000 x 784, for MNIST, whose format and size it has; 10,000 test images), 784 - 100 sigmoid - softmax, batches of 10, step 0.01, l2 1e-4,
{epochs} epochs, {len(full)} trials (seeds); `craig train --model mlp --fraction 0.5`.

![loss and accuracy by time](docs/paper/fig4.png)

{table(["rows", "steps, s", "selection, s", "training loss", "test accuracy, %"], rows)}
The paper: training on CRAIG's half comes to the accuracy of all rows sooner and generalises as well; random rows do less well. Here
CRAIG's half is above the random half at the end in {wins} of {len(full)} trials. To the accuracy at which CRAIG ends ({target:.2f} %, after {spent:.2f} s) {faster}.
A selection takes {selection:.3f} s, {selection / an_epoch:.0%} of an epoch over all rows ({an_epoch:.3f} s), {selection / (an_epoch * (1 - parts[0]["share"])):.0%} of what half an epoch less saves.
"""


def first_above(seconds: Any, values: Any, target: float) -> float | None:
    """Return the mean seconds at which the mean of trials first comes to a value."""
    there = np.flatnonzero(values.mean(axis=0) >= target)
    return float(seconds.mean(axis=0)[there[0]]) if len(there) else None


def figure_5(found: list[dict[str, Any]]) -> str:
    """Return what is said of figure 5."""
    pictures.figure_5(found)
    rows, wins, of = [], 0, 0
    for numbers in found:
        for row in numbers["shares"]:
            means = [100 * float(np.mean(row[name]["accuracy"])) for name in ("CRAIG", "random")]
            seconds = (
                float(np.mean(row["CRAIG"]["seconds"])),
                float(np.mean(row["CRAIG"]["selection_seconds"])),
            )
            rows.append(
                [
                    str(numbers["every"]),
                    f"{row['share']:.0%}",
                    *(f"{mean:.2f}" for mean in means),
                    *(f"{s:.2f}" for s in seconds),
                ]
            )
            wins, of = wins + (means[0] > means[1]), of + 1
    return f"""
## Figure 5: accuracy against the share of the rows

The same network, {found[0]["epochs"]} epochs, {found[0]["seeds"]} seeds, in place of the paper's ResNet-20 on CIFAR-10 (of which `examples/` has a script): the same number of
backward passes for CRAIG and for random rows.

![accuracy by share](docs/paper/fig5.png)

{table(["selected every, epochs", "share", "CRAIG, %", "random, %", "steps, s", "selection, s"], rows)}
The paper: CRAIG is above random rows at the same share. Here it is above in {wins} of {of} cases.
"""


def figure_6(numbers: dict[str, Any]) -> str:
    """Return what is said of figure 6."""
    from paper_network import images

    pictures.figure_6(numbers, images("train")[0])
    rows = [
        [
            epoch,
            f"{100 * stage['error']:.1f} %",
            f"{stage['share_of_heaviest_tenth']:.0%}",
            f"{stage['spread']:.2f}",
        ]
        for epoch, stage in numbers["stages"].items()
    ]
    return f"""
## Figure 6: what is chosen at the beginning, in the middle, at the end

The images of the largest weights of each class when one per cent is selected anew each epoch.

![chosen images](docs/paper/fig6.png)

{table(["epoch", "training error", "weight on the heaviest tenth", "mean distance to the nearest other pick, as images"], rows)}
The paper: the chosen images repeat each other less as training goes on. The last column says how unlike each other they are here.
"""


def epoch_in_words(parts: dict[str, Any]) -> str:
    """Return how long an epoch of SGD on all rows of figure 1 takes; nothing where that was not
    measured.
    """
    numbers = parts.get("fig1", {}).get("numbers", {}).get("flights")
    if numbers is None:
        return ""
    seconds = numbers["runs"]["sgd"]["all rows"]["curve"][1][0]
    return (
        f"Compiled solvers leave little to save: an epoch of SGD over {numbers['rows']:,} rows "
        f"of flights takes {1000 * seconds:.1f} ms here.\n"
    )


def write_page(parts: dict[str, Any]) -> None:
    """Write PAPER.md and the pictures, of the parts that are there; those that lack their data are
    said to be missing.
    """
    texts, missing = [], []

    def there(name: str) -> Any:
        part = parts.get(name, {"numbers": {"missing": "not run"}})["numbers"]
        if "missing" in part:
            missing.append(f"{name}: {part['missing']}")
            return None
        return part

    if found := there("fig1"):
        texts += [figure_1(name, numbers) for name, numbers in found.items()]
    for name, write in (("fig2", figure_2), ("fig3", figure_3), ("theorems", theorems)):
        if found := there(name):
            texts.append(write(found))
    if trials := [part for number_of in (1, 2) if (part := there(f"fig4-{number_of}"))]:
        texts.append(figure_4(trials))
    if shares := [part for every in (1, 5) if (part := there(f"fig5-{every}"))]:
        texts.append(figure_5(shares))
    if found := there("fig6"):
        texts.append(figure_6(found))
    minutes = sum(part["seconds"] for part in parts.values()) / 60
    head = HEAD.format(
        date=datetime.datetime.now(datetime.UTC).date(),
        minutes=minutes,
        epoch=epoch_in_words(parts),
    )
    notes = "".join(f"- {note}\n" for note in missing)
    PAGE.write_text(head + "".join(texts) + (f"\n## Not measured\n\n{notes}" if missing else ""))
