"""Which columns of a table are features and which is the label, and what they are called."""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.amounts import AMOUNTS, Amount
from craig_cli.settings import LABEL_COLUMNS, InputSettings

MOST_NAMES = 20
"""Columns that an error lists before it cuts the list."""


@dataclass(frozen=True)
class Columns:
    """The columns that are read.

    Parameters
    ----------
    label : str or None
        The label column; None under ``--no-label``.
    features : tuple of str
        The others in file order, without dropped ones.
    one_hot : tuple of str
        Those of `features` to expand into one column a value, in file order.
    amounts : mapping of str to Amount
        The columns of weights and of costs that are read.
    widths : mapping of str to int
        Numbers in a row of each of `features` that holds lists.
    left_out : tuple of str
        Columns that nobody named and that are no features, as one of lists is.
    """

    label: str | None
    features: tuple[str, ...]
    one_hot: tuple[str, ...]
    amounts: Mapping[str, Amount] = field(default_factory=dict)
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

    def expanded(self, categories: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return the names of the columns of a block.

        Of one-hot columns ``column=value``, of columns of lists ``column[0]``, ``column[1]``, ...
        """
        names: list[str] = []
        for feature in self.features:
            if feature in self.one_hot:
                names += [f"{feature}={value}" for value in categories[feature]]
            elif feature in self.widths:
                names += [f"{feature}[{place}]" for place in range(self.widths[feature])]
            else:
                names.append(feature)
        return tuple(names)


def choose_columns(source_name: str, names: Sequence[str], settings: InputSettings) -> Columns:
    """Return the columns to read of a table with columns `names`.

    Raises `UsageError` where an option names a column that is not there or that another option
    claims, and `InputError` where a name is repeated, or no label or no feature is left.
    """
    counts = Counter(names)
    settings = replace(settings, features=split_names(settings.features, counts))
    repeated = next((name for name in names if counts[name] > 1), None)
    if repeated is not None:
        raise InputError(
            source_name,
            "two columns have the same name",
            value=repeated,
            remedy="Rename one of them.",
        )
    named = {amount.column(settings): amount for amount in AMOUNTS}
    amounts = {name: amount for name, amount in named.items() if name is not None}
    if not settings.amounts_needed:
        amounts = {name: amount for name, amount in amounts.items() if name in counts}
    label = None if settings.no_label else settings.label
    claims = {
        **{amount.option: (name,) for name, amount in amounts.items()},
        "--drop": settings.drop,
        "--one-hot": settings.one_hot,
        "--features": tuple(name for name in settings.features if name not in settings.one_hot),
    }
    for option, wanted in {"--label": () if label is None else (label,), **claims}.items():
        if missing := [name for name in wanted if name not in counts]:
            raise UsageError(missing_text(option, missing[0], source_name, names))
    if label is None and not settings.no_label:
        label = usual_label(source_name, names)
    check_claims(label, claims)
    features = tuple(
        name
        for name in names
        if name != label
        and name not in settings.drop
        and name not in amounts
        and (not settings.features or name in settings.features or name in settings.one_hot)
    )
    if not features:
        raise InputError(
            source_name,
            f"no feature column is left of {listed(names)}",
            remedy="Drop fewer columns with --drop.",
        )
    one_hot = tuple(name for name in features if name in settings.one_hot)
    return Columns(label, features, one_hot, amounts if settings.amounts_needed else {})


def split_names(wanted: Sequence[str], names: Collection[str]) -> tuple[str, ...]:
    """Return names of columns, those that are several with commas between taken apart."""
    found: list[str] = []
    for name in wanted:
        found += [name] if name in names or "," not in name else name.split(",")
    return tuple(dict.fromkeys(found))


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


def usual_label(source_name: str, names: Sequence[str]) -> str:
    """Return the first usual label column, the exact spelling before any other case."""
    usual = [name for wanted in LABEL_COLUMNS for name in names if name == wanted]
    usual += [name for wanted in LABEL_COLUMNS for name in names if name.lower() == wanted]
    if not usual:
        problem = (
            f"no column is named {', '.join(LABEL_COLUMNS[:-1])} or {LABEL_COLUMNS[-1]}; "
            f"the columns are {listed(names)}"
        )
        raise InputError(
            source_name,
            problem,
            remedy="Name the label column with --label COLUMN, or use --no-label.",
        )
    return usual[0]


def missing_text(option: str, name: str, source_name: str, names: Sequence[str]) -> str:
    """Return what to tell the user of an option that names a column that is not there."""
    close = difflib.get_close_matches(name, names, n=1)
    meant = f" Did you mean '{printable(close[0])}'?" if close else ""
    return (
        f"{option}: {printable(source_name)} has no column '{printable(name)}'.{meant} The "
        f"columns are {listed(names)}."
    )


def listed(names: Sequence[str]) -> str:
    """Return `names` in one line, a long list cut."""
    shown = ", ".join(printable(name, 60) for name in names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} ... ({len(names)} in all)"


def option_of(option: str, columns: Sequence[str]) -> str:
    """Return `option` once for each of the first columns, as a shell takes it."""
    more = " ..." if len(columns) > MOST_NAMES else ""
    return (
        " ".join(f"{option} {shlex.quote(printable(name))}" for name in columns[:MOST_NAMES]) + more
    )
