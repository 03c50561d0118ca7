"""``craig doctor``."""

from __future__ import annotations

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.parameters import option
from craig_cli.reports.base import Report

WARM = option(
    "--warm",
    is_flag=True,
    help="Compile first all kernels that common runs need, so that none has to wait for them.",
)


@reporting("doctor", WARM, examples=("craig doctor", "craig doctor --json"))
def command(run: Run) -> Report:
    """Show what this installation runs on: versions, threads, memory, the folder of compiled
    kernels; and try a small selection.

    Exit code 5 if something is wrong.
    """
    from craig_cli.workflows.doctor import examine

    return examine(run["warm"], run.progress)
