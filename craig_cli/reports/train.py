"""What ``craig train`` reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import RunReport, counted, error_in_words, place


@dataclass(frozen=True, kw_only=True)
class TrainReport(RunReport):
    """What ``craig train`` did.

    Parameters
    ----------
    output : str
    trained_rows : int
    chosen_by : str or None
        The manifest, or the file of weights; None for all rows.
    loss : str
    coefficients : (int, int)
        Outputs and columns.
    classes : sequence or None
    models : sequence of mapping
        One for each l2: settings, epochs, passes, seconds, gradient_norm, objective and error; and
        ``..._all_rows`` where only some were chosen.
    """

    output: str
    trained_rows: int
    chosen_by: str | None
    loss: str
    coefficients: tuple[int, int]
    classes: Sequence[Any] | None
    models: Sequence[Mapping[str, Any]]

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        outputs, columns = self.coefficients
        trained = "on all rows"
        if self.chosen_by is not None:
            trained = f"on {counted(self.trained_rows, 'row')} of {printable(self.chosen_by)}"
        return [
            *self.read_lines(),
            ("trained", trained),
            (
                "model",
                f"{self.loss}, {outputs} x {columns} coefficients, written to {place(self.output)}",
            ),
            *(line for model in self.models for line in self.model_lines(model)),
            *self.closing_lines(),
        ]

    def model_lines(self, model: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the lines of one model: how it was found, and how good it is."""
        step = "" if model["step"] is None else f", step {model['step']:.3g} {model['schedule']}"
        if model["tried"]:
            step += f" (the best of {model['tried']} tried)"
        why = "" if model["why"] is None else f" ({model['why']})"
        passes = f"{model['passes']:.4g} passes in {model['seconds']:.2f} s"
        lines = [
            (
                "l2",
                f"{model['l2']:g}: {model['solver']}{why}{step}, "
                f"{counted(model['epochs'], 'epoch')}, {passes}, "
                f"gradient {model['gradient_norm']:.1e} of that at zero",
            )
        ]
        for word, rows in (("loss", ""), ("all rows", "_all_rows")):
            if f"objective{rows}" in model:
                error = error_in_words(model[f"error{rows}"], self.classes is None)
                lines.append((word, f"{model[f'objective{rows}']:.6g}, {error}"))
        return lines
