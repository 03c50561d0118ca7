"""Which columns of a table are features and which is the label, and what they are called."""

from __future__ import annotations

import difflib
import fnmatch
import re
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from craig_cli.dataset import Encoding
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.amounts import AMOUNTS, Amount
from craig_cli.settings import LABEL_COLUMNS, InputSettings

MOST_NAMES = 20
"""Columns that an error lists before it cuts the list."""
UNNAMED = ("", "Unnamed: 0")
"""What the first column is called that pandas and R write for the index, and pandas reads back."""
UNSEEN_REMEDY = "Correct it, or use --unseen zeros: it then counts for nothing."
LEVEL = re.compile(r"__index_level_[0-9]+__")
"""What an index without a name is called where a table is stored."""


class Header(NamedTuple):
    """The names of the columns of a table, and of those its metadata calls an index."""

    names: Sequence[str]
    index_names: Collection[str] = ()


@dataclass(frozen=True)
class Columns:
    """The columns that are read.

    Parameters
    ----------
    label : str or None
        The label column; None where there is none.
    features : tuple of str
        In the order of the rows' columns.
    one_hot : tuple of str
        Those of `features` to expand into one column a value, in the same order.
    amounts : mapping of str to Amount
        The columns of weights and of costs that are read.
    id : str or None
        The column that names rows.
    index : tuple of str
        Columns that only count the rows, and are left out.
    extra : tuple of str
        Columns that the encoding does not know.
    widths : mapping of str to int
        Numbers in a row of each of `features` that holds lists.
    left_out : tuple of str
        Columns that nobody named and that are no features, as one of lists is.
    """

    label: str | None
    features: tuple[str, ...]
    one_hot: tuple[str, ...]
    amounts: Mapping[str, Amount] = field(default_factory=dict)
    id: str | None = None
    index: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def called(self, name: str) -> str:
        """Return what a column is called in an error."""
        kind = (
            "label column"
            if name == self.label
            else self.amounts[name].called
            if name in self.amounts
            else "column"
        )
        return f"{kind} '{printable(name, 60)}'"


def choose_columns(
    source_name: str, header: Header, settings: InputSettings, encoding: Encoding | None = None
) -> Columns:
    """Return the columns to read of a table; those of an encoding, where there is one.

    Raises `UsageError` where an option names a column that is not there or that another option
    claims, and `InputError` where a name is repeated, or no label or no feature is left.
    """
    names = header.names
    check_names_differ(source_name, names)
    label, claims = claimed_columns(source_name, names, settings, encoding is not None)
    amounts = {claims[a.option][0]: a for a in AMOUNTS if claims[a.option]}
    taken = {*filter(None, [label]), *(name for own in claims.values() for name in own)}
    wanted = {*claims["--features"], *claims["--one-hot"]}
    taken -= wanted
    index = tuple(
        name
        for place, name in enumerate(names)
        if is_index(place, name, header) and name not in taken and name not in wanted
    )
    free = [name for name in names if name not in taken and name not in index]
    if claims["--features"]:
        free = [name for name in free if name in wanted]
    features = tuple(free) if encoding is None else encoding.features
    if not features:
        raise InputError(
            source_name,
            f"no feature column is left of {listed(names)}",
            remedy="Drop fewer columns with --drop.",
        )
    if encoding is not None:
        check_known(source_name, names, encoding)
    one_hot = claims["--one-hot"] if encoding is None else encoding.categories
    return Columns(
        label,
        features,
        tuple(name for name in features if name in one_hot),
        amounts if settings.amounts_needed else {},
        next(iter(claims["--id"]), None) if settings.amounts_needed else None,
        index,
        tuple(name for name in free if name not in features),
    )


def is_index(place: int, name: str, header: Header) -> bool:
    """Return whether a column only counts the rows: pandas and R write such first, unnamed, and
    pandas tells in the metadata of a file which columns were the index.
    """
    return (
        name in header.index_names
        or (place == 0 and len(header.names) > 1 and name in UNNAMED)
        or LEVEL.fullmatch(name) is not None
    )


def check_names_differ(source_name: str, names: Sequence[str]) -> None:
    """Raise `InputError` where two columns have the same name."""
    counts = Counter(names)
    repeated = next((name for name in names if counts[name] > 1), None)
    if repeated is not None:
        raise InputError(
            source_name,
            "two columns have the same name",
            value=repeated,
            remedy="Rename one of them.",
        )


def check_known(source_name: str, names: Sequence[str], encoding: Encoding) -> None:
    """Raise `InputError` where a table lacks columns of an encoding."""
    there = set(names)
    lacking = [name for name in encoding.features if name not in there]
    if lacking:
        what = "column" if len(lacking) == 1 else f"{len(lacking)} columns:"
        raise InputError(
            source_name,
            f"it lacks {what} {listed(lacking, quoted=True)}, of {printable(encoding.origin)}",
            remedy=f"Its columns are {listed(names)}.",
        )


