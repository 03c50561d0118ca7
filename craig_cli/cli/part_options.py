"""The options of selections in parts."""

from __future__ import annotations

from typing import Any

import click

from craig_cli.cli.options import combined, option
from craig_cli.errors import UsageError
from craig_cli.settings.catalog import ENGINES, PARTITIONS, names
from craig_cli.settings.parts import PartSettings, needs_all_rows, parse_parts

PART_TABLES = (("Partitions", PARTITIONS), ("Engines", ENGINES))
parts_options = combined(
    option(
        "--partial",
        is_flag=True,
        help="DATA is one shard: write what it offers, for craig "
        "merge. One that is finished is kept.",
    ),
    option(
        "--parts",
        metavar="N|files",
        help="Select in N parts of as many rows, or in one a "
        "file. [default: in one piece; with dask: files]",
    ),
    option(
        "--partition",
        type=click.Choice(names(PARTITIONS)),
        default=PartSettings.partition,
        show_default=True,
        help="What a part is.",
    ),
    option(
        "--surplus",
        type=float,
        metavar="A",
        default=PartSettings.oversampling,
        show_default=True,
        help="A part offers A times its share of the picks, under --fraction; under --size it "
        "offers K.",
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


def parts_from(options: dict[str, Any]) -> PartSettings | None:
    """Return how the selection is cut into parts; None where it is made in one piece."""
    if (
        options["parts"] is None
        and not options["partial"]
        and options["engine"] == PartSettings.engine
    ):
        if options["partition"] != PartSettings.partition or options["scheduler"] is not None:
            raise UsageError(
                "--partition, --scheduler: they are for a selection in parts. Give "
                "--parts, or leave them out."
            )
        return None
    if options["extend"] is not None:
        raise needs_all_rows("--extend")
    if options["partial"]:
        for name, default in (
            ("parts", None),
            ("engine", PartSettings.engine),
            ("partition", PartSettings.partition),
            ("scheduler", None),
        ):
            if options[name] != default:
                raise UsageError(
                    f"--partial and --{name} exclude each other: a shard is one part. "
                    f"Leave one out."
                )
    parts = None if options["parts"] is None else parse_parts(options["parts"])
    return PartSettings(
        parts, *(options[name] for name in ("partition", "surplus", "engine", "scheduler"))
    )
