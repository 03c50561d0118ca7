"""The options of selections in parts."""

from __future__ import annotations

import click

from craig_cli.cli.command import Run
from craig_cli.cli.parameters import option
from craig_cli.errors import UsageError
from craig_cli.settings.catalog import ENGINES, PARTITIONS, names
from craig_cli.settings.checks import refuse
from craig_cli.settings.parts import PartSettings, needs_all_rows, parse_parts

PART_TABLES = (("Partitions", PARTITIONS), ("Engines", ENGINES))
PARTS = (
    option(
        "--partial",
        is_flag=True,
        help="DATA is one shard: write its candidates, for craig merge. One that is finished is "
        "kept.",
    ),
    option(
        "--parts",
        metavar="N|files",
        help="Select in N parts of as many rows, or in one a file. [default: in one piece; with "
        "dask: files]",
    ),
    option(
        "--partition",
        type=click.Choice(names(PARTITIONS)),
        default=PartSettings.partition,
        show_default=True,
        help="What a part is.",
    ),
    option(
        "--oversampling",
        type=float,
        metavar="A",
        default=PartSettings.oversampling,
        show_default=True,
        help="Candidates of a part: A times its share of the picks, under --fraction; under "
        "--size K.",
    ),
    option(
        "--engine",
        type=click.Choice(names(ENGINES)),
        default=PartSettings.engine,
        show_default=True,
        help="What selects in parts.",
    ),
    option(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler, as tcp://host:8786. [default: as many local processes as --threads]",
    ),
)


def parts_from(run: Run) -> PartSettings | None:
    """Return how the selection is cut into parts; None where it is made in one piece."""
    changed = [
        name
        for name, default in (
            ("parts", None),
            ("engine", PartSettings.engine),
            ("partition", PartSettings.partition),
            ("scheduler", None),
        )
        if run[name] != default
    ]
    if not run["partial"] and not {"parts", "engine"} & set(changed):
        refuse(
            changed,
            "--partition, --scheduler: they are for a selection in parts. Give --parts, or leave "
            "them out.",
        )
        return None
    if run["extend"] is not None:
        raise needs_all_rows("--extend")
    if run["partial"] and changed:
        raise UsageError(
            f"--partial and --{changed[0]} exclude each other: a shard is one part. Leave one out."
        )
    parts = None if run["parts"] is None else parse_parts(run["parts"])
    return run.make(PartSettings, parts=parts)
