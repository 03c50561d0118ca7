"""Settings of ``craig apply``, and the only home of their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from craig_cli.errors import UsageError, printable
from craig_cli.settings.catalog import COMPRESSIONS, EXPORTS, PICK_ORDERS, WEIGHT_PLACES, names
from craig_cli.settings.checks import THREADS, Checked
from craig_cli.storage.remote import bare_name, split_options

COLUMNAR = ("csv", "tsv", "parquet", "hdf5")
"""Formats with a place for a column of weights."""
BINARY = tuple(entry.name for entry in EXPORTS if not entry.may_be_compressed)
OWN_PLACE = ("vw", "npz")
"""Formats that always hold the weights."""


@dataclass(frozen=True)
class ApplySettings(Checked):
    """What ``craig apply`` writes, and where; see its help for each option."""

    output: str
    to: str | None = None
    order: str = "greedy"
    weight_as: str = "auto"
    weight_name: str = "weight"
    first: int | None = None
    force: bool = False
    force_mismatch: bool = False
    threads: int = 0

    CHECKS: ClassVar = {
        "to": EXPORTS,
        "order": PICK_ORDERS,
        "weight_as": WEIGHT_PLACES,
        "threads": THREADS,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weight_name:
            raise UsageError("--weight-name: the name of the column of weights is empty.")
        chosen, place = self.format, self.weight_as
        if chosen in OWN_PLACE and place != "auto":
            raise UsageError(
                f"--weight-as {place}: {chosen} files have a place of their own for "
                f"weights. Leave it out."
            )
        if place == "inline" and chosen != "libsvm":
            raise UsageError(
                f"--weight-as inline: only LIBSVM text has labels with weights, not "
                f"{chosen}. Use column or file."
            )
        if place == "column" and chosen not in COLUMNAR:
            raise UsageError(
                f"--weight-as column: {chosen} files have no columns with names. Use "
                f"file or inline."
            )
        if self.compression is not None and chosen in BINARY:
            raise UsageError(
                f"--output: {chosen} files are not written compressed. Leave out "
                f"{Path(bare_name(self.output)).suffix}."
            )
        if self.place == "file" and self.output == "-":
            raise UsageError(
                "--output -: weights go to a file beside the output, and stdout has "
                "no name. Use --weight-as inline, column or none."
            )

    @property
    def compression(self) -> str | None:
        """Codec that the extension of the output tells."""
        return COMPRESSIONS.get(Path(bare_name(self.output)).suffix.lower())

    @property
    def format(self) -> str:
        """What is written: as asked for, else by the extension; raises `UsageError` where neither
        tells.
        """
        if self.to is not None:
            return self.to
        path = Path(bare_name(self.output))
        extension = path.with_suffix("").suffix if self.compression is not None else path.suffix
        found = next(
            (entry.name for entry in EXPORTS if extension.lower() in entry.extensions), None
        )
        if found is None:
            formats = ", ".join(names(EXPORTS))
            raise UsageError(
                f"--output: the name '{printable(self.output)}' does not tell the "
                f"format. Give --to, one of {formats}."
            )
        return found

    @property
    def is_text(self) -> bool:
        """Whether the output can be shown on a terminal."""
        return self.format not in BINARY and self.compression is None

    @property
    def place(self) -> str:
        """Where the weights go: one of `WEIGHT_PLACES` but ``auto``, or ``own``."""
        if self.format in OWN_PLACE:
            return "own"
        if self.weight_as == "auto":
            return "column" if self.format in COLUMNAR else "file"
        return self.weight_as

    @property
    def weight_path(self) -> str:
        """The file of weights beside the output."""
        plain, options = split_options(self.output)
        return f"{plain}.weight{options}"
