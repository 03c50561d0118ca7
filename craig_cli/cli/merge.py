"""``craig merge``."""

from __future__ import annotations

import click

from craig_cli.cli import options as opt
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError


@click.command(
    "merge",
    cls=opt.Command,
    examples=(
        "craig select sample_data/sample.libsvm --partial --fraction 0.1 -o a.partial",
        "craig select sample_data/sample.test.libsvm --partial --fraction 0.1 -o b.partial",
        "craig merge a.partial b.partial -o cs.parquet",
        "craig verify sample_data/sample.libsvm sample_data/sample.test.libsvm cs.parquet",
        "craig merge a.partial b.partial --no-assign -o bound.parquet",
    ),
)
@click.argument("partials", nargs=-1, required=True, metavar="PARTIAL...")
@opt.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="Where the manifest goes (Parquet); - is stdout.",
)
@opt.option(
    "--force", is_flag=True, help="Replace an existing output that is not a craig manifest."
)
@opt.option(
    "--data",
    multiple=True,
    metavar="DATA",
    help="Where the shards are, in the order of the partials; may be repeated.",
)
@opt.option(
    "--no-assign",
    is_flag=True,
    help="Do not read the shards: keep their weights, and state an upper bound of epsilon.",
)
@opt.threads_option
@opt.json_option
@opt.common_options
@click.pass_obj
def command(
    session: Session,
    /,
    partials: tuple[str, ...],
    output: str,
    force: bool,
    data: tuple[str, ...],
    no_assign: bool,
    threads: int,
    json: bool,
) -> None:
    """Make the coreset of all shards from what each offers: the partial manifests that craig select
    --partial has written.

    Two-round distributed greedy (GreeDi, Mirzasoleiman et al. 2013): picks are chosen among the
    candidates of all PARTIALs, then one pass over the shards gives weights and epsilon. Rows are
    numbered as if the shards were one input, in the order of the PARTIALs: give train, verify and
    the others the shards in that order.
    """
    if json and output == "-":
        raise UsageError("--json and --output - both write to stdout: choose one.")
    if no_assign and data:
        raise UsageError("--data: under --no-assign no data is read. Leave one out.")
    session.detail(f"{len(partials)} partial manifests")
    from craig_cli.workflows.merge import MergeFiles, merge_to_file

    with session.progress() as progress:
        report = merge_to_file(
            MergeFiles(partials, output, data, force), threads, not no_assign, progress
        )
    session.finish(report, json, summary_only=True)
