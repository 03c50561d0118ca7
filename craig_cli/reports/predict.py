"""What ``craig predict`` reports."""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.reports.base import RunReport, error_in_words, place


@dataclass(frozen=True, kw_only=True)
class PredictReport(RunReport):
    """What ``craig predict`` did.

    Parameters
    ----------
    output : str
    loss : str
    l2 : float
        Of the model that was used.
    is_regression : bool
    error : float or None
        Share of wrong classes, or root mean squared error; None where there was nothing to compare
        with.
    """

    output: str
    loss: str
    l2: float
    is_regression: bool
    error: float | None

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        quality = "no labels to compare with"
        if self.error is not None:
            quality = error_in_words(self.error, self.is_regression)
        return [
            *self.read_lines(),
            ("model", f"{self.loss}, l2 {self.l2:g}"),
            ("output", f"predictions written to {place(self.output)}"),
            ("quality", quality),
            *self.closing_lines(),
        ]
