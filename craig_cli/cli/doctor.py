"""``craig doctor``."""

from __future__ import annotations

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session


@click.command("doctor", cls=opt.Command, examples=("craig doctor", "craig doctor --json"))
@opt.json_option
@opt.common_options
@click.pass_obj
def command(session: Session, /, json: bool) -> None:
    """Show what this installation runs on: versions, threads, memory, the folder of compiled
    kernels; and try a small selection.

    The first run compiles the kernels it needs. Exit code 5 if something is wrong.
    """
    from craig_cli.workflows.doctor import examine

    session.finish(examine(), json)
