"""Frozen settings of every command, and the only home of their defaults.

They check themselves in the words of the options.
"""

from craig_cli.platform import usable_threads
from craig_cli.settings.checks import check_name, parse_size, size_in_words
from craig_cli.settings.inputs import LABEL_COLUMNS, InputSettings
from craig_cli.settings.selection import BUDGETS, DRAWN, Budget, SelectionSettings

__all__ = [
    "BUDGETS",
    "DRAWN",
    "LABEL_COLUMNS",
    "Budget",
    "InputSettings",
    "SelectionSettings",
    "check_name",
    "parse_size",
    "size_in_words",
    "usable_threads",
]
