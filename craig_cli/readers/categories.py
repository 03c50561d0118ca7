"""How many values a column may have for ``--one-hot``."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from craig_cli.errors import InputError, printable
from craig_cli.readers.columns import option_of

MOST_CATEGORIES = 1000
"""Values of a column that ``--one-hot`` takes. Rows of more columns of 0 and 1 say little by their
distances, as any two of different values are as far apart, and a million rows take 8 GB.
"""
MOST_COUNTED = 10_000
"""Values that are counted to name their number."""


def check_categories(
    source_name: str, found: Mapping[str, Collection[str]], is_complete: bool = True
) -> None:
    """Raise `InputError` where a column has too many values; before all are seen only where there
    is no use in counting on.
    """
    for name, values in found.items():
        if len(values) > (MOST_CATEGORIES if is_complete else MOST_COUNTED):
            number = (
                f"more than {MOST_COUNTED:,}" if len(values) > MOST_COUNTED else f"{len(values):,}"
            )
            raise InputError(
                source_name,
                f"column '{printable(name, 60)}' has {number} values, and --one-hot takes at "
                f"most {MOST_CATEGORIES:,}",
                remedy=f"Use {option_of('--drop', [name])}, or group its values beforehand.",
            )
