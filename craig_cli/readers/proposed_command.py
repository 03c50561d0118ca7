"""The command that is proposed for a table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields

from craig_cli.readers import columns as choosing
from craig_cli.settings import LABEL_COLUMNS, InputSettings

FIELDS = {field.name for field in fields(InputSettings)}
MATCHING_NAMES = getattr(choosing, "matching_names", None)
"""What finds the columns of lists and patterns, where --drop and --one-hot take such."""


def meant_names(names: Sequence[str], patterns: Sequence[str]) -> Sequence[str]:
    """Return the columns that ``--drop`` or ``--one-hot`` names."""
    if MATCHING_NAMES is not None:
        found: Sequence[str] = MATCHING_NAMES("--drop", patterns, "", names, True)
        return found
    return patterns


def command_of(
    roles: Mapping[str, str],
    settings: InputSettings,
    paths: Sequence[str],
    label: str | None,
    task: str | None,
) -> list[str]:
    """Return the words of a command, but for the budget and the output, given what becomes of each
    column.
    """
    words = ["craig", "select", *paths]
    options: list[str] = []
    for name, option in KEPT_OPTIONS.items():
        value = getattr(settings, name)
        if value != getattr(PLAIN, name):
            options += [option] if value is True else [option, str(value)]
    if not settings.header:
        options.append("--no-header")
    names = list(roles)
    drop = [name for name, role in roles.items() if role in ("drop", "id")]
    one_hot = [name for name, role in roles.items() if role == "one-hot"]
    kept = [name for name in meant_names(names, settings.one_hot) if name not in drop]
    options += ["--no-label"] if label is None else label_options(label, settings)
    if task is not None:
        options += ["--task", task]
    options += named("--drop", [*settings.drop, *drop], names)
    options += named("--one-hot", [*kept, *one_hot], names)
    if "missing" in roles.values():
        options += ["--missing", "mean"]
    if settings.on_error == "skip":
        options += ["--on-error", "skip"]
    return [*words, *options]


def joined(words: Sequence[str], needs_skip: bool = False) -> str:
    """Return a command with a budget and an output, as a shell takes it."""
    more = ["--on-error", "skip"] if needs_skip else []
    return " ".join(map(shlex.quote, [*words, *more, "--fraction", "0.1", "-o", "cs.parquet"]))


PLAIN = InputSettings(())
KEPT_OPTIONS = {
    "format": "--format",
    "delimiter": "--delimiter",
    "decimal": "--decimal",
    "thousands": "--thousands",
    "partition_columns": "--partition-columns",
    "task": "--task",
    "weight_column": "--weight-column",
    "cost_column": "--cost-column",
    **({"id_column": "--id"} if "id_column" in FIELDS else {}),
    **({"missing": "--missing"} if "missing" in FIELDS else {}),
}


def label_options(label: str, settings: InputSettings) -> list[str]:
    """Return the option that names the label, unless it is found without."""
    is_usual = settings.label is None and label.lower() in LABEL_COLUMNS
    return [] if is_usual else ["--label", label]


def named(option: str, wanted: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return an option that names some columns, as short as it can be told."""
    if not wanted:
        return []
    if MATCHING_NAMES is None:
        return [word for name in wanted for word in (option, name)]
    short = shortened(list(dict.fromkeys(wanted)), names)
    plain = [name for name in short if "," not in name and name == name.strip()]
    others = [name for name in short if name not in plain]
    return [
        *([option, ",".join(plain)] if plain else []),
        *(w for n in others for w in (option, n)),
    ]


def shortened(wanted: list[str], names: Sequence[str]) -> list[str]:
    """Return names, three and more of them with one beginning as a pattern that fits no other."""
    left, short = list(wanted), []
    special = re.compile(r"[*?\[]")
    while left:
        name = left[0]
        best = [name]
        for cut in [match.end() for match in re.finditer(r"[_. -]|\D(?=\d)", name)]:
            start = name[:cut]
            own = [other for other in left if other.startswith(start)]
            fits = [other for other in names if other.startswith(start)]
            if len(own) >= 3 and len(own) > len(best) and set(fits) <= set(wanted):
                best = own
        if len(best) > 1 and not special.search(name):
            start = next(
                name[: match.end()]
                for match in re.finditer(r"[_. -]|\D(?=\d)", name)
                if [o for o in left if o.startswith(name[: match.end()])] == best
            )
            short.append(f"{start}*")
        else:
            best = [name]
            short.append(name)
        left = [other for other in left if other not in best]
    return short
