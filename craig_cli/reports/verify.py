"""What ``craig verify`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import CheckError, printable
from craig_cli.reports.base import Report
from craig_cli.reports.skipped import skipped_facts, skipped_lines
from craig_cli.skipped import SkipReason


@dataclass(frozen=True)
class Check:
    """One check: whether it held (None: could not be run), and what was seen."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class VerifyReport(Report):
    """Whether a manifest and its data agree.

    Parameters
    ----------
    manifest : str
    checks : tuple of Check
    seconds : mapping of str to float
    rows : int
        Of the data, those skipped left out.
    skipped : tuple of SkipReason
        Why rows of the data were skipped.
    """

    manifest: str
    checks: tuple[Check, ...]
    seconds: Mapping[str, float]
    rows: int = 0
    skipped: tuple[SkipReason, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check was run and held."""
        return all(check.passed for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 if all is well, else that of a failed check."""
        return 0 if self.passed else CheckError.exit_code

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        facts = {"manifest": self.manifest, "passed": self.passed, **super().facts()}
        del facts["rows"]
        return (
            facts | {"skipped": skipped_facts(self.skipped)}
            if self.skipped
            else {name: value for name, value in facts.items() if name != "skipped"}
        )

    def lines(self) -> list[tuple[str, str]]:
        """Return the report for people."""
        words = {True: "ok", False: "FAILED", None: "not run"}
        verdict = (
            "the manifest belongs to the data and holds"
            if self.passed
            else "the manifest does not hold for the data"
        )
        return [
            *skipped_lines(self.rows, self.skipped),
            *((words[check.passed], f"{check.name}: {check.detail}") for check in self.checks),
            ("", f"{printable(self.manifest)}: {verdict}"),
        ]
