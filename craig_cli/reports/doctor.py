"""What ``craig doctor`` reports: whether this installation will do, and what it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from craig_cli.errors import CheckError, printable
from craig_cli.reports.base import Report, counted


@dataclass(frozen=True)
class DoctorReport(Report):
    """What was found.

    Parameters
    ----------
    version : str
        Of craig.
    python, platform : str
    packages : mapping of str to str or None
        Versions of what craig needs and of its extras; None where one is not installed.
    needed : tuple of str
        Those that it cannot do without.
    threads, cpus : int
        CPUs this process may use, and those of the machine.
    processor : str
        That kernels are compiled for, as LLVM names it.
    memory_bytes : int or None
        Of the machine.
    cache : str or None
        Folder of compiled kernels; None where none can be written.
    cached_kernels : int
    shipped_kernels : int
        Compiled ones that came with this installation and can be used here.
    warmed_seconds : float or None
        What compiling all that common runs need has taken; None where that was not asked for.
    temporary : str
        Folder of temporary files.
    temporary_free_bytes : int or None
    selection : str
        How a small selection went.
    problems : tuple of str
    """

    version: str
    python: str
    platform: str
    packages: Mapping[str, str | None]
    needed: tuple[str, ...]
    threads: int
    cpus: int
    processor: str
    memory_bytes: int | None
    cache: str | None
    cached_kernels: int
    shipped_kernels: int
    warmed_seconds: float | None
    temporary: str
    temporary_free_bytes: int | None
    selection: str
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 if nothing is wrong, else that of a failed check."""
        return CheckError.exit_code if self.problems else 0

    def lines(self) -> list[tuple[str, str]]:
        """Return the report for people."""
        needed = ", ".join(f"{name} {self.packages[name] or 'MISSING'}" for name in self.needed)
        extras = ", ".join(
            f"{name} {version or '-'}"
            for name, version in self.packages.items()
            if name not in self.needed
        )
        memory, free, cache = "unknown", "", "none: nothing can be written"
        if self.memory_bytes is not None:
            memory = f"{self.memory_bytes / 1e9:.1f} GB"
        if self.temporary_free_bytes is not None:
            free = f", {self.temporary_free_bytes / 1e9:.1f} GB free"
        if self.cache is not None:
            cache = f"{printable(self.cache)}, {counted(self.cached_kernels, 'kernel')}"
            if self.shipped_kernels:
                cache += f"; {self.shipped_kernels:,} more came with this installation"
            if self.warmed_seconds is not None:
                cache += f"; all compiled, in {self.warmed_seconds:.1f} s"
        found = f"{counted(len(self.problems), 'problem')} found."
        return [
            ("craig", f"{self.version}, Python {self.python}, {self.platform}"),
            ("packages", needed),
            ("extras", extras),
            (
                "threads",
                f"{self.threads} of {counted(self.cpus, 'CPU')}, kernels for {self.processor}",
            ),
            ("memory", memory),
            ("cache", cache),
            ("files", f"temporary ones in {printable(self.temporary)}{free}"),
            ("select", self.selection),
            *(("PROBLEM", problem) for problem in self.problems),
            ("", found if self.problems else "All is well."),
        ]
