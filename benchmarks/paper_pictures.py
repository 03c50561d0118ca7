"""The pictures of PAPER.md, small PNG files in docs/paper, from the numbers of `paper.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from paper_speedups import ACCURACY, LOSS, PASSES, SELECTION, STEPS, share_ratio

FOLDER = Path(__file__).parents[1] / "docs" / "paper"
COLOURS = {
    "all rows": "#374151",
    "CRAIG": "#2563eb",
    "default": "#009e73",
    "random": "#ea580c",
}
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
    figure, axes = grid_of(1, columns, width, height)
    return figure, list(axes[0])


def grid_of(
    rows: int, columns: int, width: float = 4.2, height: float = 3.0
) -> tuple[Figure, NDArray[np.object_]]:
    """Return a figure, and its panels (rows, columns)."""
    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for one in axes.flat:
        one.grid(True, color="#e5e7eb")
    return figure, axes


def figure_1(name: str, numbers: dict[str, Any]) -> None:
    """Draw loss residual and test error by seconds, of the first trial; subsets begin when they are
    selected, and are drawn thinly without the selection too.
    """
    trial = numbers["trials"][0]
    figure, grid = grid_of(2, len(trial["runs"]), 4)
    for column, (solver, runs) in enumerate(trial["runs"].items()):
        for kind, run in runs.items():
            points = np.array(run["curve"])[1:]  # time 0 has no place on a logarithmic axis
            begin = trial["selection_seconds"].get(kind, 0.0)
            residuals = np.maximum(points[:, 1], LEAST_RESIDUAL)
            for axes, values in zip(grid[:, column], (residuals, 100 * points[:, 2]), strict=True):
                colour = COLOURS[kind]
                axes.plot(points[:, 0] + begin, values, ".-", color=colour, label=kind)
                if begin:
                    axes.plot(points[:, 0], values, ":", color=colour)
        grid[0, column].set(xscale="log", yscale="log", title=solver.upper())
        grid[1, column].set(xscale="log", xlabel="seconds")
    grid[0, 0].set(ylabel="f - f* on all rows")
    grid[1, 0].set(ylabel="test error, %")
    grid[0, 0].legend(frameon=False, fontsize=8)
    save(figure, f"fig1-{name}")


def figure_2(found: dict[str, Any]) -> None:
    """Draw the gradient errors along training, beside the certified bound; a panel a set and
    share.
    """
    shown = [
        (name, share, errors)
        for name, numbers in found.items()
        for share, errors in numbers["shares"].items()
    ]
    figure, axes = panels(len(shown), 3.6)
    for one, (name, share, errors) in zip(axes, shown, strict=True):
        epochs = np.arange(len(errors["craig"]))
        one.plot(epochs, errors["bound"], color="#6b7280", linestyle="--", label="certified bound")
        one.plot(epochs, errors["random"], color=COLOURS["random"], label="random, mean of 10")
        one.plot(epochs, errors["craig"], color=COLOURS["CRAIG"], label="CRAIG")
        one.set(yscale="log", xlabel="epoch of SGD", title=f"{float(share):.0%} of {name}")
    axes[0].set(ylabel="gradient error / largest full gradient")
    axes[0].legend(frameon=False, fontsize=8, loc="center", bbox_to_anchor=(0.55, 0.65))
    save(figure, "fig2")


def figure_3(numbers: dict[str, Any]) -> None:
    """Draw the speed-up to the residual that a subset comes to, and that residual."""
    figure, (speed, residual) = panels(2, 5)
    rows = numbers["shares"]
    shares = [row["fraction"] for row in rows]
    for name in ("CRAIG", "random"):
        style = {"color": COLOURS[name], "marker": "o", "label": name}
        speed.plot(shares, [share_ratio(row, name) for row in rows], **style)
        residual.plot(shares, [row[name]["residual"] for row in rows], **style)
    speed.plot(
        shares,
        [share_ratio(row, "CRAIG", True) for row in rows],
        color=COLOURS["CRAIG"],
        linestyle=":",
        marker=".",
        label="CRAIG, selection counted",
    )
    speed.axhline(1, color="#9ca3af", linewidth=1)
    speed.set(xlabel="share of the rows", ylabel="speed-up to the same residual", yscale="log")
    residual.set(xlabel="share of the rows", ylabel="residual that is reached", yscale="log")
    speed.legend(frameon=False, fontsize=8)
    save(figure, "fig3")


def theorems(found: dict[str, Any]) -> None:
    """Draw the distances to the optimum under their bounds; a line of panels a set."""
    figure, grid = grid_of(len(found), 3, height=2.8)
    for axes, (name, numbers) in zip(grid, found.items(), strict=True):
        for one, (tau, run) in zip(axes, numbers["runs"].items(), strict=True):
            epochs = np.arange(len(run["distances"]))
            one.plot(epochs, run["convex"], color="#9ca3af", linestyle="--", label="theorem 1")
            one.plot(epochs, run["smooth"], color="#374151", linestyle=":", label="theorem 2")
            one.plot(epochs, run["distances"], color=COLOURS["CRAIG"], label="distance to w*")
            one.set(yscale="log", title=f"{name}, steps a / k^{float(tau):g}")
        axes[0].set(ylabel="||w - w*||")
    for one in grid[-1]:
        one.set(xlabel="epoch")
    grid[0, 0].legend(frameon=False, fontsize=8)
    save(figure, "theorems")


def figure_4(runs: dict[str, Any]) -> None:
    """Draw loss and accuracy by epochs, backward passes and seconds; a thin line a trial, a thick
    one their mean.
    """
    figure, grid = grid_of(2, 3)
    for name, trials in runs.items():
        points = np.array(trials)[:, 1:]  # (trial, epoch, what)
        epochs = np.broadcast_to(np.arange(1, points.shape[1] + 1), points.shape[:2])
        along = (epochs, points[:, :, PASSES], points[:, :, STEPS] + points[:, :, SELECTION])
        for column, where in enumerate(along):
            for axes, values in zip(
                grid[:, column], (points[:, :, LOSS], 100 * points[:, :, ACCURACY]), strict=True
            ):
                axes.plot(where.T, values.T, color=COLOURS[name], linewidth=0.4, alpha=0.5)
                axes.plot(
                    where.mean(axis=0),
                    values.mean(axis=0),
                    color=COLOURS[name],
                    linewidth=2,
                    label=name,
                )
    for axes, label in zip(
        grid[1],
        ("epochs", "backward passes, in passes over all rows", "seconds, selection counted"),
        strict=True,
    ):
        axes.set(xlabel=label)
    grid[0, 0].set(ylabel="training loss, all rows")
    grid[1, 0].set(ylabel="test accuracy, %")
    grid[1, 0].legend(frameon=False)
    save(figure, "fig4")
