"""The pictures of PAPER.md, small PNG files in docs/paper, from the numbers of `paper.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FOLDER = Path(__file__).parents[1] / "docs" / "paper"
COLOURS = {"all rows": "#374151", "CRAIG": "#2563eb", "random": "#ea580c"}
LEAST_RESIDUAL = 1e-7


def save(figure: Figure, name: str) -> None:
    """Write a picture; no clock in it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(
        FOLDER / f"{name}.png",
        dpi=80,
        metadata={"Software": "craig"},
        pil_kwargs={"optimize": True},
    )


def panels(columns: int, width: float = 4.2, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels side by side."""
    figure = Figure(figsize=(columns * width, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for one in axes:
        one.grid(True, color="#e5e7eb")
    return figure, list(axes)


def figure_1(name: str, numbers: dict[str, Any]) -> None:
    """Draw loss residual and test error by seconds, selection counted for CRAIG."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    grid = figure.subplots(2, 3)
    for column, (solver, runs) in enumerate(numbers["runs"].items()):
        for subset, run in runs.items():
            points = np.array(run["curve"])
            begin = numbers["selection_seconds"] if subset == "CRAIG" else 0.0
            for row, axes in enumerate(grid[:, column]):
                values = (
                    np.maximum(points[:, 1], LEAST_RESIDUAL) if row == 0 else 100 * points[:, 2]
                )
                axes.plot(
                    points[:, 0] + begin,
                    values,
                    color=COLOURS[subset],
                    label=subset,
                    marker=".",
                    markersize=4,
                )
                if subset == "CRAIG":
                    axes.plot(
                        points[:, 0],
                        values,
                        color=COLOURS[subset],
                        linestyle=":",
                        label="CRAIG, selection aside",
                    )
                axes.grid(True, color="#e5e7eb")
        grid[0, column].set(
            yscale="log", title=solver.upper(), ylabel="f - f* on all rows" if column == 0 else ""
        )
        grid[1, column].set(xlabel="seconds", ylabel="test error, %" if column == 0 else "")
    grid[0, 0].legend(frameon=False, fontsize=8)
    save(figure, f"fig1-{name}")


def figure_2(numbers: dict[str, Any]) -> None:
    """Draw the gradient errors along training, beside the certified bound."""
    figure, axes = panels(len(numbers["shares"]), 5)
    for one, (share, found) in zip(axes, numbers["shares"].items(), strict=True):
        epochs = np.arange(len(found["craig"]))
        one.plot(epochs, found["bound"], color="#6b7280", linestyle="--", label="certified bound")
        one.plot(epochs, found["random"], color=COLOURS["random"], label="random, mean of 10")
        one.plot(epochs, found["craig"], color=COLOURS["CRAIG"], label="CRAIG")
        one.set(
            yscale="log",
            xlabel="epoch of SGD",
            ylabel="gradient error / largest full gradient",
            title=f"{float(share):.0%} of ijcnn1",
        )
    axes[0].legend(frameon=False, fontsize=8)
    save(figure, "fig2")


def figure_3(numbers: dict[str, Any]) -> None:
    """Draw the speed-up to the residual that a subset comes to, and that residual."""
    figure, axes = panels(2, 5)
    shares = [row["fraction"] for row in numbers["shares"]]
    for name in ("CRAIG", "random"):
        ratios = [speedup(row, name, 0.0) for row in numbers["shares"]]
        axes[0].plot(shares, ratios, color=COLOURS[name], marker="o", label=name)
        axes[1].plot(
            shares,
            [row[name]["residual"] for row in numbers["shares"]],
            color=COLOURS[name],
            marker="o",
            label=name,
        )
    ratios = [speedup(row, "CRAIG", row["selection_seconds"]) for row in numbers["shares"]]
    axes[0].plot(
        shares,
        ratios,
        color=COLOURS["CRAIG"],
        linestyle=":",
        marker=".",
        label="CRAIG, selection counted",
    )
    axes[0].axhline(1, color="#9ca3af", linewidth=1)
    axes[0].set(xlabel="share of the rows", ylabel="speed-up to the same residual", yscale="log")
    axes[1].set(xlabel="share of the rows", ylabel="residual that is reached", yscale="log")
    axes[0].legend(frameon=False, fontsize=8)
    save(figure, "fig3")


def speedup(row: dict[str, Any], name: str, extra: float) -> float:
    """Return the seconds of all rows over those of a subset and `extra`; NaN where one never came
    there.
    """
    own, full = row[name]["seconds"], row[name]["full_seconds"]
    return float("nan") if own is None or full is None or own + extra == 0 else full / (own + extra)


def theorems(numbers: dict[str, Any]) -> None:
    """Draw the distances to the optimum under their bounds."""
    figure, axes = panels(3)
    for one, (tau, run) in zip(axes, numbers["runs"].items(), strict=True):
        epochs = np.arange(len(run["distances"]))
        one.plot(
            epochs,
            run["convex"],
            color="#9ca3af",
            linestyle="--",
            label="bound, convex (theorem 1)",
        )
        one.plot(
            epochs, run["smooth"], color="#374151", linestyle=":", label="bound, smooth (theorem 2)"
        )
        one.plot(epochs, run["distances"], color=COLOURS["CRAIG"], label="distance to w*")
        one.set(
            yscale="log",
            xlabel="epoch",
            title=f"steps a / k^{float(tau):g}",
            ylabel="||w - w*||" if one is axes[0] else "",
        )
    axes[0].legend(frameon=False, fontsize=8)
    save(figure, "theorems")


def figure_4(runs: dict[str, list[Any]]) -> None:
    """Draw loss and accuracy by time; a thin line a trial, a thick one their mean."""
    figure, axes = panels(2, 5.4, 3.8)
    for name, trials in runs.items():
        points = np.array(trials)  # (trial, epoch, what)
        seconds = points[:, :, 1] + points[:, :, 2]
        for one, values in zip(axes, (points[:, :, 3], 100 * points[:, :, 4]), strict=True):
            for trial in range(len(points)):
                one.plot(
                    seconds[trial, 1:],
                    values[trial, 1:],
                    color=COLOURS[name],
                    linewidth=0.4,
                    alpha=0.5,
                )
            one.plot(
                seconds.mean(axis=0)[1:],
                values.mean(axis=0)[1:],
                color=COLOURS[name],
                linewidth=2,
                label=name,
            )
    axes[0].set(xlabel="seconds, selection counted", ylabel="training loss, all rows", yscale="log")
    axes[1].set(xlabel="seconds, selection counted", ylabel="test accuracy, %")
    axes[0].legend(frameon=False)
    save(figure, "fig4")


def figure_5(found: list[dict[str, Any]]) -> None:
    """Draw the accuracy by the share of the rows."""
    figure, axes = panels(len(found), 4.8)
    for one, numbers in zip(axes, found, strict=True):
        shares = [100 * row["share"] for row in numbers["shares"]]
        for name in ("CRAIG", "random"):
            means = [100 * float(np.mean(row[name]["accuracy"])) for row in numbers["shares"]]
            one.plot(shares, means, color=COLOURS[name], marker="o", label=name)
            for share, row in zip(shares, numbers["shares"], strict=True):
                one.plot(
                    [share] * len(row[name]["accuracy"]),
                    [100 * a for a in row[name]["accuracy"]],
                    ".",
                    color=COLOURS[name],
                    alpha=0.5,
                )
        words = "each epoch" if numbers["every"] == 1 else f"every {numbers['every']} epochs"
        one.set(
            xscale="log",
            xlabel="share of the rows, %",
            ylabel="test accuracy, %",
            title=f"selected anew {words}",
        )
        one.set_xticks(shares, [f"{share:g}" for share in shares])
    axes[0].legend(frameon=False)
    save(figure, "fig5")


def figure_6(numbers: dict[str, Any], rows: Any) -> None:
    """Draw the images of the largest weights at three stages: a line a stage, a block of columns a
    class.
    """
    stages = numbers["stages"]
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    axes = figure.subplots(len(stages), 1, squeeze=False)[:, 0]
    for one, (epoch, stage) in zip(axes, stages.items(), strict=True):
        classes = [
            np.hstack([rows[row].reshape(28, 28) for row in own] or [np.zeros((28, 28))])
            for own in stage["rows"]
        ]
        width = max(image.shape[1] for image in classes)
        padded = [np.pad(image, ((2, 2), (2, width - image.shape[1] + 2))) for image in classes]
        half = len(padded) // 2
        one.imshow(
            np.vstack([np.hstack(padded[:half]), np.hstack(padded[half:])]),
            cmap="gray_r",
            interpolation="nearest",
        )
        one.set_title(f"epoch {epoch}", fontsize=9, loc="left")
        one.set_axis_off()
    save(figure, "fig6")
