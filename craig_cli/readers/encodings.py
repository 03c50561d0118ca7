"""How the columns of all files of an input become those of rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

from craig_cli.dataset import Encoding
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.categories import check_categories
from craig_cli.readers.columns import Columns, listed
from craig_cli.readers.fills import with_fills
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings
from craig_cli.settings.inputs import fills_missing

FILLED_SHOWN = 8
"""Columns with filled cells that are named."""
UNSEEN_SHOWN = 5
"""Values that a model does not know which are named."""


def agreed_encoding(
    sources: tuple[Source, ...], settings: InputSettings, known: Encoding | None
) -> tuple[Encoding | None, tuple[str, ...]]:
    """Return how columns become those of rows, the same for all files that have names, and what
    the user should know of it: the encoding that is known, else that of the first file, with the
    categories of all.

    Raises `InputError` where a file has not the columns of the first; their order is free.
    """
    choosing = [
        (source, choose)
        for source in sources
        if (choose := source.reader.choose_columns) is not None
    ]
    if not choosing:
        return None, ()
    named = [source for source, _ in choosing]
    (first, choose), *others = choosing
    columns = choose(first, settings, known)
    encoding = known or Encoding(columns.features, widths=columns.widths, origin=first.name)
    for source, choose in others:
        extra = choose(source, settings, encoding).extra
        if extra and known is None:
            raise InputError(
                source.name,
                f"it has {'a column' if len(extra) == 1 else 'columns'} that {first.name} has not: "
                f"{listed(extra)}",
                remedy="Give files with the same columns, or --drop those that differ.",
            )
    if known is None and columns.one_hot:
        open_ended = replace(encoding, categories=dict.fromkeys(columns.one_hot, ()))
        if fills_missing(settings):
            open_ended = replace(open_ended, fills=dict.fromkeys(columns.features, 0.0))
        found: dict[str, set[str]] = defaultdict(set)
        for source in named:
            if (collect := source.reader.collect_categories) is not None:
                for column, values in collect(source, settings, open_ended).items():
                    found[column] |= values
                check_categories(source.name, found)
        categories = {column: tuple(sorted(found[column])) for column in columns.one_hot}
        encoding = replace(encoding, categories=categories)
    if known is None and fills_missing(settings):
        encoding = with_fills(encoding, named, settings)
    elif known is not None:
        encoding = with_known_fills(known, settings)
    return encoding, notes_on_columns(columns)


def notes_on_columns(columns: Columns) -> tuple[str, ...]:
    """Return what the user should know of columns that are passed over."""
    notes = []
    if columns.index:
        shown = listed(columns.index, quoted=True)
        notes.append(f"Left out: {shown}, an index that only numbers the rows.")
    if columns.left_out:
        features = printable(next(iter(columns.widths)), 60)
        left_out = listed(columns.left_out)
        notes.append(f"The features are column '{features}'; left out: {left_out}.")
    if columns.extra:
        notes.append(f"Passed over, as the model has no such columns: {listed(columns.extra)}.")
    return tuple(notes)


def with_known_fills(known: Encoding, settings: InputSettings) -> Encoding:
    """Return the encoding of a model, with what stands for missing numbers if that is wanted."""
    if not fills_missing(settings):
        return replace(known, fills={})
    if known.fills:
        return known
    if settings.missing == "zero":
        return replace(known, fills=dict.fromkeys(known.features, 0.0))
    raise UsageError(
        f"--missing {settings.missing}: {printable(known.origin)} has no {settings.missing} of its "
        f"columns. Train it with --missing {settings.missing}, or use --missing zero."
    )


def filled_note(filled: Counter[str], encoding: Encoding, missing: str) -> tuple[str, ...]:
    """Return what to say of missing cells that were filled."""
    most = filled.most_common(FILLED_SHOWN)
    shown = ", ".join(
        f"{n:,} in '{printable(name, 60)}' ({encoding.fills[name]:.6g})" for name, n in most
    )
    more = f" and more in {len(filled) - len(most):,} columns" if len(filled) > len(most) else ""
    return (f"Filled in, by --missing {missing}: {shown}{more}.",) if filled else ()


def unseen_note(column: str, values: Counter[str]) -> str:
    """Return what to say of values that a model does not know."""
    most = values.most_common(UNSEEN_SHOWN)
    shown = ", ".join(f"'{printable(value, 40)}' in {n:,} rows" for value, n in most)
    more = f" and {len(values) - len(most):,} more values" if len(values) > len(most) else ""
    return (
        f"Column '{printable(column, 60)}': the model does not know {shown}{more}; they count for "
        "nothing."
    )
