"""What ``craig train --model mlp`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import RunReport, counted, place


@dataclass(frozen=True, kw_only=True)
class NetworkReport(RunReport):
    """What was trained, and how good it is.

    Parameters
    ----------
    output : str
    trained_rows : int
        Of the last epoch.
    chosen_by : str or None
        The manifest, or the file of weights; None where the rows were selected here, or all taken.
    settings : mapping
        Those of the network.
    classes : int
    epochs : int
    passes, training_seconds, selection_seconds : float
        Of all epochs.
    objective, error : float
        Over all rows, at the end.
    """

    output: str
    trained_rows: int
    chosen_by: str | None
    settings: Mapping[str, Any]
    classes: int
    epochs: int
    passes: float
    training_seconds: float
    selection_seconds: float
    objective: float
    error: float

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return {"model": "mlp", **super().facts()}

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        said = self.settings
        batches = f"batches of {said['batch']}, step {said['step']:g}, l2 {said['l2']:g}"
        return [
            *self.read_lines(),
            ("trained", self.trained_in_words()),
            (
                "model",
                f"{self.columns} - {said['hidden']} {said['activation']} - softmax of "
                f"{self.classes}, written to {place(self.output)}",
            ),
            ("steps", f"{batches}, {counted(self.epochs, 'epoch')}, {self.passes:.4g} passes"),
            ("loss", f"{self.objective:.6g} over all rows, {self.error:.2%} wrong"),
            (
                "cost",
                f"steps {self.training_seconds:.2f} s, selection {self.selection_seconds:.2f} s",
            ),
            *self.closing_lines(),
        ]

    def trained_in_words(self) -> str:
        """Return what was trained on."""
        if self.chosen_by is not None:
            return f"on {counted(self.trained_rows, 'row')} of {printable(self.chosen_by)}"
        if self.settings["fraction"] is None:
            return "on all rows"
        epochs = self.settings["reselect_every"]
        every = "each epoch" if epochs == 1 else f"every {epochs} epochs"
        by = "p - y" if self.settings["reselect_by"] == "residual" else "the last layer's gradient"
        return (
            f"on {counted(self.trained_rows, 'row')}, selected anew {every} by {by} "
            f"({self.settings['method']})"
        )