def claimed_columns(
    source_name: str, names: Sequence[str], settings: InputSettings, is_known: bool
) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the label column, and the columns that each other option names; where the columns are
    known, from a model, options may name what is not there.
    """
    there = set(names)
    single = {amount.option: amount.column(settings) for amount in AMOUNTS}
    single["--id"] = settings.id_column
    claims: dict[str, tuple[str, ...]] = {
        option: () if name is None else (name,) for option, name in single.items()
    }
    if not settings.amounts_needed:
        is_strict = {"--id": "id_column" in settings.strict}
        claims = {
            option: tuple(name for name in own if name in there or is_strict.get(option))
            for option, own in claims.items()
        }
    for option, patterns in (
        ("--drop", settings.drop),
        ("--one-hot", settings.one_hot),
        ("--features", settings.features),
    ):
        is_lax = is_known and option[2:].replace("-", "_") not in settings.strict
        claims[option] = matching_names(option, patterns, source_name, names, is_lax)
    one_hot = claims["--one-hot"]
    claims["--features"] = tuple(name for name in claims["--features"] if name not in one_hot)
    label = None if settings.no_label else settings.label
    if not settings.amounts_needed and label not in there and "label" not in settings.strict:
        label = None
    for option, own in {"--label": () if label is None else (label,), **claims}.items():
        if missing := [name for name in own if name not in there]:
            raise UsageError(missing_text(option, missing[0], source_name, names))
    if label is None and not settings.no_label and settings.label is None:
        label = usual_label(source_name, names, settings.amounts_needed)
    check_claims(label, claims)
    return label, claims


def matching_names(
    option: str, patterns: Sequence[str], source_name: str, names: Sequence[str], is_known: bool
) -> tuple[str, ...]:
    """Return the columns that an option means: by name, by names with commas between, by a pattern
    such as ``time_*``; a name that is there is always itself.

    Raises `UsageError` for what means none, unless the columns are known without it.
    """
    there = set(names)
    found: dict[str, None] = {}
    for text in patterns:
        for part in [text] if text in there else map(str.strip, text.split(",")):
            own = [part] if part in there else fnmatch.filter(names, part)
            if not own and not is_known:
                raise UsageError(missing_text(option, part, source_name, names))
            found |= dict.fromkeys(own)
    return tuple(found)


def check_claims(label: str | None, claims: Mapping[str, Sequence[str]]) -> None:
    """Raise `UsageError` where two options name one column, or one names that of the labels."""
    for option, wanted in claims.items():
        if label in wanted:
            raise UsageError(
                f"{option}: '{label}' is the label column. Name another with --label, "
                f"or use --no-label."
            )
    for (one, first), (other, second) in combinations(claims.items(), 2):
        if both := [name for name in first if name in second]:
            raise UsageError(f"{one} and {other} both name '{both[0]}': leave one out.")


def usual_label(source_name: str, names: Sequence[str], is_needed: bool = True) -> str | None:
    """Return the first usual label column, the exact spelling before any other case.

    Where there is none, raises `InputError` if it is needed.
    """
    usual = [name for wanted in LABEL_COLUMNS for name in names if name == wanted]
    usual += [name for wanted in LABEL_COLUMNS for name in names if name.lower() == wanted]
    if not usual and is_needed:
        problem = (
            f"no column is named {', '.join(LABEL_COLUMNS[:-1])} or {LABEL_COLUMNS[-1]}; "
            f"the columns are {listed(names)}"
        )
        raise InputError(
            source_name,
            problem,
            remedy="Name the label column with --label COLUMN, or use --no-label.",
        )
    return usual[0] if usual else None


def missing_text(option: str, name: str, source_name: str, names: Sequence[str]) -> str:
    """Return what to tell the user of an option that names a column that is not there."""
    close = difflib.get_close_matches(name, names, n=1)
    meant = f" Did you mean '{printable(close[0])}'?" if close else ""
    return (
        f"{option}: {printable(source_name)} has no column '{printable(name)}'.{meant} The "
        f"columns are {listed(names)}."
    )


def listed(names: Sequence[str], quoted: bool = False) -> str:
    """Return `names` in one line, a long list cut."""
    quote = "'" if quoted else ""
    shown = ", ".join(f"{quote}{printable(name, 60)}{quote}" for name in names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} ... ({len(names)} in all)"


def option_of(option: str, columns: Sequence[str]) -> str:
    """Return `option` once for each of the first columns, as a shell takes it."""
    more = " ..." if len(columns) > MOST_NAMES else ""
    return (
        " ".join(f"{option} {shlex.quote(printable(name))}" for name in columns[:MOST_NAMES]) + more
    )
