"""Options that mean nothing for the format of a file."""

from __future__ import annotations

from craig_cli.errors import UsageError, printable
from craig_cli.readers.amounts import AMOUNTS
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings


def check_options(sources: tuple[Source, ...], settings: InputSettings) -> None:
    """Raise `UsageError` for options that mean nothing for the format of a file."""
    amounts = AMOUNTS if settings.amounts_needed else ()
    given = {
        "--drop": bool(settings.drop),
        "--one-hot": bool(settings.one_hot),
        "--features": bool(settings.features),
        **{amount.option: bool(amount.column(settings)) for amount in amounts},
        "--missing": settings.missing != "refuse" and settings.amounts_needed,
        "--id": settings.id_column is not None and settings.amounts_needed,
        "--label": settings.label is not None,
        "--partition-columns": settings.partition_columns,
    }
    if settings.inline_weights != "auto" and all(source.format != "libsvm" for source in sources):
        raise UsageError("--inline-weights: only LIBSVM text has label:weight. Leave it out.")
    for source in sources:
        for option, text in ((o, source.reader.refused.get(o)) for o in given if given[o]):
            if text is not None:
                raise UsageError(f"{option}: {text.format(format=source.format)}")
    is_useless = settings.partition_columns and not any(source.partition for source in sources)
    if is_useless and settings.amounts_needed:
        raise UsageError(
            f"--partition-columns: no folder of {printable(sources[0].name)} is named as "
            f"COLUMN=VALUE. Leave it out."
        )
