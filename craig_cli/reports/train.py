"""What ``craig train`` reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import RunReport, counted, error_in_words, listed, place

CANDIDATES_SHOWN = 2
"""Of a search, unless ``--verbose`` asks for all."""


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
    search : mapping or None
        Of a search: folds, fraction, and the candidates, the best first: loss, l2, fold_loss,
        fold_error and its spread over the folds.
    """

    output: str
    trained_rows: int
    chosen_by: str | None
    loss: str
    coefficients: tuple[int, int]
    classes: Sequence[Any] | None
    models: Sequence[Mapping[str, Any]]
    search: Mapping[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        facts = super().facts()
        return facts if self.search is not None else {k: facts[k] for k in facts if k != "search"}

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        outputs, columns = self.coefficients
        trained = "on all rows"
        if self.chosen_by is not None:
            trained = f"on {counted(self.trained_rows, 'row')} of {printable(self.chosen_by)}"
        return [
            *self.read_lines(),
            *self.search_lines(),
            ("trained", trained),
            (
                "model",
                f"{self.loss}, {outputs} x {columns} coefficients, written to {place(self.output)}",
            ),
            *(line for model in self.models for line in self.model_lines(model)),
            *self.closing_lines(),
        ]

    def search_lines(self) -> list[tuple[str, str]]:
        """Return the lines of a search: how it was done, and its candidates, the best first."""
        if self.search is None:
            return []
        candidates, folds = self.search["candidates"], self.search["folds"]
        lines = [
            f"{len(candidates)} candidates, each fitted on coresets of "
            f"{self.search['fraction']:.4g} of the rows and scored on the rest, {folds} folds"
        ]
        for candidate in candidates:
            error = error_in_words(candidate["fold_error"], self.classes is None)
            lines.append(
                f"{candidate['loss']}, l2 {candidate['l2']:g}: loss {candidate['fold_loss']:.6g}, "
                f"{error}, standard deviation {candidate['spread']:.2g}"
            )
        return listed("search", lines)

    def brief_lines(self) -> list[tuple[str, str]]:
        """Return the lines of the summary: of a search the best candidates only."""
        rest = self.search_lines()[1 + CANDIDATES_SHOWN :]
        return [line for line in super().brief_lines() if line not in rest]

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
