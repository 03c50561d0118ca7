"""The curves of ``craig evaluate`` as a PNG, by matplotlib (the extra ``plot``)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import BinaryIO

from craig_cli.errors import UsageError
from craig_cli.reports.evaluate import EvaluateReport, title
from craig_cli.reports.evaluation_page import COLOURS, DECADES, LOWEST, shown

SOFTWARE = "craig evaluate"
"""In the file, so that it is known again."""


def check_plotting(option: str = "--plot") -> None:
    """Raise `UsageError` unless matplotlib is there; called before hours of work."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            f"{option} needs matplotlib, which is not installed. Run: pip install "
            f"'craig-cli[plot]'."
        )


def is_plot(path: Path) -> bool:
    """Return whether a file is a picture that craig has made."""
    try:
        with path.open("rb") as file:
            return SOFTWARE.encode() in file.read(1000)
    except OSError:
        return False


def write_plot(out: BinaryIO, report: EvaluateReport) -> None:
    """Write a picture: a row of two panels for each loss and l2, the residual by passes and by
    seconds.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.8 * len(report.comparisons)), layout="constrained")
    panels = figure.subplots(len(report.comparisons), 2, squeeze=False)
    for row, comparison in zip(panels, report.comparisons, strict=True):
        for axes, axis, unit in zip(
            row, ("passes", "seconds"), ("passes over all rows", "seconds of training"), strict=True
        ):
            for result in comparison.results:
                for number, run in enumerate(result.runs):
                    points = [(x, max(y, LOWEST)) for x, y in shown(run.curve, axis)]
                    width = 2.5 if result.name == "coreset" else 1.2
                    label = result.name if number == 0 else None
                    axes.plot(
                        *zip(*points, strict=True),
                        color=COLOURS[result.name],
                        linewidth=width,
                        label=label,
                    )
            axes.axhline(comparison.target, color="#9ca3af", linestyle="--", linewidth=1)
            top = max(
                y
                for result in comparison.results
                for run in result.runs
                for _, y in shown(run.curve, axis)
            )
            axes.set(
                xscale="log",
                yscale="log",
                xlabel=unit,
                ylabel="f - f* on all rows",
                title=title(comparison),
            )
            axes.set_ylim(bottom=max(axes.get_ylim()[0], top / 10**DECADES))
            axes.grid(True, color="#e5e7eb")
    panels[0][0].legend(frameon=False)
    figure.savefig(out, format="png", dpi=120, metadata={"Software": SOFTWARE})
