"""``craig merge``."""

from __future__ import annotations

import click

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import MANIFEST_OUTPUT, THREADS
from craig_cli.cli.parameters import InputFile, option
from craig_cli.reports.base import Report
from craig_cli.settings.checks import refuse


@reporting(
    "merge",
    click.Argument(["partials"], nargs=-1, required=True, metavar="PARTIAL...", type=InputFile()),
    *MANIFEST_OUTPUT,
    option(
        "--data",
        type=InputFile(),
        multiple=True,
        metavar="DATA",
        help="Where the shards are, in the order of the partials; may be repeated.",
    ),
    option(
        "--no-assign",
        is_flag=True,
        help="Do not read the shards: keep their weights, and state an upper bound of epsilon.",
    ),
    THREADS,
    examples=(
        "craig select sample_data/sample.libsvm --partial --fraction 0.1 -o a.partial",
        "craig select sample_data/sample.test.libsvm --partial --fraction 0.1 -o b.partial",
        "craig merge a.partial b.partial -o cs.parquet",
        "craig verify sample_data/sample.libsvm sample_data/sample.test.libsvm cs.parquet",
        "craig merge a.partial b.partial --no-assign -o bound.parquet",
    ),
)
def command(run: Run) -> Report:
    """Make the coreset of all shards from the candidates of each: the partial manifests that craig
    select --partial has written.

    Two-round distributed greedy (GreeDi, Mirzasoleiman et al. 2013): picks are chosen among the
    candidates of all PARTIALs, then one pass over the shards gives weights and epsilon. Rows are
    numbered as if the shards were one input, in the order of the PARTIALs: give train, verify and
    the others the shards in that order.
    """
    refuse(
        run["no_assign"] and run["data"],
        "--data: under --no-assign no data is read. Leave one out.",
    )
    run.detail(f"{len(run['partials'])} partial manifests")
    from craig_cli.workflows.merge import MergeFiles, merge_to_file

    return merge_to_file(run.make(MergeFiles), run["threads"], not run["no_assign"], run.progress)
