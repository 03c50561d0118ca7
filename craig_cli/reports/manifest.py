"""What is said of a manifest: by ``craig info`` what it states, by ``craig verify`` whether that
holds for the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.errors import CheckError, printable
from craig_cli.reports.base import aligned, class_lines, cost_in_words, counted


@dataclass(frozen=True)
class InfoReport:
    """What a manifest says.

    Parameters
    ----------
    manifest : str
        The file.
    stated : mapping
        The footer.
    weight_min, weight_median, weight_max : float
    """

    manifest: str
    stated: Mapping[str, Any]
    weight_min: float
    weight_median: float
    weight_max: float
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        weight = {"min": self.weight_min, "median": self.weight_median, "max": self.weight_max}
        return {"manifest": self.manifest, **self.stated, "weight": weight}

    def text(self) -> str:
        """Return the report for people."""
        said = self.stated
        asked = {**said["request"].get("budget", {}), **said["request"].get("input", {})}
        lines = [
            (
                "manifest",
                f"{printable(self.manifest)}, schema {said['schema_version']}, written by "
                f"craig {said['craig_version']}",
            ),
            (
                "picks",
                f"{said['k']:,} of {said['n']:,} rows ({said['k'] / said['n']:.2%}), "
                f"{counted(said['d'], 'column')}",
            ),
            *(
                ("file", f"{printable(file['name'])}: {counted(file['rows'], 'row')}")
                for file in said["files"]
            ),
            *([("parts", f"selected in {len(said['parts'])} parts")] if "parts" in said else []),
            *amount_lines(said),
            *class_lines(said["classes"]),
            (
                "method",
                f"{said['method']}, metric {said['metric']}, scale {said['scale']}, task "
                f"{said['task']}, seed {said['seed']}",
            ),
            (
                "weights",
                f"{said['weights']}: smallest {self.weight_min:g}, median "
                f"{self.weight_median:g}, largest {self.weight_max:g}",
            ),
            (
                "epsilon",
                f"{said['epsilon']['total']:.6g} in all, {said['epsilon']['mean']:.6g} a row",
            ),
            ("", said["epsilon"]["definition"]),
            ("bound", said["gradient_error_bound"]["form"]),
            ("", said["gradient_error_bound"]["assumptions"]),
            (
                "request",
                printable(
                    ", ".join(
                        f"{key} {value}"
                        for key, value in asked.items()
                        if value is not None and value is not False and value != []
                    )
                ),
            ),
            ("data", said["data_fingerprint"]),
            *(("note", printable(note)) for note in said["notes"]),
        ]
        return aligned(lines)


@dataclass(frozen=True)
class Check:
    """One check of ``craig verify``: what was checked, whether it held (None: could not be run),
    and what was seen.
    """

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class VerifyReport:
    """Whether a manifest and its data agree.

    Parameters
    ----------
    manifest : str
    checks : tuple of Check
    seconds : mapping of str to float
    """

    manifest: str
    checks: tuple[Check, ...]
    seconds: Mapping[str, float]

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
        return {
            "manifest": self.manifest,
            "passed": self.passed,
            "checks": [asdict(c) for c in self.checks],
            "seconds": dict(self.seconds),
        }

    def text(self) -> str:
        """Return the report for people."""
        words = {True: "ok", False: "FAILED", None: "not run"}
        lines = [(words[check.passed], f"{check.name}: {check.detail}") for check in self.checks]
        verdict = (
            "the manifest belongs to the data and holds"
            if self.passed
            else ("the manifest does not hold for the data")
        )
        return aligned([*lines, ("", f"{printable(self.manifest)}: {verdict}")])


def amount_lines(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a footer states of weights of rows and of costs."""
    weights, cost = said.get("row_weights"), said.get("cost")
    lines = (
        []
        if weights is None
        else [
            (
                "rows",
                f"weighted by column "
                f"'{printable(str(weights['column']))}', "
                f"{weights['sum']:g} in all",
            )
        ]
    )
    return (
        lines
        if cost is None
        else [
            *lines,
            ("cost", f"{cost_in_words(cost)}, by column '{printable(str(cost['column']))}'"),
        ]
    )
