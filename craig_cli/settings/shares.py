"""Shares and counts of rows that are easily taken for each other: 10, 10 %, 0.1."""

from __future__ import annotations

import re
from numbers import Real

from craig_cli.errors import UsageError, printable
from craig_cli.settings.checks import SHARE

PERCENT = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*%\s*")
MOST_PERCENT = 100


def check_share(name: str, share: object, write: str) -> None:
    """Raise `UsageError` unless `share` is one, or None, telling what may have been meant.

    `name` is the option or argument in messages, `write` how its value is given, up to this.
    """
    if share is None:
        return
    is_number = isinstance(share, Real)
    if isinstance(share, Real) and SHARE.holds(float(share)):
        return
    percent = percentage(share)
    meant = "" if percent is None else f" For {percent:g} % write {write}{percent / 100:g}."
    kind = "" if is_number else "a number "
    raise UsageError(f"{name}: {shown(share)} is not {kind}{SHARE.words}.{meant}")


def check_rows(name: str, rows: object, write: str) -> None:
    """Raise `UsageError` unless `rows` is a whole number, or None; `write` is how a share is given,
    up to its value.
    """
    if rows is None or (isinstance(rows, Real) and float(rows).is_integer()):
        return
    percent = percentage(rows) if isinstance(rows, str) else None
    if percent is None and is_share(rows):
        percent = 100 * float(str(rows))
    share = "" if percent is None else f"{write}{percent / 100:g}"
    meant = "" if percent is None else f" For {percent:g} % of the rows write {share}."
    raise UsageError(f"{name}: {shown(rows)} is not a whole number of rows.{meant}")


def percentage(value: object) -> float | None:
    """Return the percents that a text such as ``10%``, or a number above 1, stands for."""
    if isinstance(value, str):
        found = PERCENT.fullmatch(value)
        percent = float(found[1]) if found else 0.0
    else:
        percent = float(value) if isinstance(value, Real) and float(value) > 1 else 0.0
    return percent if 0 < percent <= MOST_PERCENT else None


def is_share(value: object) -> bool:
    """Return whether a number, or the text of one, is between 0 and 1."""
    try:
        return 0 < float(str(value)) < 1
    except ValueError:
        return False


def shown(value: object) -> str:
    """Return a value for a message."""
    return f"'{printable(value, 40)}'" if isinstance(value, str) else str(value)
