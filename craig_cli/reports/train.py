"""What ``craig train`` and ``craig predict`` report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.errors import printable
from craig_cli.reports.base import aligned, closing_lines, counted, place, read_in_words


@dataclass(frozen=True)
class TrainReport:
    """What ``craig train`` did.

    Parameters
    ----------
    output : str
    rows, columns, skipped_rows, trained_rows : int
    chosen_by : str or None
        The manifest, or the file of weights; None for all rows.
    loss : str
    coefficients : (int, int)
        Outputs and columns.
    classes : sequence or None
    models : sequence of mapping
        One for each l2: settings, epochs, passes, seconds, gradient_norm, objective and error; and
        ``..._all_rows`` where only some were chosen.
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
    loss: str
    coefficients: tuple[int, int]
    classes: Sequence[Any] | None
    models: Sequence[Mapping[str, Any]]
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    notes: tuple[str, ...]
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return asdict(self)

    def text(self) -> str:
        """Return the closing summary."""
        outputs, columns = self.coefficients
        lines = [
            ("rows", read_in_words(self.rows, self.columns, self.skipped_rows)),
            (
                "trained",
                "on all rows"
                if self.chosen_by is None
                else f"on {counted(self.trained_rows, 'row')} of {printable(self.chosen_by)}",
            ),
            (
                "model",
                f"{self.loss}, {outputs} x {columns} coefficients, written to {place(self.output)}",
            ),
            *(line for model in self.models for line in self.model_lines(model)),
            *closing_lines(self.seconds, self.peak_memory_bytes, self.notes),
        ]
        return aligned(lines)

    def model_lines(self, model: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the lines of one model: how it was found, and how good it is."""
        step = "" if model["step"] is None else f", step {model['step']:.3g} {model['schedule']}"
        if model["tried"]:
            step += f" (the best of {model['tried']} tried)"
        epochs, passes = (
            counted(model["epochs"], "epoch"),
            (f"{model['passes']:.4g} passes in {model['seconds']:.2f} s"),
        )
        lines = [
            (
                "l2",
                f"{model['l2']:g}: {model['solver']}{step}, {epochs}, {passes}, gradient "
                f"{model['gradient_norm']:.1e} of that at zero",
            ),
            ("loss", f"{model['objective']:.6g}, {self.error_in_words(model['error'])}"),
        ]
        if "objective_all_rows" in model:
            lines.append(
                (
                    "all rows",
                    f"{model['objective_all_rows']:.6g}, "
                    f"{self.error_in_words(model['error_all_rows'])}",
                )
            )
        return lines

    def error_in_words(self, error: float) -> str:
        """Return what an error is, and how large."""
        return error_in_words(error, is_regression=self.classes is None)


@dataclass(frozen=True)
class PredictReport:
    """What ``craig predict`` did.

    Parameters
    ----------
    output : str
    rows, columns, skipped_rows : int
    loss : str
    l2 : float
        Of the model that was used.
    is_regression : bool
    error : float or None
        Share of wrong classes, or root mean squared error; None where there was nothing to compare
        with.
    seconds : mapping of str to float
    peak_memory_bytes : int
    notes : tuple of str
    """

    output: str
    rows: int
    columns: int
    skipped_rows: int
    loss: str
    l2: float
    is_regression: bool
    error: float | None
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    notes: tuple[str, ...]
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return asdict(self)

    def text(self) -> str:
        """Return the closing summary."""
        error = (
            "no labels to compare with"
            if self.error is None
            else error_in_words(self.error, self.is_regression)
        )
        lines = [
            ("rows", read_in_words(self.rows, self.columns, self.skipped_rows)),
            ("model", f"{self.loss}, l2 {self.l2:g}"),
            ("output", f"predictions written to {place(self.output)}"),
            ("quality", error),
            *closing_lines(self.seconds, self.peak_memory_bytes, self.notes),
        ]
        return aligned(lines)


def error_in_words(error: float, is_regression: bool) -> str:
    """Return what an error is, and how large."""
    return f"root mean squared error {error:.6g}" if is_regression else f"{error:.2%} wrong"
