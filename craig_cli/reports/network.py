"""What ``craig train --model mlp`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.errors import printable
from craig_cli.reports.base import aligned, closing_lines, counted, place, read_in_words


@dataclass(frozen=True)
class NetworkReport:
    """What was trained, and how good it is.

    Parameters
    ----------
    output : str
    rows, columns, skipped_rows : int
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
    seconds : mapping of str to float
        Wall-clock time of each stage.
    peak_memory_bytes : int
    notes : tuple of str
    """

    output: str
    rows: int
    columns: int
    skipped_rows: int
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
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    notes: tuple[str, ...]
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return {"model": "mlp", **asdict(self)}

    def text(self) -> str:
        """Return the closing summary."""
        said = self.settings
        batches = f"batches of {said['batch']}, step {said['step']:g}, l2 {said['l2']:g}"
        lines = [
            ("rows", read_in_words(self.rows, self.columns, self.skipped_rows)),
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
            *closing_lines(self.seconds, self.peak_memory_bytes, self.notes),
        ]
        return aligned(lines)

    def trained_in_words(self) -> str:
        """Return what was trained on."""
        if self.chosen_by is not None:
            return f"on {counted(self.trained_rows, 'row')} of {printable(self.chosen_by)}"
        if self.settings["fraction"] is None:
            return "on all rows"
        every = (
            "each epoch"
            if self.settings["reselect_every"] == 1
            else (f"every {self.settings['reselect_every']} epochs")
        )
        by = {"residual": "p - y", "layer": "the last layer's gradient"}[
            self.settings["reselect_by"]
        ]
        return (
            f"on {counted(self.trained_rows, 'row')}, selected anew {every} by {by} "
            f"({self.settings['method']})"
        )
