"""What craig does with the columns of a table, in words, and the command that it proposes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from craig_cli.errors import printable
from craig_cli.readers.amounts import AMOUNTS
from craig_cli.readers.categories import MOST_CATEGORIES
from craig_cli.readers.profile import ColumnProfile, TableProfile
from craig_cli.readers.proposed_command import FIELDS, command_of, joined, meant_names
from craig_cli.settings import LABEL_COLUMNS, InputSettings

MOST_PROPOSED = 100
"""Values of a column for which ``--one-hot`` is proposed."""
MOST_CLASSES = 100
"""Distinct whole numbers that are taken for classes, and not for a target of regression."""
ID_NAME = re.compile(r"(.*[_ .-])?(id|ids|uuid|guid|key|index|rowid|nr|no)|.*(Id|ID)|Unnamed: 0|")
FEW_ROWS = 20
"""Up to so many rows, texts may be different in each and be no ids."""
SHOWN_IN_ERROR = 16
"""Columns that the report in an error lists before it cuts the list."""
SHOWN = 200


@dataclass(frozen=True)
class Use:
    """What becomes of a column.

    Parameters
    ----------
    column : ColumnProfile
    words : str
        For people.
    role : str
        ``feature``, ``label``, ``left out``, ``id``, ``drop``, ``one-hot``, ``missing`` or
        ``amount``.
    is_ready : bool
        Whether it can be used as it is, by the options that were given.
    """

    column: ColumnProfile
    words: str
    role: str
    is_ready: bool = True


@dataclass(frozen=True)
class Proposal:
    """What becomes of the columns of a table, and a command that works.

    Parameters
    ----------
    profile : TableProfile
    uses : tuple of Use
    command : str
        Empty where none would work.
    notes : tuple of str
    has_label : bool
        Whether the label column is known, or there is to be none.
    """

    profile: TableProfile
    uses: tuple[Use, ...]
    command: str
    notes: tuple[str, ...]
    has_label: bool

    @property
    def is_ready(self) -> bool:
        """Whether the table can be used as it is."""
        return self.has_label and all(use.is_ready for use in self.uses)

    def lines(self, most: int = SHOWN) -> list[str]:
        """Return a line a column, those that need something first where not all are shown."""
        uses: Sequence[Use] = self.uses
        if len(uses) > most:
            uses = sorted(uses, key=lambda use: use.is_ready)[: most - 1]
        table = [("column", "type", "distinct", "missing", "what craig does"), *map(cells, uses)]
        widths = [max(len(row[k]) for row in table) for k in range(4)]
        lines = [
            f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  "
            f"{row[3]:>{widths[3]}}  {row[4]}"
            for row in table
        ]
        if len(uses) < len(self.uses):
            rest = len(self.uses) - len(uses)
            hidden = [use for use in self.uses if use not in uses]
            ready = sum(use.is_ready for use in hidden)
            lines.append(
                f"  ... and {rest:,} more columns, {ready:,} of them can be used as they are"
            )
        return lines


def cells(use: Use) -> tuple[str, str, str, str, str]:
    """Return the line of a column, cut to its fields."""
    column = use.column
    distinct = f"more than {10_000:,}" if column.distinct is None else f"{column.distinct:,}"
    if column.type.startswith(("list", "nested")):
        distinct = "-"
    kind = column.type
    if column.low is not None and not kind.startswith("constant"):
        kind = f"{kind} {column.low:.6g} to {column.high:.6g}"
    return (
        printable(column.name, 40) or "''",
        printable(kind, 44),
        distinct,
        f"{column.missing:,}" if column.missing else "-",
        use.words,
    )


def propose(profile: TableProfile, settings: InputSettings, paths: Sequence[str]) -> Proposal:
    """Return what becomes of the columns of a table under some settings, and what to ask for."""
    label, guess = label_of(profile, settings)
    uses = tuple(use_of(column, profile, settings, label) for column in profile.columns)
    notes = [guess] if guess else []
    if not any(use.role in ("feature", "one-hot", "missing") for use in uses):
        uses = tuple(map(at_least_one_hot, uses))
        if not any(use.role == "one-hot" for use in uses):
            notes.append("No column can be a feature: make numbers of some beforehand.")
            return Proposal(profile, uses, "", tuple(notes), not guess)
    target = next((use.column for use in uses if use.role == "label"), None)
    task = None
    if target is not None and settings.task == "classification" and is_target(target):
        task = "regression"
        notes.append(
            f"'{printable(target.name, 60)}' has many values: the command takes it as a number, "
            f"by --task regression."
        )
    words = command_of({use.column.name: use.role for use in uses}, settings, paths, label, task)
    needs_skip = target is not None and target.missing > 0 and settings.on_error != "skip"
    command = joined(words, needs_skip)
    return Proposal(profile, uses, command, tuple(notes), not guess)


def is_target(column: ColumnProfile) -> bool:
    """Return whether a label is rather a number to predict."""
    if column.type == "number":
        return column.distinct is None or column.distinct > 20
    return column.type == "whole number" and (
        column.distinct is None or column.distinct > MOST_CLASSES
    )


def label_of(profile: TableProfile, settings: InputSettings) -> tuple[str | None, str]:
    """Return the label column, and what to say where it is guessed, or there is none."""
    if settings.no_label:
        return None, ""
    names = [column.name for column in profile.columns]
    if settings.label is not None:
        return settings.label, ""
    for wanted in LABEL_COLUMNS:
        for name in names:
            if name == wanted:
                return name, ""
    for wanted in LABEL_COLUMNS:
        for name in names:
            if name.lower() == wanted:
                return name, ""
    taken = {*settings.drop, *settings.one_hot}
    likely = [
        column.name
        for column in profile.columns
        if column.name not in taken
        and column.type in ("text", "whole number", "truth value")
        and column.distinct is not None
        and 2 <= column.distinct <= 20
        and not column.missing
    ]
    usual = f"No column is named {', '.join(LABEL_COLUMNS[:-1])} or {LABEL_COLUMNS[-1]}: "
    if not likely:
        return None, f"{usual}the command takes none (--no-label). Name one with --label COLUMN."
    guess = likely[-1]
    return guess, f"{usual}'{printable(guess, 60)}' is a guess. Name another with --label COLUMN."


def use_of(
    column: ColumnProfile, profile: TableProfile, settings: InputSettings, label: str | None
) -> Use:
    """Return what becomes of one column."""
    name, distinct = column.name, column.distinct
    names = [other.name for other in profile.columns]
    if name == label:
        return label_use(column, settings)
    if name in meant_names(names, settings.drop):
        return Use(column, "left out, by --drop", "left out")
    for amount in AMOUNTS:
        if amount.column(settings) == name:
            return Use(column, f"by {amount.option}", "amount")
    if getattr(settings, "id_column", None) == name:
        return Use(column, "id, by --id", "left out")
    is_hot = name in meant_names(names, settings.one_hot)
    kind = column.type
    if kind.startswith("constant"):
        kind = kind.removeprefix("constant ")
    if kind == "no values":
        return Use(column, "holds nothing: --drop", "drop", False)
    if kind == "date or time":
        return Use(column, "--drop, or turn it into numbers beforehand", "drop", False)
    if column.hint and not is_hot:
        return Use(column, column.hint.rstrip("."), "drop", False)
    if kind not in ("number", "whole number", "truth value", "text"):
        if kind.startswith("list") and "features" in FIELDS:
            return Use(column, "features, by --features", "feature")
        return Use(column, "--drop: no number", "drop", False)
    if is_hot:
        if distinct is None or distinct > MOST_CATEGORIES:
            return Use(column, f"too many values for --one-hot: --drop{or_id()}", "drop", False)
        return Use(column, f"{distinct:,} columns, by --one-hot", "feature")
    if kind == "text":
        return text_use(column, profile)
    if column.is_counting and profile.rows > 2:
        return Use(column, "counts the rows: --drop", "drop", False)
    if column.is_unique and ID_NAME.fullmatch(name):
        return Use(column, f"looks like an id: --drop{or_id()}", "id", False)
    if column.missing or column.n_odd:
        return faulty_use(column, settings)
    if distinct == 1:
        return Use(column, "feature, but the same in every row", "feature")
    return Use(column, "feature", "feature")


def label_use(column: ColumnProfile, settings: InputSettings) -> Use:
    """Return what becomes of the label column."""
    words = "label" if settings.task == "classification" else "target, a number"
    if column.missing:
        return Use(column, f"{words}; --on-error skip leaves out rows without", "label", False)
    if column.type == "date or time":
        return Use(column, "label, but dates are none: name another with --label", "label", False)
    return Use(column, words, "label")


def text_use(column: ColumnProfile, profile: TableProfile) -> Use:
    """Return what becomes of a column of texts."""
    distinct, present = column.distinct, profile.rows - column.missing
    if distinct == 1:
        return Use(column, "the same in every row: --drop", "drop", False)
    is_near = distinct is None or distinct > 0.9 * present
    if present > FEW_ROWS and (column.is_unique or (distinct is not None and is_near)):
        return Use(column, f"looks like an id: --drop{or_id()}", "id", False)
    if distinct is None or distinct > MOST_CATEGORIES:
        return Use(column, "too many values for --one-hot: --drop", "drop", False)
    if column.missing and "missing" not in FIELDS:
        return Use(column, "some rows have none: --drop", "drop", False)
    if distinct > MOST_PROPOSED:
        return Use(column, f"--drop, or {distinct:,} columns with --one-hot", "drop", False)
    return Use(column, "--one-hot", "one-hot", False)


def at_least_one_hot(use: Use) -> Use:
    """Return what becomes of a column where no other is a feature."""
    column = use.column
    is_category = column.type == "text" and not column.missing and not column.is_unique
    if (
        use.role == "drop"
        and is_category
        and (column.distinct or MOST_CATEGORIES + 1) <= (MOST_CATEGORIES)
    ):
        return Use(column, f"--one-hot: {column.distinct:,} columns", "one-hot", False)
    return use


def faulty_use(column: ColumnProfile, settings: InputSettings) -> Use:
    """Return what becomes of a column of numbers of which some cells hold none."""
    if column.n_odd:
        example = printable(next(iter(column.examples), ""), 20)
        cells_are = "cell is no number" if column.n_odd == 1 else "cells are no numbers"
        words = f"{column.n_odd:,} {cells_are} ('{example}'): correct, or --drop"
        return Use(column, words, "drop", False)
    if "missing" not in FIELDS:
        return Use(column, "some rows have none: --drop, or --on-error skip", "drop", False)
    filled_by = getattr(settings, "missing", "refuse")
    if filled_by != "refuse":
        return Use(column, f"feature, by --missing {filled_by}", "feature")
    return Use(column, "--missing", "missing", False)


def or_id() -> str:
    """Return what else can be done about an id."""
    return ", or keep it with --id" if "id_column" in FIELDS else ""
