"""``craig doctor``."""

from __future__ import annotations

from craig_cli.cli.command import Run, reporting
from craig_cli.reports.base import Report


@reporting("doctor", examples=("craig doctor", "craig doctor --json"))
def command(run: Run) -> Report:
    """Show what this installation runs on: versions, threads, memory, the folder of compiled
    kernels; and try a small selection.

    The first run compiles the kernels it needs. Exit code 5 if something is wrong.
    """
    from craig_cli.workflows.doctor import examine

    return examine()
