"""``craig verify``."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session


@click.command(
    "verify",
    cls=opt.Command,
    tables=opt.READING_TABLES,
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.1 -o cs.parquet",
        "craig verify sample_data/sample.libsvm cs.parquet",
        "craig verify sample_data/sample.parquet cs.parquet --json",
    ),
)
@click.argument("data", nargs=-1, metavar="DATA...")
@click.argument("manifest")
@opt.proxy_option
@opt.threads_option
@opt.reading_options(show_default=False)
@opt.json_option
@opt.common_options
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    /,
    data: tuple[str, ...],
    manifest: str,
    files_from: str | None,
    threads: int,
    json: bool,
    **options: Any,
) -> None:
    """Check MANIFEST against its DATA: the data's fingerprint and labels, what every coreset
    promises, and clusters and epsilon computed anew.

    DATA is read with the options that the manifest records; those given here are used instead. Exit
    code 5 if a check fails.
    """
    paths = opt.all_paths(ctx, data, files_from)
    overrides = opt.reading_overrides(ctx) | {
        name: options[name] for name in ("proxy",) if options[name] is not None
    }
    session.detail(f"reading options given here: {overrides or 'none'}")
    from craig_cli.workflows.verify import verify_manifest

    with session.progress() as progress:
        report = verify_manifest(
            paths, manifest, overrides=overrides, threads=threads, progress=progress
        )
    session.finish(report, json)
